#include "catalog/canary.h"

#include "catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_the_built_in_model_has_questions(void **state) {
    (void)state;
    const struct catalog_canary *first = catalog_canary_at(STR("nataris-demo-2m"), 0);
    assert_non_null(first);
    assert_ptr_not_equal(catalog_canary_at(STR("nataris-demo-2m"), 1), first);
    assert_null(catalog_canary_at(STR("nataris-demo-2m"), 1000));
    assert_null(catalog_canary_at(STR("unheard-of"), 0));
    assert_non_null(catalog_find(str_from(first->model)));
}

static void test_the_answer_is_looked_for_in_the_text(void **state) {
    const struct catalog_canary canary = {.answer = "paris"};
    (void)state;
    assert_true(catalog_canary_is_right(&canary, STR("The capital of France is Paris.")));
    assert_true(catalog_canary_is_right(&canary, STR("PARIS")));
    assert_false(catalog_canary_is_right(&canary, STR("The capital of France is Pari")));
    assert_false(catalog_canary_is_right(&canary, STR("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_built_in_model_has_questions),
        cmocka_unit_test(test_the_answer_is_looked_for_in_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
