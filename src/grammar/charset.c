#include "grammar/charset.h"

#include <inttypes.h>
#include <string.h>

enum { SURROGATE_FIRST = 0xD800, SURROGATE_LAST = 0xDFFF };

uint32_t charset_decode(struct str text, size_t *used) {
    const uint8_t *bytes = (const uint8_t *)text.data;
    if (bytes[0] < 0x80 || text.len < 2) {
        *used = 1;
        return bytes[0];
    }
    const size_t length = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    uint32_t character = bytes[0] & (0xFFU >> (length + 1));
    *used = length < text.len ? length : text.len;
    for (size_t i = 1; i < *used; i++) {
        character = (character << 6) | (bytes[i] & 0x3FU);
    }
    return character;
}

bool charset_add(struct charset *set, uint32_t first, uint32_t last) {
    size_t begin = 0;
    while (begin < set->count && set->ranges[begin].last + 1 < first) {
        begin++;
    }
    size_t end = begin; /* those from begin to end meet the new one */
    while (end < set->count && set->ranges[end].first <= last + 1) {
        first = set->ranges[end].first < first ? set->ranges[end].first : first;
        last = set->ranges[end].last > last ? set->ranges[end].last : last;
        end++;
    }
    if (begin == end && set->count == CHARSET_RANGES) {
        return false;
    }
    memmove(&set->ranges[begin + 1], &set->ranges[end], (set->count - end) * sizeof(set->ranges[0]));
    set->ranges[begin] = (struct charset_range){first, last};
    set->count = set->count - (end - begin) + 1;
    return true;
}

bool charset_complement(struct charset *set) {
    struct charset holes = *set, out = {0};
    uint32_t next = 0;
    if (!charset_add(&holes, SURROGATE_FIRST, SURROGATE_LAST)) {
        return false;
    }
    for (size_t i = 0; i < holes.count; i++) {
        if (holes.ranges[i].first > next && !charset_add(&out, next, holes.ranges[i].first - 1)) {
            return false;
        }
        next = holes.ranges[i].last + 1;
    }
    if (next <= CHARSET_LAST && !charset_add(&out, next, CHARSET_LAST)) {
        return false;
    }
    *set = out;
    return true;
}

/* --- In a grammar --- */

static bool contains(const struct charset *set, uint32_t character) {
    for (size_t i = 0; i < set->count; i++) {
        if (character >= set->ranges[i].first && character <= set->ranges[i].last) {
            return true;
        }
    }
    return false;
}

static void append_character(struct buf *body, uint32_t character) {
    const bool plain = (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
                       (character >= 'a' && character <= 'z');
    if (plain) {
        const char c = (char)character;
        buf_append(body, &c, 1);
    } else {
        buf_append_format(body, character > 0xFFFF ? "\\U%08" PRIX32 : "\\u%04" PRIX32, character);
    }
}

/* Part of a range: that from `first` to `last`. */
static void append_part(struct buf *body, struct charset_range range, uint32_t first, uint32_t last, bool *any) {
    first = range.first > first ? range.first : first;
    last = range.last < last ? range.last : last;
    if (first > last) {
        return;
    }
    buf_append_cstr(body, *any ? "" : "[");
    *any = true;
    append_character(body, first);
    if (last > first) {
        buf_append_cstr(body, "-");
        append_character(body, last);
    }
}

/* Those that stand for themselves in a string: all but quotes, backslashes and controls. */
static bool append_plain(const struct charset *set, struct buf *body) {
    bool any = false;
    for (size_t i = 0; i < set->count; i++) {
        append_part(body, set->ranges[i], ' ', '"' - 1, &any);
        append_part(body, set->ranges[i], '"' + 1, '\\' - 1, &any);
        append_part(body, set->ranges[i], '\\' + 1, SURROGATE_FIRST - 1, &any);
        append_part(body, set->ranges[i], SURROGATE_LAST + 1, CHARSET_LAST, &any);
    }
    buf_append_cstr(body, any ? "]" : "");
    return any;
}

static void append_escaped(struct buf *body, const char *text, bool *any) {
    buf_append_cstr(body, *any ? " | " : "");
    buf_append_cstr(body, text);
    *any = true;
}

void charset_append(const struct charset *set, struct buf *body) {
    static const struct {
        uint32_t character;
        const char *text;
    } escapes[] = {
        {'"', "\"\\\\\\\"\""}, {'\\', "\"\\\\\\\\\""}, {'\b', "\"\\\\b\""}, {'\f', "\"\\\\f\""},
        {'\n', "\"\\\\n\""},   {'\r', "\"\\\\r\""},    {'\t', "\"\\\\t\""},
    };
    buf_append_cstr(body, " (");
    bool any = append_plain(set, body);
    for (size_t i = 0; i < COUNT_OF(escapes); i++) {
        if (contains(set, escapes[i].character)) {
            append_escaped(body, escapes[i].text, &any);
        }
    }
    for (uint32_t control = 0; control < ' '; control++) {
        const bool named = (control >= '\b' && control <= '\n') || control == '\f' || control == '\r';
        if (!named && contains(set, control)) {
            buf_append_cstr(body, any ? " | " : "");
            any = true;
            buf_append_format(body, "\"\\\\u%04" PRIx32 "\"", control);
        }
    }
    buf_append_cstr(body, ")");
}
