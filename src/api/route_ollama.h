/* GET /api/version, /api/tags and /api/ps, and POST /api/show: what Ollama's clients ask beside answers. */
#ifndef NATARIS_API_ROUTE_OLLAMA_H
#define NATARIS_API_ROUTE_OLLAMA_H

#include "api/route.h"

extern const struct route_set ROUTES_OLLAMA;

#endif
