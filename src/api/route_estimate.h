/* POST /v1/workflows/estimate: what a workflow will likely take. */
#ifndef NATARIS_API_ROUTE_ESTIMATE_H
#define NATARIS_API_ROUTE_ESTIMATE_H

#include "api/route.h"

extern const struct route_set ROUTES_ESTIMATE;

#endif
