/* GET /v1/models and /v1/models/{id}. */
#ifndef NATARIS_API_ROUTE_MODELS_H
#define NATARIS_API_ROUTE_MODELS_H

#include "api/router.h"

extern const struct route_set ROUTES_MODELS;

#endif
