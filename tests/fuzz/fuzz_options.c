/* An INI file of options (--config): any bytes as a file. Properties: nothing harms; a refusal says why; what is taken
 * is within its type; the command line wins over the file. */
#include "cmd/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_BYTES = 64 << 10 };

struct settings {
    const char *config, *text;
    struct option_list list;
    uint32_t number;
    uint64_t bytes;
    double real;
    bool flag;
};

#define AT(field) offsetof(struct settings, field)
static const struct option OPTIONS[] = {
    {"config", OPTION_TEXT, "FILE", NULL, "the file", AT(config)},
    {"text", OPTION_TEXT, "TEXT", "none", "a text", AT(text)},
    {"list", OPTION_LIST, "ITEM", NULL, "a list", AT(list)},
    {"number", OPTION_NUMBER, "N", "7", "a number", AT(number)},
    {"bytes", OPTION_BYTES, "SIZE", "1G", "a size", AT(bytes)},
    {"real", OPTION_REAL, "X", "0.5", "a number", AT(real)},
    {"flag", OPTION_FLAG, NULL, NULL, "a flag", AT(flag)},
};

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

/* The settings point into it. */
struct words {
    char config[sizeof("--config")], path[64], number[sizeof("--number")], nine[sizeof("9")], list[sizeof("--list=a")];
};

static enum options_result parse(struct words *words, bool more, struct settings *out, struct arena *memory,
                                 struct err *err) {
    static const struct option_set SET = {OPTIONS, COUNT_OF(OPTIONS)};
    char *argv[] = {words->config, words->path, words->number, words->nine, words->list};
    *out = (struct settings){0};
    err_clear(err);
    return options_parse(&SET, more ? (int)COUNT_OF(argv) : 2, argv, out, memory, err);
}

static void check_settings(const struct settings *settings) {
    check(settings->list.count <= OPTION_LIST_MAX && settings->text != NULL);
    for (size_t i = 0; i < settings->list.count; i++) {
        check(settings->list.items[i] != NULL && settings->list.items[i][0] != '\0');
        check(strchr(settings->list.items[i], ',') == NULL);
    }
    check(isfinite(settings->real) && settings->real >= 0 && settings->bytes <= INT64_MAX);
    check(settings->flag == true || settings->flag == false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int file = -1;
    struct words words = {"--config", "", "--number", "9", "--list=a"};
    struct settings settings, again;
    struct arena memory;
    struct err err;
    if (file < 0) {
        file = memfd_create("options", MFD_CLOEXEC);
    }
    check(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    snprintf(words.path, sizeof(words.path), "/proc/self/fd/%d", file);
    arena_init(&memory, MEMORY_BYTES);
    if (parse(&words, false, &settings, &memory, &err) == OPTIONS_OK) {
        check_settings(&settings);
        check(parse(&words, true, &again, &memory, &err) == OPTIONS_OK || err.code == ERR_TOO_LARGE);
        if (err.code == ERR_NONE) {
            check(again.number == 9 && again.list.count == 1 && strcmp(again.list.items[0], "a") == 0);
            check(again.bytes == settings.bytes && strcmp(again.text, settings.text) == 0);
        }
    } else {
        check(err.code != ERR_NONE && err.message[0] != '\0');
    }
    arena_clear(&memory);
    return 0;
}
