#include "cmd/command.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef NATARIS_VERSION
#error "the build defines NATARIS_VERSION"
#endif

static void print_overview(const struct command *const *commands, size_t count) {
    printf("nataris %s - a people-powered inference network\n\nUsage: nataris COMMAND [ARGUMENTS] "
           "[OPTIONS]\n\nCommands:\n",
           NATARIS_VERSION);
    for (size_t i = 0; i < count; i++) {
        printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf("\n'nataris COMMAND --help' lists a command's options.\n"
           "Every option can also be set as NATARIS_<NAME> in the environment.\n");
}

/* How many arguments the command's name takes when argv begins with it; 0: it does not. */
static int words_matched(const char *name, int argc, char **argv) {
    char copy[64];
    int words = 0;
    (void)str_copy(copy, sizeof copy, str_from(name));
    struct str head, tail = str_from(copy);
    bool more = true;
    while (more) {
        more = str_split(tail, ' ', &head, &tail);
        if (words >= argc || !str_equal(head, str_from(argv[words]))) {
            return 0;
        }
        words++;
    }
    return words;
}

static int run(const struct command *command, int argc, char **argv) {
    enum { VALUES_MAX = 256 * 1024 };
    struct err err = {0};
    struct arena memory;
    void *config = mem_calloc(1, command->config_size);
    int status = COMMAND_USAGE;
    arena_init(&memory, VALUES_MAX);
    switch (options_parse(&command->options, argc, argv, config, &memory, &err)) {
    case OPTIONS_OK:
        status = command->run(config);
        break;
    case OPTIONS_HELP:
        printf("Usage: nataris %s", command->name);
        options_print_arguments(&command->options);
        printf(" [OPTIONS]\n%s\n\nOptions:\n", command->summary);
        options_print_help(&command->options);
        status = COMMAND_OK;
        break;
    case OPTIONS_WRONG:
        fprintf(stderr, "nataris %s: %s\nTry 'nataris %s --help'.\n", command->name, err.message, command->name);
        break;
    }
    arena_clear(&memory);
    free(config);
    return status;
}

int command_dispatch(const struct command *const *commands, size_t count, int argc, char **argv) {
    const struct command *best = NULL;
    int best_words = 0;
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("nataris %s\n", NATARIS_VERSION);
        return COMMAND_OK;
    }
    for (size_t i = 0; i < count; i++) {
        const int words = words_matched(commands[i]->name, argc - 1, argv + 1);
        if (words > best_words) {
            best = commands[i];
            best_words = words;
        }
    }
    if (best != NULL) {
        return run(best, argc - 1 - best_words, argv + 1 + best_words);
    }
    if (argc > 1 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0) {
        fprintf(stderr, "nataris: unknown command '%s'\nTry 'nataris --help'.\n", argv[1]);
        return COMMAND_USAGE;
    }
    print_overview(commands, count);
    return argc > 1 ? COMMAND_OK : COMMAND_USAGE;
}

int command_fail(const struct err *err) {
    fprintf(stderr, "nataris: %s\n", err->message);
    return COMMAND_FAILED;
}

bool command_set_log_level(const char *name, struct err *err) {
    enum log_level level;
    if (!log_level_from_name(name, &level)) {
        return err_set(err, ERR_INVALID, "--log-level wants debug, info, warn or error, not '%s'", name);
    }
    log_set_level(level);
    return true;
}
