#include "cmd/options.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct config {
    const char *config, *name;
    struct option_list model;
    uint32_t count;
    double rate;
    bool loud;
};

static const struct option OPTIONS[] = {
    {"config", OPTION_TEXT, "FILE", NULL, "file", offsetof(struct config, config)},
    {"name", OPTION_TEXT, "TEXT", "nobody", "a name", offsetof(struct config, name)},
    {"test-model", OPTION_LIST, "ID", "first", "a model", offsetof(struct config, model)},
    {"count", OPTION_NUMBER, "N", "7", "a count", offsetof(struct config, count)},
    {"rate", OPTION_REAL, "N", "0.5", "a rate", offsetof(struct config, rate)},
    {"loud", OPTION_FLAG, NULL, NULL, "a flag", offsetof(struct config, loud)},
};
static const struct option_set SET = {OPTIONS, COUNT_OF(OPTIONS)};

static struct arena memory; /* of the values of the parse before */

static int free_values(void **state) {
    (void)state;
    arena_clear(&memory);
    return 0;
}

static enum options_result parse(struct config *config, struct err *err, char **argv) {
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    *config = (struct config){0};
    *err = (struct err){0};
    arena_clear(&memory);
    return options_parse(&SET, argc, argv, config, &memory, err);
}

#define PARSE(config, err, ...) parse((config), (err), (char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_defaults_come_from_the_table(void **state) {
    struct config config;
    struct err err;
    (void)state;
    assert_int_equal(PARSE(&config, &err), OPTIONS_OK);
    assert_string_equal(config.name, "nobody");
    assert_int_equal(config.count, 7);
    assert_true(config.rate > 0.49 && config.rate < 0.51);
    assert_false(config.loud);
    assert_int_equal(config.model.count, 1);
    assert_string_equal(config.model.items[0], "first");
}

static void test_flags_in_both_spellings(void **state) {
    struct config config;
    struct err err;
    (void)state;
    assert_int_equal(PARSE(&config, &err, "--name", "a", "--count=12", "--loud", "--rate=2.5", "--test-model", "x",
                           "--test-model=y"),
                     OPTIONS_OK);
    assert_string_equal(config.name, "a");
    assert_int_equal(config.count, 12);
    assert_true(config.loud);
    assert_int_equal(config.model.count, 2); /* the default is replaced, not added to */
    assert_string_equal(config.model.items[0], "x");
    assert_string_equal(config.model.items[1], "y");
}

static void test_command_line_beats_environment_beats_file(void **state) {
    struct config config;
    struct err err;
    char path[] = "/tmp/nataris-options-XXXXXX";
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "[any]\nname = from file\ncount = 1\nrate = 1\ntest-model = a, b\nunknown = fine\n") > 0);
    close(fd);
    setenv("NATARIS_COUNT", "2", 1);
    setenv("NATARIS_RATE", "2", 1);
    assert_int_equal(PARSE(&config, &err, "--config", path, "--rate", "3"), OPTIONS_OK);
    unsetenv("NATARIS_COUNT");
    unsetenv("NATARIS_RATE");
    unlink(path);
    assert_string_equal(config.name, "from file");
    assert_int_equal(config.count, 2);
    assert_true(config.rate > 2.9);
    assert_int_equal(config.model.count, 2);
    assert_string_equal(config.model.items[1], "b");
}

static void test_the_file_may_be_named_inline(void **state) {
    struct config config;
    struct err err;
    (void)state;
    assert_int_equal(PARSE(&config, &err, "--config=/nonexistent/file"), OPTIONS_WRONG);
    assert_non_null(strstr(err.message, "/nonexistent/file"));
}

static void parse_file(const char *content, struct config *config, struct err *err, enum options_result expected) {
    char path[] = "/tmp/nataris-options-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s", content) > 0);
    close(fd);
    assert_int_equal(PARSE(config, err, "--config", path), expected);
    unlink(path);
}

static void test_lines_of_the_file_that_are_wrong(void **state) {
    struct config config;
    struct err err;
    (void)state;
    parse_file("name = a\ncount = many\n", &config, &err, OPTIONS_WRONG);
    assert_string_equal(err.message, "--count wants a whole number, not 'many'");
    parse_file("name = a\nno value here\n", &config, &err, OPTIONS_WRONG);
    assert_non_null(strstr(err.message, ", line 2: not a 'name = value' line"));
    parse_file("loud = yes\n", &config, &err, OPTIONS_WRONG);
    assert_string_equal(err.message, "loud wants true or false, not 'yes'");
    parse_file("loud = true\ntest-model = , a ,\n", &config, &err, OPTIONS_OK);
    assert_true(config.loud);
    assert_int_equal(config.model.count, 1);
    assert_string_equal(config.model.items[0], "a");
}

