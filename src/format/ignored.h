/* The fields of a request that were not known and changed nothing: their names, for the answer's nataris.ignored. */
#ifndef NATARIS_FORMAT_IGNORED_H
#define NATARIS_FORMAT_IGNORED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    IGNORED_NAMES_MAX = 16,  /* further ones are only counted */
    IGNORED_NAME_BYTES = 64, /* of a name, with where it stands; the rest of a longer one is cut, between characters */
};

struct ignored {
    struct ignored_name {
        char text[IGNORED_NAME_BYTES];
        size_t len;
    } names[IGNORED_NAMES_MAX];
    size_t count, more; /* more: names that had no room, or were not looked at any more */
};

/* `where` is what stands before the name: "" or "messages[].". A name that is there already is not added again. */
void ignored_add(struct ignored *ignored, const char *where, struct str name);
/* The members for an answer's "nataris", with a comma between them and in the arena: "ignored":[...], and
 * "ignored_more": a number, if there are. Empty when nothing was ignored. ERR_TOO_LARGE when the arena is full. */
MUST_CHECK bool ignored_members(const struct ignored *ignored, struct arena *arena, struct str *out, struct err *err);

#endif
