#include "api/router.h"

#include "api/request.h"
#include "base/compiler.h"

#include <stdio.h>
#include <string.h>

static const struct route routes[] = {
    {"POST", "/v1/chat/completions", true, chat_handle},
    {"POST", "/v1/inference", true, inference_handle},
    {"POST", "/v1/jobs", true, jobs_handle_create},
    {"GET", "/v1/jobs", true, jobs_handle_list},
    {"GET", "/v1/jobs/{id}", true, jobs_handle_one},
    {"DELETE", "/v1/jobs/{id}", true, jobs_handle_cancel},
    {"GET", "/v1/models", true, models_handle_list},
    {"GET", "/v1/models/{id}", true, models_handle_one},
    {"GET", "/v1/usage", true, usage_handle},
    {"GET", "/v1/usage/requests", true, usage_handle_requests},
    {"GET", "/v1/provider/earnings", true, earnings_handle},
    {"POST", "/v1/conversations", true, conversations_handle_create},
    {"GET", "/v1/conversations", true, conversations_handle_list},
    {"GET", "/v1/conversations/{id}", true, conversations_handle_one},
    {"DELETE", "/v1/conversations/{id}", true, conversations_handle_delete},
    {"GET", "/v1/workflows", true, workflows_handle_list},
    {"POST", "/v1/workflows/estimate", true, workflows_handle_estimate},
    {"GET", "/v1/workflows/{id}", true, workflows_handle_one},
    {"DELETE", "/v1/workflows/{id}", true, workflows_handle_cancel},
    {"POST", "/v1/workflows/{id}/cancel", true, workflows_handle_cancel},
    {"POST", "/v1/webhooks", true, webhooks_handle_create},
    {"GET", "/v1/webhooks", true, webhooks_handle_list},
    {"GET", "/v1/webhooks/{id}", true, webhooks_handle_one},
    {"PATCH", "/v1/webhooks/{id}", true, webhooks_handle_update},
    {"DELETE", "/v1/webhooks/{id}", true, webhooks_handle_delete},
    {"POST", "/v1/webhooks/{id}/rotate-secret", true, webhooks_handle_rotate},
    {"POST", "/v1/webhooks/{id}/test", true, webhooks_handle_test},
    {"GET", "/v1/webhooks/{id}/deliveries", true, webhooks_handle_deliveries},
    {"POST", "/v1/webhooks/{id}/redeliver", true, webhooks_handle_redeliver},
    {"GET", "/v1/provider/devices", true, devices_handle_list},
    {"GET", "/v1/provider/devices/{id}", true, devices_handle_one},
    {"GET", "/healthz", false, health_handle_live},
    {"GET", "/readyz", false, health_handle_ready},
    {"GET", "/openapi.json", false, openapi_handle},
    {"GET", "/link", false, link_handle},
};

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
