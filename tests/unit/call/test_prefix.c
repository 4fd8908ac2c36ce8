#include "call/prefix.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct gen_message talk[] = {
    {.role = GEN_ROLE_SYSTEM, .content = STR("Be brief.")},
    {.role = GEN_ROLE_USER, .content = STR("Hello, who are you?")},
    {.role = GEN_ROLE_ASSISTANT, .content = STR("A model.")},
    {.role = GEN_ROLE_USER, .content = STR("Which one?")},
};

static struct prefix_names names_of(const struct prefix_key *key, uint64_t account, const struct gen_message *messages,
                                    size_t count) {
    const struct gen_request request = {.model = STR("m"), .messages = messages, .message_count = count};
    return prefix_names(key, account, &request);
}

static void test_a_turn_begins_where_the_one_before_left(void **state) {
    struct prefix_key key = {{UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93)}};
    (void)state;
    const struct prefix_names first = names_of(&key, 7, talk, 2), second = names_of(&key, 7, talk, 4);
    assert_int_equal(second.begins, first.leaves);
    assert_int_not_equal(second.leaves, first.leaves);
    assert_int_equal(first.begins, 0); /* nothing comes before */
    assert_int_not_equal(first.leaves, 0);
    assert_int_equal(names_of(&key, 7, talk, 1).begins, 0);
    assert_int_equal(names_of(&key, 7, NULL, 0).leaves, 0);
}

static void test_only_the_same_has_the_same_name(void **state) {
    struct prefix_key key = {{UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93)}},
                      other_key = {{UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd95)}};
    struct gen_message changed[2] = {talk[0], talk[1]};
    (void)state;
    const uint64_t name = names_of(&key, 7, talk, 2).leaves;
    assert_int_equal(names_of(&key, 7, changed, 2).leaves, name);
    assert_int_not_equal(names_of(&key, 8, talk, 2).leaves, name); /* somebody else's */
    assert_int_not_equal(names_of(&other_key, 7, talk, 2).leaves, name);
    changed[1].content = STR("Hello, who are you!");
    assert_int_not_equal(names_of(&key, 7, changed, 2).leaves, name);
    changed[1] = talk[1];
    changed[0].role = GEN_ROLE_USER;
    assert_int_not_equal(names_of(&key, 7, changed, 2).leaves, name);
    /* The same bytes, otherwise divided. */
    const struct gen_message one[] = {{.content = STR("ab")}, {.content = STR("c")}};
    const struct gen_message two[] = {{.content = STR("a")}, {.content = STR("bc")}};
    assert_int_not_equal(names_of(&key, 7, one, 2).leaves, names_of(&key, 7, two, 2).leaves);
    const struct gen_request other_model = {.model = STR("n"), .messages = talk, .message_count = 2};
    assert_int_not_equal(prefix_names(&key, 7, &other_model).leaves, name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_turn_begins_where_the_one_before_left),
        cmocka_unit_test(test_only_the_same_has_the_same_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
