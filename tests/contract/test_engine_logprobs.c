/* Log-probabilities, for each engine: one for each token, that say what the model held likely. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"
#include "wire/logprobs.h"

#include <math.h>
#include <string.h>

enum { TOP = 5 };

static struct gen_request question(struct gen_message *message) {
    struct gen_request request = world_chat(message, "Tell me a story about the sea.");
    request.max_tokens = 24;
    request.logprobs = true;
    request.top_logprobs = TOP;
    return request;
}

static void open_world(struct engine_world *world, void **state) {
    struct engine_options options = world_options(WORLD_MODEL);
    world_open(world, (const struct engine_ops *)*state, &options);
}

static void check_token(const struct gen_token_logprobs *token, uint32_t top) {
    double sum = 0;
    assert_int_equal(token->other_count, top);
    for (size_t i = 0; i < token->other_count; i++) {
        assert_true(token->others[i].logprob <= 0);
        assert_true(i == 0 || token->others[i].logprob <= token->others[i - 1].logprob);
        sum += exp((double)token->others[i].logprob);
        assert_true(token->others[i].id != token->taken.id ||
                    token->others[i].logprob == token->taken.logprob); /* it is one of them */
    }
    assert_true(sum <= 1.0001);
}

/* What all tokens of a job spell, joined. */
static void check_job(const struct world_job *job, uint32_t top, bool greedy) {
    struct gen_token_logprobs token;
    struct str rest = buf_str((struct buf *)&job->logprobs);
    struct buf spelled;
    uint32_t count = 0;
    buf_init(&spelled, 1 << 16);
    assert_int_equal(job->dones, 1);
    for (; gen_logprobs_next(&rest, &token); count++) {
        check_token(&token, top);
        assert_int_equal(token.taken.id, job->ids[count]);
        assert_true(!greedy || top == 0 || token.taken.id == token.others[0].id);
        buf_append_str(&spelled, token.taken.bytes);
    }
    assert_int_equal(rest.len, 0);
    assert_int_equal(count, job->delta_tokens);
    assert_true(spelled.len >= job->text.len);
    assert_memory_equal(spelled.data, job->text.data, job->text.len);
    buf_clear(&spelled);
}

static void every_token_has_its_own(void **state) {
    static const uint32_t tops[] = {0, 1, TOP, LIMIT_LOGPROB_OTHERS};
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    open_world(&world, state);
    for (size_t i = 0; i < COUNT_OF(tops); i++) {
        request.top_logprobs = tops[i];
        request.stream = i % 2 == 0;
        const struct world_job *job = world_ask(&world, 1 + i, &request);
        check_job(job, tops[i], true);
        assert_int_equal(job->done.usage.completion_tokens, job->delta_tokens);
    }
    world_close(&world);
}

/* A job that asks for none gets none. */
static void nobody_asks(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    open_world(&world, state);
    request.logprobs = false;
    assert_int_equal(world_ask(&world, 1, &request)->logprobs.len, 0);
    world_close(&world);
}

/* Stop strings hold text back, and the tokens with it. */
static void held_back_with_the_text(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    open_world(&world, state);
    const struct world_job *whole = world_ask(&world, 1, &request);
    for (size_t start = 1; start + 4 < whole->text.len && start < 40; start += 3) {
        request.stop[0] = (struct str){whole->text.data + start, 4};
        request.stop_count = 1;
        check_job(world_ask(&world, 2 + start, &request), TOP, true);
    }
    world_close(&world);
}

/* They are the model's own, whatever is asked for: the same token is as likely under each sampling. */
static void of_the_model_and_not_of_the_sampling(void **state) {
    static const struct {
        double temperature, top_p, min_p, repeat_penalty;
        uint32_t top_k;
    } cases[] = {{2, 1, 0, 1, 0}, {0.5, 0.5, 0, 1.5, 3}, {1, 1, 0.9, 1, 40}};
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    struct gen_token_logprobs plain, other;
    open_world(&world, state);
    request.max_tokens = 1;
    request.seed_given = true;
    struct str first = buf_str(&world_ask(&world, 1, &request)->logprobs);
    assert_true(gen_logprobs_next(&first, &plain));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        request.temperature = cases[i].temperature;
        request.top_p = cases[i].top_p;
        request.min_p = cases[i].min_p;
        request.repeat_penalty = cases[i].repeat_penalty;
        request.top_k = cases[i].top_k;
        struct str text = buf_str(&world_ask(&world, 2 + i, &request)->logprobs);
        assert_true(gen_logprobs_next(&text, &other));
        for (size_t k = 0; k < TOP; k++) {
            assert_int_equal(other.others[k].id, plain.others[k].id);
            assert_true(fabs((double)other.others[k].logprob - (double)plain.others[k].logprob) < 1e-3);
        }
    }
    const struct gen_bias bias = {.token = plain.taken.id, .bias = -GEN_BIAS_MAX};
    request.biases = &bias;
    request.bias_count = 1;
    struct str text = buf_str(&world_ask(&world, 9, &request)->logprobs);
    assert_true(gen_logprobs_next(&text, &other));
    assert_int_not_equal(other.taken.id, plain.taken.id);
    assert_int_equal(other.others[0].id, plain.taken.id);
    assert_true(other.taken.logprob < other.others[0].logprob);
    world_close(&world);
}

/* Under a grammar the token that comes may be none of the likely ones. */
static void llama_under_a_grammar(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message);
    open_world(&world, state);
    request.grammar = STR("root ::= [0-9]{6}\n");
    const struct world_job *job = world_ask(&world, 1, &request);
    check_job(job, TOP, false);
    assert_int_equal(job->text.len, 6);
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
    const struct CMUnitTest scripted[] = {cmocka_unit_test(every_token_has_its_own), cmocka_unit_test(nobody_asks),
                                          cmocka_unit_test(held_back_with_the_text),
                                          cmocka_unit_test(of_the_model_and_not_of_the_sampling)};
    const struct CMUnitTest llama[] = {cmocka_unit_test(every_token_has_its_own), cmocka_unit_test(nobody_asks),
                                       cmocka_unit_test(held_back_with_the_text),
                                       cmocka_unit_test(of_the_model_and_not_of_the_sampling),
                                       cmocka_unit_test(llama_under_a_grammar)};
    const int failed = cmocka_run_group_tests_name("scripted", scripted, select_scripted, NULL);
    return failed + cmocka_run_group_tests_name("llama", llama, select_llama, NULL);
}
