#include "api/headers.h"
#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { HEADERS_MAX = 4 };

struct headers_case {
    struct http_header headers[HEADERS_MAX];
    const char *wanted; /* what Authorization is taken for; NULL: a 400 ... */
    const char *param;  /* ... that names this header */
};

#define H(name, value)                                                                                                 \
    { STR(name), STR(value) }

static struct http_request request_of(const struct headers_case *test) {
    struct http_request request = {.headers = test->headers};
    while (request.header_count < HEADERS_MAX && test->headers[request.header_count].name.len > 0) {
        request.header_count++;
    }
    return request;
}

static void test_keys(void **state) {
    (void)state;
    static const struct headers_case cases[] = {
        {{H("Host", "a")}, "", NULL},
        {{H("authorization", "Bearer k")}, "Bearer k", NULL},
        {{H("Authorization", "Basic k")}, "Basic k", NULL}, /* which is then refused with words of its own */
        {{H("X-API-Key", "k")}, "Bearer k", NULL},
        {{H("API-KEY", "k")}, "Bearer k", NULL},
        {{H("x-api-key", "bearer   k")}, "Bearer k", NULL},
        {{H("x-api-key", ""), H("api-key", "k"), H("Authorization", "")}, "Bearer k", NULL},
        {{H("x-api-key", "k"), H("api-key", "k"), H("Authorization", "BEARER  k")}, "BEARER  k", NULL},
        {{H("x-api-key", "k"), H("Authorization", "Bearer j")}, NULL, "x-api-key"},
        {{H("x-api-key", "k"), H("api-key", "j")}, NULL, "api-key"},
        {{H("x-api-key", "k"), H("Authorization", "Basic k")}, NULL, "x-api-key"},
        {{H("x-api-key", "k"), H("Authorization", "Bearer")}, NULL, "x-api-key"},
        {{H("x-api-key", "k"), H("Authorization", "Bearer K")}, NULL, "x-api-key"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct http_request request = request_of(&cases[i]);
        struct arena arena;
        struct str found;
        struct fault fault = {0};
        arena_init(&arena, 4096);
        const bool one = headers_read_key(&request, &arena, &found, &fault);
        if (one != (cases[i].wanted != NULL) || (one && !str_equal_cstr(found, cases[i].wanted))) {
            fail_msg("case %zu: %s", i, fault.message);
        }
        if (!one) {
            assert_string_equal(fault.param, cases[i].param);
            assert_int_equal(fault_status(&fault), 400);
            assert_null(strstr(fault.message, " j")); /* no key is quoted */
        }
        arena_clear(&arena);
    }
}

static void test_each_comes_once(void **state) {
    (void)state;
    static const struct headers_case cases[] = {
        {{H("Host", "a"), H("Authorization", "Bearer k"), H("Accept", "a"), H("accept", "b")}, "", NULL},
        {{H("Authorization", "Bearer k"), H("AUTHORIZATION", "Bearer k")}, NULL, "Authorization"},
        {{H("Idempotency-Key", "a"), H("idempotency-key", "a")}, NULL, "Idempotency-Key"},
        {{H("x-api-key", "a"), H("Host", "a"), H("X-Api-Key", "")}, NULL, "x-api-key"},
        {{H("api-key", "a"), H("api-key", "b")}, NULL, "api-key"},
        {{H("content-encoding", "identity"), H("content-encoding", "gzip")}, NULL, "Content-Encoding"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct http_request request = request_of(&cases[i]);
        struct fault fault = {0};
        assert_int_equal(headers_check(&request, &fault), cases[i].wanted != NULL);
        assert_string_equal(fault.param, cases[i].param != NULL ? cases[i].param : "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_each_comes_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
