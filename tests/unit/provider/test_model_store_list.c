#include "unit/provider/store_folder.h"

static void empty_and_absent(void **state) {
    const struct store_folder *folder = *state;
    struct model_store_list list;
    assert_true(model_store_list_read(&list, temp_tree_path(&folder->tree, "not-there"), NULL));
    assert_int_equal(list.count, 0);
    assert_true(model_store_list_read(&list, folder->path, NULL));
    assert_int_equal(list.count, 0);
    assert_int_equal(model_store_list_bytes(&list), 0);
    model_store_list_clear(&list);
}

static void states(void **state) {
    static const struct {
        const char *id;
        enum model_store_state state;
        uint64_t bytes, bytes_total;
    } WANTED[] = {{"a-ready", MODEL_STORE_READY, 100, 100},
                  {"b-unchecked", MODEL_STORE_UNCHECKED, 200, 200},
                  {"c-partial", MODEL_STORE_PARTIAL, 30, 0},
                  {"d-absent", MODEL_STORE_ABSENT, 0, 0},
                  {"e-damaged", MODEL_STORE_DAMAGED, 50, 0},
                  {"f-unknown", MODEL_STORE_UNKNOWN, 60, 60},
                  {"qwen2.5-0.5b-instruct-q6_k", MODEL_STORE_DAMAGED, 8, 650379104}, /* not the catalog's size */
                  {"smollm2-135m-instruct-q4_1", MODEL_STORE_PARTIAL, 9, 98362432}};
    const struct store_folder *folder = *state;
    struct model_store_list list;
    store_folder_model(folder, "a-ready", 100, 1000);
    store_folder_add(folder, "b-unchecked", 200);
    store_folder_write(folder, "b-unchecked", "", 200);
    store_folder_add(folder, "c-partial", 300);
    store_folder_write(folder, "c-partial", ".part", 30);
    store_folder_add(folder, "d-absent", 300);
    store_folder_write(folder, "e-damaged", ".damaged", 50);
    store_folder_write(folder, "f-unknown", "", 60);
    store_folder_write(folder, "qwen2.5-0.5b-instruct-q6_k", "", 8);
    store_folder_write(folder, "smollm2-135m-instruct-q4_1", ".part", 9);
    temp_tree_write(&folder->tree, "notes.txt", "no model");
    temp_tree_write(&folder->tree, "bad name.gguf", "no id");
    temp_tree_write(&folder->tree, ".hidden.gguf", "no id");
    temp_tree_write(&folder->tree, "folder.gguf/x", "no file");
    assert_true(model_store_list_read(&list, folder->path, NULL));
    assert_int_equal(list.count, COUNT_OF(WANTED));
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        assert_string_equal(list.entries[i].id, WANTED[i].id);
        assert_int_equal(list.entries[i].state, WANTED[i].state);
        assert_int_equal(list.entries[i].bytes, WANTED[i].bytes);
        assert_int_equal(list.entries[i].bytes_total, WANTED[i].bytes_total);
    }
    assert_int_equal(list.entries[0].used_ms, 1000 * 1000);
    assert_int_equal(model_store_list_bytes(&list), 100 + 200 + 30 + 50 + 60 + 8 + 9);
    model_store_list_clear(&list);
}

static void changed_file_is_no_longer_ready(void **state) {
    const struct store_folder *folder = *state;
    struct model_store_list list;
    store_folder_model(folder, "m", 100, 1000);
    store_folder_write(folder, "m", "", 99);
    assert_true(model_store_list_read(&list, folder->path, NULL));
    assert_int_equal(list.entries[0].state, MODEL_STORE_UNCHECKED);
    model_store_list_clear(&list);
}

static void marks(void **state) {
    const struct store_folder *folder = *state;
    struct model_store_list list;
    int mark;
    store_folder_model(folder, "a", 100, 1000);
    store_folder_model(folder, "b", 100, 1000);
    store_folder_write(folder, "c", ".part", 10);
    assert_true(model_store_pin(folder->path, "a", true, NULL));
    assert_true(model_store_use(folder->path, "b", store_folder_file(folder, "b", ""), NULL, &mark, NULL));
    int part = store_folder_lock(folder, "c", ".part", LOCK_EX);
    assert_true(model_store_list_read(&list, folder->path, NULL));
    assert_int_equal(list.count, 3);
    assert_true(list.entries[0].pinned && !list.entries[0].in_use && !list.entries[0].fetching);
    assert_true(!list.entries[1].pinned && list.entries[1].in_use && !list.entries[1].fetching);
    assert_true(!list.entries[2].pinned && !list.entries[2].in_use && list.entries[2].fetching);
    model_store_list_clear(&list);
    model_store_unuse(folder->path, "b", &mark);
    close(part);
}

static void more_than_the_bound(void **state) {
    const struct store_folder *folder = *state;
    struct model_store_list list;
    struct err err = {0};
    char id[32];
    for (int i = 0; i <= MODEL_STORE_LIST_MAX; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        store_folder_write(folder, id, "", 0);
    }
    assert_false(model_store_list_read(&list, folder->path, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_null(list.entries);
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(empty_and_absent), TEST(states), TEST(changed_file_is_no_longer_ready),
                                       TEST(marks), TEST(more_than_the_bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
