#include "base/environment.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_kept(const char *line, const char *const kept[]) {
    const char *equals = strchr(line, '=');
    const size_t length = equals != NULL ? (size_t)(equals - line) : 0;
    for (size_t i = 0; kept[i] != NULL; i++) {
        const size_t wanted = strlen(kept[i]);
        const bool begins = wanted > 0 && kept[i][wanted - 1] == '*';
        if (begins ? length >= wanted - 1 && memcmp(line, kept[i], wanted - 1) == 0
                   : length == wanted && memcmp(line, kept[i], wanted) == 0) {
            return true;
        }
    }
    return false;
}

static size_t lines(const char *const *list) {
    size_t count = 0;
    while (list[count] != NULL) {
        count++;
    }
    return count;
}

char **environment_make(const char *const kept[], const char *const extra[]) {
    const size_t count = lines((const char *const *)environ);
    char **out = mem_calloc(count + lines(extra) + 1, sizeof(*out));
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_kept(environ[i], kept)) {
            out[used++] = mem_strdup(environ[i]);
        }
    }
    for (size_t i = 0; extra[i] != NULL; i++) {
        out[used++] = mem_strdup(extra[i]);
    }
    return out;
}

void environment_free(char **environment) {
    for (char **line = environment; *line != NULL; line++) {
        free(*line);
    }
    free(environment);
}
