/* A route: which handler a method and a path mean. Types only; each resource has its routes in a file route_*.c of its
 * own, and the router puts them together. */
#ifndef NATARIS_API_ROUTE_H
#define NATARIS_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct api_request;
struct format;

struct route {
    const char *method; /* "GET" also means HEAD */
    const char *path;   /* one segment may be "{id}": any one that is not empty */
    bool needs_key;
    void (*handle)(struct api_request *request); /* answers the request, now or later */
    const struct format *format;                 /* of a generation; NULL: of something else */
};

/* The routes of a resource. */
struct route_set {
    const struct route *items;
    size_t count;
};

#endif
