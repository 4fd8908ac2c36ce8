/* What to say about a path that is no route: which route was meant, or what is here in its place. */
#ifndef NATARIS_API_ROUTE_HINT_H
#define NATARIS_API_ROUTE_HINT_H

#include "api/router.h"
#include "base/str.h"
#include "call/fault.h"

/* `fault` becomes a 404 that names what was asked for and what to use: the route whose path this one ends with (a
 * doubled or missing /v1, a prefix of another product), or that is nearly spelled so, or what is here for a route of
 * another API. */
void route_hint_set(const struct router *router, struct str method, struct str path, struct fault *fault);

#endif
