#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/http_chunks.h"
#include "net/http_guard.h"

#include <stdio.h>
#include <string.h>

static const struct http_guard_limits LIMITS = {.head_bytes = 4096, .header_count = 20, .url_bytes = 100};

#define REST "Host: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

struct head_case {
    const char *name, *head;
    enum http_guard_verdict verdict;
};

static const struct head_case HEADS[] = {
    {"get", "GET / HTTP/1.1\r\n" REST, HTTP_GUARD_OK},
    {"query", "GET /a/b?c=d&e=%20 HTTP/1.1\r\n" REST, HTTP_GUARD_OK},
    {"absolute form", "GET http://a:80/x HTTP/1.1\r\n" REST, HTTP_GUARD_OK},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\n" REST, HTTP_GUARD_OK},
    {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", HTTP_GUARD_OK},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP_GUARD_OK},
    {"host and port", "GET / HTTP/1.1\r\nhOST: [::1]:8080\r\n\r\n", HTTP_GUARD_OK},
    {"length", POST "Content-Length: 12\r\n\r\n", HTTP_GUARD_OK},
    {"length 2^53", POST "Content-Length: 9007199254740992\r\n\r\n", HTTP_GUARD_OK},
    {"chunked", POST "Transfer-Encoding: chunked\r\n\r\n", HTTP_GUARD_OK},
    {"chunked in capitals", POST "TRANSFER-ENCODING:  CHUNKED \r\n\r\n", HTTP_GUARD_OK},
    {"empty value", POST "X:\r\n\r\n", HTTP_GUARD_OK},
    {"tab and UTF-8 in value", POST "X: a\tb \xc3\xa4\r\n\r\n", HTTP_GUARD_OK},

    {"no method", " / HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"odd method", "P@ST / HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"only a method", "GET\r\n" REST, HTTP_GUARD_BAD},
    {"no target", "GET  HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"two blanks", "GET /  HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"tab as blank", "GET\t/ HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"blank at the end", "GET / HTTP/1.1 \r\n" REST, HTTP_GUARD_BAD},
    {"no version", "GET /\r\n" REST, HTTP_GUARD_BAD},
    {"version in small letters", "GET / http/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"fragment", "GET /#a HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"control in target", "GET /\x01 HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"raw UTF-8 in target", "GET /\xc3\xa4 HTTP/1.1\r\n" REST, HTTP_GUARD_BAD},
    {"version 1.2", "GET / HTTP/1.2\r\n" REST, HTTP_GUARD_VERSION},
    {"version 2.0", "PRI * HTTP/2.0\r\n\r\n", HTTP_GUARD_VERSION},
    {"version 0.9", "GET / HTTP/0.9\r\n" REST, HTTP_GUARD_VERSION},

    {"no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", HTTP_GUARD_BAD},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\n" REST, HTTP_GUARD_BAD},
    {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\n" REST, HTTP_GUARD_BAD},
    {"list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", HTTP_GUARD_BAD},
    {"user in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HTTP_GUARD_BAD},
    {"path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP_GUARD_BAD},

    {"length and chunked", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GUARD_BAD},
    {"chunked and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", HTTP_GUARD_BAD},
    {"two different lengths", POST "Content-Length: 5\r\nContent-Length: 0\r\n\r\n", HTTP_GUARD_BAD},
    {"two equal lengths", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", HTTP_GUARD_BAD},
    {"list of lengths", POST "Content-Length: 5, 5\r\n\r\n", HTTP_GUARD_BAD},
    {"length with plus", POST "Content-Length: +5\r\n\r\n", HTTP_GUARD_BAD},
    {"length with minus", POST "Content-Length: -5\r\n\r\n", HTTP_GUARD_BAD},
    {"length in hex", POST "Content-Length: 0x10\r\n\r\n", HTTP_GUARD_BAD},
    {"length with blank", POST "Content-Length: 1 0\r\n\r\n", HTTP_GUARD_BAD},
    {"no length", POST "Content-Length:\r\n\r\n", HTTP_GUARD_BAD},
    {"length over 2^53", POST "Content-Length: 9007199254740993\r\n\r\n", HTTP_GUARD_BAD},
    {"length over 64 bits", POST "Content-Length: 18446744073709551658\r\n\r\n", HTTP_GUARD_BAD},
    {"tab before chunked", POST "Transfer-Encoding:\tchunked\r\n\r\n", HTTP_GUARD_NOT_IMPLEMENTED},
    {"tab behind chunked", POST "Transfer-Encoding: chunked\t\r\n\r\n", HTTP_GUARD_BAD},
    {"tab behind length", POST "Content-Length: 5\t\r\n\r\n", HTTP_GUARD_BAD},
    {"unknown coding", POST "Transfer-Encoding: xchunked\r\n\r\n", HTTP_GUARD_NOT_IMPLEMENTED},
    {"gzip and chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP_GUARD_NOT_IMPLEMENTED},
    {"chunked not last", POST "Transfer-Encoding: chunked, identity\r\n\r\n", HTTP_GUARD_BAD},
    {"chunked with parameter", POST "Transfer-Encoding: chunked;a=b\r\n\r\n", HTTP_GUARD_BAD},
    {"chunked twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GUARD_BAD},
    {"chunked twice in one", POST "Transfer-Encoding: chunked, chunked\r\n\r\n", HTTP_GUARD_BAD},
    {"chunked in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GUARD_BAD},
    {"vertical tab",
     POST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n",
     HTTP_GUARD_BAD},

    {"space before colon", POST "Transfer-Encoding : chunked\r\n\r\n", HTTP_GUARD_BAD},
    {"folded header", POST "X: y\r\n Content-Length: 5\r\n\r\n", HTTP_GUARD_BAD},
    {"folded with tab", POST "X: y\r\n\tz\r\n\r\n", HTTP_GUARD_BAD},
    {"folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", HTTP_GUARD_BAD},
    {"empty header name", POST ": x\r\n\r\n", HTTP_GUARD_BAD},
    {"no colon", POST "Transfer-Encoding\r\n\r\n", HTTP_GUARD_BAD},
    {"name not a token", POST "X(y): z\r\n\r\n", HTTP_GUARD_BAD},
    {"UTF-8 in name", POST "X\xc3\xa4: z\r\n\r\n", HTTP_GUARD_BAD},
    {"bare CR in value", POST "X: \rTransfer-Encoding: chunked\r\n\r\n", HTTP_GUARD_BAD},
    {"CR before CR LF", POST "X: y\r\r\n\r\n", HTTP_GUARD_BAD},
    {"bare LF in value", POST "X: y\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GUARD_BAD},
    {"bare LF ends the request line", "GET / HTTP/1.1\n" REST, HTTP_GUARD_BAD},
    {"escape in value", POST "X: \x1b[0m\r\n\r\n", HTTP_GUARD_BAD},
    {"delete in value", POST "X: \x7f\r\n\r\n", HTTP_GUARD_BAD},
    {"empty request line", "\r\n" REST, HTTP_GUARD_BAD},
    {"cut short", "GET / HTTP/1.1\r\nHost: a\r\n", HTTP_GUARD_BAD},
};

static void test_heads(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(HEADS); i++) {
        const char *why = NULL;
        enum http_guard_verdict verdict = http_guard_check_head(str_from(HEADS[i].head), &LIMITS, &why);
        if (verdict != HEADS[i].verdict || (verdict != HTTP_GUARD_OK && why == NULL)) {
            fail_msg("%s: verdict %d (%s), expected %d", HEADS[i].name, (int)verdict, why != NULL ? why : "-",
                     (int)HEADS[i].verdict);
        }
    }
}

static void test_zero_byte_in_head(void **state) {
    (void)state;
    const char *why;
    assert_int_equal(http_guard_check_head(STR(POST "X: a\0b\r\n\r\n"), &LIMITS, &why), HTTP_GUARD_BAD);
    assert_int_equal(http_guard_check_head(STR(POST "X\0: b\r\n\r\n"), &LIMITS, &why), HTTP_GUARD_BAD);
    assert_int_equal(http_guard_check_head(STR("GET /\0 HTTP/1.1\r\n" REST), &LIMITS, &why), HTTP_GUARD_BAD);
}

static enum http_guard_verdict check_built(size_t url, size_t headers, size_t value) {
    struct buf head;
    const char *why;
    buf_init(&head, 1024 * 1024);
    buf_append_cstr(&head, "GET /");
    for (size_t i = 1; i < url; i++) {
        buf_append_cstr(&head, "u");
    }
    buf_append_cstr(&head, " HTTP/1.1\r\nHost: ");
    for (size_t i = 0; i < value; i++) {
        buf_append_cstr(&head, "v");
    }
    for (size_t i = 1; i < headers; i++) {
        buf_append_cstr(&head, "\r\nX: y");
    }
    buf_append_cstr(&head, "\r\n\r\n");
    enum http_guard_verdict verdict = http_guard_check_head(buf_str(&head), &LIMITS, &why);
    buf_clear(&head);
    return verdict;
}

static void test_limits(void **state) {
    (void)state;
    assert_int_equal(check_built(100, 1, 1), HTTP_GUARD_OK);
    assert_int_equal(check_built(101, 1, 1), HTTP_GUARD_URI_LONG);
    assert_int_equal(check_built(1, 20, 1), HTTP_GUARD_OK);
    assert_int_equal(check_built(1, 21, 1), HTTP_GUARD_TOO_LARGE);
    size_t fixed = strlen("GET / HTTP/1.1\r\nHost: \r\n\r\n");
    assert_int_equal(check_built(1, 1, 4096 - fixed), HTTP_GUARD_OK);
    assert_int_equal(check_built(1, 1, 4096 - fixed + 1), HTTP_GUARD_TOO_LARGE);
}

static void test_head_length(void **state) {
    (void)state;
    assert_int_equal(http_guard_head_length(STR("")), 0);
    assert_int_equal(http_guard_head_length(STR("GET / HTTP/1.1\r\n\r")), 0);
    assert_int_equal(http_guard_head_length(STR("GET / HTTP/1.1\r\n\r\n")), 18);
    assert_int_equal(http_guard_head_length(STR("GET / HTTP/1.1\r\n\r\nmore\r\n\r\n")), 18);
    assert_int_equal(http_guard_head_length(STR("GET / HTTP/1.1\n\n")), 0);
    assert_int_equal(http_guard_head_length(STR("GET / HTTP/1.1\r\n\n")), 0);
}

/* However far the search had come, the end is found where it is. */
static void test_head_in_pieces(void **state) {
    (void)state;
    struct str whole = STR("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\nbody");
    for (size_t from = 0; from < 27; from++) {
        bool bare_lf;
        struct str early = {.data = whole.data, .len = from};
        assert_int_equal(http_guard_find_end(early, 0, &bare_lf), 0);
        assert_false(bare_lf);
        assert_int_equal(http_guard_find_end(whole, from, &bare_lf), 27);
    }
    bool bare_lf;
    assert_int_equal(http_guard_find_end(STR("GET / HTTP/1.1\nHost: a\r\n\r\n"), 0, &bare_lf), 0);
    assert_true(bare_lf);
}

struct chunks_case {
    const char *name, *bytes;
    bool valid;
    const char *body; /* when valid; followed by the bytes behind it after '|' */
};

static const struct chunks_case CHUNKS[] = {
    {"empty", "0\r\n\r\n", true, "|"},
    {"one", "5\r\nhello\r\n0\r\n\r\n", true, "hello|"},
    {"two and the next request", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET", true, "hello!|GET"},
    {"hex", "0a\r\n0123456789\r\n00\r\n\r\n", true, "0123456789|"},
    {"capital hex", "A\r\n0123456789\r\n0\r\n\r\n", true, "0123456789|"},
    {"extension", "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", true, "hello|"},
    {"CR LF as data", "2\r\n\r\n\r\n0\r\n\r\n", true, "\r\n|"},
    {"16 digits", "0000000000000001\r\nx\r\n0\r\n\r\n", true, "x|"},

    {"17 digits", "00000000000000001\r\nx\r\n0\r\n\r\n", false, NULL},
    {"0x", "0x5\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"minus", "-1\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"plus", "+5\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"blank before", " 5\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"blank behind", "5 \r\nhello\r\n0\r\n\r\n", false, NULL},
    {"no size", "\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"only an extension", ";a\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"line feed in extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"CR in extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"control in extension", "5;\x01\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"size with bare LF", "5\nhello\r\n0\r\n\r\n", false, NULL},
    {"data without CR LF", "5\r\nhelloXX0\r\n\r\n", false, NULL},
    {"data with bare LF", "5\r\nhello\n0\r\n\r\n", false, NULL},
    {"too much data", "4\r\nhello\r\n0\r\n\r\n", false, NULL},
    {"trailer", "0\r\nX: y\r\n\r\n", true, "|"},
    {"trailers behind data", "5\r\nhello\r\n0\r\nX-Sum: a b\t\x80\r\nY:\r\n\r\nGET", true, "hello|GET"},
    {"trailer that frames", "1\r\nx\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\nGET", true, "x|GET"},
    {"trailer without a name", "0\r\n: y\r\n\r\n", false, NULL},
    {"trailer without a colon", "0\r\nX\r\n\r\n", false, NULL},
    {"trailer with a blank before its colon", "0\r\nX : y\r\n\r\n", false, NULL},
    {"folded trailer", "0\r\nX: y\r\n z\r\n\r\n", false, NULL},
    {"trailer with bare LF", "0\r\nX: y\n\r\n", false, NULL},
    {"trailer with bare CR", "0\r\nX: y\rz\r\n\r\n", false, NULL},
    {"trailer with a control", "0\r\nX: \x01\r\n\r\n", false, NULL},
    {"odd trailer name", "0\r\nX@: y\r\n\r\n", false, NULL},
    {"request as a trailer", "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", false, NULL},
    {"bare LF at the end", "0\r\n\n", false, NULL},
};

static void feed_in_steps(const struct chunks_case *test, size_t step) {
    struct http_chunks chunks;
    struct buf body;
    bool valid = true;
    bool done = false;
    size_t at = 0;
    size_t len = strlen(test->bytes);
    http_chunks_init(&chunks);
    buf_init(&body, 1024);
    while (valid && !done && at < len) {
        struct str piece = {.data = test->bytes + at, .len = step < len - at ? step : len - at};
        struct str payload;
        size_t used;
        valid = http_chunks_next(&chunks, piece, &used, &payload, &done);
        buf_append_str(&body, payload);
        at += used;
    }
    buf_append_cstr(&body, "|");
    buf_append_cstr(&body, test->bytes + at);
    if (valid != test->valid || done != valid || (valid && strcmp(buf_cstr(&body), test->body) != 0)) {
        fail_msg("%s in steps of %zu: %s, body %s", test->name, step, valid ? "accepted" : "refused", buf_cstr(&body));
    }
    buf_clear(&body);
}

static void test_chunks(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CHUNKS); i++) {
        for (size_t step = 1; step <= 40; step++) {
            feed_in_steps(&CHUNKS[i], step);
        }
        struct http_chunks chunks;
        size_t used;
        bool done;
        http_chunks_init(&chunks);
        bool valid = http_chunks_feed(&chunks, str_from(CHUNKS[i].bytes), &used, &done);
        assert_int_equal(valid, CHUNKS[i].valid);
        if (valid) {
            assert_true(done);
            assert_string_equal(CHUNKS[i].bytes + used, strchr(CHUNKS[i].body, '|') + 1);
        }
    }
}

/* Names, values and many of them: all together are bounded. */
static void test_endless_trailers(void **state) {
    (void)state;
    static const char *const PIECES[] = {"aaaaaaaa", "X: bbbbbbb\r\n"};
    for (size_t i = 0; i < COUNT_OF(PIECES); i++) {
        struct http_chunks chunks;
        size_t used;
        bool done;
        http_chunks_init(&chunks);
        assert_true(http_chunks_feed(&chunks, STR("1\r\nx\r\n0\r\n"), &used, &done));
        size_t fed = 0;
        while (http_chunks_feed(&chunks, str_from(PIECES[i]), &used, &done)) {
            fed += 8;
            assert_in_range(fed, 0, 8192);
        }
        assert_true(fed > 1024);
    }
}

static void test_endless_extension(void **state) {
    (void)state;
    struct http_chunks chunks;
    size_t used;
    bool done;
    http_chunks_init(&chunks);
    assert_true(http_chunks_feed(&chunks, STR("1;"), &used, &done));
    size_t fed = 0;
    while (http_chunks_feed(&chunks, STR("aaaaaaaa"), &used, &done)) {
        fed += 8;
        assert_in_range(fed, 0, 1024);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_zero_byte_in_head),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_head_length),
        cmocka_unit_test(test_head_in_pieces),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_endless_extension),
        cmocka_unit_test(test_endless_trailers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
