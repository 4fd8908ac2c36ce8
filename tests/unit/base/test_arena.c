#include "base/arena.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_zeroed_aligned_and_apart(struct arena *arena) {
    char *before = NULL;
    for (size_t size = 1; size < 700; size += 13) {
        char *memory = arena_alloc(arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(memory[i], 0);
        }
        memset(memory, 0xff, size);
        assert_true(memory != before);
        before = memory;
    }
    assert_non_null(arena_alloc(arena, 0));
    arena_clear(arena);
    assert_int_equal(arena->used_total, 0);
}

static void test_zeroed_aligned_and_apart(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    check_zeroed_aligned_and_apart(&arena);
    arena_init_small(&arena, 1 << 20, 64);
    check_zeroed_aligned_and_apart(&arena);
}

static void test_limit(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 100 * 1024);
    assert_non_null(arena_alloc(&arena, 90 * 1024));
    assert_null(arena_alloc(&arena, 20 * 1024));
    assert_non_null(arena_alloc(&arena, 10 * 1024));
    assert_null(arena_alloc(&arena, 1));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(ARENA_ARRAY(&arena, uint64_t, SIZE_MAX / 4));
    arena_clear(&arena);
    assert_non_null(ARENA_NEW(&arena, uint64_t));
    arena_clear(&arena);
}

static void test_copy_is_terminated(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 32);
    struct str copy = arena_copy(&arena, STR("hello"));
    assert_int_equal(copy.len, 5);
    assert_string_equal(copy.data, "hello");
    assert_string_equal(arena_copy(&arena, (struct str){0}).data, "");
    assert_null(arena_copy(&arena, STR("x")).data);
    arena_clear(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_aligned_and_apart),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_copy_is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
