#include "provider/model_store.h"

#include "base/digest.h"
#include "unit/provider/temp_tree.h"

#include <fcntl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
    struct temp_tree tree;
    char path[FILE_PATH_MAX], side[FILE_PATH_MAX], hash[DIGEST_HEX_SIZE];
    struct fetch_control control;
};

static const char CONTENT[] = "GGUF and so on";

static int setup(void **state) {
    static struct fixture fixture;
    uint8_t digest[DIGEST_SHA256_SIZE];
    *state = &fixture;
    if (temp_tree_init(&fixture.tree) != 0) {
        return -1;
    }
    digest_sha256(CONTENT, strlen(CONTENT), digest);
    digest_hex(digest, sizeof(digest), fixture.hash);
    atomic_store(&fixture.control.cancelled, false);
    temp_tree_write(&fixture.tree, "m.gguf", CONTENT);
    str_copy(fixture.side, sizeof(fixture.side), str_from(temp_tree_path(&fixture.tree, "m.gguf.verified")));
    return model_store_path(fixture.path, fixture.tree.path, "m", NULL) ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    temp_tree_clear(&fixture->tree);
    return 0;
}

static bool verify(struct fixture *fixture, struct err *err) {
    return model_store_verify(fixture->path, fixture->hash, true, &fixture->control, err);
}

/* Rewrites the file with other bytes of the same length, in place, and sets the old time of change again. */
static void damage(const struct fixture *fixture, bool hide) {
    struct stat status;
    FILE *file = fopen(fixture->path, "r+");
    assert_non_null(file);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(fwrite("XGUF", 1, 4, file), 4);
    assert_int_equal(fclose(file), 0);
    const struct timespec times[2] = {status.st_atim, {status.st_mtim.tv_sec + (hide ? 0 : 1), status.st_mtim.tv_nsec}};
    assert_int_equal(utimensat(AT_FDCWD, fixture->path, times, 0), 0);
}

static void right_file(void **state) {
    struct fixture *fixture = *state;
    assert_true(verify(fixture, NULL));
    assert_true(file_exists(fixture->side));
    assert_true(verify(fixture, NULL));
}

static void side_file_spares_the_hash(void **state) {
    struct fixture *fixture = *state;
    assert_true(verify(fixture, NULL));
    damage(fixture, true);
    assert_true(verify(fixture, NULL)); /* not hashed again: size, time and inode are those remembered */
    assert_int_equal(unlink(fixture->side), 0);
    assert_false(verify(fixture, NULL));
}

