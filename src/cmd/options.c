#include "cmd/options.h"

#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *target_of(const struct option *option, void *config) {
    return (char *)config + option->offset;
}

static bool is_argument(const struct option *option) {
    return option->type == OPTION_ARGUMENT || option->type == OPTION_ARGUMENT_OPTIONAL ||
           option->type == OPTION_ARGUMENT_LIST;
}

static const struct option *find(const struct option_set *set, struct str name) {
    for (size_t i = 0; i < set->count; i++) {
        if (!is_argument(&set->options[i]) && str_equal_cstr(name, set->options[i].name)) {
            return &set->options[i];
        }
    }
    return NULL;
}

static bool parse_real(const char *text, double *out) {
    char *end = NULL;
    errno = 0;
    *out = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && *out >= 0 && *out <= 1e12;
}

static bool parse_bytes(struct str text, uint64_t *out) {
    static const struct {
        char suffix;
        uint64_t factor;
    } UNITS[] = {{'K', 1000}, {'M', 1000 * 1000}, {'G', 1000 * 1000 * 1000}, {'T', UINT64_C(1000000000000)}};
    uint64_t factor = 1;
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (text.len > 0 && toupper((unsigned char)text.data[text.len - 1]) == UNITS[i].suffix) {
            factor = UNITS[i].factor;
            text.len--;
            break;
        }
    }
    return str_parse_u64(text, INT64_MAX / factor, out) && !__builtin_mul_overflow(*out, factor, out);
}

static bool add_item(struct option_list *list, const char *item, const struct option *option, struct err *err) {
    if (list->count == OPTION_LIST_MAX) {
        bool named = option->type == OPTION_LIST;
        return err_set(err, ERR_INVALID, "%s%s may be given at most %d times", named ? "--" : "",
                       named ? option->name : option->value_name, OPTION_LIST_MAX);
    }
    list->items[list->count++] = item;
    return true;
}

/* `value` must outlive the command. */
static bool set_value(const struct option *option, const char *value, void *config, struct err *err) {
    void *target = target_of(option, config);
    uint64_t number = 0;
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_ARGUMENT:
    case OPTION_ARGUMENT_OPTIONAL:
        *(const char **)target = value;
        return true;
    case OPTION_LIST:
    case OPTION_ARGUMENT_LIST:
        return add_item(target, value, option, err);
    case OPTION_NUMBER:
        if (!str_parse_u64(str_from(value), UINT32_MAX, &number)) {
            return err_set(err, ERR_INVALID, "--%s wants a whole number, not '%s'", option->name, value);
        }
        *(uint32_t *)target = (uint32_t)number;
        return true;
    case OPTION_BYTES:
        if (!parse_bytes(str_from(value), target)) {
            return err_set(err, ERR_INVALID, "--%s wants a number of bytes such as 500M or 20G, not '%s'", option->name,
                           value);
        }
        return true;
    case OPTION_REAL:
        if (!parse_real(value, target)) {
            return err_set(err, ERR_INVALID, "--%s wants a number, not '%s'", option->name, value);
        }
        return true;
    case OPTION_FLAG:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
            return err_set(err, ERR_INVALID, "%s wants true or false, not '%s'", option->name, value);
        }
        *(bool *)target = strcmp(value, "true") == 0;
        return true;
    }
    return false;
}

/* Where the values of one layer, the environment or the file, go. */
struct layer {
    const struct option_set *set;
    void *config;
    struct arena *memory;
    struct err *err;
};

static bool set_copy(const struct layer *layer, const struct option *option, struct str value) {
    const struct str copy = arena_copy(layer->memory, value);
    if (copy.data == NULL) {
        return err_set(layer->err, ERR_TOO_LARGE, "%s: the values are too long", option->name);
    }
    return set_value(option, copy.data, layer->config, layer->err);
}

/* Replaces what an earlier layer set; lists are split at commas. */
static bool set_layer_value(const struct layer *layer, const struct option *option, const char *value) {
    struct str head, tail = str_from(value);
    bool more = true;
    if (option->type != OPTION_LIST) {
        return set_copy(layer, option, tail);
    }
    ((struct option_list *)target_of(option, layer->config))->count = 0;
    while (more) {
        more = str_split(tail, ',', &head, &tail);
        head = str_trim(head);
        if (head.len > 0 && !set_copy(layer, option, head)) {
            return false;
        }
    }
    return true;
}

static bool read_environment(const struct layer *layer) {
    char name[64];
    for (size_t i = 0; i < layer->set->count; i++) {
        const struct option *option = &layer->set->options[i];
        if (is_argument(option)) {
            continue;
        }
        snprintf(name, sizeof(name), "NATARIS_%s", option->name);
        for (char *c = name; *c != '\0'; c++) {
            *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
        }
        const char *value = getenv(name);
        if (value != NULL && *value != '\0' && !set_layer_value(layer, option, value)) {
            return false;
        }
    }
    return true;
}

