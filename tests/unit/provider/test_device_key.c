#include "provider/device_key.h"

#include "base/log.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state) {
    static struct temp_tree tree;
    *state = &tree;
    return temp_tree_init(&tree);
}

static int teardown(void **state) {
    temp_tree_clear(*state);
    return 0;
}

static unsigned mode_of(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void made_once_and_private(void **state) {
    uint8_t first[ED25519_KEY_SIZE];
    uint8_t second[ED25519_KEY_SIZE];
    char folder[FILE_PATH_MAX];
    str_copy(folder, sizeof(folder), str_from(temp_tree_path(*state, "new/data")));
    assert_true(device_key_load(folder, first, NULL));
    assert_true(device_key_load(folder, second, NULL));
    assert_memory_equal(first, second, sizeof(first));
    assert_int_equal(mode_of(temp_tree_path(*state, "new/data/device_key")), 0600);
    assert_true(device_key_load(temp_tree_path(*state, "other"), second, NULL));
    assert_memory_not_equal(first, second, sizeof(first));
}

static void rights_of_others_are_taken_away(void **state) {
    uint8_t key[ED25519_KEY_SIZE];
    assert_true(device_key_load(temp_tree_path(*state, ""), key, NULL));
    assert_int_equal(chmod(temp_tree_path(*state, "device_key"), 0644), 0);
    assert_true(device_key_load(temp_tree_path(*state, ""), key, NULL));
    assert_int_equal(mode_of(temp_tree_path(*state, "device_key")), 0600);
}

static void damaged_file_is_named_and_kept(void **state) {
    static const char *const DAMAGED[] = {"", "0123",
                                          "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg\n",
                                          "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00\n"};
    for (size_t i = 0; i < COUNT_OF(DAMAGED); i++) {
        uint8_t key[ED25519_KEY_SIZE];
        struct err err = {0};
        temp_tree_write(*state, "device_key", DAMAGED[i]);
        assert_false(device_key_load(temp_tree_path(*state, ""), key, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.message, "device_key is damaged"));
        struct buf text;
        buf_init(&text, 1000);
        assert_true(file_read(temp_tree_path(*state, "device_key"), &text, NULL));
        assert_true(str_equal_cstr(buf_str(&text), DAMAGED[i]));
        buf_clear(&text);
    }
}

static void known_text_is_read(void **state) {
    uint8_t key[ED25519_KEY_SIZE];
    temp_tree_write(*state, "device_key", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
    assert_true(device_key_load(temp_tree_path(*state, ""), key, NULL));
    assert_int_equal(key[1], 0x11);
    assert_int_equal(key[31], 0xff);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(made_once_and_private, setup, teardown),
        cmocka_unit_test_setup_teardown(rights_of_others_are_taken_away, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_file_is_named_and_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(known_text_is_read, setup, teardown),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
