/* All commands, by their tables: every option is parsed from the command line, the environment and a file, has the
 * default that --help tells, and refuses what it cannot be. */
#include "cmd/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

#include <ctype.h>
#include <math.h>

enum { WORDS_MAX = 16, WORD_SIZE = 256 };

/* --- One option of one command --- */

struct trial {
    const struct command *command;
    const struct option *option;
    char ini[WORD_SIZE]; /* the path of an INI file */
    void *config;
    struct arena memory;
    char words[WORDS_MAX][WORD_SIZE];
    int count;
    struct err err;
};

static bool is_argument(const struct option *option) {
    return option->type == OPTION_ARGUMENT || option->type == OPTION_ARGUMENT_OPTIONAL ||
           option->type == OPTION_ARGUMENT_LIST;
}

static void trial_begin(struct trial *trial) {
    free(trial->config);
    arena_clear(&trial->memory);
    trial->config = mem_calloc(1, trial->command->config_size);
    arena_init(&trial->memory, 64 * 1024);
    trial->count = 0;
    err_clear(&trial->err);
}

PRINTF_LIKE(2, 3) static void add_word(struct trial *trial, const char *format, ...) {
    va_list arguments;
    assert_true(trial->count < WORDS_MAX);
    va_start(arguments, format);
    vsnprintf(trial->words[trial->count++], WORD_SIZE, format, arguments);
    va_end(arguments);
}

/* With "x" in front for each argument that the command must have. */
static enum options_result parse(struct trial *trial) {
    const struct option_set *set = &trial->command->options;
    char x[] = "x", *argv[2 * WORDS_MAX];
    int argc = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->options[i].type == OPTION_ARGUMENT) {
            argv[argc++] = x;
        }
    }
    for (int i = 0; i < trial->count; i++) {
        argv[argc++] = trial->words[i];
    }
    return options_parse(set, argc, argv, trial->config, &trial->memory, &trial->err);
}

static void parse_well(struct trial *trial) {
    if (parse(trial) != OPTIONS_OK) {
        fail_msg("%s --%s: %s", trial->command->name, trial->option->name, trial->err.message);
    }
}

/* A value that the option can have and that is not its default. */
static const char *sample(const struct trial *trial) {
    switch (trial->option->type) {
    case OPTION_NUMBER:
        return "12";
    case OPTION_BYTES:
        return "3000";
    case OPTION_REAL:
        return "1.5";
    case OPTION_FLAG:
        return "true";
    case OPTION_TEXT:
    case OPTION_LIST:
    case OPTION_ARGUMENT:
    case OPTION_ARGUMENT_OPTIONAL:
    case OPTION_ARGUMENT_LIST:
        break;
    }
    return strcmp(trial->option->name, "config") == 0 ? trial->ini : "some-text";
}

static bool list_holds(const struct option_list *list, const char *value) {
    return value == NULL ? list->count == 0 : list->count == 1 && strcmp(list->items[0], value) == 0;
}

static bool text_holds(const char *text, const char *value) {
    return value == NULL ? text == NULL : text != NULL && strcmp(text, value) == 0;
}

/* Whether the option's member of the config is what `value` says; NULL: nothing was said. */
static bool holds(const struct trial *trial, const char *value) {
    const char *target = (const char *)trial->config + trial->option->offset;
    const char *number = value != NULL ? value : "0";
    switch (trial->option->type) {
    case OPTION_NUMBER:
        return *(const uint32_t *)(const void *)target == strtoul(number, NULL, 10);
    case OPTION_BYTES:
        return *(const uint64_t *)(const void *)target == strtoull(number, NULL, 10);
    case OPTION_REAL:
        return fabs(*(const double *)(const void *)target - strtod(number, NULL)) < 1e-9;
    case OPTION_FLAG:
        return *(const bool *)target == (value != NULL && strcmp(value, "true") == 0);
    case OPTION_LIST:
    case OPTION_ARGUMENT_LIST:
        return list_holds((const void *)target, value);
    case OPTION_TEXT:
    case OPTION_ARGUMENT:
    case OPTION_ARGUMENT_OPTIONAL:
        return text_holds(*(const char *const *)(const void *)target, value);
    }
    return false;
}