static int file_line(void *user, const char *section, const char *name, const char *value) {
    const struct layer *layer = user;
    const struct option *option = find(layer->set, str_from(name));
    (void)section; /* sections only group; one file may serve several commands */
    return option == NULL || set_layer_value(layer, option, value);
}

static bool read_file(struct layer *layer, const char *path) {
    struct err *err = layer->err;
    err_clear(err);
    const int line = ini_parse(path, file_line, layer);
    if (line == -1) {
        return err_set_errno(err, errno, "cannot read the configuration file %s", path);
    }
    if (line != 0) {
        return err->code != ERR_NONE ? false
                                     : err_set(err, ERR_INVALID, "%s, line %d: not a 'name = value' line", path, line);
    }
    return true;
}

static const char *config_path(int argc, char **argv) {
    static const char INLINE[] = "--config=";
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            return argv[i + 1];
        }
        if (strncmp(argv[i], INLINE, sizeof(INLINE) - 1) == 0) {
            return argv[i] + sizeof(INLINE) - 1;
        }
    }
    return getenv("NATARIS_CONFIG");
}

/* The first argument of the table that has no value yet. */
static const struct option *next_argument(const struct option_set *set, void *config) {
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        if (is_argument(option) &&
            (option->type == OPTION_ARGUMENT_LIST || *(const char **)target_of(option, config) == NULL)) {
            return option;
        }
    }
    return NULL;
}

static bool read_argument(const struct option_set *set, const char *value, void *config, struct err *err) {
    const struct option *option = next_argument(set, config);
    return option != NULL ? set_value(option, value, config, err)
                          : err_set(err, ERR_INVALID, "unexpected argument '%s'", value);
}

static bool check_arguments(const struct option_set *set, void *config, struct err *err) {
    const struct option *option = next_argument(set, config);
    return option == NULL || option->type != OPTION_ARGUMENT ||
           err_set(err, ERR_INVALID, "%s is missing: %s", option->value_name, option->help);
}

/* One "--name value", "--name=value", "--flag" or argument at argv[*at]; moves *at behind it. */
static bool read_flag(const struct option_set *set, int argc, char **argv, int *at, void *config, bool *list_seen,
                      struct err *err) {
    struct str name = str_from(argv[*at]), value = {0};
    if (!str_starts_with(name, STR("--"))) {
        *at += 1;
        return read_argument(set, argv[*at - 1], config, err);
    }
    const bool inline_value = str_split((struct str){name.data + 2, name.len - 2}, '=', &name, &value);
    const struct option *option = find(set, name);
    if (option == NULL) {
        return err_set(err, ERR_INVALID, "unknown option '--%.*s'", STR_ARG(name));
    }
    *at += 1;
    if (option->type == OPTION_LIST && !list_seen[option - set->options]) {
        list_seen[option - set->options] = true; /* the command line replaces what file and environment said */
        ((struct option_list *)target_of(option, config))->count = 0;
    }
    if (option->type == OPTION_FLAG && !inline_value) {
        return set_value(option, "true", config, err);
    }
    if (inline_value) {
        return set_value(option, value.data, config, err); /* runs to the end of the argument: NUL-terminated */
    }
    if (*at >= argc) {
        return err_set(err, ERR_INVALID, "--%s wants a value: %s", option->name, option->value_name);
    }
    *at += 1;
    return set_value(option, argv[*at - 1], config, err);
}

enum options_result options_parse(const struct option_set *set, int argc, char **argv, void *config,
                                  struct arena *memory, struct err *err) {
    bool list_seen[64] = {false};
    struct layer layer = {.set = set, .config = config, .memory = memory, .err = err};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return OPTIONS_HELP;
        }
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        if (option->fallback != NULL && !set_value(option, option->fallback, config, err)) {
            return OPTIONS_WRONG;
        }
    }
    const char *path = config_path(argc, argv);
    if ((path != NULL && !read_file(&layer, path)) || !read_environment(&layer)) {
        return OPTIONS_WRONG;
    }
    for (int at = 0; at < argc;) {
        if (!read_flag(set, argc, argv, &at, config, list_seen, err)) {
            return OPTIONS_WRONG;
        }
    }
    return check_arguments(set, config, err) ? OPTIONS_OK : OPTIONS_WRONG;
}

void options_print_arguments(const struct option_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        if (is_argument(option)) {
            printf(option->type == OPTION_ARGUMENT ? " %s" : " [%s]", option->value_name);
            printf("%s", option->type == OPTION_ARGUMENT_LIST ? "..." : "");
        }
    }
}

void options_print_help(const struct option_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        char left[48];
        if (is_argument(option)) {
            (void)str_copy(left, sizeof(left), str_from(option->value_name));
        } else {
            snprintf(left, sizeof(left), "--%s%s%s", option->name, option->value_name == NULL ? "" : " ",
                     option->value_name == NULL ? "" : option->value_name);
        }
        printf("  %-28s %s", left, option->help);
        if (option->fallback != NULL && option->type != OPTION_FLAG) {
            printf(" (default %s)", option->fallback);
        }
        printf("%s\n", option->type == OPTION_LIST ? "; may be repeated" : "");
    }
}
