/* Signatures as Standard Webhooks 1.0 has them. */
#include "wire/webhook_signature.h"

#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Made with the library `standardwebhooks` of npm, version 1.1.1. */
static void test_known(void **state) {
    uint8_t key[WEBHOOK_KEY_SIZE];
    char text[WEBHOOK_SECRET_TEXT_SIZE], signature[WEBHOOK_SIGNATURE_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)i;
    }
    webhook_secret_format(key, text);
    assert_string_equal(text, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    webhook_sign(key, "evt_1", INT64_C(1767225600), STR("{\"type\":\"test\"}"), signature);
    assert_string_equal(signature, "v1,6cUCdcz1xi5/f8gCl08s9pZNiiShIWWMTG4acw5pkR0=");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
