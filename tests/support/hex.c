#include "support/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint8_t digit(char c) {
    assert_true((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void hex_append(struct buf *out, struct str hex) {
    assert_int_equal(hex.len % 2, 0);
    for (size_t i = 0; i < hex.len; i += 2) {
        const uint8_t byte = (uint8_t)(digit(hex.data[i]) << 4 | digit(hex.data[i + 1]));
        assert_true(buf_append(out, &byte, 1));
    }
}
