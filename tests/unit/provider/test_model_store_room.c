#include "unit/provider/store_folder.h"

#include "base/log.h"

static const uint64_t MORE_THAN_ANY_DISK = UINT64_C(1) << 60;

static bool make(const struct store_folder *folder, uint64_t bytes, uint64_t quota, struct err *err) {
    const struct model_store_room room = {.quota_bytes = quota, .may_remove = true};
    return model_store_make_room(folder->path, "new", bytes, &room, err);
}

static void least_recently_used_go_first(void **state) {
    const struct store_folder *folder = *state;
    store_folder_model(folder, "a", 1000, 3000);
    store_folder_model(folder, "b", 1000, 1000);
    store_folder_model(folder, "c", 1000, 2000);
    assert_true(make(folder, 1000, 4000, NULL)); /* fits */
    assert_true(store_folder_has(folder, "b", ""));
    assert_true(make(folder, 1001, 4000, NULL));
    assert_false(store_folder_has(folder, "b", ""));
    assert_true(store_folder_has(folder, "c", ""));
    assert_true(make(folder, 3000, 4000, NULL));
    assert_false(store_folder_has(folder, "c", ""));
    assert_true(store_folder_has(folder, "a", ""));
    assert_true(make(folder, 4000, 4000, NULL));
    assert_false(store_folder_has(folder, "a", ""));
    assert_true(store_folder_has(folder, "a", ".source")); /* it can be had again by its id */
}

static void rubbish_goes_before_models(void **state) {
    const struct store_folder *folder = *state;
    store_folder_model(folder, "old", 1000, 1);
    store_folder_add(folder, "half", 1000);
    store_folder_write(folder, "half", ".part", 500);
    store_folder_add(folder, "bad", 1000);
    store_folder_write(folder, "bad", ".damaged", 500);
    assert_true(make(folder, 1000, 2500, NULL));
    assert_false(store_folder_has(folder, "bad", ".damaged"));
    assert_true(store_folder_has(folder, "half", ".part"));
    assert_true(make(folder, 1500, 2500, NULL));
    assert_false(store_folder_has(folder, "half", ".part"));
    assert_true(store_folder_has(folder, "old", ""));
}

static void own_damaged_file_goes_first_of_all(void **state) {
    const struct store_folder *folder = *state;
    store_folder_model(folder, "old", 1000, 1);
    store_folder_add(folder, "new", 1000);
    store_folder_write(folder, "new", ".damaged", 1000);
    store_folder_write(folder, "new", ".part", 100);
    assert_true(make(folder, 900, 2000, NULL));
    assert_false(store_folder_has(folder, "new", ".damaged"));
    assert_true(store_folder_has(folder, "new", ".part"));
    assert_true(store_folder_has(folder, "old", ""));
}

static void some_never_go(void **state) {
    static const char *const KEEP[] = {"kept"};
    const struct store_folder *folder = *state;
    const struct model_store_room room = {.quota_bytes = 6000, .may_remove = true, .keep = KEEP, .keep_count = 1};
    struct err err = {0};
    int mark;
    store_folder_model(folder, "pinned", 1000, 1);
    store_folder_model(folder, "used", 1000, 2);
    store_folder_model(folder, "kept", 1000, 3);
    store_folder_write(folder, "unknown", "", 1000);
    store_folder_model(folder, "free", 1000, 4000);
    store_folder_add(folder, "fetched", 1000);
    store_folder_write(folder, "fetched", ".part", 500);
    assert_true(model_store_pin(folder->path, "pinned", true, NULL));
    assert_true(model_store_use(folder->path, "used", store_folder_file(folder, "used", ""), NULL, &mark, NULL));
    int part = store_folder_lock(folder, "fetched", ".part", LOCK_EX);
    assert_false(model_store_make_room(folder->path, "new", 1501, &room, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_true(store_folder_has(folder, "free", "")); /* it would not have been enough */
    assert_true(model_store_make_room(folder->path, "new", 1500, &room, NULL));
    assert_false(store_folder_has(folder, "free", ""));
    assert_true(store_folder_has(folder, "pinned", "") && store_folder_has(folder, "used", ""));
    assert_true(store_folder_has(folder, "kept", "") && store_folder_has(folder, "unknown", ""));
    assert_true(store_folder_has(folder, "fetched", ".part"));
    model_store_unuse(folder->path, "used", &mark);
    close(part);
}

static void nothing_goes_unasked(void **state) {
    const struct store_folder *folder = *state;
    const struct model_store_room quota = {.quota_bytes = 1500};
    struct err err = {0};
    store_folder_model(folder, "a", 1000, 1);
    assert_false(model_store_make_room(folder->path, "new", 501, &quota, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_true(model_store_make_room(folder->path, "new", 500, &quota, NULL));
    assert_false(model_store_make_room(folder->path, "new", MORE_THAN_ANY_DISK, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_true(store_folder_has(folder, "a", ""));
}

static void full_disk(void **state) {
    const struct store_folder *folder = *state;
    struct err err = {0};
    store_folder_model(folder, "a", 1000, 1);
    assert_true(make(folder, 1, 0, NULL));
    assert_false(make(folder, MORE_THAN_ANY_DISK, 0, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, folder->path));
    assert_non_null(strstr(err.message, "1152921504606.8 MB are needed"));
    assert_true(store_folder_has(folder, "a", ""));
}

/* What another process has begun to fetch will grow. */
static void download_under_way_has_its_room(void **state) {
    enum { SMOL_BYTES = 98362432 };
    const struct store_folder *folder = *state;
    store_folder_write(folder, "smollm2-135m-instruct-q4_1", ".part", 1000);
    assert_true(make(folder, 5000, SMOL_BYTES, NULL)); /* abandoned: counts as it is */
    int part = store_folder_lock(folder, "smollm2-135m-instruct-q4_1", ".part", LOCK_EX);
    assert_false(make(folder, 5000, SMOL_BYTES, NULL));
    assert_true(make(folder, 5000, SMOL_BYTES + 5000, NULL));
    close(part);
}

static void measured(void **state) {
    const struct store_folder *folder = *state;
    const struct model_store_room room = {.quota_bytes = 5000, .may_remove = true};
    struct model_store_space space;
    struct err err = {0};
    store_folder_model(folder, "a", 1000, 1);
    store_folder_write(folder, "unknown", "", 500);
    assert_true(model_store_measure(&space, folder->path, &room, NULL));
    assert_int_equal(space.used_bytes, 1500);
    assert_int_equal(space.free_bytes, 3500);
    assert_int_equal(space.removable_bytes, 1000);
    assert_true(model_store_measure(&space, folder->path, NULL, NULL));
    assert_int_equal(space.removable_bytes, 0);
    assert_false(model_store_measure(&space, temp_tree_path(&folder->tree, "not-there"), &room, &err));
    assert_int_equal(err.code, ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(least_recently_used_go_first),
                                       TEST(rubbish_goes_before_models),
                                       TEST(own_damaged_file_goes_first_of_all),
                                       TEST(some_never_go),
                                       TEST(nothing_goes_unasked),
                                       TEST(full_disk),
                                       TEST(download_under_way_has_its_room),
                                       TEST(measured)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
