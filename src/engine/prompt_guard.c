#include "engine/prompt_guard.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPE_BYTES = 6 }; /* \u003c */

/* --- Lists --- */

static void list_add(struct prompt_guard_list *list, struct str text) {
    list->texts = mem_realloc(list->texts, (list->count + 1) * sizeof(*list->texts));
    list->texts[list->count++] = (struct str){mem_strndup(text.data, text.len), text.len};
}

static void list_clear(struct prompt_guard_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free((void *)list->texts[i].data);
    }
    free(list->texts);
    *list = (struct prompt_guard_list){0};
}

static int by_bytes(const void *a, const void *b) {
    const struct str *left = a, *right = b;
    const size_t common = left->len < right->len ? left->len : right->len;
    const int order = memcmp(left->data, right->data, common);
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

/* The first in [low, high) whose byte at `depth` is not below `byte`; all of them agree before it and are longer. */
static size_t list_bound(const struct prompt_guard_list *list, size_t low, size_t high, size_t depth, unsigned byte) {
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if ((uint8_t)list->texts[middle].data[depth] < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Length of the longest text of the list that `rest` begins with; 0: none. A vocabulary has thousands, and a hostile
 * text begins one at every byte, so the list is narrowed byte by byte. */
static size_t list_match(const struct prompt_guard_list *list, struct str rest) {
    size_t low = 0, high = list->count, longest = 0;
    for (size_t depth = 0; low < high; depth++) {
        while (low < high && list->texts[low].len == depth) {
            longest = depth;
            low++;
        }
        if (depth == rest.len) {
            break;
        }
        const unsigned byte = (uint8_t)rest.data[depth];
        low = list_bound(list, low, high, depth, byte);
        high = list_bound(list, low, high, depth, byte + 1);
    }
    return longest;
}

/* --- The guard --- */

void prompt_guard_init(struct prompt_guard *guard, const char *marker) {
    *guard = (struct prompt_guard){0};
    memcpy(guard->marker, marker, PROMPT_GUARD_MARKER_LENGTH);
}

void prompt_guard_clear(struct prompt_guard *guard) {
    list_clear(&guard->specials);
    list_clear(&guard->tags);
}

void prompt_guard_add_special(struct prompt_guard *guard, struct str text) {
    if (text.len >= 2) {
        list_add(&guard->specials, text);
        guard->first_bytes[(uint8_t)text.data[0]] = true;
    }
}

void prompt_guard_add_tag(struct prompt_guard *guard, struct str text) {
    if (text.len >= 2) {
        list_add(&guard->tags, text);
    }
}

static void list_sort(struct prompt_guard_list *list) {
    if (list->count > 0) {
        qsort(list->texts, list->count, sizeof(*list->texts), by_bytes);
    }
}

void prompt_guard_sort(struct prompt_guard *guard) {
    list_sort(&guard->specials);
    list_sort(&guard->tags);
}

/* --- Markers into a text --- */

struct marking {
    const struct prompt_guard *guard;
    struct str text;
    char *out; /* NULL: only counted */
    size_t len, markers;
};

static void put_marker(struct marking *marking) {
    if (marking->out != NULL) {
        memcpy(marking->out + marking->len, marking->guard->marker, PROMPT_GUARD_MARKER_LENGTH);
    }
    marking->len += PROMPT_GUARD_MARKER_LENGTH;
    marking->markers++;
}

static void put_bytes(struct marking *marking, size_t from, size_t length) {
    if (marking->out != NULL) {
        memcpy(marking->out + marking->len, marking->text.data + from, length);
    }
    marking->len += length;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of "\uXXXX" at `at`; -1: there is none. */
static int32_t escape_at(struct str text, size_t at) {
    int32_t unit = 0;
    if (at + ESCAPE_BYTES > text.len || text.data[at] != '\\' || text.data[at + 1] != 'u') {
        return -1;
    }
    for (size_t i = 2; i < ESCAPE_BYTES; i++) {
        const int digit = hex_value(text.data[at + i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of the character at `at`, bounded by the text. */
static size_t character_bytes(struct str text, size_t at) {
    size_t end = at + 1;
    while (end < text.len && ((uint8_t)text.data[end] & 0xC0U) == 0x80U) {
        end++;
    }
    return end - at;
}

/* Whether a marker goes behind the character at `at`. What specials begin with is marked wherever it stands, for a
 * template may take out or decode what follows it; not so where a tag begins that templates look for, and blanks, which
 * templates strip, only where a special does begin. */
static bool is_marked(const struct prompt_guard *guard, struct str rest) {
    if (!guard->first_bytes[(uint8_t)rest.data[0]]) {
        return false;
    }
    return list_match(&guard->specials, rest) > 0 || (!is_blank(rest.data[0]) && list_match(&guard->tags, rest) == 0);
}

/* Of the escape at `at`, the bytes that belong together and whether they stand for what a special begins with. */
static size_t escape_bytes(const struct prompt_guard *guard, struct str text, size_t at, int32_t unit, bool *marked) {
    uint32_t code = (uint32_t)unit;
    size_t bytes = ESCAPE_BYTES;
    const int32_t low = unit >= 0xD800 && unit < 0xDC00 ? escape_at(text, at + ESCAPE_BYTES) : -1;
    if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000U + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
        bytes += ESCAPE_BYTES;
    }
    unsigned first = code;
    if (code >= 0x10000U) {
        first = 0xF0U | code >> 18;
    } else if (code >= 0x800U) {
        first = 0xE0U | code >> 12;
    } else if (code >= 0x80U) {
        first = 0xC0U | code >> 6;
    }
    *marked = guard->first_bytes[first];
    return bytes;
}

/* A backslash and what it makes one thing with, so that no marker comes between. */
static size_t put_escape(struct marking *marking, size_t at, bool json) {
    bool marked = false;
    size_t bytes = json && at + 1 < marking->text.len ? 2 : 1;
    const size_t twice = bytes == 2 && marking->text.data[at + 1] == '\\'; /* "\\u003c" is decoded to an escape */
    const int32_t unit = escape_at(marking->text, at + twice);
    if (unit >= 0) {
        bytes = twice + escape_bytes(marking->guard, marking->text, at + twice, unit, &marked);
    } else if (json) {
        marked = bytes == 2 && marking->guard->first_bytes[(uint8_t)marking->text.data[at + 1]];
    } else {
        marked = is_marked(marking->guard, (struct str){marking->text.data + at, marking->text.len - at});
    }
    put_bytes(marking, at, bytes);
    if (marked) {
        put_marker(marking);
    }
    return bytes;
}

static size_t put_character(struct marking *marking, size_t at) {
    const struct str rest = {marking->text.data + at, marking->text.len - at};
    const size_t bytes = character_bytes(marking->text, at);
    put_bytes(marking, at, bytes);
    if (is_marked(marking->guard, rest)) {
        put_marker(marking);
    }
    return bytes;
}

static void mark_json(struct marking *marking) {
    bool inside = false;
    for (size_t at = 0; at < marking->text.len;) {
        const char c = marking->text.data[at];
        if (c == '"' || !inside) {
            inside ^= c == '"';
            put_bytes(marking, at, 1);
            at++;
        } else {
            at += c == '\\' ? put_escape(marking, at, true) : put_character(marking, at);
        }
    }
}

static void mark_prose(struct marking *marking, bool ends) {
    size_t first = 0, behind = marking->text.len;
    while (first < behind && is_blank(marking->text.data[first])) {
        first++;
    }
    while (behind > first && is_blank(marking->text.data[behind - 1])) {
        behind--;
    }
    ends = ends && first < behind;
    for (size_t at = 0; at < marking->text.len;) {
        if (ends && at == first) {
            put_marker(marking);
        }
        const size_t markers = marking->markers;
        at += marking->text.data[at] == '\\' ? put_escape(marking, at, false) : put_character(marking, at);
        if (ends && at == behind && marking->markers == markers) {
            put_marker(marking);
        }
    }
}

static void mark(struct marking *marking, enum prompt_guard_kind kind) {
    switch (kind) {
    case PROMPT_GUARD_JSON:
        mark_json(marking);
        return;
    case PROMPT_GUARD_WORD:
    case PROMPT_GUARD_PROSE:
        mark_prose(marking, kind == PROMPT_GUARD_PROSE);
        return;
    }
}

struct str prompt_guard_text(const struct prompt_guard *guard, struct arena *arena, struct str text,
                             enum prompt_guard_kind kind) {
    struct marking marking = {.guard = guard, .text = text};
    mark(&marking, kind);
    if (marking.markers == 0) {
        return text;
    }
    marking.out = arena_alloc(arena, marking.len);
    if (marking.out == NULL) {
        return (struct str){NULL, 0};
    }
    marking.len = 0;
    mark(&marking, kind);
    return (struct str){marking.out, marking.len};
}

/* --- Markers out of a text --- */

static void cuts_add(struct prompt_guard_cuts *cuts, size_t at) {
    if (cuts->count > 0 && cuts->at[cuts->count - 1] == at) {
        return;
    }
    if (cuts->count == cuts->capacity) {
        cuts->capacity = cuts->capacity > 0 ? 2 * cuts->capacity : 64;
        cuts->at = mem_realloc(cuts->at, cuts->capacity * sizeof(*cuts->at));
    }
    cuts->at[cuts->count++] = at;
}

/* Closes the gaps that the markers leave, and keeps where they were. */
static void take_markers(const struct prompt_guard *guard, struct buf *text, struct prompt_guard_cuts *cuts) {
    char *bytes = text->data;
    size_t from = 0, to = 0;
    while (from < text->len) {
        const char *found = memmem(bytes + from, text->len - from, guard->marker, PROMPT_GUARD_MARKER_LENGTH);
        const size_t length = (found != NULL ? (size_t)(found - bytes) : text->len) - from;
        memmove(bytes + to, bytes + from, length);
        to += length;
        from += length;
        if (found != NULL) {
            cuts_add(cuts, to);
            from += PROMPT_GUARD_MARKER_LENGTH;
        }
    }
    text->len = to;
}

void prompt_guard_strip(const struct prompt_guard *guard, struct buf *text, struct prompt_guard_cuts *cuts) {
    take_markers(guard, text, cuts);
    const struct str all = buf_str(text);
    size_t kept = 0, from = 0,
           reach = 0; /* reach: the end of the special that ends last of those begun before `from` */
    for (size_t i = 0; i < cuts->count; i++) {
        for (; from < cuts->at[i]; from++) {
            if (guard->first_bytes[(uint8_t)all.data[from]]) {
                const size_t end = from + list_match(&guard->specials, (struct str){all.data + from, all.len - from});
                reach = end > reach ? end : reach;
            }
        }
        if (reach > cuts->at[i]) {
            cuts->at[kept++] = cuts->at[i];
        }
    }
    cuts->count = kept;
}

void prompt_guard_cuts_clear(struct prompt_guard_cuts *cuts) {
    free(cuts->at);
    *cuts = (struct prompt_guard_cuts){0};
}
