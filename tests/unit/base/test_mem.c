#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_what_begins_with_a_cache_line_is_zeroed(void **state) {
    (void)state;
    enum { LINE = 64, SIZE = 3 * LINE + 1 };
    static const unsigned char zeros[SIZE];
    unsigned char *blocks[16];
    for (int turn = 0; turn < 2; turn++) { /* the second time in memory that was used before */
        for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
            blocks[i] = mem_calloc_line(SIZE);
            assert_int_equal((uintptr_t)blocks[i] % LINE, 0);
            assert_memory_equal(blocks[i], zeros, SIZE);
            memset(blocks[i], 255, SIZE);
        }
        for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
            free(blocks[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_begins_with_a_cache_line_is_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
