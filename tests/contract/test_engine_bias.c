/* logit_bias, for each engine: tokens that may not come, tokens that must, and tokens that there are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"
#include "support/gbnf_match.h"

#include <string.h>

enum { ANSWER_TOKENS = 12 };

static struct gen_request question(struct gen_message *message) {
    struct gen_request request = world_chat(message, "Tell me a story about the sea.");
    request.max_tokens = ANSWER_TOKENS;
    return request;
}

static void open_world(struct engine_world *world, void **state) {
    struct engine_options options = world_options(WORLD_MODEL);
    world_open(world, (const struct engine_ops *)*state, &options);
}

static bool has_id(const struct world_job *job, uint32_t id) {
    for (uint32_t i = 0; i < job->delta_tokens && i < WORLD_IDS; i++) {
        if (job->ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* One after another of what is said is forbidden: each time something else comes. */
static void what_is_forbidden_does_not_come(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    struct gen_bias biases[8];
    open_world(&world, state);
    const struct world_job *job = world_ask(&world, 1, &request);
    for (size_t i = 0; i < COUNT_OF(biases); i++) {
        assert_int_equal(job->dones, 1);
        biases[i] = (struct gen_bias){.token = job->ids[0], .bias = -GEN_BIAS_MAX};
        request.biases = biases;
        request.bias_count = i + 1;
        job = world_ask(&world, 2 + i, &request);
        for (size_t k = 0; k <= i; k++) {
            assert_false(has_id(job, biases[k].token));
        }
        assert_true(job->text.len > 0);
    }
    world_close(&world);
}

/* The same token again and again, whatever the sampling. */
static void what_must_come_comes(void **state) {
    static const struct {
        double temperature, top_p, repeat_penalty;
        uint32_t top_k;
    } cases[] = {{0, 0.9, 1, 40}, {0.7, 0.9, 1, 40}, {2, 1, 1, 0}, {1, 0.5, 1.3, 5}};
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    open_world(&world, state);
    const struct world_job *plain = world_ask(&world, 1, &request);
    const struct gen_bias bias = {.token = plain->ids[2], .bias = GEN_BIAS_MAX};
    request.biases = &bias;
    request.bias_count = 1;
    request.seed_given = true;
    request.seed = 3;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        request.temperature = cases[i].temperature;
        request.top_p = cases[i].top_p;
        request.repeat_penalty = cases[i].repeat_penalty;
        request.top_k = cases[i].top_k;
        const struct world_job *job = world_ask(&world, 2 + i, &request);
        assert_int_equal(job->dones, 1);
        assert_true(job->delta_tokens >= 4);
        uint32_t same = 0;
        for (uint32_t k = 0; k < job->delta_tokens; k++) {
            same += job->ids[k] == bias.token;
        }
        assert_true(same + 1 >= job->delta_tokens); /* a word has another number where a text begins */
    }
    world_close(&world);
}

/* Another device goes on where the first one was cut as if nothing had happened. */
static void goes_on_under_the_same_biases(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    open_world(&world, state);
    const struct world_job *plain = world_ask(&world, 1, &request);
    const struct gen_bias biases[] = {{plain->ids[1], -GEN_BIAS_MAX}, {plain->ids[4], -GEN_BIAS_MAX}};
    request.biases = biases;
    request.bias_count = COUNT_OF(biases);
    const struct world_job *whole = world_ask(&world, 2, &request);
    assert_true(whole->deltas > 4);
    for (uint32_t cut = 1; cut < 4; cut++) {
        const size_t length = whole->after[cut].length;
        request.continue_text = (struct str){whole->text.data, length};
        request.max_tokens = ANSWER_TOKENS - whole->after[cut].tokens;
        const struct world_job *rest = world_ask(&world, 3 + cut, &request);
        assert_int_equal(rest->text.len, whole->text.len - length);
        assert_memory_equal(rest->text.data, whole->text.data + length, rest->text.len);
    }
    world_close(&world);
}

static void a_token_that_is_none_is_the_clients_fault(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    struct gen_bias bias = {.token = INT32_MAX - 1, .bias = -1};
    request.biases = &bias;
    request.bias_count = 1;
    open_world(&world, state);
    const struct world_job *job = world_ask(&world, 1, &request);
    assert_int_equal(job->failures, 1);
    assert_int_equal(job->failure, GEN_FAILURE_BAD_REQUEST);
    assert_string_equal(job->param, "logit_bias");
    request.bias_count = 0;
    assert_int_equal(world_ask(&world, 2, &request)->dones, 1); /* the engine lives */
    world_close(&world);
}

/* Control tokens have no text: they may be forbidden, but no answer is made of them. The end may be asked for. */
static void llama_answers_are_not_made_of_nothing(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    struct gen_bias bias = {.bias = GEN_BIAS_MAX};
    uint32_t refused = 0, ended = 0;
    open_world(&world, state);
    request.biases = &bias;
    request.bias_count = 1;
    for (uint32_t i = 0; i < 8; i++) { /* where most vocabularies have theirs */
        bias = (struct gen_bias){.token = i, .bias = GEN_BIAS_MAX};
        const struct world_job *job = world_ask(&world, 1 + 2 * i, &request);
        refused += job->failures;
        ended += job->dones > 0 && job->text.len == 0;
        assert_true(job->failures > 0 || job->text.len > 0 || job->done.usage.completion_tokens == 0);
        bias.bias = -GEN_BIAS_MAX;
        assert_int_equal(world_ask(&world, 2 + 2 * i, &request)->dones, 1);
    }
    assert_true(refused > 0 && ended > 0);
    world_close(&world);
}

/* A grammar goes before a bias: what it does not allow does not come. */
static void llama_biases_within_a_grammar(void **state) {
    static const char *const GRAMMAR = "root ::= [a-z ]{4,40} \".\"\n";
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    open_world(&world, state);
    request.max_tokens = 60;
    request.grammar = str_from(GRAMMAR);
    const struct world_job *plain = world_ask(&world, 1, &request);
    const struct gen_bias bias = {.token = plain->ids[0], .bias = -GEN_BIAS_MAX};
    request.biases = &bias;
    request.bias_count = 1;
    const struct world_job *job = world_ask(&world, 2, &request);
    assert_int_equal(job->dones, 1);
    assert_false(has_id(job, bias.token));
    assert_true(gbnf_matches(str_from(GRAMMAR), buf_str((struct buf *)&job->text)));
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
    const struct CMUnitTest scripted[] = {
        cmocka_unit_test(what_is_forbidden_does_not_come), cmocka_unit_test(what_must_come_comes),
        cmocka_unit_test(goes_on_under_the_same_biases), cmocka_unit_test(a_token_that_is_none_is_the_clients_fault)};
    const struct CMUnitTest llama[] = {cmocka_unit_test(what_is_forbidden_does_not_come),
                                       cmocka_unit_test(what_must_come_comes),
                                       cmocka_unit_test(goes_on_under_the_same_biases),
                                       cmocka_unit_test(a_token_that_is_none_is_the_clients_fault),
                                       cmocka_unit_test(llama_answers_are_not_made_of_nothing),
                                       cmocka_unit_test(llama_biases_within_a_grammar)};
    const int failed = cmocka_run_group_tests_name("scripted", scripted, select_scripted, NULL);
    return failed + cmocka_run_group_tests_name("llama", llama, select_llama, NULL);
}
