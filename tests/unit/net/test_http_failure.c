/* What libcurl's codes mean, and the words for them. */
#include "net/http_failure.h"

#include "base/compiler.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void codes(void **state) {
    static const struct {
        CURLcode code;
        enum http_failure failure;
    } CASES[] = {
        {CURLE_OK, HTTP_FAILURE_NONE},
        {CURLE_URL_MALFORMAT, HTTP_FAILURE_REQUEST},
        {CURLE_COULDNT_RESOLVE_PROXY, HTTP_FAILURE_NAME},
        {CURLE_COULDNT_CONNECT, HTTP_FAILURE_CONNECT},
        {CURLE_PEER_FAILED_VERIFICATION, HTTP_FAILURE_TLS},
        {CURLE_SSL_CACERT_BADFILE, HTTP_FAILURE_TLS},
        {CURLE_OPERATION_TIMEDOUT, HTTP_FAILURE_TIME},
        {CURLE_PARTIAL_FILE, HTTP_FAILURE_BROKEN},
        {CURLE_GOT_NOTHING, HTTP_FAILURE_BROKEN},
        {CURLE_TOO_MANY_REDIRECTS, HTTP_FAILURE_OTHER},
        {CURLE_WRITE_ERROR, HTTP_FAILURE_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_int_equal(http_failure_of((int)CASES[i].code), CASES[i].failure);
    }
}

static void words(void **state) {
    static const enum http_failure OURS[] = {HTTP_FAILURE_ADDRESS, HTTP_FAILURE_TOO_LARGE, HTTP_FAILURE_STOPPED,
                                             HTTP_FAILURE_NAME};
    (void)state;
    assert_string_equal(http_failure_reason(HTTP_FAILURE_NONE, false, CURLE_OK), "");
    for (size_t i = 0; i < COUNT_OF(OURS); i++) {
        assert_string_not_equal(http_failure_reason(OURS[i], true, CURLE_WRITE_ERROR),
                                curl_easy_strerror(CURLE_WRITE_ERROR));
    }
    assert_string_equal(http_failure_reason(HTTP_FAILURE_CONNECT, false, CURLE_COULDNT_CONNECT),
                        curl_easy_strerror(CURLE_COULDNT_CONNECT));
    assert_string_equal(http_failure_reason(HTTP_FAILURE_OTHER, true, CURLE_WRITE_ERROR),
                        "the answer's head is too long");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
