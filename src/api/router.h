/* The table of routes: which handler a method and a path mean. Each resource has its routes in a file route_*.c of its
 * own, each format its path in its table; the router puts them together. */
#ifndef NATARIS_API_ROUTER_H
#define NATARIS_API_ROUTER_H

#include "api/route.h"
#include "base/str.h"

struct envelope;
struct formats;

struct router;
/* With a route for each of the formats, and those of all resources. */
struct router *router_new(const struct formats *formats);
void router_free(struct router *router); /* NULL is fine */

enum route_match { ROUTE_FOUND, ROUTE_UNKNOWN_PATH, ROUTE_WRONG_METHOD };

enum { ROUTE_ALLOW_SIZE = 64 };

/* One slash behind the path means nothing. ROUTE_FOUND: *route, and *parameter is what stands for {id}, not decoded.
 * ROUTE_WRONG_METHOD: *route is one of that path and `allow` holds the value of the Allow header. */
enum route_match router_find(const struct router *router, struct str method, struct str path,
                             const struct route **route, struct str *parameter, char allow[ROUTE_ALLOW_SIZE]);

/* A route of that very path, with that method if there is one; NULL: none has it. */
const struct route *router_find_path(const struct router *router, struct str method, struct str path);
/* How refusals of that path are written, whether it is a route or not; never NULL. */
const struct envelope *router_envelope(const struct router *router, struct str path);
/* All routes, in no order. */
size_t router_count(const struct router *router);
const struct route *router_at(const struct router *router, size_t index);

#endif
