#include "base/digest.h"
#include "base/file.h"
#include "catalog/catalog.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_order_and_names(void **state) {
    (void)state;
    static const char *const ids[] = {
        "nataris-demo-2m",
        "smollm2-135m-instruct-q4_1",
        "qwen2.5-0.5b-instruct-q6_k",
        "qwen2.5-coder-0.5b-instruct-q4_k_m",
        "llama-3.2-1b-instruct-q4_k_m",
        "qwen2.5-coder-1.5b-instruct-q4_k_m",
        "phi-3-mini-4k-instruct-q4_k_m",
    };
    assert_int_equal(catalog_count(), sizeof(ids) / sizeof(ids[0]));
    for (size_t i = 0; i < catalog_count(); i++) {
        assert_string_equal(catalog_at(i)->id, ids[i]);
        assert_ptr_equal(catalog_find(str_from(ids[i])), catalog_at(i));
    }
    assert_null(catalog_at(catalog_count()));
    assert_ptr_equal(catalog_find(str_from(CATALOG_BUILT_IN_MODEL)), catalog_at(0));
}

static void test_aliases(void **state) {
    (void)state;
    assert_string_equal(catalog_find(STR("nataris-fast"))->id, "qwen2.5-0.5b-instruct-q6_k");
    assert_string_equal(catalog_find(STR("nataris-balanced"))->id, "llama-3.2-1b-instruct-q4_k_m");
    assert_string_equal(catalog_find(STR("nataris-quality"))->id, "phi-3-mini-4k-instruct-q4_k_m");
    assert_null(catalog_find(STR("Nataris-Fast")));
    assert_null(catalog_find(STR("nataris-fas")));
    assert_null(catalog_find(STR("nataris-fast\0")));
    assert_null(catalog_find(STR("")));
}

/* Parts make up the file, and their names differ. */
static void check_parts(const struct catalog_model *model, const struct catalog_source *source) {
    if (source->parts > 1) {
        assert_int_equal((model->file_bytes + source->part_bytes - 1) / source->part_bytes, source->parts);
        assert_non_null(strchr(source->location, '#'));
    } else {
        assert_null(strchr(source->location, '#'));
    }
}

static void check_sources(const struct catalog_model *model) {
    assert_int_not_equal(model->sources[0].kind, CATALOG_SOURCE_END);
    for (size_t i = 0; i < CATALOG_SOURCES_MAX && model->sources[i].kind != CATALOG_SOURCE_END; i++) {
        const struct catalog_source *source = &model->sources[i];
        assert_non_null(source->location);
        assert_int_equal(source->member != NULL, source->kind == CATALOG_SOURCE_WHEEL);
        check_parts(model, source);
        if (source->kind == CATALOG_SOURCE_URL) {
            assert_true(str_starts_with(str_from(source->location), STR("https://")));
        }
    }
}

static void test_every_entry_is_complete(void **state) {
    (void)state;
    for (size_t i = 0; i < catalog_count(); i++) {
        const struct catalog_model *model = catalog_at(i);
        assert_string_equal(model->type, "llm");
        assert_string_equal(model->tier, "P2P");
        assert_true(model->description[0] != '\0' && model->license[0] != '\0' && model->owned_by[0] != '\0');
        assert_true(model->context_length > 0 && model->created > 0);
        assert_true(model->parameters > 0);
        assert_true(model->ram_bytes > model->file_bytes && model->file_bytes > 0);
        /* Nothing is free, and to write costs more than to read. */
        assert_true(model->prompt_price_nano > 0 && model->completion_price_nano > model->prompt_price_nano);
        assert_int_equal(strlen(model->sha256), 64);
        assert_int_equal(strspn(model->sha256, "0123456789abcdef"), 64);
        check_sources(model);
    }
}

static void test_small_models_are_kept_from_repeating(void **state) {
    (void)state;
    assert_true(catalog_repeat_penalty(catalog_find(STR("nataris-demo-2m"))) == 1.1);
    assert_true(catalog_repeat_penalty(catalog_find(STR("smollm2-135m-instruct-q4_1"))) == 1.1);
    assert_true(catalog_repeat_penalty(catalog_find(STR("qwen2.5-coder-0.5b-instruct-q4_k_m"))) == 1.0);
    assert_true(catalog_repeat_penalty(catalog_find(STR("phi-3-mini-4k-instruct-q4_k_m"))) == 1.0);
    const struct catalog_model added = {.id = "added"}; /* nobody knows how large it is */
    assert_true(catalog_repeat_penalty(&added) == 1.0);
    assert_true(catalog_repeat_penalty(NULL) == 1.0);
}

static void test_ids_that_may_be(void **state) {
    (void)state;
    static const char *const GOOD[] = {"a", "Org/Name-1.5B_q4:latest", "x+y@2", "..."};
    static const char *const BAD[] = {"",     "a b",  "a\n", "\x1b[31m",    "a'b", "a\"b",
                                      "a\\b", "$(a)", "a;b", "caf\xc3\xa9", "\x7f"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        assert_true(catalog_id_is_valid(str_from(GOOD[i])));
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_false(catalog_id_is_valid(str_from(BAD[i])));
    }
    assert_false(catalog_id_is_valid((struct str){"a\0b", 3}));
    for (size_t i = 0; i < catalog_count(); i++) {
        assert_true(catalog_id_is_valid(str_from(catalog_at(i)->id)));
    }
}

static void test_the_built_in_file_is_the_one_pinned(void **state) {
    (void)state;
    const struct catalog_model *model = catalog_at(0);
    char path[FILE_PATH_MAX], hex[DIGEST_HEX_SIZE];
    uint8_t hash[DIGEST_SHA256_SIZE];
    struct err err = {0};
    struct buf content;
    assert_int_equal(model->sources[0].kind, CATALOG_SOURCE_BUILT_IN);
    assert_true(file_join(path, NATARIS_SOURCE_DIR "/models", model->sources[0].location, &err));
    buf_init(&content, 16 * 1024 * 1024);
    if (!file_read(path, &content, &err)) {
        fail_msg("%s", err.message);
    }
    digest_sha256(content.data, content.len, hash);
    digest_hex(hash, sizeof(hash), hex);
    assert_int_equal(content.len, model->file_bytes);
    assert_string_equal(hex, model->sha256);
    buf_clear(&content);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_names),         cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_every_entry_is_complete), cmocka_unit_test(test_small_models_are_kept_from_repeating),
        cmocka_unit_test(test_ids_that_may_be),         cmocka_unit_test(test_the_built_in_file_is_the_one_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
