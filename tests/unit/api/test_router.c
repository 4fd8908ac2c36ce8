#include "api/request.h"
#include "api/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct route *route;
static struct str parameter;
static char allow[ROUTE_ALLOW_SIZE];

static enum route_match find(const char *method, const char *path) {
    return route_find(str_from(method), str_from(path), &route, &parameter, allow);
}

static void test_found(void **state) {
    (void)state;
    static const struct {
        const char *method, *path;
        void (*handle)(struct api_request *request);
        bool needs_key;
    } cases[] = {
        {"POST", "/v1/chat/completions", chat_handle, true},
        {"POST", "/v1/inference", inference_handle, true},
        {"GET", "/v1/models", models_handle_list, true},
        {"HEAD", "/v1/models", models_handle_list, true},
        {"GET", "/v1/models/a%2Fb", models_handle_one, true},
        {"GET", "/healthz", health_handle_live, false},
        {"GET", "/v1/usage", usage_handle, true},
        {"GET", "/v1/usage/requests", usage_handle_requests, true},
        {"GET", "/v1/provider/earnings", earnings_handle, true},
        {"GET", "/v1/provider/devices", devices_handle_list, true},
        {"GET", "/v1/provider/devices/prov_1", devices_handle_one, true},
        {"GET", "/v1/workflows", workflows_handle_list, true},
        {"POST", "/v1/workflows/estimate", workflows_handle_estimate, true},
        {"GET", "/v1/workflows/wf_1", workflows_handle_one, true},
        {"DELETE", "/v1/workflows/wf_1", workflows_handle_cancel, true},
        {"POST", "/v1/workflows/wf_1/cancel", workflows_handle_cancel, true},
        {"HEAD", "/healthz", health_handle_live, false},
        {"GET", "/readyz", health_handle_ready, false},
        {"GET", "/openapi.json", openapi_handle, false},
        {"GET", "/link", link_handle, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(find(cases[i].method, cases[i].path), ROUTE_FOUND);
        assert_ptr_equal(route->handle, cases[i].handle);
        assert_int_equal(route->needs_key, cases[i].needs_key);
    }
    assert_int_equal(find("GET", "/v1/models/a%2Fb"), ROUTE_FOUND);
    assert_true(str_equal(parameter, STR("a%2Fb")));
}

static void test_unknown(void **state) {
    (void)state;
    static const char *const paths[] = {
        "/",
        "",
        "*",
        "/v1",
        "/v1/",
        "/v1/models/",
        "/v1//models",
        "//v1",
        "/V1/models",
        "/v1/modelsx",
        "/v1/models/a/b",
        "/v1/models//",
        "/healthz/",
        "/v1/chat",
        "/healthy",
        "/v1/chat/completions/",
        "/v1/models/a/",
        "/v1/chat/completions//",
        "/v1/usage/",
        "/v1/usage/x",
        "/v1/provider",
    };
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        if (find("GET", paths[i]) != ROUTE_UNKNOWN_PATH || find("POST", paths[i]) != ROUTE_UNKNOWN_PATH) {
            fail_msg("%s", paths[i]);
        }
    }
}

static void test_wrong_method(void **state) {
    (void)state;
    assert_int_equal(find("GET", "/v1/chat/completions"), ROUTE_WRONG_METHOD);
    assert_string_equal(allow, "POST, OPTIONS");
    assert_int_equal(find("HEAD", "/v1/inference"), ROUTE_WRONG_METHOD);
    assert_int_equal(find("POST", "/v1/models"), ROUTE_WRONG_METHOD);
    assert_string_equal(allow, "GET, HEAD, OPTIONS");
    assert_int_equal(find("POST", "/v1/usage"), ROUTE_WRONG_METHOD);
    assert_int_equal(find("DELETE", "/v1/models/x"), ROUTE_WRONG_METHOD);
    assert_int_equal(find("POST", "/v1/workflows/wf_1"), ROUTE_WRONG_METHOD);
    assert_string_equal(allow, "GET, HEAD, DELETE, OPTIONS");
    assert_int_equal(find("get", "/healthz"), ROUTE_WRONG_METHOD);
    assert_int_equal(find("", "/healthz"), ROUTE_WRONG_METHOD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_wrong_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
