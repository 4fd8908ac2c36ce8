/* POST and GET /v1/conversations, GET and DELETE /v1/conversations/{id}. */
#ifndef NATARIS_API_ROUTE_CONVERSATIONS_H
#define NATARIS_API_ROUTE_CONVERSATIONS_H

#include "api/route.h"

extern const struct route_set ROUTES_CONVERSATIONS;

#endif
