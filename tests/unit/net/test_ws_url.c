#include "base/compiler.h"
#include "net/ws_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_accepted(void **state) {
    (void)state;
    static const struct {
        const char *url;
        bool secure;
        unsigned port;
        const char *host, *authority, *target;
    } CASES[] = {
        {"ws://example.org", false, 80, "example.org", "example.org", "/"},
        {"wss://example.org", true, 443, "example.org", "example.org", "/"},
        {"http://example.org/", false, 80, "example.org", "example.org", "/"},
        {"HTTPS://example.org:8443/a/b?c=d", true, 8443, "example.org", "example.org:8443", "/a/b?c=d"},
        {"ws://127.0.0.1:8080/link", false, 8080, "127.0.0.1", "127.0.0.1:8080", "/link"},
        {"ws://h:80", false, 80, "h", "h", "/"},
        {"ws://h:443", false, 443, "h", "h:443", "/"},
        {"wss://h:443", true, 443, "h", "h", "/"},
        {"ws://[::1]:9/x", false, 9, "::1", "[::1]:9", "/x"},
        {"ws://[fe80::1]", false, 80, "fe80::1", "[fe80::1]", "/"},
        {"ws://h?q", false, 80, "h", "h", "/?q"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct ws_url url;
        struct err err = {0};
        if (!ws_url_parse(&url, CASES[i].url, &err)) {
            fail_msg("%s: %s", CASES[i].url, err.message);
        }
        assert_int_equal(url.secure, CASES[i].secure);
        assert_int_equal(url.port, CASES[i].port);
        assert_string_equal(url.host, CASES[i].host);
        assert_string_equal(url.authority, CASES[i].authority);
        assert_string_equal(url.target, CASES[i].target);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const char *const CASES[] = {
        "",
        "example.org",
        "ftp://example.org",
        "ws://",
        "ws:///path",
        "ws://:80/",
        "ws://h:0/",
        "ws://h:/",
        "ws://h:65536/",
        "ws://h:8x/",
        "ws://[::1/",
        "ws://[::1]x/",
        "ws://[::1]:/",
        "ws://[]/",
        "ws://user@h/",
        "ws://h/a b",
        "ws://h/\r\nX: y",
        "ws://h/#part",
        "ws://h\x7f/",
        "ws://\xc3\xa4/",
        "ws://a:b:c/",
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct ws_url url;
        struct err err = {0};
        if (ws_url_parse(&url, CASES[i], &err)) {
            fail_msg("accepted: %s", CASES[i]);
        }
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void test_too_long(void **state) {
    (void)state;
    char text[2 * WS_URL_TARGET_SIZE] = "ws://";
    memset(text + 5, 'h', WS_URL_HOST_SIZE);
    struct ws_url url;
    assert_false(ws_url_parse(&url, text, NULL));
    text[5 + WS_URL_HOST_SIZE - 1] = '\0';
    assert_true(ws_url_parse(&url, text, NULL));
    memset(text + 5, 'p', WS_URL_TARGET_SIZE + 10);
    text[6] = '/';
    text[WS_URL_TARGET_SIZE + 15] = '\0';
    assert_false(ws_url_parse(&url, text, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
