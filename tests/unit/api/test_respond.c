/* The fault envelope: golden texts for every code. */
#include "api/respond.h"
#include "api/router.h"
#include "embedded_api.h"
#include "format/envelope.h"
#include "format/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_envelope(const struct fault *fault, const char *expected) {
    struct buf text;
    buf_init(&text, 4096);
    envelope_write(fault, &text);
    assert_string_equal(buf_cstr(&text), expected);
    buf_clear(&text);
}

static void test_every_code(void **state) {
    (void)state;
    static const struct {
        enum fault_code code;
        int status;
        const char *rest; /* of the envelope, behind the message */
    } cases[] = {
        {FAULT_INVALID_REQUEST, 400, "\"type\":\"invalid_request_error\",\"code\":\"INVALID_REQUEST\",\"param\":null"},
        {FAULT_CONTEXT_LENGTH, 400,
         "\"type\":\"invalid_request_error\",\"code\":\"context_length_exceeded\",\"param\":null"},
        {FAULT_INVALID_API_KEY, 401, "\"type\":\"authentication_error\",\"code\":\"INVALID_API_KEY\",\"param\":null"},
        {FAULT_INSUFFICIENT_CREDITS, 402,
         "\"type\":\"billing_error\",\"code\":\"INSUFFICIENT_CREDITS\",\"param\":null"},
        {FAULT_FORBIDDEN, 403, "\"type\":\"authentication_error\",\"code\":\"FORBIDDEN\",\"param\":null"},
        {FAULT_CONFLICT, 409, "\"type\":\"invalid_request_error\",\"code\":\"IDEMPOTENCY_CONFLICT\",\"param\":null"},
        {FAULT_NOT_FOUND, 404, "\"type\":\"not_found_error\",\"code\":\"NOT_FOUND\",\"param\":null"},
        {FAULT_MODEL_NOT_FOUND, 404, "\"type\":\"not_found_error\",\"code\":\"MODEL_NOT_FOUND\",\"param\":null"},
        {FAULT_METHOD_NOT_ALLOWED, 405,
         "\"type\":\"invalid_request_error\",\"code\":\"METHOD_NOT_ALLOWED\",\"param\":null"},
        {FAULT_REQUEST_TIMEOUT, 408, "\"type\":\"timeout_error\",\"code\":\"REQUEST_TIMEOUT\",\"param\":null"},
        {FAULT_TOO_LARGE, 413, "\"type\":\"invalid_request_error\",\"code\":\"REQUEST_TOO_LARGE\",\"param\":null"},
        {FAULT_RATE_LIMIT_EXCEEDED, 429,
         "\"type\":\"rate_limit_error\",\"code\":\"RATE_LIMIT_EXCEEDED\",\"param\":null,\"retry_after\":1"},
        {FAULT_INTERNAL, 500, "\"type\":\"server_error\",\"code\":\"INTERNAL_ERROR\",\"param\":null"},
        {FAULT_MODEL_WARMING, 503,
         "\"type\":\"service_unavailable_error\",\"code\":\"model_warming\",\"param\":null,\"retry_after\":300"},
        {FAULT_UNAVAILABLE, 503,
         "\"type\":\"service_unavailable_error\",\"code\":\"SERVICE_UNAVAILABLE\",\"param\":null,\"retry_after\":5"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        char expected[512];
        fault_set(&fault, cases[i].code, "Number %zu.", i);
        snprintf(expected, sizeof(expected), "{\"error\":{\"message\":\"Number %zu.\",%s}}", i, cases[i].rest);
        assert_int_equal(fault_status(&fault), cases[i].status);
        assert_envelope(&fault, expected);
    }
}

static void test_param_retry_and_escaping(void **state) {
    (void)state;
    struct fault fault = {.code = FAULT_RATE_LIMIT_EXCEEDED,
                          .message = "a \"b\"\n",
                          .param = "messages[2].role",
                          .retry_after_ms = 59001};
    assert_envelope(&fault, "{\"error\":{\"message\":\"a \\\"b\\\"\\n\",\"type\":\"rate_limit_error\",\"code\":"
                            "\"RATE_LIMIT_EXCEEDED\",\"param\":\"messages[2].role\",\"retry_after\":60}}");
    fault = (struct fault){.code = FAULT_INVALID_REQUEST, .status = 415, .message = "m"};
    assert_int_equal(fault_status(&fault), 415);
}

static void test_durations(void **state) {
    (void)state;
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "0s"},          {1, "1ms"},       {999, "999ms"},     {1000, "1s"},           {1500, "1.5s"},
        {6000, "6s"},       {10000, "10s"},   {59999, "59.999s"}, {60000, "1m0s"},        {63000, "1m3s"},
        {63050, "1m3.05s"}, {360000, "6m0s"}, {600000, "10m0s"},  {1200001, "20m0.001s"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[RESPOND_RATE_TEXT_SIZE];
        respond_format_duration(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_from_err(void **state) {
    (void)state;
    static const struct {
        enum err_code code;
        enum fault_code expected;
    } cases[] = {
        {ERR_INVALID, FAULT_INVALID_REQUEST},
        {ERR_UNSUPPORTED, FAULT_INVALID_REQUEST},
        {ERR_TOO_LARGE, FAULT_TOO_LARGE},
        {ERR_DENIED, FAULT_INVALID_API_KEY},
        {ERR_UNAVAILABLE, FAULT_UNAVAILABLE},
        {ERR_TIMEOUT, FAULT_REQUEST_TIMEOUT},
        {ERR_IO, FAULT_INTERNAL},
        {ERR_INTERNAL, FAULT_INTERNAL},
        {ERR_CLOSED, FAULT_INTERNAL},
        {ERR_CONFLICT, FAULT_INTERNAL},
        {ERR_NOT_FOUND, FAULT_NOT_FOUND},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err;
        struct fault fault;
        err_set_field(&err, cases[i].code, "field", "words");
        fault_from_err(&fault, &err);
        assert_int_equal(fault.code, cases[i].expected);
        assert_string_equal(fault.param, "field");
    }
}

/* What is our fault is not explained to the world. */
static void test_internal_words_stay_inside(void **state) {
    (void)state;
    struct err err;
    struct fault fault;
    err_set(&err, ERR_IO, "/var/lib/secret.db: disk I/O error");
    fault_from_err(&fault, &err);
    assert_null(strstr(fault.message, "secret"));
}

/* Follows every "$ref" of the document. */
static void check_refs(struct json_value root, struct json_value value) {
    struct json_iterator iterator;
    struct json_value item;
    struct str key, target;
    for (json_iterate(value, &iterator); json_next(&iterator, &key, &item);) {
        check_refs(root, item);
        if (!str_equal(key, STR("$ref"))) {
            continue;
        }
        assert_true(json_as_str(item, &target));
        struct json_value at = root;
        struct str head;
        for (bool more = str_split(target, '/', &head, &target); more;) {
            char name[64];
            more = str_split(target, '/', &head, &target);
            assert_true(str_copy(name, sizeof(name), head));
            if (!json_get(at, name, &at)) {
                fail_msg("$ref to a missing %s", name);
            }
        }
    }
}

static void test_openapi_is_sound(void **state) {
    (void)state;
    struct json_parser *parser = json_parser_new(1 << 20, 64);
    struct json_value root, paths, item, part;
    struct err err;
    struct str text = STR("");
    assert_true(json_parse(parser, (struct str){(const char *)api_json_openapi, api_json_openapi_len}, &root, &err));
    assert_true(json_get(root, "openapi", &item) && json_as_str(item, &text));
    assert_true(str_equal(text, STR("3.1.0")));
    check_refs(root, root);
    /* Its routes are the router's. */
    assert_true(json_get(root, "paths", &paths));
    assert_true(json_count(paths) > 0);
    struct router *router = router_new(&FORMATS);
    struct json_iterator iterator;
    struct str path;
    for (json_iterate(paths, &iterator); json_next(&iterator, &path, &item);) {
        static const char *const methods[][2] = {
            {"get", "GET"}, {"post", "POST"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
        size_t found = 0;
        for (size_t i = 0; i < COUNT_OF(methods); i++) {
            const struct route *route;
            struct str parameter;
            struct json_value security;
            char allow[ROUTE_ALLOW_SIZE];
            if (json_get(item, methods[i][0], &part)) {
                assert_int_equal(router_find(router, str_from(methods[i][1]), path, &route, &parameter, allow),
                                 ROUTE_FOUND);
                assert_int_equal(route->needs_key, !json_get(part, "security", &security));
                found++;
            }
        }
        assert_true(found > 0);
    }
    router_free(router);
    json_parser_free(parser);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_param_retry_and_escaping),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_from_err),
        cmocka_unit_test(test_internal_words_stay_inside),
        cmocka_unit_test(test_openapi_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
