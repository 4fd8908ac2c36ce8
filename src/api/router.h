/* The table of routes: which handler a method and a path mean. */
#ifndef NATARIS_API_ROUTER_H
#define NATARIS_API_ROUTER_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct api_request;

struct route {
    const char *method; /* "GET" also means HEAD */
    const char *path;   /* one segment may be "{id}": any one that is not empty */
    bool needs_key;
    void (*handle)(struct api_request *request);
};

enum route_match { ROUTE_FOUND, ROUTE_UNKNOWN_PATH, ROUTE_WRONG_METHOD };

enum { ROUTE_ALLOW_SIZE = 64 };

/* ROUTE_FOUND: *route, and *parameter is what stands for {id}, not decoded. ROUTE_WRONG_METHOD: *route is one of that
 * path and `allow` holds the value of the Allow header. */
enum route_match route_find(struct str method, struct str path, const struct route **route, struct str *parameter,
                            char allow[ROUTE_ALLOW_SIZE]);

#endif
