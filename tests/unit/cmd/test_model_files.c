#include "cmd/model_files.h"

#include "catalog/catalog.h"
#include "provider/model_store.h"
#include "support/temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct temp_folder folder;

static int setup(void **state) {
    (void)state;
    temp_folder_init(&folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    temp_folder_clear(&folder);
    return 0;
}

static const char *file_make(const char *name, char path[128]) {
    struct err err;
    assert_true(file_write_atomic(temp_folder_file(&folder, name, path), STR("GGUF and so on"), 0600, &err));
    return path;
}

/* The file of a catalog model counts once somebody has found its hash right. */
static void test_only_verified_files_of_the_folder(void **state) {
    const struct catalog_model *model = catalog_find(STR("smollm2-135m-instruct-q4_1"));
    struct model_files files;
    char path[128], name[128], out[FILE_PATH_MAX];
    (void)state;
    model_files_init(&files, folder.path, NULL);
    assert_false(model_files_find(&files, str_from(model->id), out));
    snprintf(name, sizeof(name), "%s.gguf", model->id);
    (void)file_make(name, path);
    assert_false(model_files_find(&files, str_from(model->id), out));
    model_store_remember(path, model->sha256);
    assert_true(model_files_find(&files, str_from(model->id), out));
    assert_string_equal(out, path);
    model_store_remember(path, "0000000000000000000000000000000000000000000000000000000000000000");
    assert_false(model_files_find(&files, str_from(model->id), out));
    assert_false(model_files_find(&files, STR("../secret"), out));
    assert_false(model_files_find(&files, STR("unknown"), out));
}

static void test_what_the_owner_names_by_its_path(void **state) {
    struct model_files files;
    char path[128], other[128], out[FILE_PATH_MAX];
    struct err err;
    (void)state;
    const struct option_list named = {.items = {"smollm2-135m-instruct-q4_1", file_make("My Model.gguf", path), other},
                                      .count = 3};
    assert_true(file_write_atomic(temp_folder_file(&folder, "text.gguf", other), STR("text"), 0600, &err));
    model_files_init(&files, folder.path, &named);
    assert_true(model_files_find(&files, STR("my-model"), out));
    assert_string_equal(out, path);
    assert_false(model_files_find(&files, STR("text"), out));
}

static void test_the_built_in_model_is_with_the_program(void **state) {
    struct model_files files;
    char out[FILE_PATH_MAX];
    (void)state;
    model_files_init(&files, folder.path, NULL);
    assert_true(model_files_find(&files, str_from(CATALOG_BUILT_IN_MODEL), out));
    assert_true(file_exists(out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_verified_files_of_the_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_the_owner_names_by_its_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_built_in_model_is_with_the_program, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
