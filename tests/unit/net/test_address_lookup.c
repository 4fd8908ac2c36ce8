/* Names to addresses, and who must not hear of the result. */
#include "net/address_lookup.h"

#include "net/address_class.h"
#include "support/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/net_harness.h"

struct world {
    struct net_harness net;
    char addresses[ADDRESS_LOOKUP_TEXT_MAX];
    struct err err;
    unsigned results;
};

static int setup(void **state) {
    struct world *world = calloc(1, sizeof(*world));
    net_harness_init(&world->net);
    names_clear();
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    net_harness_clear(&world->net);
    free(world);
    return 0;
}

static void on_result(void *context, const char *addresses, const struct err *err) {
    struct world *world = context;
    world->results++;
    err_clear(&world->err);
    world->addresses[0] = '\0';
    if (addresses != NULL) {
        assert_null(err);
        str_copy(world->addresses, sizeof(world->addresses), str_from(addresses));
    } else {
        world->err = *err;
    }
}

static void look_up(struct world *world, const char *host, address_allowed *allowed) {
    const unsigned before = world->results;
    (void)address_lookup_start(world->net.loop, host, allowed, on_result, world);
    assert_int_equal(world->results, before);
    NET_UNTIL(&world->net, world->results > before);
}

static void all_addresses_of_a_name(void **state) {
    struct world *world = *state;
    names_add("two.test", "192.0.43.8");
    names_add("two.test", "2001:500:8f::53");
    look_up(world, "two.test", address_is_global);
    assert_string_equal(world->addresses, "192.0.43.8,2001:500:8f::53");
    look_up(world, "127.0.0.1", NULL);
    assert_string_equal(world->addresses, "127.0.0.1");
}

static void one_bad_address_refuses_the_name(void **state) {
    struct world *world = *state;
    names_add("mixed.test", "192.0.43.8");
    names_add("mixed.test", "10.0.0.1");
    look_up(world, "mixed.test", address_is_global);
    assert_int_equal(world->err.code, ERR_DENIED);
    look_up(world, "mixed.test", NULL);
    assert_string_equal(world->addresses, "192.0.43.8,10.0.0.1");
}

static void name_that_is_not_there(void **state) {
    struct world *world = *state;
    char long_name[600];
    look_up(world, "nowhere.test", NULL);
    assert_int_equal(world->err.code, ERR_UNAVAILABLE);
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    look_up(world, long_name, NULL); /* libuv does not even begin */
    assert_int_equal(world->err.code, ERR_UNAVAILABLE);
}

static void cancelled(void **state) {
    struct world *world = *state;
    names_add("two.test", "192.0.43.8");
    address_lookup_cancel(address_lookup_start(world->net.loop, "two.test", NULL, on_result, world));
    look_up(world, "two.test", NULL); /* the one behind it */
    assert_int_equal(world->results, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_addresses_of_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(one_bad_address_refuses_the_name, setup, teardown),
        cmocka_unit_test_setup_teardown(name_that_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(cancelled, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