static void test_lists_have_a_bound(void **state) {
    struct config config;
    struct err err;
    (void)state;
    setenv("NATARIS_TEST_MODEL", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", 1);
    assert_int_equal(PARSE(&config, &err), OPTIONS_WRONG);
    assert_string_equal(err.message, "--test-model may be given at most 16 times");
    assert_int_equal(PARSE(&config, &err, "--test-model", "z"), OPTIONS_WRONG);
    unsetenv("NATARIS_TEST_MODEL");
}

static void test_values_have_a_bound(void **state) {
    struct config config;
    struct err err;
    (void)state;
    memory.limit = 8;
    setenv("NATARIS_NAME", "longer than eight bytes", 1);
    assert_int_equal(PARSE(&config, &err), OPTIONS_WRONG);
    unsetenv("NATARIS_NAME");
    arena_init(&memory, 4096);
    assert_string_equal(err.message, "name: the values are too long");
}

static void test_mistakes_are_named(void **state) {
    struct config config;
    struct err err;
    (void)state;
    assert_int_equal(PARSE(&config, &err, "--nmae", "a"), OPTIONS_WRONG);
    assert_string_equal(err.message, "unknown option '--nmae'");
    assert_int_equal(PARSE(&config, &err, "--count", "-1"), OPTIONS_WRONG);
    assert_string_equal(err.message, "--count wants a whole number, not '-1'");
    assert_int_equal(PARSE(&config, &err, "--rate", "fast"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&config, &err, "--name"), OPTIONS_WRONG);
    assert_string_equal(err.message, "--name wants a value: TEXT");
    assert_int_equal(PARSE(&config, &err, "stray"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&config, &err, "--loud=maybe"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&config, &err, "--config", "/nonexistent/file"), OPTIONS_WRONG);
}

struct arguments {
    const char *account, *amount, *note, *name;
};

static const struct option ARGUMENT_OPTIONS[] = {
    {"account", OPTION_ARGUMENT, "ACCOUNT", NULL, "whose it is", offsetof(struct arguments, account)},
    {"name", OPTION_TEXT, "TEXT", NULL, "a name", offsetof(struct arguments, name)},
    {"amount", OPTION_ARGUMENT, "USD", NULL, "how much", offsetof(struct arguments, amount)},
    {"note", OPTION_ARGUMENT_OPTIONAL, "NOTE", NULL, "why", offsetof(struct arguments, note)},
};
static const struct option_set ARGUMENT_SET = {ARGUMENT_OPTIONS, COUNT_OF(ARGUMENT_OPTIONS)};

static enum options_result parse_arguments(struct arguments *config, struct err *err, char **argv) {
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    *config = (struct arguments){0};
    *err = (struct err){0};
    return options_parse(&ARGUMENT_SET, argc, argv, config, &memory, err);
}

#define PARSE_ARGUMENTS(config, err, ...) parse_arguments((config), (err), (char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_arguments_come_in_the_order_of_the_table(void **state) {
    struct arguments config;
    struct err err;
    (void)state;
    assert_int_equal(PARSE_ARGUMENTS(&config, &err, "acct_1", "--name", "x", "-5"), OPTIONS_OK);
    assert_string_equal(config.account, "acct_1");
    assert_string_equal(config.amount, "-5");
    assert_string_equal(config.name, "x");
    assert_null(config.note);
    assert_int_equal(PARSE_ARGUMENTS(&config, &err, "--name=x", "acct_1", "5", "late"), OPTIONS_OK);
    assert_string_equal(config.note, "late");
}

static void test_arguments_are_counted_and_have_no_other_spelling(void **state) {
    struct arguments config;
    struct err err;
    (void)state;
    assert_int_equal(PARSE_ARGUMENTS(&config, &err, "acct_1"), OPTIONS_WRONG);
    assert_string_equal(err.message, "USD is missing: how much");
    assert_int_equal(PARSE_ARGUMENTS(&config, &err, "acct_1", "5", "note", "more"), OPTIONS_WRONG);
    assert_string_equal(err.message, "unexpected argument 'more'");
    assert_int_equal(PARSE_ARGUMENTS(&config, &err, "--account", "acct_1", "5"), OPTIONS_WRONG);
    assert_string_equal(err.message, "unknown option '--account'");
    setenv("NATARIS_AMOUNT", "5", 1);
    assert_int_equal(PARSE_ARGUMENTS(&config, &err, "acct_1"), OPTIONS_WRONG);
    unsetenv("NATARIS_AMOUNT");
}

