/* GET /v1/models and /v1/models/{id}. */
#ifndef NATARIS_API_ROUTE_MODELS_H
#define NATARIS_API_ROUTE_MODELS_H

#include "api/route.h"

extern const struct route_set ROUTES_MODELS;

#endif
