#include "grammar/utf8_ranges.h"

#include "base/compiler.h"

enum { SURROGATE_FIRST = 0xD800, SURROGATE_LAST = 0xDFFF };

/* The last character of so many bytes. */
static const uint32_t LASTS[UTF8_BYTES_MAX] = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

static void encode(uint32_t character, size_t length, uint8_t *out) {
    static const uint8_t heads[UTF8_BYTES_MAX] = {0x00, 0xC0, 0xE0, 0xF0};
    for (size_t i = length; i-- > 1;) {
        out[i] = (uint8_t)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    out[0] = (uint8_t)(heads[length - 1] | character);
}

/* Characters of one length: cut until all of a byte's values follow each of those before it, or one does. */
static void split(uint32_t first, uint32_t last, size_t length, struct utf8_ranges *out) {
    for (size_t i = 1; i < length; i++) {
        const uint32_t low = (UINT32_C(1) << (6 * i)) - 1;
        if ((first & ~low) == (last & ~low)) {
            continue;
        }
        if ((first & low) != 0) {
            split(first, first | low, length, out);
            split((first | low) + 1, last, length, out);
            return;
        }
        if ((last & low) != low) {
            split(first, (last & ~low) - 1, length, out);
            split(last & ~low, last, length, out);
            return;
        }
    }
    struct utf8_sequence *sequence = &out->sequences[out->count++];
    sequence->length = length;
    encode(first, length, sequence->first);
    encode(last, length, sequence->last);
}

static void split_lengths(uint32_t first, uint32_t last, struct utf8_ranges *out) {
    for (size_t i = 0; i < COUNT_OF(LASTS) && first <= last; i++) {
        if (first <= LASTS[i]) {
            const uint32_t end = last < LASTS[i] ? last : LASTS[i];
            split(first, end, i + 1, out);
            first = end + 1;
        }
    }
}

void utf8_ranges_make(uint32_t first, uint32_t last, struct utf8_ranges *out) {
    out->count = 0;
    if (first < SURROGATE_FIRST) {
        split_lengths(first, last < SURROGATE_FIRST ? last : SURROGATE_FIRST - 1, out);
    }
    if (last > SURROGATE_LAST) {
        split_lengths(first > SURROGATE_LAST ? first : SURROGATE_LAST + 1, last, out);
    }
}
