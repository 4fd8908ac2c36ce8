#include "provider/limits.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { NOON = 12 * 60 };

/* A phone at noon, well and unused. */
static const struct device_state WELL = {.heat = LINK_HEAT_NOMINAL,
                                         .hottest_c = 40,
                                         .battery_percent = 60,
                                         .charging = false,
                                         .idle_s = DEVICE_IDLE_UNKNOWN};

static enum link_pause check(const struct owner_limits *limits, const struct device_state *state) {
    return owner_limits_check(limits, state, NOON, false);
}

static void nothing_is_limited_at_first(void **unused) {
    struct owner_limits limits;
    struct device_state state = WELL;
    (void)unused;
    owner_limits_init(&limits);
    state.battery_percent = 1;
    state.metered = true;
    state.idle_s = 0;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    assert_int_equal(owner_limits_check(&limits, &state, NOON, true), LINK_PAUSE_OWNER);
    state.heat = LINK_HEAT_SERIOUS; /* but this is never good */
    assert_int_equal(check(&limits, &state), LINK_PAUSE_HEAT);
}

static void battery(void **unused) {
    struct owner_limits limits;
    struct device_state state = WELL;
    (void)unused;
    owner_limits_init(&limits);
    limits.battery_floor_percent = 60;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    state.battery_percent = 59;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_BATTERY);
    state.charging = true;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    state.battery_percent = -1; /* a desktop */
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    limits.only_charging = true;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    state = WELL;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_POWER);
}

static void heat(void **unused) {
    struct owner_limits limits;
    struct device_state state = WELL;
    struct err err;
    (void)unused;
    owner_limits_init(&limits);
    assert_true(owner_limits_set_heat(&limits, STR("nominal"), &err));
    state.heat = LINK_HEAT_FAIR;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_HEAT);
    assert_false(owner_limits_must_stop(&state));
    assert_true(owner_limits_set_heat(&limits, STR("serious"), &err));
    state.heat = LINK_HEAT_SERIOUS;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    state.heat = LINK_HEAT_CRITICAL;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_HEAT);
    assert_true(owner_limits_must_stop(&state));
    assert_false(owner_limits_set_heat(&limits, STR("critical"), &err));
    assert_false(owner_limits_set_heat(&limits, STR(""), &err));
}

static void hours(void **unused) {
    static const struct {
        const char *hours;
        int minute;
        bool open;
    } CASES[] = {
        {"22:00-06:30", 22 * 60, true},      {"22:00-06:30", 21 * 60 + 59, false}, {"22:00-06:30", 0, true},
        {"22:00-06:30", 6 * 60 + 29, true},  {"22:00-06:30", 6 * 60 + 30, false},  {"9:00-17:00", 9 * 60, true},
        {"9:00-17:00", 8 * 60 + 59, false},  {"9:00-17:00", 17 * 60, false},       {"00:00-24:00", 0, true},
        {"00:00-24:00", 23 * 60 + 59, true}, {" 1:00 - 2:00 ", 60, true},          {"23:00-24:00", 30, false},
    };
    static const char *const WRONG[] = {
        "",           "22:00",       "22-6",        "22:00-22:00", "25:00-06:00", "24:01-06:00", "22:60-06:00",
        "22:0-06:00", "24:00-06:00", "x22:00-06:00"};
    struct err err;
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct owner_limits limits;
        owner_limits_init(&limits);
        assert_true(owner_limits_set_hours(&limits, str_from(CASES[i].hours), &err));
        assert_int_equal(owner_limits_check(&limits, &WELL, (uint16_t)CASES[i].minute, false),
                         CASES[i].open ? LINK_PAUSE_NONE : LINK_PAUSE_HOURS);
    }
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        struct owner_limits limits;
        owner_limits_init(&limits);
        assert_false(owner_limits_set_hours(&limits, str_from(WRONG[i]), &err));
        assert_false(limits.hours_given);
    }
}

static void metered_network(void **unused) {
    struct owner_limits limits;
    struct device_state state = WELL;
    struct err err;
    (void)unused;
    owner_limits_init(&limits);
    limits.avoid_metered = true;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    state.metered = true;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_METERED);
    assert_false(owner_limits_may_download(&limits, &state));
    assert_true(owner_limits_set_metered(&limits, STR("no"), &err));
    assert_true(owner_limits_may_download(&limits, &state));
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
    assert_true(owner_limits_set_metered(&limits, STR("yes"), &err));
    state.metered = false;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_METERED);
    assert_false(owner_limits_set_metered(&limits, STR("maybe"), &err));
}