static void assert_holds(const struct trial *trial, const char *value, const char *from) {
    if (!holds(trial, value)) {
        fail_msg("%s --%s is not '%s' from %s", trial->command->name, trial->option->name,
                 value != NULL ? value : "nothing", from);
    }
}

static void from_the_command_line(struct trial *trial) {
    const char *value = sample(trial);
    const char *name = trial->option->name;
    trial_begin(trial);
    add_word(trial, "--%s", name);
    if (trial->option->type != OPTION_FLAG) {
        add_word(trial, "%s", value);
    }
    parse_well(trial);
    assert_holds(trial, value, "the command line");
    trial_begin(trial);
    add_word(trial, "--%s=%s", name, value);
    parse_well(trial);
    assert_holds(trial, value, "the command line, in one word");
}

static void from_the_environment(struct trial *trial) {
    char variable[WORD_SIZE];
    snprintf(variable, sizeof(variable), "NATARIS_%s", trial->option->name);
    for (char *at = variable; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    }
    setenv(variable, sample(trial), 1);
    trial_begin(trial);
    parse_well(trial);
    unsetenv(variable);
    assert_holds(trial, sample(trial), variable);
}

static void from_a_file(struct trial *trial) {
    FILE *file = fopen(trial->ini, "w");
    assert_non_null(file);
    fprintf(file, "[any]\n%s = %s\n", trial->option->name, sample(trial));
    fclose(file);
    trial_begin(trial);
    add_word(trial, "--config");
    add_word(trial, "%s", trial->ini);
    parse_well(trial);
    assert_holds(trial, sample(trial), "the file");
}

static void by_default(struct trial *trial) {
    trial_begin(trial);
    parse_well(trial);
    assert_holds(trial, trial->option->fallback, "its table");
}

static void what_it_cannot_be(struct trial *trial) {
    const enum option_type type = trial->option->type;
    if (type == OPTION_NUMBER || type == OPTION_BYTES || type == OPTION_REAL || type == OPTION_FLAG) {
        trial_begin(trial);
        add_word(trial, "--%s=nonsense", trial->option->name);
        assert_int_equal(parse(trial), OPTIONS_WRONG);
        assert_non_null(strstr(trial->err.message, trial->option->name));
        assert_non_null(strstr(trial->err.message, "'nonsense'"));
    }
    if (type != OPTION_FLAG) {
        trial_begin(trial);
        add_word(trial, "--%s", trial->option->name);
        assert_int_equal(parse(trial), OPTIONS_WRONG);
        assert_non_null(strstr(trial->err.message, "wants a value"));
    }
}

/* --- Every option of every command --- */

static void each_option(struct command_fixture *fixture, void (*check)(struct trial *trial)) {
    struct trial trial = {0};
    unsetenv("NATARIS_MODELS"); /* the fixture's */
    temp_tree_write(&fixture->tree, "nataris.ini", "");
    str_copy(trial.ini, sizeof(trial.ini), str_from(temp_tree_path(&fixture->tree, "nataris.ini")));
    for (size_t i = 0; i < commands_count(); i++) {
        trial.command = commands_at(i);
        for (size_t k = 0; k < trial.command->options.count; k++) {
            trial.option = &trial.command->options.options[k];
            if (!is_argument(trial.option)) {
                check(&trial);
            }
        }
    }
    free(trial.config);
    arena_clear(&trial.memory);
}

static void options_come_from_the_command_line(void **state) {
    each_option(*state, from_the_command_line);
}

static void options_come_from_the_environment(void **state) {
    each_option(*state, from_the_environment);
}

static void options_come_from_a_file(void **state) {
    each_option(*state, from_a_file);
}

static void options_have_their_defaults(void **state) {
    each_option(*state, by_default);
}

static void options_refuse_nonsense(void **state) {
    each_option(*state, what_it_cannot_be);
}

static size_t size_of(const struct option *option) {
    switch (option->type) {
    case OPTION_NUMBER:
        return sizeof(uint32_t);
    case OPTION_BYTES:
        return sizeof(uint64_t);
    case OPTION_REAL:
        return sizeof(double);
    case OPTION_FLAG:
        return sizeof(bool);
    case OPTION_LIST:
    case OPTION_ARGUMENT_LIST:
        return sizeof(struct option_list);
    case OPTION_TEXT:
    case OPTION_ARGUMENT:
    case OPTION_ARGUMENT_OPTIONAL:
        return sizeof(const char *);
    }
    return 0;
}

