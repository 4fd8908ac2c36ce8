/* GET /v1/provider/earnings: what an account's devices earned, with a line for each generation. */
#ifndef NATARIS_API_ROUTE_EARNINGS_H
#define NATARIS_API_ROUTE_EARNINGS_H

#include "api/route.h"

extern const struct route_set ROUTES_EARNINGS;

#endif
