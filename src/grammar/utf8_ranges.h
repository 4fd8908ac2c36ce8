/* A range of characters as ranges of the bytes of their UTF-8. */
#ifndef NATARIS_GRAMMAR_UTF8_RANGES_H
#define NATARIS_GRAMMAR_UTF8_RANGES_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_BYTES_MAX = 4, UTF8_RANGES_MAX = 32 };

/* All texts of `length` bytes whose i-th byte is from first[i] to last[i]. */
struct utf8_sequence {
    size_t length;
    uint8_t first[UTF8_BYTES_MAX], last[UTF8_BYTES_MAX];
};

struct utf8_ranges {
    struct utf8_sequence sequences[UTF8_RANGES_MAX]; /* 1 + 3 + 5 + 7 at most, and 3 for the surrogates' gap */
    size_t count;
};

/* Of the characters from first to last, which is at most U+10FFFF; surrogates, which are none, are left out. The
 * splitting is that of RE2 and of Rust's utf8-ranges. */
void utf8_ranges_make(uint32_t first, uint32_t last, struct utf8_ranges *out);

#endif
