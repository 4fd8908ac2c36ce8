/* Options as a table: name, type, default, help. The parser, --help, the environment (NATARIS_<NAME>) and the INI file
 * (--config) all come from it. Later ones win: default, file, environment, command line. */
#ifndef NATARIS_CMD_OPTIONS_H
#define NATARIS_CMD_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTION_LIST_MAX = 16 };

struct option_list { /* an option that may be given several times */
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

enum option_type {
    OPTION_TEXT,   /* const char * */
    OPTION_LIST,   /* struct option_list; in the environment and the file: separated by commas */
    OPTION_NUMBER, /* uint32_t */
    OPTION_BYTES,  /* uint64_t; "500M", "20G": K, M, G and T are powers of 1000 */
    OPTION_REAL,   /* double, not negative */
    OPTION_FLAG,   /* bool; takes no value */
    /* Not options but the arguments without a name, in the order of the table, on the command line only. */
    OPTION_ARGUMENT,          /* const char *; must be given */
    OPTION_ARGUMENT_OPTIONAL, /* const char * */
    OPTION_ARGUMENT_LIST,     /* struct option_list; all further ones, none too: the last of the table */
};

struct option {
    const char *name; /* "tls-cert": --tls-cert, NATARIS_TLS_CERT, tls-cert = in the file; an argument's is for help */
    enum option_type type;
    const char *value_name; /* for --help; NULL for flags */
    const char *fallback;   /* NULL: none */
    const char *help;
    size_t offset; /* of the target in the command's config struct */
};

struct option_set {
    const struct option *options;
    size_t count;
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_WRONG };

/* Fills `config` (a zeroed struct of the command). Values point into argv, the table or `memory`. WRONG: err says what
 * and which. */
enum options_result options_parse(const struct option_set *set, int argc, char **argv, void *config,
                                  struct arena *memory, struct err *err);
/* " NAME [ACCOUNT]" for the usage line of --help, on stdout. */
void options_print_arguments(const struct option_set *set);
/* The lines of arguments and options of --help, on stdout. */
void options_print_help(const struct option_set *set);

#endif
