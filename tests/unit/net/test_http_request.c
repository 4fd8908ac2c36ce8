#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/http_request.h"

#include <string.h>

enum { ARENA_MAX = 64 * 1024 };

static int parse(struct http_request *request, struct arena *arena, const char *head, const char **why) {
    *request = (struct http_request){0};
    *why = NULL;
    arena_init(arena, ARENA_MAX);
    return http_request_parse(request, arena, str_from(head), why);
}

static void assert_str(struct str found, const char *wanted) {
    if (!str_equal_cstr(found, wanted)) {
        fail_msg("found '%.*s', not '%s'", STR_ARG(found), wanted);
    }
}

static void test_head_is_taken_apart(void **state) {
    (void)state;
    struct http_request request;
    struct arena arena;
    const char *why;
    const int status =
        parse(&request, &arena,
              "POST /v1/jobs?wait=1&x=? HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 12\r\nX-Odd: \t b c \r\n\r\n", &why);
    assert_int_equal(status, 0);
    assert_str(request.method, "POST");
    assert_str(request.path, "/v1/jobs");
    assert_str(request.query, "wait=1&x=?");
    assert_int_equal(request.header_count, 3);
    assert_str(request.headers[1].name, "content-LENGTH");
    assert_str(http_request_header(&request, "x-odd"), "b c");
    assert_str(http_request_header(&request, "absent"), "");
    assert_int_equal(request.content_length, 12);
    assert_true(request.keep_alive);
    assert_false(request.chunked || request.head_only || request.http_1_0);
    arena_clear(&arena);
}

/* Which of them a route has is the handler's to say: also those that llhttp has no word for, or one of its own. */
static void test_a_method_is_any_token(void **state) {
    (void)state;
    static const char *const METHODS[] = {"QUERY",  "BREW",     "get",      "G",     "PRI",
                                          "SOURCE", "DESCRIBE", "M-SEARCH", "TRACE", "!#$%&'*+-.^_`|~0"};
    for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
        struct http_request request;
        struct arena arena;
        const char *why;
        char head[128];
        snprintf(head, sizeof(head), "%s /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", METHODS[i]);
        assert_int_equal(parse(&request, &arena, head, &why), 0);
        assert_str(request.method, METHODS[i]);
        assert_str(request.path, "/a");
        assert_int_equal(request.content_length, 3);
        assert_false(request.head_only);
        arena_clear(&arena);
    }
}

struct target_case {
    const char *head, *path, *query;
};

static void test_target_may_be_that_of_a_proxy(void **state) {
    (void)state;
    static const struct target_case CASES[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "/", ""},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*", ""},
        {"GET http://a:80/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "/b", "c"},
        {"GET http://a?c HTTP/1.1\r\nHost: a\r\n\r\n", "/", "c"},
        {"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "/", ""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct http_request request;
        struct arena arena;
        const char *why;
        assert_int_equal(parse(&request, &arena, CASES[i].head, &why), 0);
        assert_str(request.path, CASES[i].path);
        assert_str(request.query, CASES[i].query);
        arena_clear(&arena);
    }
}

struct framing_case {
    const char *head;
    bool keep_alive, http_1_0, head_only, chunked;
};

static void test_head_says_how_the_body_and_the_connection_end(void **state) {
    (void)state;
    static const struct framing_case CASES[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false, false, false, false},
        {"GET / HTTP/1.0\r\n\r\n", false, true, false, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, true, false, false},
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", true, false, true, false},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", true, false, false, true},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct http_request request;
        struct arena arena;
        const char *why;
        assert_int_equal(parse(&request, &arena, CASES[i].head, &why), 0);
        assert_int_equal(request.keep_alive, CASES[i].keep_alive);
        assert_int_equal(request.http_1_0, CASES[i].http_1_0);
        assert_int_equal(request.head_only, CASES[i].head_only);
        assert_int_equal(request.chunked, CASES[i].chunked);
        arena_clear(&arena);
    }
}

struct refused_case {
    const char *head;
    int status;
    const char *why;
};

static void test_what_is_not_spoken_here_is_refused(void **state) {
    (void)state;
    static const struct refused_case CASES[] = {
        {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405, "this is no proxy, and CONNECT no method of its routes"},
        {"CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", 405, "this is no proxy, and CONNECT no method of its routes"},
        {"GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "the request head is malformed"},
        {"GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "the request target is malformed"},
        {"GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400, "the request head is malformed"},
        {"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
         "the request head is malformed"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct http_request request;
        struct arena arena;
        const char *why;
        const int status = parse(&request, &arena, CASES[i].head, &why);
        if (status != CASES[i].status || strcmp(why, CASES[i].why) != 0) {
            fail_msg("%s is answered %d: %s", CASES[i].head, status, why != NULL ? why : "");
        }
        arena_clear(&arena);
    }
}

/* The list of headers grows: none is lost. */
static void test_many_headers_are_kept_in_order(void **state) {
    (void)state;
    enum { COUNT = 50 };
    char head[4096];
    struct buf text;
    struct http_request request;
    struct arena arena;
    const char *why;
    buf_init(&text, sizeof(head) - 1);
    buf_append_format(&text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < COUNT; i++) {
        buf_append_format(&text, "x-%d: %d\r\n", i, i * i);
    }
    buf_append_format(&text, "\r\n");
    assert_true(str_copy(head, sizeof(head), buf_str(&text)));
    buf_clear(&text);
    assert_int_equal(parse(&request, &arena, head, &why), 0);
    assert_int_equal(request.header_count, COUNT);
    assert_str(request.headers[COUNT - 1].value, "2401");
    assert_str(http_request_header(&request, "X-17"), "289");
    arena_clear(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_is_taken_apart),
        cmocka_unit_test(test_a_method_is_any_token),
        cmocka_unit_test(test_target_may_be_that_of_a_proxy),
        cmocka_unit_test(test_head_says_how_the_body_and_the_connection_end),
        cmocka_unit_test(test_what_is_not_spoken_here_is_refused),
        cmocka_unit_test(test_many_headers_are_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
