#include "unit/provider/store_folder.h"

static const char HASH[] = "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

static void written_and_read(void **state) {
    static const char *const URLS[] = {"https://a.invalid/x.gguf", "https://b.invalid/x.gguf?y=z"};
    const struct store_folder *folder = *state;
    struct model_added added;
    struct model_added again;
    assert_true(model_added_init(&added, "my-model:q4@1+2", HASH, URLS, 2, NULL));
    assert_true(model_added_write(&added, folder->path, NULL));
    assert_true(model_added_read(&again, folder->path, "my-model:q4@1+2", NULL));
    assert_string_equal(again.model.id, "my-model:q4@1+2");
    assert_string_equal(again.model.sha256, "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
    assert_int_equal(again.model.sources[0].kind, CATALOG_SOURCE_URL);
    assert_string_equal(again.model.sources[0].location, URLS[0]);
    assert_string_equal(again.model.sources[1].location, URLS[1]);
    assert_int_equal(again.model.sources[2].kind, CATALOG_SOURCE_END);
}

static void what_cannot_be(void **state) {
    static const char *const GOOD[] = {"https://a.invalid/x.gguf"};
    static const char *const BLANK[] = {"https://a.invalid/x y"};
    static const char *const TWO_LINES[] = {"https://a.invalid/x\nhttps://evil.invalid/"};
    static const char *const MANY[] = {"https://a", "https://b", "https://c", "https://d", "https://e"};
    struct model_added added;
    struct err err = {0};
    (void)state;
    assert_false(model_added_init(&added, "../m", HASH, GOOD, 1, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(model_added_init(&added, "a/b", HASH, GOOD, 1, NULL));
    assert_false(model_added_init(&added, "", HASH, GOOD, 1, NULL));
    assert_false(model_added_init(&added, "m m", HASH, GOOD, 1, NULL));
    assert_false(model_added_init(&added, "m", "abc", GOOD, 1, NULL));
    assert_false(model_added_init(&added, "m", "zzcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789", GOOD,
                                  1, NULL));
    assert_false(model_added_init(&added, "m", HASH, BLANK, 1, NULL));
    assert_false(model_added_init(&added, "m", HASH, TWO_LINES, 1, NULL));
    assert_false(model_added_init(&added, "m", HASH, MANY, COUNT_OF(MANY), NULL));
    assert_false(model_added_init(&added, "m", HASH, NULL, 0, NULL));
}

static void damaged_source_file(void **state) {
    static const char *const CONTENTS[] = {
        "", "rubbish\n", "abcdef\nhttps://a\n", "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789\n",
        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567890\nhttps://a"};
    const struct store_folder *folder = *state;
    struct model_added added;
    struct err err = {0};
    for (size_t i = 0; i < COUNT_OF(CONTENTS); i++) {
        temp_tree_write(&folder->tree, "m.gguf.source", CONTENTS[i]);
        assert_false(model_added_read(&added, folder->path, "m", &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_false(model_added_read(&added, folder->path, "other", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void catalog_comes_first(void **state) {
    const struct store_folder *folder = *state;
    struct model_added added;
    store_folder_add(folder, "smollm2-135m-instruct-q4_1", 10);
    store_folder_add(folder, "mine", 10);
    assert_ptr_equal(model_added_find(&added, folder->path, "smollm2-135m-instruct-q4_1"),
                     catalog_find(str_from("smollm2-135m-instruct-q4_1")));
    assert_string_equal(model_added_find(&added, folder->path, "nataris-fast")->id, "qwen2.5-0.5b-instruct-q6_k");
    assert_ptr_equal(model_added_find(&added, folder->path, "mine"), &added.model);
    assert_null(model_added_find(&added, folder->path, "nobody's"));
    assert_null(model_added_find(&added, folder->path, "../mine"));
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(written_and_read), TEST(what_cannot_be), TEST(damaged_source_file),
                                       TEST(catalog_comes_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