static void use_by_its_owner(void **unused) {
    struct owner_limits limits;
    struct device_state state = WELL;
    (void)unused;
    owner_limits_init(&limits);
    limits.pause_in_use_s = 300;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE); /* nobody can be seen at all */
    state.idle_s = 299;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_IN_USE);
    state.idle_s = 300;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_NONE);
}

static void the_first_limit_is_told(void **unused) {
    struct owner_limits limits;
    const struct device_state state = {.heat = LINK_HEAT_CRITICAL, .battery_percent = 3, .metered = true};
    (void)unused;
    owner_limits_init(&limits);
    limits = (struct owner_limits){.battery_floor_percent = 20,
                                   .only_charging = true,
                                   .hours_given = true,
                                   .hours_from = 0,
                                   .hours_until = 1,
                                   .avoid_metered = true,
                                   .pause_in_use_s = 1};
    assert_int_equal(owner_limits_check(&limits, &state, NOON, true), LINK_PAUSE_OWNER);
    assert_int_equal(check(&limits, &state), LINK_PAUSE_BATTERY);
    limits.battery_floor_percent = 0;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_POWER);
    limits.only_charging = false;
    assert_int_equal(check(&limits, &state), LINK_PAUSE_HEAT);
}

static void sentences(void **unused) {
    struct owner_limits limits;
    struct device_state state = WELL;
    struct err err;
    char text[200];
    (void)unused;
    owner_limits_init(&limits);
    limits.battery_floor_percent = 80;
    limits.pause_in_use_s = 60;
    state.idle_s = 7;
    assert_true(owner_limits_set_hours(&limits, STR("22:00-06:30"), &err));
    owner_limits_explain(LINK_PAUSE_BATTERY, &limits, &state, text, sizeof(text));
    assert_string_equal(text, "the battery is at 60% and not charging, the floor is 80%");
    owner_limits_explain(LINK_PAUSE_HEAT, &limits, &state, text, sizeof(text));
    assert_string_equal(text, "its heat is nominal (40 C), the limit is fair");
    owner_limits_explain(LINK_PAUSE_HOURS, &limits, &state, text, sizeof(text));
    assert_string_equal(text, "it is outside the hours 22:00-06:30");
    owner_limits_explain(LINK_PAUSE_IN_USE, &limits, &state, text, sizeof(text));
    assert_string_equal(text, "somebody used the device 7 s ago, the limit is 60 s");
    for (enum link_pause pause = LINK_PAUSE_NONE; pause <= LINK_PAUSE_IN_USE; pause++) {
        char small[8];
        owner_limits_explain(pause, &limits, &state, small, sizeof(small));
        assert_int_equal(strlen(small), sizeof(small) - 1); /* cut, never past its end */
    }
}

static void shares(void **unused) {
    struct owner_limits limits;
    (void)unused;
    owner_limits_init(&limits);
    assert_int_equal(owner_limits_threads(&limits, 8, 0), 0);
    assert_int_equal(owner_limits_threads(&limits, 8, 6), 6);
    limits.cpu_percent = 50;
    assert_int_equal(owner_limits_threads(&limits, 8, 0), 4);
    assert_int_equal(owner_limits_threads(&limits, 8, 6), 4);
    assert_int_equal(owner_limits_threads(&limits, 8, 2), 2);
    assert_int_equal(owner_limits_threads(&limits, 1, 0), 1);
    limits.cpu_percent = 1;
    assert_int_equal(owner_limits_threads(&limits, 8, 0), 1);
    assert_true(owner_limits_memory(&limits, 3) == 0);
    limits.ram_max_bytes = 3000;
    assert_true(owner_limits_memory(&limits, 3) == 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_limited_at_first),
        cmocka_unit_test(battery),
        cmocka_unit_test(heat),
        cmocka_unit_test(hours),
        cmocka_unit_test(metered_network),
        cmocka_unit_test(use_by_its_owner),
        cmocka_unit_test(the_first_limit_is_told),
        cmocka_unit_test(sentences),
        cmocka_unit_test(shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
