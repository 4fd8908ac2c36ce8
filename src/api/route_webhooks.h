/* /v1/webhooks: where an account wants to be told, and how the telling went. */
#ifndef NATARIS_API_ROUTE_WEBHOOKS_H
#define NATARIS_API_ROUTE_WEBHOOKS_H

#include "api/route.h"

extern const struct route_set ROUTES_WEBHOOKS;

#endif
