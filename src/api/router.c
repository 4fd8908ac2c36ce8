#include "api/router.h"

#include "api/request.h"
#include "base/compiler.h"

#include <stdio.h>
#include <string.h>

static const struct route routes[] = {
    {"POST", "/v1/chat/completions", true, chat_handle},
    {"POST", "/v1/inference", true, inference_handle},
    {"GET", "/v1/models", true, models_handle_list},
    {"GET", "/v1/models/{id}", true, models_handle_one},
    {"GET", "/v1/usage", true, usage_handle},
    {"GET", "/v1/usage/requests", true, usage_handle_requests},
    {"GET", "/v1/provider/earnings", true, earnings_handle},
    {"GET", "/v1/provider/devices", true, devices_handle_list},
    {"GET", "/v1/provider/devices/{id}", true, devices_handle_one},
    {"GET", "/healthz", false, health_handle_live},
    {"GET", "/readyz", false, health_handle_ready},
    {"GET", "/openapi.json", false, openapi_handle},
    {"GET", "/link", false, link_handle},
};

static bool route_path_matches(const char *pattern, struct str path, struct str *parameter) {
    struct str whole = str_from(pattern), marker = STR("{id}");
    if (whole.len < marker.len || strcmp(pattern + whole.len - marker.len, marker.data) != 0) {
        return str_equal(path, whole);
    }
    struct str prefix = {.data = pattern, .len = whole.len - marker.len};
    if (path.len <= prefix.len || !str_starts_with(path, prefix)) {
        return false;
    }
    *parameter = (struct str){.data = path.data + prefix.len, .len = path.len - prefix.len};
    return memchr(parameter->data, '/', parameter->len) == NULL;
}

static bool route_method_matches(const char *method, struct str asked) {
    return str_equal_cstr(asked, method) || (strcmp(method, "GET") == 0 && str_equal_cstr(asked, "HEAD"));
}

enum route_match route_find(struct str method, struct str path, const struct route **route, struct str *parameter,
                            char allow[ROUTE_ALLOW_SIZE]) {
    enum route_match match = ROUTE_UNKNOWN_PATH;
    size_t allowed = 0;
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (!route_path_matches(routes[i].path, path, parameter)) {
            continue;
        }
        *route = &routes[i];
        if (route_method_matches(routes[i].method, method)) {
            return ROUTE_FOUND;
        }
        match = ROUTE_WRONG_METHOD;
        allowed += (size_t)snprintf(allow + allowed, ROUTE_ALLOW_SIZE - allowed, "%s, ",
                                    strcmp(routes[i].method, "GET") == 0 ? "GET, HEAD" : routes[i].method);
    }
    if (match == ROUTE_WRONG_METHOD) {
        snprintf(allow + allowed, ROUTE_ALLOW_SIZE - allowed, "OPTIONS");
    }
    return match;
}
