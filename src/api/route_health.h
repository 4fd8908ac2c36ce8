/* The routes that need no key: is the process alive, can it serve, what does it understand; and where providers
 * join. */
#ifndef NATARIS_API_ROUTE_HEALTH_H
#define NATARIS_API_ROUTE_HEALTH_H

#include "api/route.h"

extern const struct route_set ROUTES_HEALTH;

#endif
