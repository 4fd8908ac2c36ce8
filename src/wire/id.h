/* The ids of everything that has one: a prefix that tells people what it names, and base62 behind it. The one maker of
 * them. No code reads a prefix to learn what a thing is: its record says that. */
#ifndef NATARIS_WIRE_ID_H
#define NATARIS_WIRE_ID_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ID_SIZE = 40,      /* room for any id and its NUL */
    ID_TAIL = 24,      /* characters behind the prefix of an id that sorts by time */
    ID_PREFIX_MAX = 9, /* "chatcmpl-" */
};

/* The prefix, eight digits of the time and 16 random ones. Ids of one prefix sort as text by their time: rows that are
 * made together lie together in the store's index. `wall_ms` since 1970. */
void id_make(const char *prefix, int64_t wall_ms, char out[ID_SIZE]);
/* The prefix and `length` random digits, for what nobody lists by time; prefix and length fit ID_SIZE. */
void id_make_random(const char *prefix, unsigned length, char out[ID_SIZE]);
/* Another prefix before the tail of an id (what stands behind its first '_' or '-'): one object's second name. */
void id_rename(const char *prefix, const char *id, char out[ID_SIZE]);
/* Whether a text is such as id_make makes with this prefix. */
bool id_has_form(struct str text, struct str prefix);

#endif
