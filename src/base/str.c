#include "base/str.h"

#include "base/utf8.h"

#include <string.h>

struct str str_from(const char *text) {
    return text == NULL ? STR("") : (struct str){.data = text, .len = strlen(text)};
}

bool str_equal(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool str_equal_cstr(struct str a, const char *b) {
    return str_equal(a, str_from(b));
}

static unsigned char str_lower(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool str_equal_nocase(struct str a, struct str b) {
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (str_lower(a.data[i]) != str_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool str_starts_with(struct str s, struct str prefix) {
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

static bool str_is_blank(char c) {
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s) {
    while (s.len > 0 && str_is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && str_is_blank(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool str_copy(char *out, size_t out_size, struct str s) {
    if (out_size == 0) {
        return false;
    }
    size_t len = s.len < out_size ? s.len : utf8_whole_prefix(s.data, out_size - 1);
    if (len > 0) {
        memcpy(out, s.data, len);
    }
    out[len] = '\0';
    return len == s.len;
}

bool str_parse_u64(struct str s, uint64_t max, uint64_t *out) {
    uint64_t number = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
        if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(s.data[i] - '0'), &number)) {
            return false;
        }
    }
    if (number > max) {
        return false;
    }
    *out = number;
    return true;
}

bool str_split(struct str s, char separator, struct str *head, struct str *tail) {
    const char *found = s.len > 0 ? (const char *)memchr(s.data, separator, s.len) : NULL;
    if (found == NULL) {
        *head = s;
        *tail = STR("");
        return false;
    }
    size_t at = (size_t)(found - s.data);
    *head = (struct str){.data = s.data, .len = at};
    *tail = (struct str){.data = found + 1, .len = s.len - at - 1};
    return true;
}
