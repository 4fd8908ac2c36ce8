#include "api/router.h"

#include "api/route_account.h"
#include "api/route_conversations.h"
#include "api/route_count_tokens.h"
#include "api/route_devices.h"
#include "api/route_earnings.h"
#include "api/route_estimate.h"
#include "api/route_generate.h"
#include "api/route_health.h"
#include "api/route_jobs.h"
#include "api/route_models.h"
#include "api/route_ollama.h"
#include "api/route_receipts.h"
#include "api/route_responses.h"
#include "api/route_usage.h"
#include "api/route_webhooks.h"
#include "api/route_workflows.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "format/envelope.h"
#include "format/format.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A new resource is its file and a line here. A path without {id} stands before one with it that would match as
 * well. */
static const struct route_set *const sets[] = {
    &ROUTES_JOBS,     &ROUTES_MODELS,    &ROUTES_USAGE,        &ROUTES_EARNINGS,  &ROUTES_CONVERSATIONS,
    &ROUTES_ESTIMATE, &ROUTES_WORKFLOWS, &ROUTES_WEBHOOKS,     &ROUTES_DEVICES,   &ROUTES_HEALTH,
    &ROUTES_RECEIPTS, &ROUTES_ACCOUNT,   &ROUTES_COUNT_TOKENS, &ROUTES_RESPONSES, &ROUTES_OLLAMA,
};

enum { ENVELOPES_MAX = 8 };

struct router {
    const struct envelope *envelopes[ENVELOPES_MAX]; /* that formats have, each once */
    size_t envelope_count;
    size_t count;
    struct route routes[];
};

static void envelope_add(struct router *router, const struct envelope *envelope) {
    for (size_t i = 0; i < router->envelope_count; i++) {
        if (router->envelopes[i] == envelope) {
            return;
        }
    }
    assert(router->envelope_count < ENVELOPES_MAX);
    router->envelopes[router->envelope_count++] = envelope;
}

struct router *router_new(const struct formats *formats) {
    size_t count = formats->count;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        count += sets[i]->count;
    }
    struct router *router = mem_calloc(1, sizeof(*router) + count * sizeof(router->routes[0]));
    for (size_t i = 0; i < formats->count; i++) { /* first: these are asked for most */
        router->routes[router->count++] = (struct route){.method = "POST",
                                                         .path = formats->items[i]->path,
                                                         .needs_key = true,
                                                         .handle = route_generate_handle,
                                                         .format = formats->items[i]};
        if (formats->items[i]->envelope != NULL) {
            envelope_add(router, formats->items[i]->envelope);
        }
    }
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        memcpy(&router->routes[router->count], sets[i]->items, sets[i]->count * sizeof(struct route));
        router->count += sets[i]->count;
    }
    return router;
}

const struct envelope *router_envelope(const struct router *router, struct str path) {
    for (size_t i = 0; i < router->envelope_count; i++) {
        if (envelope_is_for(router->envelopes[i], path)) {
            return router->envelopes[i];
        }
    }
    return &ENVELOPE_OPENAI;
}

void router_free(struct router *router) {
    free(router);
}

static bool route_path_matches(const char *pattern, struct str path, struct str *parameter) {
    static const struct str marker = STR("{id}");
    const struct str whole = str_from(pattern);
    const char *at = strstr(pattern, marker.data);
    if (at == NULL) {
        return str_equal(path, whole);
    }
    const struct str prefix = {.data = pattern, .len = (size_t)(at - pattern)};
    const struct str suffix = {.data = at + marker.len, .len = whole.len - prefix.len - marker.len};
    if (path.len <= prefix.len + suffix.len || !str_starts_with(path, prefix) ||
        memcmp(path.data + path.len - suffix.len, suffix.data, suffix.len) != 0) {
        return false;
    }
    *parameter = (struct str){.data = path.data + prefix.len, .len = path.len - prefix.len - suffix.len};
    return memchr(parameter->data, '/', parameter->len) == NULL;
}

static bool route_method_matches(const char *method, struct str asked) {
    return str_equal_cstr(asked, method) || (strcmp(method, "GET") == 0 && str_equal_cstr(asked, "HEAD"));
}

const struct route *router_find_path(const struct router *router, struct str method, struct str path) {
    const struct route *found = NULL;
    struct str parameter;
    for (size_t i = 0; i < router->count; i++) {
        const struct route *route = &router->routes[i];
        if (route_path_matches(route->path, path, &parameter) &&
            (found == NULL || route_method_matches(route->method, method))) {
            found = route;
        }
    }
    return found;
}

size_t router_count(const struct router *router) {
    return router->count;
}

const struct route *router_at(const struct router *router, size_t index) {
    return &router->routes[index];
}

enum route_match router_find(const struct router *router, struct str method, struct str path,
                             const struct route **route, struct str *parameter, char allow[ROUTE_ALLOW_SIZE]) {
    enum route_match match = ROUTE_UNKNOWN_PATH;
    size_t allowed = 0;
    if (path.len > 1 && path.data[path.len - 1] == '/') {
        path.len--;
    }
    for (size_t i = 0; i < router->count; i++) {
        if (!route_path_matches(router->routes[i].path, path, parameter)) {
            continue;
        }
        *route = &router->routes[i];
        if (route_method_matches(router->routes[i].method, method)) {
            return ROUTE_FOUND;
        }
        match = ROUTE_WRONG_METHOD;
        allowed +=
            (size_t)snprintf(allow + allowed, ROUTE_ALLOW_SIZE - allowed, "%s, ",
                             strcmp(router->routes[i].method, "GET") == 0 ? "GET, HEAD" : router->routes[i].method);
    }
    if (match == ROUTE_WRONG_METHOD) {
        snprintf(allow + allowed, ROUTE_ALLOW_SIZE - allowed, "OPTIONS");
    }
    return match;
}
