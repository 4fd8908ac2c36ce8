/* GET and DELETE /v1/responses/{id}, its input_items and cancel: answers that are kept. */
#ifndef NATARIS_API_ROUTE_RESPONSES_H
#define NATARIS_API_ROUTE_RESPONSES_H

#include "api/route.h"

extern const struct route_set ROUTES_RESPONSES;

#endif
