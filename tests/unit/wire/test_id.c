/* Ids: they sort by their time, have a form, and get a second name. */
#include "wire/id.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_sorts_by_time(void **state) {
    static const int64_t times_ms[] = {0,
                                       1,
                                       61,
                                       62,
                                       63,
                                       INT64_C(1767225600000),
                                       INT64_C(1767225600001),
                                       INT64_C(4102444800000),
                                       INT64_C(200000000000000)};
    char before[ID_SIZE] = "", id[ID_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times_ms); i++) {
        id_make("conv_", times_ms[i], id);
        assert_int_equal(strlen(id), strlen("conv_") + ID_TAIL);
        assert_true(strcmp(before, id) < 0);
        memcpy(before, id, sizeof(before));
    }
}

/* Two of one moment begin alike and are two all the same. */
static void test_is_new_each_time(void **state) {
    enum { TIME_DIGITS = 8, COUNT = 100 };
    char ids[COUNT][ID_SIZE];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        id_make("job_", INT64_C(1767225600000), ids[i]);
        assert_memory_equal(ids[i], ids[0], strlen("job_") + TIME_DIGITS);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(ids[i], ids[j]);
        }
    }
}

static void test_has_a_form(void **state) {
    static const char *const others[] = {"",
                                         "conv_",
                                         "conv_0123456789abcdefghijklm",   /* 23 */
                                         "conv_0123456789abcdefghijklmno", /* 25 */
                                         "conv-0123456789abcdefghijklmn",  /* another prefix */
                                         "CONV_0123456789abcdefghijklmn",
                                         "conv_0123456789abcdefghijk_mn",
                                         "conv_0123456789abcdefghijk mn",
                                         "conv_0123456789abcdefghij\xc3\xa9mn"};
    char id[ID_SIZE];
    (void)state;
    id_make("conv_", INT64_C(1767225600000), id);
    assert_true(id_has_form(str_from(id), STR("conv_")));
    assert_false(id_has_form(str_from(id), STR("job_")));
    assert_true(id_has_form(STR("conv_0123456789ABCDEFabcdefzZ"), STR("conv_")));
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_false(id_has_form(str_from(others[i]), STR("conv_")));
    }
}

static void test_prefixes(void **state) {
    char id[ID_SIZE];
    (void)state;
    id_make("chatcmpl-", INT64_C(1767225600000), id);
    assert_memory_equal(id, "chatcmpl-", ID_PREFIX_MAX);
    assert_int_equal(strlen(id), ID_PREFIX_MAX + ID_TAIL);
    assert_true(strlen(id) < ID_SIZE);
    id_make("", INT64_C(1767225600000), id);
    assert_int_equal(strlen(id), ID_TAIL);
    id_make_random("wh_", 22, id);
    assert_memory_equal(id, "wh_", 3);
    assert_int_equal(strlen(id), 3 + 22);
}

static void test_a_second_name(void **state) {
    static const struct {
        const char *prefix, *id, *renamed;
    } cases[] = {
        {"wf_", "job_0123456789abcdefghijklmn", "wf_0123456789abcdefghijklmn"},
        {"chatcmpl-", "job_0123456789abcdefghijklmn", "chatcmpl-0123456789abcdefghijklmn"},
        {"job_", "chatcmpl-0123456789abcdefghijklmn", "job_0123456789abcdefghijklmn"},
        {"wf_", "job_old", "wf_old"},
        {"wf_", "job_a_b-c", "wf_a_b-c"}, /* the tail is what stands behind the first */
        {"wf_", "nothing", "wf_nothing"}, /* such as no id of ours: all of it */
        {"wf_", "-", "wf_"},
        {"wf_", "", "wf_"},
        {"chatcmpl-", "job_0123456789012345678901234567890123456", "chatcmpl-012345678901234567890123456789"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[ID_SIZE];
        id_rename(cases[i].prefix, cases[i].id, out);
        assert_string_equal(out, cases[i].renamed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorts_by_time), cmocka_unit_test(test_is_new_each_time),
        cmocka_unit_test(test_has_a_form),    cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_a_second_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