struct sizes {
    uint64_t quota;
    const char *first;
    struct option_list rest;
};

static const struct option SIZE_OPTIONS[] = {
    {"test-quota", OPTION_BYTES, "SIZE", "0", "a size", offsetof(struct sizes, quota)},
    {"first", OPTION_ARGUMENT, "FIRST", NULL, "one", offsetof(struct sizes, first)},
    {"rest", OPTION_ARGUMENT_LIST, "REST", NULL, "any number", offsetof(struct sizes, rest)},
};

static enum options_result parse_sizes(struct sizes *sizes, struct err *err, char **argv) {
    static const struct option_set SIZES = {SIZE_OPTIONS, COUNT_OF(SIZE_OPTIONS)};
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    *sizes = (struct sizes){0};
    arena_clear(&memory);
    return options_parse(&SIZES, argc, argv, sizes, &memory, err);
}

#define PARSE_SIZES(sizes, err, ...) parse_sizes((sizes), (err), (char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_sizes_have_suffixes(void **state) {
    static const struct {
        char *text;
        uint64_t bytes;
    } CASES[] = {{"0", 0}, {"17", 17}, {"500K", 500000}, {"20G", 20000000000}, {"3m", 3000000}, {"1T", 1000000000000}};
    static char *const WRONG[] = {"", "G", "-1", "1.5G", "20GB", "2 G", "9223372T9", "99999999T"};
    struct sizes sizes;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_int_equal(PARSE_SIZES(&sizes, &err, "a", "--test-quota", CASES[i].text), OPTIONS_OK);
        assert_int_equal(sizes.quota, CASES[i].bytes);
    }
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        assert_int_equal(PARSE_SIZES(&sizes, &err, "a", "--test-quota", WRONG[i]), OPTIONS_WRONG);
        assert_non_null(strstr(err.message, "--test-quota wants a number of bytes"));
    }
}

static void test_the_last_argument_may_be_a_list(void **state) {
    char *many[OPTION_LIST_MAX + 3] = {"a"};
    struct sizes sizes;
    struct err err;
    (void)state;
    assert_int_equal(PARSE_SIZES(&sizes, &err), OPTIONS_WRONG);
    assert_int_equal(PARSE_SIZES(&sizes, &err, "a"), OPTIONS_OK);
    assert_int_equal(sizes.rest.count, 0);
    assert_int_equal(PARSE_SIZES(&sizes, &err, "a", "b", "--test-quota=1", "c"), OPTIONS_OK);
    assert_string_equal(sizes.first, "a");
    assert_int_equal(sizes.rest.count, 2);
    assert_string_equal(sizes.rest.items[1], "c");
    for (size_t i = 0; i <= OPTION_LIST_MAX; i++) {
        many[i + 1] = "b";
    }
    assert_int_equal(parse_sizes(&sizes, &err, many), OPTIONS_WRONG);
    assert_string_equal(err.message, "REST may be given at most 16 times");
}

static void test_help_wins(void **state) {
    struct config config;
    struct err err;
    (void)state;
    assert_int_equal(PARSE(&config, &err, "--nonsense", "--help"), OPTIONS_HELP);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_come_from_the_table),
        cmocka_unit_test(test_flags_in_both_spellings),
        cmocka_unit_test(test_command_line_beats_environment_beats_file),
        cmocka_unit_test(test_the_file_may_be_named_inline),
        cmocka_unit_test(test_lines_of_the_file_that_are_wrong),
        cmocka_unit_test(test_lists_have_a_bound),
        cmocka_unit_test(test_values_have_a_bound),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_arguments_come_in_the_order_of_the_table),
        cmocka_unit_test(test_arguments_are_counted_and_have_no_other_spelling),
        cmocka_unit_test(test_sizes_have_suffixes),
        cmocka_unit_test(test_the_last_argument_may_be_a_list),
        cmocka_unit_test(test_help_wins),
    };
    arena_init(&memory, 4096);
    return cmocka_run_group_tests(tests, NULL, free_values);
}
