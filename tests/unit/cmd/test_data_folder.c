/* One process a data folder and role. */
#include "cmd/data_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/provider/temp_tree.h"

static int setup(void **state) {
    static struct temp_tree tree;
    *state = &tree;
    return temp_tree_init(&tree);
}

static int teardown(void **state) {
    temp_tree_clear(*state);
    return 0;
}

static void it_is_made_and_held(void **state) {
    const struct temp_tree *tree = *state;
    const char *folder = temp_tree_path(tree, "a/b");
    struct err err = {0};
    assert_true(data_folder_lock(folder, "gateway", &err));
    assert_true(file_exists(temp_tree_path(tree, "a/b/gateway.lock")));
    assert_false(data_folder_lock(folder, "gateway", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "another gateway runs in /"));
    assert_non_null(strstr(err.message, "/a/b: stop it, or choose another --data folder"));
    assert_true(data_folder_lock(folder, "provider", &err)); /* `up` has both in one folder */
}

static void a_file_is_no_folder(void **state) {
    const struct temp_tree *tree = *state;
    struct err err = {0};
    temp_tree_write(tree, "plain", "");
    assert_false(data_folder_lock(temp_tree_path(tree, "plain"), "gateway", &err));
    assert_non_null(strstr(err.message, "/plain"));
    assert_int_equal(mkdir(temp_tree_path(tree, "gateway.lock"), 0700), 0);
    assert_false(data_folder_lock(tree->path, "gateway", &err));
    assert_int_not_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "gateway.lock"));
}

static void the_store_must_be_there(void **state) {
    const struct temp_tree *tree = *state;
    struct store *store = NULL;
    struct err err = {0};
    assert_false(data_folder_open_store(NULL, &store, &err));
    assert_string_equal(err.message, "--data DIR is needed: the gateway's data folder");
    assert_false(data_folder_open_store(tree->path, &store, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(file_exists(temp_tree_path(tree, "nataris.db")));
    temp_tree_write(tree, "nataris.db", ""); /* an empty file becomes a store */
    assert_true(data_folder_open_store(tree->path, &store, &err));
    store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_made_and_held, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_is_no_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(the_store_must_be_there, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
