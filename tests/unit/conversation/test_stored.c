/* The roles that stand in data folders by number mean the same for ever, and both ways. */
#include "conversation/stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_roles(void **state) {
    static const char *const names[STORE_ROLES] = {"system", "user", "assistant", "tool"};
    (void)state;
    for (int i = 0; i < STORE_ROLES; i++) {
        const enum gen_role role = conversation_gen_role((enum store_role)i);
        assert_string_equal(gen_role_name(role), names[i]);
        assert_int_equal(conversation_stored_role(role), i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_roles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
