#include "api/router.h"
#include "base/compiler.h"
#include "format/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct router *router;
static const struct route *route;
static struct str parameter;
static char allow[ROUTE_ALLOW_SIZE];

static enum route_match find(const char *method, const char *path) {
    return router_find(router, str_from(method), str_from(path), &route, &parameter, allow);
}

static void test_found(void **state) {
    (void)state;
    static const struct {
        const char *method, *path, *pattern;
        bool needs_key;
    } cases[] = {
        {"POST", "/v1/chat/completions", "/v1/chat/completions", true},
        {"POST", "/v1/inference", "/v1/inference", true},
        {"GET", "/v1/models", "/v1/models", true},
        {"HEAD", "/v1/models", "/v1/models", true},
        {"GET", "/v1/models/a%2Fb", "/v1/models/{id}", true},
        {"GET", "/healthz", "/healthz", false},
        {"GET", "/v1/usage", "/v1/usage", true},
        {"GET", "/v1/usage/requests", "/v1/usage/requests", true},
        {"GET", "/v1/provider/earnings", "/v1/provider/earnings", true},
        {"GET", "/v1/provider/devices", "/v1/provider/devices", true},
        {"GET", "/v1/provider/devices/prov_1", "/v1/provider/devices/{id}", true},
        {"GET", "/v1/workflows", "/v1/workflows", true},
        {"POST", "/v1/workflows/estimate", "/v1/workflows/estimate", true},
        {"GET", "/v1/workflows/wf_1", "/v1/workflows/{id}", true},
        {"DELETE", "/v1/workflows/wf_1", "/v1/workflows/{id}", true},
        {"POST", "/v1/workflows/wf_1/cancel", "/v1/workflows/{id}/cancel", true},
        {"HEAD", "/healthz", "/healthz", false},
        {"GET", "/health", "/health", false},
        {"GET", "/healthz/", "/healthz", false},
        {"GET", "/v1/models/", "/v1/models", true},
        {"GET", "/v1/models/a/", "/v1/models/{id}", true},
        {"POST", "/v1/chat/completions/", "/v1/chat/completions", true},
        {"GET", "/readyz", "/readyz", false},
        {"GET", "/openapi.json", "/openapi.json", false},
        {"GET", "/link", "/link", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(find(cases[i].method, cases[i].path), ROUTE_FOUND);
        assert_string_equal(route->path, cases[i].pattern);
        assert_non_null(route->handle);
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
        "/v1//models",
        "//v1",
        "/V1/models",
        "/v1/modelsx",
        "/v1/models/a/b",
        "/v1/models//",
        "/v1/chat",
        "/healthy",
        "/v1/chat/completions//",
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

static int setup(void **state) {
    (void)state;
    router = router_new(&FORMATS);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    router_free(router);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_wrong_method),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
