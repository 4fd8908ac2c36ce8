/* The config that a command's options make of its words. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_PARSED_OPTIONS_H
#define NATARIS_TESTS_SUPPORT_PARSED_OPTIONS_H

#include "base/mem.h"
#include "cmd/command.h"

#include <stdlib.h>

struct parsed_options {
    void *config; /* of the command */
    struct arena memory;
};

/* The words end with NULL; they must be right for the table. */
UNUSED static void parsed_options_init(struct parsed_options *parsed, const struct command *command, char **words) {
    struct err err = {0};
    int count = 0;
    while (words[count] != NULL) {
        count++;
    }
    parsed->config = mem_calloc(1, command->config_size);
    arena_init(&parsed->memory, 64 * 1024);
    if (options_parse(&command->options, count, words, parsed->config, &parsed->memory, &err) != OPTIONS_OK) {
        fail_msg("%s: %s", command->name, err.message);
    }
}

UNUSED static void parsed_options_clear(struct parsed_options *parsed) {
    free(parsed->config);
    arena_clear(&parsed->memory);
}

#define PARSED_OPTIONS_INIT(parsed, command, ...)                                                                      \
    parsed_options_init((parsed), (command), (char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

#endif
