/* Sampling at the ends of its ranges, and many stop strings, for each engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"

#include <stdio.h>
#include <string.h>

static const char *const QUESTION = "Tell me a story about the sea.";

static struct gen_request question(struct gen_message *message) {
    struct gen_request request = world_chat(message, QUESTION);
    request.max_tokens = 24;
    request.seed_given = true;
    request.seed = 1;
    return request;
}

/* A temperature that is nearly none, and a min_p or top_p or top_k that leaves one token, are the likeliest tokens. */
static void the_ends_of_ranges_are_greedy(void **state) {
    static const struct {
        double temperature, top_p, min_p;
        uint32_t top_k;
    } cases[] = {{1e-300, 0.9, 0, 40}, {1e-45, 1, 0, 0}, {1e-38, 0.9, 0, 40}, {1e-20, 0.9, 0, 40}, {1e-6, 1, 0, 0},
                 {2, 1, 1, 0},         {2, 0, 0, 0},     {2, 1e-300, 0, 40},  {2, 1, 0, 1}};
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = question(&message);
    world_open(&world, (const struct engine_ops *)*state, &options);
    request.temperature = 0;
    const struct world_job *greedy = world_ask(&world, 1, &request);
    assert_int_equal(greedy->dones, 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        request.temperature = cases[i].temperature;
        request.top_p = cases[i].top_p;
        request.min_p = cases[i].min_p;
        request.top_k = cases[i].top_k;
        const struct world_job *job = world_ask(&world, 2 + i, &request);
        if (!str_equal(buf_str((struct buf *)&job->text), buf_str((struct buf *)&greedy->text))) {
            fail_msg("case %zu: \"%.*s\"", i, (int)job->text.len, job->text.data);
        }
    }
    world_close(&world);
}

/* min_p reaches the sampler: at a high temperature it brings back the answer that is sure of itself. */
static void llama_min_p_changes_an_answer(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = question(&message);
    world_open(&world, (const struct engine_ops *)*state, &options);
    request.temperature = 2;
    request.top_k = 0;
    request.top_p = 1;
    const struct world_job *wild = world_ask(&world, 1, &request);
    request.min_p = 0.5;
    const struct world_job *tame = world_ask(&world, 2, &request);
    assert_int_equal(wild->dones + tame->dones, 2);
    assert_false(str_equal(buf_str((struct buf *)&wild->text), buf_str((struct buf *)&tame->text)));
    world_close(&world);
}

/* The last one of as many as there may be. */
static void every_stop_string_counts(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = question(&message);
    char stops[LIMIT_STOP_STRINGS][16];
    world_open(&world, (const struct engine_ops *)*state, &options);
    request.temperature = 0;
    const struct world_job *whole = world_ask(&world, 1, &request);
    assert_true(whole->text.len > 8);
    for (size_t i = 0; i + 1 < LIMIT_STOP_STRINGS; i++) {
        snprintf(stops[i], sizeof(stops[i]), "<never %zu>", i);
        request.stop[i] = str_from(stops[i]);
    }
    request.stop[LIMIT_STOP_STRINGS - 1] = (struct str){whole->text.data + 5, 2};
    request.stop_count = LIMIT_STOP_STRINGS;
    const struct world_job *cut = world_ask(&world, 2, &request);
    assert_true(cut->text.len <= 5);
    assert_memory_equal(cut->text.data, whole->text.data, cut->text.len);
    assert_int_equal(cut->done.finish, GEN_FINISH_STOP);
    world_close(&world);
}

static int select_scripted(void **state) {
    *state = (void *)(uintptr_t)&ENGINE_SCRIPTED;
    return 0;
}

static int select_llama(void **state) {
    *state = (void *)(uintptr_t)&ENGINE_LLAMA;
    return 0;
}

int main(void) {
    const struct CMUnitTest scripted[] = {cmocka_unit_test(the_ends_of_ranges_are_greedy),
                                          cmocka_unit_test(every_stop_string_counts)};
    const struct CMUnitTest llama[] = {cmocka_unit_test(the_ends_of_ranges_are_greedy),
                                       cmocka_unit_test(llama_min_p_changes_an_answer),
                                       cmocka_unit_test(every_stop_string_counts)};
    int failed = cmocka_run_group_tests_name("scripted", scripted, select_scripted, NULL);
    return failed + cmocka_run_group_tests_name("llama", llama, select_llama, NULL);
}