static void check_table(const struct option_set *set, size_t config_size) {
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        assert_true(option->offset + size_of(option) <= config_size);
        assert_true(option->help[0] != '\0');
        assert_int_equal(option->value_name == NULL, option->type == OPTION_FLAG);
        for (size_t k = 0; k < i; k++) {
            const struct option *other = &set->options[k];
            assert_string_not_equal(option->name, other->name);
            assert_true(option->offset + size_of(option) <= other->offset ||
                        other->offset + size_of(other) <= option->offset); /* no two fill the same member */
        }
    }
}

static void tables_are_sound(void **state) {
    (void)state;
    for (size_t i = 0; i < commands_count(); i++) {
        check_table(&commands_at(i)->options, commands_at(i)->config_size);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(commands_at(i)->name, commands_at(k)->name);
        }
    }
}

static void every_command_refuses_an_unknown_option(void **state) {
    struct trial trial = {0};
    (void)state;
    for (size_t i = 0; i < commands_count(); i++) {
        trial.command = commands_at(i);
        trial_begin(&trial);
        add_word(&trial, "--wings");
        assert_int_equal(parse(&trial), OPTIONS_WRONG);
        assert_string_equal(trial.err.message, "unknown option '--wings'");
    }
    free(trial.config);
    arena_clear(&trial.memory);
}

/* --- Which command is meant --- */

static void every_command_has_help(void **state) {
    struct command_fixture *fixture = *state;
    for (size_t i = 0; i < commands_count(); i++) {
        const struct command *command = commands_at(i);
        char words[64];
        str_copy(words, sizeof(words), str_from(command->name));
        for (char *at = words; *at != '\0'; at++) {
            *at = *at == ' ' ? '|' : *at;
        }
        command_fixture_expect(fixture, COMMAND_OK, "%s|--help", words);
        assert_prints(fixture, "Usage: nataris %s ", command->name);
        assert_prints(fixture, "\n%s\n", command->summary);
        for (size_t k = 0; k < command->options.count; k++) {
            const struct option *option = &command->options.options[k];
            assert_prints(fixture, is_argument(option) ? "  %s" : "  --%s",
                          is_argument(option) ? option->value_name : option->name);
        }
    }
}

static void the_overview_names_every_command(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "--help");
    assert_prints(fixture, "Usage: nataris COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n");
    for (size_t i = 0; i < commands_count(); i++) {
        assert_prints(fixture, "\n  %-22s %s\n", commands_at(i)->name, commands_at(i)->summary);
    }
    command_fixture_expect(fixture, COMMAND_OK, "-h");
    assert_prints(fixture, "Commands:");
    command_fixture_expect(fixture, COMMAND_USAGE, "%s", "");
    assert_prints(fixture, "Commands:");
}

static void the_version(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "--version");
    assert_printed(fixture, "nataris %s\n", NATARIS_VERSION);
}

static void the_longest_name_wins(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "provider|list|--help");
    assert_prints(fixture, "Usage: nataris provider list");
    command_fixture_expect(fixture, COMMAND_OK, "provider|--help");
    assert_prints(fixture, "Usage: nataris provider [OPTIONS]");
    command_fixture_refuse(fixture, COMMAND_USAGE, "nataris provider: unexpected argument 'lists'", "provider|lists");
}

static void an_unknown_command(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_USAGE, "nataris: unknown command 'fly'\nTry 'nataris --help'.\n", "fly");
    command_fixture_refuse(fixture, COMMAND_USAGE, "nataris: unknown command 'account'", "account");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(options_come_from_the_command_line),
        COMMAND_TEST(options_come_from_the_environment),
        COMMAND_TEST(options_come_from_a_file),
        COMMAND_TEST(options_have_their_defaults),
        COMMAND_TEST(options_refuse_nonsense),
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(every_command_refuses_an_unknown_option),
        COMMAND_TEST(every_command_has_help),
        COMMAND_TEST(the_overview_names_every_command),
        COMMAND_TEST(the_version),
        COMMAND_TEST(the_longest_name_wins),
        COMMAND_TEST(an_unknown_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
