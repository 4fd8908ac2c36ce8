#include "base/words.h"

bool words_is_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

bool words_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str words_trim(struct str text) {
    while (text.len > 0 && words_is_blank(text.data[0])) {
        text = (struct str){text.data + 1, text.len - 1};
    }
    while (text.len > 0 && words_is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

struct str words_rest(struct str text, size_t from) {
    from = from < text.len ? from : text.len;
    return (struct str){text.data + from, text.len - from};
}

bool words_begin(struct str text, struct str prefix) {
    return text.len >= prefix.len && str_equal_nocase((struct str){text.data, prefix.len}, prefix);
}

static bool is_whole(struct str text, size_t at, size_t len) {
    const bool before = at > 0 && words_is_byte(text.data[at - 1]) && words_is_byte(text.data[at]);
    const bool behind =
        at + len < text.len && words_is_byte(text.data[at + len]) && words_is_byte(text.data[at + len - 1]);
    return !before && !behind;
}

int64_t words_find(struct str text, struct str phrase) {
    for (size_t at = 0; phrase.len > 0 && at + phrase.len <= text.len; at++) {
        const struct str here = {text.data + at, text.len - at};
        if ((here.data[0] | 0x20) == (phrase.data[0] | 0x20) && words_begin(here, phrase) &&
            is_whole(text, at, phrase.len)) {
            return (int64_t)at;
        }
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

bool words_next(struct str text, size_t *at, struct str *word) {
    while (*at < text.len && !words_is_byte(text.data[*at])) {
        *at += 1;
    }
    const size_t start = *at;
    while (*at < text.len && words_is_byte(text.data[*at])) {
        *at += 1;
    }
    *word = (struct str){text.data + start, *at - start};
    return word->len > 0;
}
