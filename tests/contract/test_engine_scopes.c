/* Scopes: what is cached of a prompt is met by jobs of its own scope only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "support/engine_world.h"

#include <string.h>

static uint32_t cached_of(struct engine_world *world, uint64_t job, struct gen_request *request, const char *scope) {
    request->scope = str_from(scope);
    struct world_job *answer = world_ask(world, job, request);
    assert_int_equal(answer->dones, 1);
    return answer->done.usage.cached_tokens;
}

/* What is cached is met in its own scope only, byte by byte, whichever slot has it; nor can a stranger make it come
 * back to its owner as something else. */
static void llama_keeps_scopes_apart(void **state) {
    static const char *const OTHERS[] = {"", "a", "ab", "abcd", "abC", "xbc", "\xc3\xa4"};
    char longest[LIMIT_LINK_SCOPE_BYTES + 1], nearly[LIMIT_LINK_SCOPE_BYTES + 1];
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    options.slots = 1; /* so that each finds the slot in which the one before it was */
    struct gen_message message;
    struct gen_request request = world_chat(&message, "The word to say at the old mill behind the river is marigold.");
    request.max_tokens = 1;
    memset(longest, 's', LIMIT_LINK_SCOPE_BYTES);
    longest[LIMIT_LINK_SCOPE_BYTES] = '\0';
    memcpy(nearly, longest, sizeof(nearly));
    nearly[LIMIT_LINK_SCOPE_BYTES - 1] = 't';
    world_open(&world, &ENGINE_LLAMA, &options);
    (void)state;
    uint64_t job = 1;
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        assert_int_equal(cached_of(&world, job++, &request, "abc"), 0);
        assert_true(cached_of(&world, job++, &request, "abc") > 10);
        assert_int_equal(cached_of(&world, job++, &request, OTHERS[i]), 0);
    }
    assert_int_equal(cached_of(&world, job++, &request, ""), 0); /* nobody's is not somebody's */
    assert_int_equal(cached_of(&world, job++, &request, ""), 0);
    assert_int_equal(cached_of(&world, job++, &request, longest), 0);
    assert_true(cached_of(&world, job++, &request, longest) > 10);
    assert_int_equal(cached_of(&world, job++, &request, nearly), 0);
    world_close(&world);
}

/* With several slots a scope finds its own, and the others stay as they are. */
static void llama_finds_the_slot_of_a_scope(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    options.slots = 3;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "The word to say at the old mill behind the river is marigold.");
    request.max_tokens = 1;
    world_open(&world, &ENGINE_LLAMA, &options);
    (void)state;
    assert_int_equal(cached_of(&world, 1, &request, "one"), 0);
    assert_int_equal(cached_of(&world, 2, &request, "two"), 0);
    assert_int_equal(cached_of(&world, 3, &request, "three"), 0);
    assert_true(cached_of(&world, 4, &request, "two") > 10);
    assert_true(cached_of(&world, 5, &request, "one") > 10);
    assert_true(cached_of(&world, 6, &request, "three") > 10);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_keeps_scopes_apart),
        cmocka_unit_test(llama_finds_the_slot_of_a_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
