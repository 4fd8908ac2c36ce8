#include "text/words.h"

#include "text/chars.h"

#include <unicode/uchar.h>

bool words_is_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

bool words_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str words_trim(struct str text) {
    size_t start = 0, end = text.len, at = 0;
    while (chars_is_blank(chars_next(text, &at))) {
        start = at;
    }
    at = end;
    while (at > start && chars_is_blank(chars_before(text, &at))) {
        end = at;
    }
    return (struct str){text.data + start, end - start};
}

struct str words_rest(struct str text, size_t from) {
    from = from < text.len ? from : text.len;
    return (struct str){text.data + from, text.len - from};
}

static int32_t folded(int32_t c) {
    if (c == 0x2019 || c == 0x2bc || c == 0xff07) { /* apostrophes as phones and full-width keyboards write them */
        return '\'';
    }
    return c < 0x80 ? (c >= 'A' && c <= 'Z' ? c | 0x20 : c) : u_foldCase(c, U_FOLD_CASE_DEFAULT);
}

/* Behind the prefix that begins at `at`; WORDS_NONE: something else is there. */
static int64_t prefix_end(struct str text, size_t at, struct str prefix) {
    size_t of_prefix = 0;
    while (of_prefix < prefix.len) {
        if (folded(chars_next(text, &at)) != folded(chars_next(prefix, &of_prefix))) {
            return WORDS_NONE;
        }
    }
    return (int64_t)at;
}

bool words_begin(struct str text, struct str prefix) {
    return prefix_end(text, 0, prefix) == (int64_t)prefix.len; /* callers go on behind as many bytes */
}

bool words_is_edge(struct str text, size_t at) {
    size_t before_at = at;
    const int32_t before = chars_before(text, &before_at), behind = chars_next(text, &at);
    if (!chars_is_word(before) || !chars_is_word(behind)) {
        return true;
    }
    return !chars_is_mark(behind) && (chars_is_joined(before) || chars_is_joined(behind));
}

int64_t words_find(struct str text, struct str phrase) {
    size_t start = 0;
    const int32_t first = folded(chars_next(phrase, &start));
    for (size_t at = 0; phrase.len > 0 && at < text.len;) {
        size_t next = at;
        if (folded(chars_next(text, &next)) == first) {
            const int64_t end = prefix_end(text, at, phrase);
            if (end != WORDS_NONE && words_is_edge(text, at) && words_is_edge(text, (size_t)end)) {
                return (int64_t)at;
            }
        }
        at = next;
    }
    return WORDS_NONE;
}

bool words_find_any(struct str text, const struct str *phrases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (words_find(text, phrases[i]) != WORDS_NONE) {
            return true;
        }
    }
    return false;
}
