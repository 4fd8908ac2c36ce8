/* Which models there are for a key, and how long a context they have. */
#include "call/models.h"

#include "support/call_fixture.h"

#include "catalog/catalog.h"

#define ALIAS "nataris-fast"
#define ALIASED "qwen2.5-0.5b-instruct-q6_k"

static void test_resolve(void **state) {
    struct call_fixture *fixture = *state;
    struct str id = STR("");
    assert_true(models_resolve(fixture->calls, STR(ALIAS), &id));
    assert_true(str_equal_cstr(id, ALIASED));
    assert_true(models_resolve(fixture->calls, STR(ALIASED), &id)); /* in the catalog, though nobody offers it */
    assert_true(str_equal_cstr(id, ALIASED));
    assert_true(models_resolve(fixture->calls, STR(CALL_FIXTURE_MODEL), &id));
    assert_true(str_equal_cstr(id, CALL_FIXTURE_MODEL));
    assert_false(models_resolve(fixture->calls, STR("nobody's"), &id));
    assert_false(models_resolve(fixture->calls, STR(""), &id));
}

static void test_allowed(void **state) {
    static const struct {
        const char *models;
        bool allowed;
    } cases[] = {
        {NULL, true},
        {"", true},
        {"  ", true},
        {ALIASED, true},
        {ALIAS, true},
        {"a," ALIAS, true},
        {" a , " ALIASED, true},
        {"a,b", false},
        {ALIASED "x", false},
        {"x" ALIASED, false},
        {",", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(models_allowed(cases[i].models, STR(ALIASED)), cases[i].allowed);
    }
}

static void test_find_allowed(void **state) {
    struct call_fixture *fixture = *state;
    struct auth_identity identity = {.models = ALIAS};
    struct fault fault;
    struct str id = STR("as before");
    assert_true(models_find_allowed(fixture->calls, &identity, STR(ALIAS), &id, &fault));
    assert_true(str_equal_cstr(id, ALIASED));
    assert_false(models_find_allowed(fixture->calls, &identity, STR(CALL_FIXTURE_MODEL), &id, &fault));
    assert_int_equal(fault.code, FAULT_FORBIDDEN);
    assert_string_equal(fault.param, "model");
    assert_non_null(strstr(fault.message, "'" CALL_FIXTURE_MODEL "'"));
    assert_true(str_equal_cstr(id, ALIASED)); /* left alone */
    assert_false(models_find_allowed(fixture->calls, &identity, STR("never"), &id, &fault));
    assert_int_equal(fault.code, FAULT_MODEL_NOT_FOUND);
}

static void test_defaults(void **state) {
    struct call_input input = {.request.model = STR("smollm2-135m-instruct-q4_1"), .request.repeat_penalty = 1};
    (void)state;
    models_set_defaults(&input);
    assert_true(input.request.repeat_penalty == 1.1); /* small models fall into loops */
    input.request.model = STR(ALIASED);
    models_set_defaults(&input);
    assert_true(input.request.repeat_penalty == 1.0);
    input.request.model = STR("added"); /* not in the catalog */
    models_set_defaults(&input);
    assert_true(input.request.repeat_penalty == 1.0);
    input = (struct call_input){
        .request.model = STR("smollm2-135m-instruct-q4_1"), .request.repeat_penalty = 1, .repeat_penalty_given = true};
    models_set_defaults(&input);
    assert_true(input.request.repeat_penalty == 1.0); /* as the request says */
}

/* What came in place of a model is repeated only when it is plainly a name. */
static void test_unknown(void **state) {
    static const struct {
        const char *asked;
        bool repeated;
    } cases[] = {{"gpt-9", true},
                 {"org/model:latest", true},
                 {"", false},
                 {"two words", false},
                 {"a\"b", false},
                 {"a\\b", false},
                 {"caf\xc3\xa9", false},
                 {"0123456789012345678901234567890123456789012345678901234567890123", true},
                 {"01234567890123456789012345678901234567890123456789012345678901234", false}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        char quoted[128];
        models_set_unknown(&fault, str_from(cases[i].asked));
        snprintf(quoted, sizeof(quoted), "'%s'", cases[i].asked);
        assert_int_equal(fault.code, FAULT_MODEL_NOT_FOUND);
        assert_string_equal(fault.param, "model");
        assert_int_equal(strstr(fault.message, quoted) != NULL, cases[i].repeated);
    }
}

static void test_context_length(void **state) {
    struct call_fixture *fixture = *state;
    const struct catalog_model *facts = catalog_find(STR(ALIASED));
    assert_int_equal(models_context_length(fixture->calls, STR(CALL_FIXTURE_MODEL)), 512); /* that of the devices */
    /* Nobody has it: no more than what the device that comes will have. */
    assert_true(facts->context_length > MODELS_CONTEXT_DEFAULT);
    assert_int_equal(models_context_length(fixture->calls, STR(ALIASED)), MODELS_CONTEXT_DEFAULT);
    fixture->context_length = 0;
    facts = catalog_find(STR(CALL_FIXTURE_MODEL));
    assert_int_equal(models_context_length(fixture->calls, STR(CALL_FIXTURE_MODEL)),
                     facts->context_length < MODELS_CONTEXT_DEFAULT ? facts->context_length : MODELS_CONTEXT_DEFAULT);
    assert_int_equal(models_context_length(fixture->calls, STR("never")), MODELS_CONTEXT_DEFAULT);
}

static void test_warm(void **state) {
    struct call_fixture *fixture = *state;
    assert_true(calls_model_is_warm(fixture->calls, STR(CALL_FIXTURE_MODEL)));
    fixture->availability = CORE_MODEL_COMING;
    assert_false(calls_model_is_warm(fixture->calls, STR(CALL_FIXTURE_MODEL)));
    assert_false(calls_model_is_warm(fixture->calls, STR("never")));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, call_fixture_setup, call_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_resolve),
        cmocka_unit_test(test_allowed),
        TEST(test_find_allowed),
        cmocka_unit_test(test_unknown),
        TEST(test_context_length),
        TEST(test_warm),
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
