/* Answers under a grammar: they keep to it however they are sampled, from the first token on and from the middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"
#include "support/gbnf_match.h"

#include <stdio.h>
#include <string.h>

/* {"name": "<word>", "size": <1 to 99>, "tags": [<a or b>, ...]} */
static const char *const GRAMMAR = "root ::= \"{\\\"name\\\": \\\"\" [a-z]{1,12} \"\\\", \\\"size\\\": \" [1-9] [0-9]? "
                                   "\", \\\"tags\\\": [\" tag (\", \" tag){0,2} \"]}\"\n"
                                   "tag ::= \"\\\"a\\\"\" | \"\\\"b\\\"\"\n";

static struct gen_request constrained(struct gen_message *message) {
    struct gen_request request = world_chat(message, "Tell me a story about the sea.");
    request.max_tokens = 120;
    request.grammar = str_from(GRAMMAR);
    request.seed_given = true;
    return request;
}

static void llama_keeps_to_a_grammar(void **state) {
    static const struct {
        double temperature, top_p, min_p, repeat_penalty;
        uint32_t top_k;
    } cases[] = {{0, 0.9, 0, 1, 40}, {0.7, 0.9, 0, 1, 40}, {2, 1, 0, 1, 0},  {2, 1, 0, 1.3, 1000},
                 {1, 0.1, 0, 1, 40}, {1, 1, 0.5, 1, 5},    {0, 0.9, 0, 2, 1}};
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = constrained(&message);
    world_open(&world, (const struct engine_ops *)*state, &options);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        request.temperature = cases[i].temperature;
        request.top_p = cases[i].top_p;
        request.min_p = cases[i].min_p;
        request.repeat_penalty = cases[i].repeat_penalty;
        request.top_k = cases[i].top_k;
        request.seed = i;
        const struct world_job *job = world_ask(&world, 1 + i, &request);
        assert_int_equal(job->dones, 1);
        assert_int_equal(job->done.finish, GEN_FINISH_STOP);
        if (!gbnf_matches(str_from(GRAMMAR), buf_str((struct buf *)&job->text))) {
            fail_msg("case %zu: %.*s", i, (int)job->text.len, job->text.data);
        }
    }
    world_close(&world);
}

/* Another device goes on wherever the first one was cut, also within a word, and the whole keeps to it. */
static void llama_goes_on_within_a_grammar(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = constrained(&message);
    char whole[512];
    world_open(&world, (const struct engine_ops *)*state, &options);
    request.temperature = 0;
    const struct world_job *first = world_ask(&world, 1, &request);
    const size_t length = first->text.len;
    assert_in_range(length, 20, 200);
    memcpy(whole, first->text.data, length);
    for (size_t cut = 1; cut < length; cut += 5) {
        char text[1024];
        request.continue_text = (struct str){whole, cut};
        const struct world_job *job = world_ask(&world, 2 + cut / 5, &request);
        assert_int_equal(job->dones, 1);
        snprintf(text, sizeof(text), "%.*s%.*s", (int)cut, whole, (int)job->text.len, job->text.data);
        if (!gbnf_matches(str_from(GRAMMAR), str_from(text))) {
            fail_msg("cut at %zu: %s", cut, text);
        }
    }
    world_close(&world);
}

/* One that cannot be read, and a text to continue that was never of it. */
static void llama_refuses_what_is_no_grammar(void **state) {
    static const char *const grammars[] = {"root ::= (", "no root ::= \"a\"\n", "root ::= missing\n"};
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = constrained(&message);
    world_open(&world, (const struct engine_ops *)*state, &options);
    for (size_t i = 0; i < COUNT_OF(grammars); i++) {
        request.grammar = str_from(grammars[i]);
        const struct world_job *job = world_ask(&world, 1 + i, &request);
        assert_int_equal(job->failures, 1);
        assert_int_equal(job->failure, GEN_FAILURE_BAD_REQUEST);
    }
    request.grammar = str_from(GRAMMAR);
    request.continue_text = STR("Once upon a time");
    assert_int_equal(world_ask(&world, 10, &request)->failures, 1);
    request.continue_text = STR("");
    assert_int_equal(world_ask(&world, 11, &request)->dones, 1); /* the engine lives */
    world_close(&world);
}

static int select_llama(void **state) {
    *state = (void *)(uintptr_t)&ENGINE_LLAMA;
    return 0;
}

int main(void) {
    const struct CMUnitTest llama[] = {cmocka_unit_test(llama_keeps_to_a_grammar),
                                       cmocka_unit_test(llama_goes_on_within_a_grammar),
                                       cmocka_unit_test(llama_refuses_what_is_no_grammar)};
    return cmocka_run_group_tests_name("llama", llama, select_llama, NULL);
}
