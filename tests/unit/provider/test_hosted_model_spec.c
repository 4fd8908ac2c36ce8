/* Names of models at an upstream. What names mean that are files here is in test_hosted_model.c. */
#include "provider/hosted_model_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_resolves(const char *name, const char *id, const char *upstream) {
    struct hosted_model_spec spec;
    struct err err = {0};
    assert_true(hosted_model_resolve_upstream(&spec, name, &err));
    assert_string_equal(spec.id, id);
    assert_string_equal(spec.upstream, upstream);
    assert_null(spec.path);
    assert_false(spec.added);
}

static void an_id_and_its_name_there(void **state) {
    (void)state;
    assert_resolves("llama3:8b", "llama3:8b", "llama3:8b");
    assert_resolves("ours=llama3:8b", "ours", "llama3:8b");
    assert_resolves("ours=models/My Model.gguf", "ours", "models/My Model.gguf");
    assert_resolves("ours=a=b", "ours", "a=b");
    assert_resolves("org/model.gguf", "org/model.gguf", "org/model.gguf"); /* no path */
}

/* The network knows the model by one id. */
static void an_alias_is_its_model(void **state) {
    struct hosted_model_spec spec;
    struct err err = {0};
    (void)state;
    assert_true(hosted_model_resolve_upstream(&spec, "nataris-fast=x", &err));
    assert_non_null(spec.catalog);
    assert_string_equal(spec.id, spec.catalog->id);
    assert_string_equal(spec.upstream, "x");
}

static void names_that_are_none(void **state) {
    static const char *const NAMES[] = {"", "=x", "a=", "two words", "\xc3\xa9=x"};
    struct hosted_model_spec spec;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct err err = {0};
        assert_false(hosted_model_resolve_upstream(&spec, NAMES[i], &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_id_and_its_name_there),
                                       cmocka_unit_test(an_alias_is_its_model), cmocka_unit_test(names_that_are_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
