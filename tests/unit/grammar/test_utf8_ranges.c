/* Ranges of characters as ranges of bytes: each character within is there once, and nothing else is. */
#include "grammar/utf8_ranges.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static size_t encode(uint32_t c, uint8_t *out) {
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    const size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6) {
        out[i] = (uint8_t)(0x80 | (c & 0x3F));
    }
    out[0] = (uint8_t)(c | (0xF00U >> length & 0xFF));
    return length;
}

static size_t count_of(const struct utf8_ranges *ranges, uint32_t c) {
    uint8_t bytes[UTF8_BYTES_MAX];
    const size_t length = encode(c, bytes);
    size_t count = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        const struct utf8_sequence *sequence = &ranges->sequences[i];
        bool in = sequence->length == length;
        for (size_t k = 0; in && k < length; k++) {
            in = bytes[k] >= sequence->first[k] && bytes[k] <= sequence->last[k];
        }
        count += in;
    }
    return count;
}

/* The texts of all sequences together are as many as there are characters, so there are no others among them. */
static uint64_t texts_of(const struct utf8_ranges *ranges) {
    uint64_t texts = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        uint64_t product = 1;
        for (size_t k = 0; k < ranges->sequences[i].length; k++) {
            product *= (uint64_t)(ranges->sequences[i].last[k] - ranges->sequences[i].first[k]) + 1;
        }
        texts += product;
    }
    return texts;
}

static void test_ranges(void **state) {
    static const uint32_t cases[][2] = {
        {0, 0x10FFFF},    {0, 0x7F},          {0x20, 0xE9},         {0x7F, 0x80},        {0x7FF, 0x800},
        {0xD7FF, 0xE000}, {0xD700, 0xDC00},   {0xD800, 0xDFFF},     {0xDFFF, 0xE001},    {0xFFFF, 0x10000},
        {0x3041, 0x30FF}, {0x1F326, 0x1F326}, {0x10FFFF, 0x10FFFF}, {0xABC, 0x12345},    {0x81, 0x10FFFE},
        {0x5D, 0xD7FF},   {0xE000, 0x10FFFF}, {0x801, 0xFFFE},      {0x10001, 0x10FFFE}, {'a', 'a'},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct utf8_ranges ranges;
        uint64_t expected = 0;
        utf8_ranges_make(cases[i][0], cases[i][1], &ranges);
        assert_in_range(ranges.count, 0, UTF8_RANGES_MAX);
        for (uint32_t c = cases[i][0]; c <= cases[i][1]; c++) {
            const bool character = c < 0xD800 || c > 0xDFFF;
            expected += character;
            if (count_of(&ranges, c) != character) {
                fail_msg("case %zu: U+%04X is there %zu times", i, c, count_of(&ranges, c));
            }
        }
        assert_int_equal(texts_of(&ranges), expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
