#include "base/file.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
};

static int setup(void **state) {
    static struct fixture fixture;
    snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/nataris-test-XXXXXX");
    *state = &fixture;
    return mkdtemp(fixture.folder) == NULL ? -1 : 0;
}

/* Names in the folder, but for "." and ".."; each test leaves only files that it names here. */
static size_t count_files(const char *folder) {
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    size_t count = 0;
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        count += entry->d_name[0] != '.';
    }
    closedir(listing);
    return count;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    return rmdir(fixture->folder);
}

static void check_content(const char *path, const char *expected) {
    struct buf content;
    struct err err = {0};
    buf_init(&content, 1 << 20);
    assert_true(file_read(path, &content, &err));
    assert_string_equal(buf_cstr(&content), expected);
    buf_clear(&content);
}

static void test_join(void **state) {
    (void)state;
    char path[FILE_PATH_MAX], longer[FILE_PATH_MAX];
    struct err err = {0};
    assert_true(file_join(path, "/a", "b", &err));
    assert_string_equal(path, "/a/b");
    assert_true(file_join(path, "/", "b", &err));
    assert_string_equal(path, "/b");
    assert_true(file_join(path, "", "b", &err));
    assert_string_equal(path, "b");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_false(file_join(path, longer, "b", &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void test_write_then_read(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char path[FILE_PATH_MAX];
    struct err err = {0};
    struct stat status;
    assert_true(file_join(path, fixture->folder, "secret", &err));
    assert_false(file_exists(path));
    assert_true(file_write_atomic(path, STR("one"), 0600, &err));
    assert_true(file_write_atomic(path, STR("two"), 0600, &err));
    assert_true(file_exists(path));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    check_content(path, "two");
    assert_int_equal(count_files(fixture->folder), 1);
    assert_int_equal(unlink(path), 0);
}

static void test_write_in_the_working_folder(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct err err = {0};
    char *before = getcwd(NULL, 0);
    assert_int_equal(chdir(fixture->folder), 0);
    assert_true(file_write_atomic("plain", STR("x"), 0644, &err));
    assert_int_equal(unlink("plain"), 0);
    assert_int_equal(chdir(before), 0);
    free(before);
}

/* A write that fails half way: here by a size limit, in life by a full disk. */
static void test_a_failed_write_keeps_the_old_file(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char path[FILE_PATH_MAX];
    struct err err = {0};
    assert_true(file_join(path, fixture->folder, "kept", &err));
    assert_true(file_write_atomic(path, STR("old"), 0600, &err));
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
    char *large = calloc(1, 10000);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool written = file_write_atomic(path, (struct str){.data = large, .len = 10000}, 0600, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    free(large);
    assert_false(written);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, ": File too large"));
    check_content(path, "old");
    assert_int_equal(count_files(fixture->folder), 1);
    assert_int_equal(unlink(path), 0);
}

static void test_read_errors(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char path[FILE_PATH_MAX];
    struct err err = {0};
    struct buf content;
    buf_init(&content, 5);
    assert_true(file_join(path, fixture->folder, "five", &err));
    assert_false(file_read(path, &content, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(file_write_atomic(path, STR("12345"), 0600, &err));
    assert_true(file_read(path, &content, &err));
    assert_string_equal(buf_cstr(&content), "12345");
    buf_reset(&content);
    assert_true(file_write_atomic(path, STR("123456"), 0600, &err));
    assert_false(file_read(path, &content, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_false(file_read(fixture->folder, &content, &err));
    assert_int_equal(err.code, ERR_IO);
    buf_clear(&content);
    assert_int_equal(unlink(path), 0);
}

static void test_make_folders(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char outer[FILE_PATH_MAX], inner[FILE_PATH_MAX], below[FILE_PATH_MAX];
    struct err err = {0};
    struct stat status;
    assert_true(file_join(outer, fixture->folder, "a", &err));
    assert_true(file_join(inner, outer, "b/", &err));
    assert_true(file_make_folders(inner, &err));
    assert_true(file_make_folders(inner, &err));
    assert_int_equal(stat(inner, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(rmdir(inner), 0);
    assert_true(file_join(inner, outer, "file", &err));
    assert_true(file_write_atomic(inner, STR(""), 0600, &err));
    assert_true(file_join(below, inner, "c", &err));
    assert_false(file_make_folders(below, &err));
    assert_non_null(strstr(err.message, "Not a directory"));
    assert_false(file_make_folders("", &err));
    assert_int_equal(unlink(inner), 0);
    assert_int_equal(rmdir(outer), 0);
}

static void test_executable_folder(void **state) {
    (void)state;
    char folder[FILE_PATH_MAX];
    struct err err = {0};
    assert_true(file_executable_folder(folder, &err));
    assert_int_equal(folder[0], '/');
    assert_true(folder[strlen(folder) - 1] != '/');
    assert_true(file_exists(folder));
}

static int try_lock_in_another_process(const char *path) {
    const pid_t child = fork();
    if (child == 0) {
        struct err err = {0};
        _exit(file_lock(path, &err) ? 0 : (int)err.code);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void test_a_lock_is_held_by_one_process(void **state) {
    const struct fixture *fixture = *state;
    char path[FILE_PATH_MAX];
    struct err err;
    assert_true(file_join(path, fixture->folder, "lock", &err));
    assert_int_equal(try_lock_in_another_process(path), 0); /* which has ended: the lock is free again */
    assert_true(file_lock(path, &err));
    assert_int_equal(try_lock_in_another_process(path), ERR_CONFLICT);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test_setup_teardown(test_write_then_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_in_the_working_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_failed_write_keeps_the_old_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_make_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lock_is_held_by_one_process, setup, teardown),
        cmocka_unit_test(test_executable_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
