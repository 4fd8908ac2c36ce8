/* The owner's limits, from the command line to the struct that enforces them. */
#include "cmd/limit_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"

#include <string.h>

struct config {
    struct limit_options limits;
};

static const struct option OPTIONS[] = {LIMIT_OPTIONS(struct config)};
static const struct option_set SET = {OPTIONS, COUNT_OF(OPTIONS)};

/* Parses and fills; err says what is wrong. */
static bool fill(struct owner_limits *limits, struct err *err, char **argv) {
    struct config config = {0};
    struct arena memory;
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    *err = (struct err){0};
    arena_init(&memory, 4096);
    assert_int_equal(options_parse(&SET, argc, argv, &config, &memory, err), OPTIONS_OK);
    const bool ok = limit_options_fill(&config.limits, limits, err);
    arena_clear(&memory);
    return ok;
}

#define FILL(limits, err, ...) fill((limits), (err), (char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void nothing_is_limited_by_default(void **state) {
    struct owner_limits limits;
    struct err err;
    (void)state;
    assert_true(FILL(&limits, &err));
    assert_int_equal(limits.battery_floor_percent, 0);
    assert_false(limits.only_charging);
    assert_int_equal(limits.heat_max, LINK_HEAT_FAIR);
    assert_false(limits.hours_given);
    assert_false(limits.avoid_metered);
    assert_int_equal(limits.metered, OWNER_METERED_AUTO);
    assert_int_equal(limits.ram_max_bytes, 0);
    assert_int_equal(limits.cpu_percent, 100);
    assert_int_equal(limits.max_jobs, 0);
    assert_int_equal(limits.pause_in_use_s, 0);
}

static void each_option_has_its_limit(void **state) {
    struct owner_limits limits;
    struct err err;
    (void)state;
    assert_true(FILL(&limits, &err, "--battery-floor", "30", "--only-charging", "--max-heat", "serious", "--hours",
                     "22:00-06:30", "--avoid-metered", "--metered", "yes", "--max-ram", "4G", "--cpu-percent", "50",
                     "--max-jobs", "3", "--pause-in-use", "60"));
    assert_int_equal(limits.battery_floor_percent, 30);
    assert_true(limits.only_charging);
    assert_int_equal(limits.heat_max, LINK_HEAT_SERIOUS);
    assert_true(limits.hours_given);
    assert_int_equal(limits.hours_from, 22 * 60);
    assert_int_equal(limits.hours_until, 6 * 60 + 30);
    assert_true(limits.avoid_metered);
    assert_int_equal(limits.metered, OWNER_METERED_YES);
    assert_int_equal(limits.ram_max_bytes, 4000000000);
    assert_int_equal(limits.cpu_percent, 50);
    assert_int_equal(limits.max_jobs, 3);
    assert_int_equal(limits.pause_in_use_s, 60);
}

static void what_cannot_be_is_named(void **state) {
    static struct {
        char *option, *value;
        const char *words;
    } const CASES[] = {
        {"--battery-floor", "101", "--battery-floor is 0 to 100 percent"},
        {"--cpu-percent", "0", "--cpu-percent is 1 to 100"},
        {"--cpu-percent", "101", "--cpu-percent is 1 to 100"},
        {"--pause-in-use", "86401", "--pause-in-use is at most 86400 seconds"},
        {"--max-heat", "critical", "critical"},
        {"--metered", "maybe", "maybe"},
        {"--hours", "22-6", "22-6"},
    };
    struct owner_limits limits;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_false(FILL(&limits, &err, CASES[i].option, CASES[i].value));
        assert_non_null(strstr(err.message, CASES[i].words));
    }
    assert_true(FILL(&limits, &err, "--battery-floor", "100", "--cpu-percent", "1", "--pause-in-use", "86400"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_limited_by_default),
        cmocka_unit_test(each_option_has_its_limit),
        cmocka_unit_test(what_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
