#include "unit/provider/store_folder.h"

#include <fcntl.h>
#include <sys/file.h>

static void used_model_is_not_removed(void **state) {
    const struct store_folder *folder = *state;
    struct err err = {0};
    struct stat before;
    struct stat after;
    int mark;
    int other_mark;
    store_folder_model(folder, "m", 100, 1000);
    assert_int_equal(stat(store_folder_file(folder, "m", ".used"), &before), 0);
    assert_true(model_store_use(folder->path, "m", store_folder_file(folder, "m", ""), NULL, &mark, NULL));
    assert_true(model_store_use(folder->path, "m", store_folder_file(folder, "m", ""), NULL, &other_mark, NULL));
    assert_int_equal(stat(store_folder_file(folder, "m", ".used"), &after), 0);
    assert_true(after.st_mtim.tv_sec > before.st_mtim.tv_sec);
    assert_false(model_store_remove(folder->path, "m", true, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "a provider uses it"));
    model_store_unuse(folder->path, "m", &mark);
    assert_int_equal(mark, -1);
    assert_false(model_store_remove(folder->path, "m", true, NULL)); /* the other still does */
    model_store_unuse(folder->path, "m", &other_mark);
    assert_true(model_store_remove(folder->path, "m", true, NULL));
    assert_false(model_store_use(folder->path, "m", store_folder_file(folder, "m", ""), NULL, &mark, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(store_folder_has(folder, "m", ".used")); /* nothing was left by the try */
}

static void changed_file_is_not_used(void **state) {
    const struct store_folder *folder = *state;
    char path[FILE_PATH_MAX];
    struct model_added added;
    struct err err = {0};
    int mark;
    store_folder_model(folder, "m", 100, 1000);
    assert_true(model_added_read(&added, folder->path, "m", NULL));
    assert_true(model_store_path(path, folder->path, "m", NULL));
    assert_true(model_store_use(folder->path, "m", path, added.sha256, &mark, NULL));
    model_store_unuse(folder->path, "m", &mark);
    store_folder_write(folder, "m", "", 99);
    assert_false(model_store_use(folder->path, "m", path, added.sha256, &mark, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_true(model_store_remove(folder->path, "m", true, NULL)); /* no lock is left */
}

static void lock_of_somebody_else_is_not_waited_for(void **state) {
    const struct store_folder *folder = *state;
    struct err err = {0};
    int mark;
    store_folder_model(folder, "m", 100, 1000);
    const int other = open(store_folder_file(folder, "m", ""), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_false(model_store_use(folder->path, "m", store_folder_file(folder, "m", ""), NULL, &mark, &err));
    assert_non_null(strstr(err.message, "cannot lock"));
    close(other);
    assert_true(model_store_use(folder->path, "m", store_folder_file(folder, "m", ""), NULL, &mark, NULL));
    model_store_unuse(folder->path, "m", &mark);
}

static void file_elsewhere_is_not_marked(void **state) {
    const struct store_folder *folder = *state;
    int mark = 5;
    temp_tree_write(&folder->tree, "elsewhere/m.gguf", "GGUF");
    assert_true(
        model_store_use(folder->path, "m", temp_tree_path(&folder->tree, "elsewhere/m.gguf"), NULL, &mark, NULL));
    assert_int_equal(mark, -1);
    assert_false(file_exists(temp_tree_path(&folder->tree, "elsewhere/m.gguf.used")));
    model_store_unuse(folder->path, "m", &mark);
}

static void all_of_it_goes(void **state) {
    static const char *const ENDINGS[] = {"", ".part", ".damaged", ".verified", ".used", ".pinned", ".source"};
    const struct store_folder *folder = *state;
    struct err err = {0};
    store_folder_model(folder, "m", 100, 1000);
    store_folder_write(folder, "m", ".part", 10);
    store_folder_write(folder, "m", ".damaged", 10);
    temp_tree_write(&folder->tree, "m.gguf.wheel/half", "left by a killed run");
    temp_tree_write(&folder->tree, "m2.gguf", "another");
    assert_true(model_store_pin(folder->path, "m", true, NULL));
    assert_true(model_store_remove(folder->path, "m", true, NULL));
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        assert_false(store_folder_has(folder, "m", ENDINGS[i]));
    }
    assert_false(store_folder_has(folder, "m", ".wheel"));
    assert_true(store_folder_has(folder, "m2", ""));
    assert_false(model_store_remove(folder->path, "m", true, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void what_is_known_of_it_stays(void **state) {
    const struct store_folder *folder = *state;
    store_folder_model(folder, "m", 100, 1000);
    assert_true(model_store_pin(folder->path, "m", true, NULL));
    assert_true(model_store_remove(folder->path, "m", false, NULL));
    assert_false(store_folder_has(folder, "m", ""));
    assert_true(store_folder_has(folder, "m", ".source"));
    assert_true(store_folder_has(folder, "m", ".pinned"));
}

static void fetched_model_is_not_removed(void **state) {
    const struct store_folder *folder = *state;
    struct err err = {0};
    store_folder_write(folder, "m", ".part", 10);
    int fd = store_folder_lock(folder, "m", ".part", LOCK_EX);
    assert_false(model_store_remove(folder->path, "m", true, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    close(fd);
    assert_true(model_store_remove(folder->path, "m", true, NULL));
}

static void names_that_lead_out_of_the_folder(void **state) {
    const struct store_folder *folder = *state;
    struct err err = {0};
    temp_tree_write(&folder->tree, "below/x", "");
    temp_tree_write(&folder->tree, "m.gguf", "GGUF");
    assert_false(model_store_remove(temp_tree_path(&folder->tree, "below"), "../m", true, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_true(store_folder_has(folder, "m", ""));
}

static void pins(void **state) {
    const struct store_folder *folder = *state;
    struct err err = {0};
    assert_false(model_store_pin(folder->path, "m", true, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    store_folder_write(folder, "m", "", 10);
    assert_true(model_store_pin(folder->path, "m", false, NULL));
    assert_true(model_store_pin(folder->path, "m", true, NULL));
    assert_true(model_store_pin(folder->path, "m", true, NULL));
    assert_true(store_folder_has(folder, "m", ".pinned"));
    assert_true(model_store_pin(folder->path, "m", false, NULL));
    assert_false(store_folder_has(folder, "m", ".pinned"));
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(used_model_is_not_removed),
                                       TEST(changed_file_is_not_used),
                                       TEST(lock_of_somebody_else_is_not_waited_for),
                                       TEST(file_elsewhere_is_not_marked),
                                       TEST(all_of_it_goes),
                                       TEST(what_is_known_of_it_stays),
                                       TEST(fetched_model_is_not_removed),
                                       TEST(names_that_lead_out_of_the_folder),
                                       TEST(pins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
