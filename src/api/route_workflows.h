/* GET /v1/workflows, GET and DELETE /v1/workflows/{id}, POST /v1/workflows/{id}/cancel. */
#ifndef NATARIS_API_ROUTE_WORKFLOWS_H
#define NATARIS_API_ROUTE_WORKFLOWS_H

#include "api/route.h"

extern const struct route_set ROUTES_WORKFLOWS;

#endif
