#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/llama_child/plan.h"

#define MIB (UINT64_C(1024) * 1024)
#define GIB (1024 * MIB)

/* About a 1 B model in 4 bits: 32 KiB of KV cache for a token. */
static struct plan_input small_model(uint64_t memory) {
    return (struct plan_input){.weights_bytes = 700 * MIB,
                               .scratch_bytes = 100 * MIB,
                               .kv_bytes_per_token = 32 * 1024,
                               .parameters = UINT64_C(1200000000),
                               .trained_context = 131072,
                               .memory_limit = memory};
}

static struct plan made(struct plan_input input) {
    struct plan plan = {0};
    struct err err = {0};
    if (!plan_make(&input, &plan, &err)) {
        fail_msg("%s", err.message);
    }
    uint64_t cache = (uint64_t)plan.slots * plan.context_length * input.kv_bytes_per_token;
    assert_true(input.weights_bytes + input.scratch_bytes + cache <= input.memory_limit);
    return plan;
}

static void uses_the_usual_contexts(void **state) {
    (void)state;
    struct plan plan = made(small_model(4 * GIB));
    assert_int_equal(plan.slots, 8);
    assert_int_equal(plan.context_length, 4096);
    struct plan_input input = small_model(16 * GIB);
    input.parameters = UINT64_C(3000000000);
    assert_int_equal(made(input).context_length, 2048 * 2); /* 1 GiB of cache is a sixteenth of the memory */
    input = small_model(3 * GIB);
    input.parameters = UINT64_C(7200000000);
    input.kv_bytes_per_token = 128 * 1024;
    assert_int_equal(made(input).context_length, 1024);
}

static void gives_slots_away_before_context(void **state) {
    (void)state;
    struct plan plan = made(small_model(800 * MIB + 2 * 128 * MIB + MIB));
    assert_int_equal(plan.slots, 2);
    assert_int_equal(plan.context_length, 4096);
    plan = made(small_model(800 * MIB + 70 * MIB));
    assert_int_equal(plan.slots, 1);
    assert_int_equal(plan.context_length, 2048); /* a multiple of 256 */
}

static void does_what_was_asked_for(void **state) {
    (void)state;
    struct plan_input input = small_model(8 * GIB);
    input.slots = 3;
    input.context_length = 1000;
    struct plan plan = made(input);
    assert_int_equal(plan.slots, 3);
    assert_int_equal(plan.context_length, 1000);
    input.trained_context = 512;
    assert_int_equal(made(input).context_length, 512);
    input = small_model(800 * MIB + 128 * MIB);
    input.slots = 4;
    plan = made(input);
    assert_int_equal(plan.slots, 4); /* asked-for slots share what there is */
    assert_int_equal(plan.context_length, 1024);
}

static void says_when_nothing_fits(void **state) {
    (void)state;
    struct plan plan;
    struct err err;
    struct plan_input input = small_model(800 * MIB);
    assert_false(plan_make(&input, &plan, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_string_equal(err.message, "the model needs at least 809 MiB of memory, 800 MiB are allowed");
    input = small_model(800 * MIB + 8 * MIB);
    assert_true(plan_make(&input, &plan, &err));
    assert_int_equal(plan.slots, 1);
    assert_int_equal(plan.context_length, 256);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uses_the_usual_contexts),
        cmocka_unit_test(gives_slots_away_before_context),
        cmocka_unit_test(does_what_was_asked_for),
        cmocka_unit_test(says_when_nothing_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
