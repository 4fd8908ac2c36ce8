/* A device that leaves its network: what is refused before anything is said, and that the key stays then. The whole way
 * is in tests/e2e/evicted.test.mjs. */
#include "provider/leave.h"

#include "base/file.h"
#include "provider/device_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/nataris-leave-XXXXXX";

static void test_no_device_was_here(void **state) {
    const struct leave_options options = {.gateway_url = "http://127.0.0.1:1", .data_folder = folder, .wait_ms = 1};
    struct err err = {0};
    (void)state;
    assert_false(leave_network(&options, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void test_the_key_stays_when_nobody_confirms(void **state) {
    static const char *const URLS[] = {"http://127.0.0.1:1", "ftp://127.0.0.1", "nonsense"};
    static const enum err_code CODES[] = {ERR_UNAVAILABLE, ERR_INVALID, ERR_INVALID};
    uint8_t key[ED25519_KEY_SIZE], again[ED25519_KEY_SIZE];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct leave_options options = {.gateway_url = URLS[i], .data_folder = folder, .wait_ms = 1};
        struct err err = {0};
        assert_true(device_key_load(folder, key, &err));
        assert_false(leave_network(&options, &err));
        assert_int_equal(err.code, CODES[i]);
        assert_true(device_key_load(folder, again, &err));
        assert_memory_equal(key, again, sizeof(key));
    }
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state) {
    char path[FILE_PATH_MAX];
    struct err err;
    (void)state;
    return file_join(path, folder, "device_key", &err) && unlink(path) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_device_was_here),
        cmocka_unit_test(test_the_key_stays_when_nobody_confirms),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
