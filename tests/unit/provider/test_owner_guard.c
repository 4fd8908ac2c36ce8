/* The guard over the owner's limits, and the file that keeps a pause by hand. */
#include "provider/owner_guard.h"

#include "base/clock.h"
#include "base/log.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct temp_tree tree;
    struct loop *loop;
    struct owner_limits limits;
    struct owner_guard *guard;
    unsigned changes;
};

static void on_change(void *context) {
    struct fixture *fixture = context;
    fixture->changes++;
    loop_stop(fixture->loop);
}

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){0};
    *state = &fixture;
    log_set_level(LOG_ERROR);
    fixture.loop = loop_new();
    owner_limits_init(&fixture.limits);
    return temp_tree_init(&fixture.tree);
}

static void open_guard(struct fixture *fixture) {
    struct err err = {0};
    const struct owner_guard_config config = {.limits = &fixture->limits,
                                              .data_folder = fixture->tree.path,
                                              .root = fixture->tree.path,
                                              .on_change = on_change,
                                              .context = fixture};
    owner_guard_free(fixture->guard);
    fixture->guard = NULL;
    if (!owner_guard_new(&fixture->guard, fixture->loop, &config, &err)) {
        fail_msg("%s", err.message);
    }
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    owner_guard_free(fixture->guard);
    loop_free(fixture->loop);
    temp_tree_clear(&fixture->tree);
    return 0;
}

static void write_battery(const struct fixture *fixture, const char *percent, const char *status) {
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/type", "Battery\n");
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/capacity", percent);
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/status", status);
}

static void a_change_is_seen_by_itself(void **state) {
    struct fixture *fixture = *state;
    fixture->limits.battery_floor_percent = 30;
    write_battery(fixture, "50\n", "Discharging\n");
    open_guard(fixture);
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_NONE);
    write_battery(fixture, "29\n", "Discharging\n");
    loop_run(fixture->loop); /* nobody asks: its own timer looks */
    assert_int_equal(fixture->changes, 1);
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_BATTERY);
    write_battery(fixture, "29\n", "Charging\n");
    assert_int_equal(owner_guard_look(fixture->guard), LINK_PAUSE_NONE);
    assert_int_equal(fixture->changes, 1); /* never inside a call */
    loop_run(fixture->loop);
    assert_int_equal(fixture->changes, 2);
}

static void a_pause_by_hand_outlives_a_restart(void **state) {
    struct fixture *fixture = *state;
    struct err err;
    open_guard(fixture);
    assert_true(owner_guard_set(fixture->guard, &(struct owner_pause){.paused = true}, &err));
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_OWNER);
    open_guard(fixture);
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_OWNER);
    assert_true(owner_guard_set(fixture->guard, &(struct owner_pause){0}, &err));
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_NONE);
    assert_false(file_exists(temp_tree_path(&fixture->tree, "paused")));
    open_guard(fixture);
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_NONE);
}

static void a_pause_ends_by_itself(void **state) {
    struct fixture *fixture = *state;
    struct owner_pause pause = {.paused = true, .until_ms = clock_wall_ms() + 3600 * 1000};
    struct err err;
    open_guard(fixture);
    assert_true(owner_guard_set(fixture->guard, &pause, &err));
    assert_int_equal(owner_guard_look(fixture->guard), LINK_PAUSE_OWNER);
    pause.until_ms = clock_wall_ms() - 1;
    assert_true(pause_file_write(fixture->tree.path, &pause, &err));
    open_guard(fixture);
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_NONE);
    assert_false(file_exists(temp_tree_path(&fixture->tree, "paused")));
}

/* The command did not reach the provider, which was starting at that moment. */
static void a_pause_that_only_the_file_tells(void **state) {
    struct fixture *fixture = *state;
    const struct owner_pause pause = {.paused = true, .until_ms = clock_wall_ms() + 3600 * 1000};
    struct err err;
    open_guard(fixture);
    assert_true(pause_file_write(fixture->tree.path, &pause, &err));
    loop_run(fixture->loop);
    assert_int_equal(fixture->changes, 1);
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_OWNER);
    assert_true(owner_guard_by_hand(fixture->guard)->until_ms == pause.until_ms);
    assert_true(pause_file_write(fixture->tree.path, &(struct owner_pause){0}, &err));
    assert_int_equal(owner_guard_look(fixture->guard), LINK_PAUSE_NONE);
}

static void a_damaged_pause_file_is_a_pause(void **state) {
    static const char *const TEXTS[] = {"", "soon\n", "-5\n", "99999999999999999999999\n",
                                        "0123456789012345678901234567890123456789012345678901234567890123456789\n"};
    struct fixture *fixture = *state;
    struct owner_pause pause;
    struct err err;
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        temp_tree_write(&fixture->tree, "paused", TEXTS[i]);
        assert_true(pause_file_read(fixture->tree.path, &pause, &err));
        assert_true(pause.paused);
        assert_true(pause.until_ms == 0);
    }
}

static void a_pause_that_cannot_be_kept_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct err err = {0};
    open_guard(fixture);
    temp_tree_write(&fixture->tree, "paused/in the way", "");
    assert_false(owner_guard_set(fixture->guard, &(struct owner_pause){.paused = true}, &err));
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_NONE);
}

static void input_between_two_looks_is_use(void **state) {
    struct fixture *fixture = *state;
    fixture->limits.pause_in_use_s = 600;
    temp_tree_write(&fixture->tree, "sys/bus/usb/devices/1-2/urbnum", "50\n");
    temp_tree_write(&fixture->tree, "sys/bus/usb/devices/1-2:1.0/bInterfaceClass", "03\n");
    open_guard(fixture);
    assert_int_equal(owner_guard_pause(fixture->guard), LINK_PAUSE_NONE); /* how it came to 50 nobody knows */
    assert_int_equal(owner_guard_look(fixture->guard), LINK_PAUSE_NONE);
    temp_tree_write(&fixture->tree, "sys/bus/usb/devices/1-2/urbnum", "51\n");
    assert_int_equal(owner_guard_look(fixture->guard), LINK_PAUSE_IN_USE);
    assert_int_equal(owner_guard_look(fixture->guard), LINK_PAUSE_IN_USE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_is_seen_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pause_by_hand_outlives_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pause_ends_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pause_that_only_the_file_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_pause_file_is_a_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pause_that_cannot_be_kept_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(input_between_two_looks_is_use, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
