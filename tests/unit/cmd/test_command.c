/* One command: from its words to its exit status. */
#include "cmd/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

struct greet_config {
    const char *config, *name, *log_level;
    uint32_t times;
    struct option_list others;
};

static int run_greet(const void *parsed) {
    const struct greet_config *config = parsed;
    struct err err = {0};
    if (!command_set_log_level(config->log_level, &err)) {
        return command_misused(&err);
    }
    if (config->times == 0) {
        err_set(&err, ERR_INVALID, "nobody is greeted");
        return command_fail(&err);
    }
    printf("Hello, %s, %u times, and %zu others\n", config->name, config->times, config->others.count);
    return COMMAND_OK;
}

static const struct option OPTIONS[] = {
    {"name", OPTION_ARGUMENT, "NAME", NULL, "whom", offsetof(struct greet_config, name)},
    {"others", OPTION_ARGUMENT_LIST, "OTHER", NULL, "whom else", offsetof(struct greet_config, others)},
    {"times", OPTION_NUMBER, "N", "1", "how often", offsetof(struct greet_config, times)},
    OPTION_LOG_LEVEL(struct greet_config, "error"),
    OPTION_CONFIG_FILE(struct greet_config, config),
};
static const struct command GREET = {.name = "greet",
                                     .summary = "Greet somebody",
                                     .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                     .config_size = sizeof(struct greet_config),
                                     .run = run_greet};

struct call {
    char **argv;
    int status;
};

static void call_greet(void *context) {
    struct call *call = context;
    int argc = 0;
    while (call->argv[argc] != NULL) {
        argc++;
    }
    call->status = command_run(&GREET, argc, call->argv);
}

/* Its status; stdout and stderr are kept. */
static int greet(struct command_fixture *fixture, char **argv) {
    struct call call = {.argv = argv, .status = -1};
    struct command_capture errors;
    command_capture_begin(&errors, stderr);
    command_fixture_print(fixture, call_greet, &call);
    command_capture_end(&errors, &fixture->errors);
    return call.status;
}

#define GREET(fixture, ...) greet((fixture), (char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void options_reach_the_command(void **state) {
    struct command_fixture *fixture = *state;
    assert_int_equal(GREET(fixture, "Ada", "--times", "3", "Bo", "Cy"), COMMAND_OK);
    assert_printed(fixture, "Hello, Ada, 3 times, and 2 others\n");
}

static void failing_and_being_misused_differ(void **state) {
    struct command_fixture *fixture = *state;
    assert_int_equal(GREET(fixture, "Ada", "--times", "0"), COMMAND_FAILED);
    assert_string_equal(buf_cstr(&fixture->errors), "nataris: nobody is greeted\n");
    assert_int_equal(GREET(fixture, "Ada", "--log-level", "loud"), COMMAND_USAGE);
    assert_string_equal(buf_cstr(&fixture->errors),
                        "nataris: --log-level wants debug, info, warn or error, not 'loud'\n");
    assert_int_equal(GREET(fixture, "Ada", "--times", "often"), COMMAND_USAGE);
    assert_string_equal(buf_cstr(&fixture->errors),
                        "nataris greet: --times wants a whole number, not 'often'\nTry 'nataris greet --help'.\n");
    assert_int_equal(GREET(fixture), COMMAND_USAGE);
    assert_complains(fixture, "nataris greet: NAME is missing: whom\n");
}

static void help_comes_from_the_table(void **state) {
    struct command_fixture *fixture = *state;
    assert_int_equal(GREET(fixture, "--help"), COMMAND_OK);
    assert_printed(fixture, "Usage: nataris greet NAME [OTHER]... [OPTIONS]\nGreet somebody\n\nOptions:\n"
                            "  NAME                         whom\n"
                            "  OTHER                        whom else\n"
                            "  --times N                    how often (default 1)\n"
                            "  --log-level LEVEL            debug, info, warn or error (default error)\n"
                            "  --config FILE                INI file with any of these options, as 'name = value'\n");
    assert_int_equal(GREET(fixture, "Ada", "-h"), COMMAND_OK);
    assert_prints(fixture, "Usage: nataris greet NAME");
}

static void log_levels_by_name(void **state) {
    static const char *const NAMES[] = {"debug", "info", "warn", "error"};
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        assert_true(command_set_log_level(NAMES[i], &err));
    }
    assert_false(command_set_log_level("", &err));
    assert_int_equal(err.code, ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(options_reach_the_command),
        COMMAND_TEST(failing_and_being_misused_differ),
        COMMAND_TEST(help_comes_from_the_table),
        COMMAND_TEST(log_levels_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
