/* The URLs that strangers tell. */
#include "net/web_url.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const char *text, bool lax, struct web_url *out) {
    struct err err;
    bool ok = web_url_parse(str_from(text), lax, out, &err);
    if (!ok) {
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, "url");
    }
    return ok;
}

static void test_parts(void **state) {
    static const struct {
        const char *text, *host;
        unsigned port;
        bool lax, tls, is_address;
    } rows[] = {
        {"https://example.com", "example.com", 443, false, true, false},
        {"HTTPS://Hooks.Example.COM:8443/a/b?c=d&e=%20", "hooks.example.com", 8443, false, true, false},
        {"https://example.com?x", "example.com", 443, false, true, false},
        {"https://a-b.x_y.example.com/@:/", "a-b.x_y.example.com", 443, false, true, false},
        {"https://3com.example/", "3com.example", 443, false, true, false},
        {"https://1.1.1.1/", "1.1.1.1", 443, false, true, true},
        {"https://[2606:4700::1111]:1024/", "2606:4700::1111", 1024, false, true, true},
        {"http://127.0.0.1:80/", "127.0.0.1", 80, true, false, true},
        {"http://localhost/", "localhost", 80, true, false, false},
        {"https://[::1]:22/", "::1", 22, true, true, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct web_url url;
        assert_true(parse(rows[i].text, rows[i].lax, &url));
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.tls, rows[i].tls);
        assert_int_equal(url.is_address, rows[i].is_address);
    }
}

/* Nobody may understand these, whatever the operator allows. */
static const char *const never[] = {
    "",
    "https://",
    "https:///",
    "https:example.com",
    "https:/example.com",
    "//example.com",
    "example.com",
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com:443@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com\\.evil.com/",
    "https://example.com/#fragment",
    "https://exa mple.com/",
    " https://example.com/",
    "https://example.com/\n",
    "https://example.com/\x7f",
    "https://ex\xc3\xa4mple.com/",
    "https://example.com:/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:4 43/",
    "https://example.com:443:444/",
    "https://example.com./",
    "https://.example.com/",
    "https://example..com/",
    "https://-a.example.com/",
    "https://a-.example.com/",
    "https://%31%32%37.0.0.1/",
    "https://127.0.0.1%2f.example.com/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://127.0.0.1./",
    "https://1.2.3.4.5/",
    "https://256.1.1.1/",
    "https://example.0x7f/",
    "https://[::1/",
    "https://::1/",
    "https://[fe80::1%25lo]/",
    "https://[fe80::1%lo]/",
    "https://[127.0.0.1]/",
    "https://[::1]x/",
    "https://[::1]:/",
    "https://[]/",
    "https://[example.com]/",
    "https://[::1]@example.com/",
    "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com/",
    "https://a^b.com/",
    "https://a|b.com/",
};

static void test_never(void **state) {
    struct web_url url;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(never); i++) {
        if (parse(never[i], true, &url)) {
            fail_msg("'%s' is understood as %s", never[i], url.host);
        }
    }
}

static void test_strict(void **state) {
    static const char *const refused[] = {
        "http://example.com/",     "https://localhost/",         "https://router:8443/",
        "https://127.0.0.1/",      "https://10.1.2.3/",          "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",          "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/",
        "https://example.com:22/", "https://example.com:80/",    "https://example.com:1023/",
    };
    struct web_url url;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (parse(refused[i], false, &url)) {
            fail_msg("%s is let through", refused[i]);
        }
        assert_true(parse(refused[i], true, &url));
    }
}

static void test_length(void **state) {
    char text[WEB_URL_MAX + 2] = "https://example.com/";
    struct web_url url;
    (void)state;
    memset(text + strlen(text), 'x', WEB_URL_MAX - strlen(text));
    assert_true(parse(text, false, &url));
    text[WEB_URL_MAX] = 'x';
    assert_false(parse(text, false, &url));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
