#include "wire/id.h"

#include "base/random.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    ID_TIME = 8, /* base62 digits of the milliseconds, enough for 6900 years */
    ID_RANDOM = ID_TAIL - ID_TIME,
};

void id_make(const char *prefix, int64_t wall_ms, char out[ID_SIZE]) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { BASE = sizeof(digits) - 1 };
    char *tail = out + snprintf(out, ID_SIZE, "%.*s", ID_PREFIX_MAX, prefix);
    uint64_t time = (uint64_t)wall_ms;
    for (int i = ID_TIME - 1; i >= 0; i--) {
        tail[i] = digits[time % BASE];
        time /= BASE;
    }
    random_base62(tail + ID_TIME, ID_RANDOM);
}

void id_make_random(const char *prefix, unsigned length, char out[ID_SIZE]) {
    const size_t start = (size_t)snprintf(out, ID_SIZE, "%.*s", ID_PREFIX_MAX, prefix);
    assert(start + length < ID_SIZE);
    random_base62(out + start, length);
}

void id_rename(const char *prefix, const char *id, char out[ID_SIZE]) {
    const size_t head = strcspn(id, "_-");
    const char *tail = id[head] != '\0' ? id + head + 1 : id;
    snprintf(out, ID_SIZE, "%.*s%.*s", ID_PREFIX_MAX, prefix, ID_SIZE - ID_PREFIX_MAX - 1, tail);
}

bool id_has_form(struct str text, struct str prefix) {
    if (text.len != prefix.len + ID_TAIL || !str_starts_with(text, prefix)) {
        return false;
    }
    for (size_t i = prefix.len; i < text.len; i++) {
        const char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
            return false;
        }
    }
    return true;
}
