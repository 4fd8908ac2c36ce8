/* GET /v1/usage and GET /v1/usage/requests: what an account used, and what it cost. */
#ifndef NATARIS_API_ROUTE_USAGE_H
#define NATARIS_API_ROUTE_USAGE_H

#include "api/route.h"

extern const struct route_set ROUTES_USAGE;

#endif
