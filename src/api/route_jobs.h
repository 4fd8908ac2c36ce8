/* POST and GET /v1/jobs, GET and DELETE /v1/jobs/{id}. */
#ifndef NATARIS_API_ROUTE_JOBS_H
#define NATARIS_API_ROUTE_JOBS_H

#include "api/route.h"

extern const struct route_set ROUTES_JOBS;

#endif