static void changed_file_is_found_out(void **state) {
    struct fixture *fixture = *state;
    struct err err = {0};
    assert_true(verify(fixture, NULL));
    damage(fixture, false);
    assert_false(verify(fixture, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(verify(fixture, NULL)); /* still, though the side file is there */
}

static void side_file_of_another_hash_says_nothing(void **state) {
    struct fixture *fixture = *state;
    struct err err = {0};
    assert_true(verify(fixture, NULL));
    fixture->hash[0] = fixture->hash[0] == '0' ? '1' : '0';
    assert_false(verify(fixture, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

static void damaged_side_file_costs_a_hash(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "m.gguf.verified", "rubbish");
    assert_true(verify(fixture, NULL));
}

static void absent_and_no_file(void **state) {
    struct fixture *fixture = *state;
    struct err err = {0};
    assert_int_equal(unlink(fixture->path), 0);
    assert_false(verify(fixture, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_false(verify(fixture, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

static void cancelled(void **state) {
    struct fixture *fixture = *state;
    struct err err = {0};
    atomic_store(&fixture->control.cancelled, true);
    assert_false(verify(fixture, &err));
    assert_int_equal(err.code, ERR_CLOSED);
}

static void built_in_model_is_found(void **state) {
    const struct fixture *fixture = *state;
    char out[FILE_PATH_MAX];
    struct err err = {0};
    temp_tree_write(&fixture->tree, "models/tiny-test.gguf", CONTENT);
    assert_int_equal(setenv("NATARIS_SHARE", fixture->tree.path, 1), 0);
    assert_true(model_store_find_built_in(out, "tiny-test.gguf", NULL));
    assert_string_equal(out, temp_tree_path(&fixture->tree, "models/tiny-test.gguf"));
    assert_false(model_store_find_built_in(out, "other-test.gguf", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    unsetenv("NATARIS_SHARE");
}

static void ids_that_are_no_file_names(void **state) {
    static const char *const IDS[] = {"", ".", "..", "../m", ".hidden", "a/b", "/m"};
    char path[FILE_PATH_MAX];
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        assert_false(model_store_path(path, "folder", IDS[i], &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_true(model_store_path(path, "folder", "a..b", NULL));
    assert_string_equal(path, "folder/a..b.gguf");
}

static void verified_without_hashing(void **state) {
    struct fixture *fixture = *state;
    assert_false(model_store_is_verified(fixture->path, fixture->hash)); /* right, but nobody looked */
    assert_true(verify(fixture, NULL));
    assert_true(model_store_is_verified(fixture->path, fixture->hash));
    assert_int_equal(truncate(fixture->path, 4), 0);
    assert_false(model_store_is_verified(fixture->path, fixture->hash));
}

static void replaced_file_is_found_out(void **state) {
    struct fixture *fixture = *state;
    struct stat status;
    assert_true(verify(fixture, NULL));
    assert_int_equal(stat(fixture->path, &status), 0);
    temp_tree_write(&fixture->tree, "other", "XGUF and so on"); /* as long, and as old */
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, temp_tree_path(&fixture->tree, "other"), times, 0), 0);
    assert_int_equal(rename(temp_tree_path(&fixture->tree, "other"), fixture->path), 0);
    assert_false(verify(fixture, NULL));
}

static void set_aside(void **state) {
    const struct fixture *fixture = *state;
    model_store_set_aside(fixture->path);
    assert_false(file_exists(fixture->path));
    assert_true(file_exists(temp_tree_path(&fixture->tree, "m.gguf.damaged")));
    model_store_set_aside(fixture->path); /* nothing there: nothing happens */
    assert_true(file_exists(temp_tree_path(&fixture->tree, "m.gguf.damaged")));
}

static void gguf_magic(void **state) {
    const struct fixture *fixture = *state;
    struct err err = {0};
    assert_true(model_store_check_gguf(fixture->path, NULL));
    temp_tree_write(&fixture->tree, "m.gguf", "GGU");
    assert_false(model_store_check_gguf(fixture->path, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(unlink(fixture->path), 0);
    assert_false(model_store_check_gguf(fixture->path, &err));
    assert_non_null(strstr(err.message, "No such file"));
    assert_false(model_store_check_gguf(fixture->tree.path, &err));
    assert_non_null(strstr(err.message, "is not a file"));
    assert_int_equal(mkfifo(fixture->path, 0600), 0); /* does not wait for a writer */
    assert_false(model_store_check_gguf(fixture->path, &err));
    assert_non_null(strstr(err.message, "is not a file"));
}

static void ids_of_paths(void **state) {
    static const char *const CASES[][2] = {{"/models/My Model_v1.5.GGUF", "my-model_v1.5"},
                                           {"tiny.gguf", "tiny"},
                                           {"./a\xc3\xa4.bin", "a--.bin"},
                                           {"x/.gguf", ".gguf"}};
    char id[16];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_true(model_store_id_of_path(id, sizeof(id), CASES[i][0], NULL));
        assert_string_equal(id, CASES[i][1]);
    }
    assert_false(model_store_id_of_path(id, sizeof(id), "folder/", NULL));
    assert_false(model_store_id_of_path(id, sizeof(id), "a-name-longer-than-that.gguf", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(right_file),
                                       TEST(side_file_spares_the_hash),
                                       TEST(changed_file_is_found_out),
                                       TEST(side_file_of_another_hash_says_nothing),
                                       TEST(damaged_side_file_costs_a_hash),
                                       TEST(absent_and_no_file),
                                       TEST(cancelled),
                                       TEST(built_in_model_is_found),
                                       TEST(ids_that_are_no_file_names),
                                       TEST(verified_without_hashing),
                                       TEST(replaced_file_is_found_out),
                                       TEST(set_aside),
                                       TEST(gguf_magic),
                                       TEST(ids_of_paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
