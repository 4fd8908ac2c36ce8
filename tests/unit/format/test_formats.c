/* The table of formats: each is found by its name, path and number, and no two are taken for each other. */
#include "format/formats.h"

#include "wire/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_each_is_found(void **state) {
    (void)state;
    assert_true(FORMATS.count >= 2);
    for (size_t i = 0; i < FORMATS.count; i++) {
        const struct format *format = FORMATS.items[i];
        assert_ptr_equal(format_by_name(&FORMATS, str_from(format->name)), format);
        assert_ptr_equal(format_by_path(&FORMATS, str_from(format->path)), format);
        assert_ptr_equal(format_by_stored(&FORMATS, format->stored), format);
    }
}

static void test_others_are_not(void **state) {
    static const char *const others[] = {"", "Chat", "chat ", "/v1/chat", "workflow", "chat.completion"};
    const struct formats none = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_null(format_by_name(&FORMATS, str_from(others[i])));
        assert_null(format_by_path(&FORMATS, str_from(others[i])));
    }
    assert_null(format_by_stored(&FORMATS, (enum store_generation_kind)STORE_GENERATION_KINDS));
    assert_null(format_by_name(&none, STR("chat")));
}

/* What is written into a store stays there: these numbers never change. */
static void test_stored_numbers(void **state) {
    (void)state;
    assert_int_equal(format_by_name(&FORMATS, STR("chat"))->stored, 0);
    assert_int_equal(format_by_name(&FORMATS, STR("inference"))->stored, 1);
    assert_int_equal(format_by_name(&FORMATS, STR("completions"))->stored, 2);
    assert_int_equal(format_by_name(&FORMATS, STR("messages"))->stored, 3);
    assert_int_equal(format_by_name(&FORMATS, STR("responses"))->stored, 4);
}

/* Each table is whole, and its ids have room in all that keeps them. */
static void test_tables_are_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < FORMATS.count; i++) {
        const struct format *format = FORMATS.items[i];
        assert_true(strlen(format->id_prefix) <= ID_PREFIX_MAX);
        assert_non_null(strpbrk(format->id_prefix, "_-")); /* id_rename finds the tail behind it */
        assert_true(format->read != NULL && format->whole != NULL && format->begin != NULL);
        assert_true(format->text != NULL || (format->delta_start != NULL && format->delta_end != NULL));
        assert_true(format->note != NULL && format->end != NULL && format->fault != NULL);
        assert_true(format->object != NULL && format->chunk_object != NULL);
        assert_true((unsigned)format->stored < STORE_GENERATION_KINDS);
        for (size_t j = 0; j < i; j++) {
            if (format->member != NULL && FORMATS.items[j]->member != NULL) {
                assert_string_not_equal(format->member, FORMATS.items[j]->member);
            }
            assert_string_not_equal(format->id_prefix, FORMATS.items[j]->id_prefix);
            assert_int_not_equal(format->stored, FORMATS.items[j]->stored);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_found),
        cmocka_unit_test(test_others_are_not),
        cmocka_unit_test(test_stored_numbers),
        cmocka_unit_test(test_tables_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
