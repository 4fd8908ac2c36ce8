/* Answers that are scored: ids of tokens come with the text, and tell an engine whether the answer is its model's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"

enum { SCORED = 30 };

static struct gen_request question(struct gen_message *message, const char *text) {
    struct gen_request request = world_chat(message, text);
    request.max_tokens = 48;
    request.max_tokens_given = true;
    return request;
}

static void open_world(struct engine_world *world, void **state) {
    struct engine_options options = world_options(WORLD_MODEL);
    world_open(world, (const struct engine_ops *)*state, &options);
}

static void tokens_have_ids_that_spell_the_text(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    open_world(&world, state);
    const struct world_job *job = world_ask(&world, 1, &request);
    assert_true(job->delta_tokens > 4);
    assert_int_equal(job->delta_tokens, job->done.usage.completion_tokens);
    const struct gen_answer answer = world_answer(job);
    const struct world_job *scored = world_score(&world, SCORED, &request, &answer);
    assert_int_equal(scored->scores, 1);
    assert_true(scored->score.spells);
    const bool stopped = job->done.finish == GEN_FINISH_STOP;
    assert_int_equal(scored->score.tokens, job->delta_tokens + (stopped ? 1 : 0));
    world_close(&world);
}

/* Its own answers, also at a temperature: what came has a likelihood, and none of it comes from elsewhere. */
static void own_answers_are_not_far(void **state) {
    static const double temperatures[] = {0.0, 0.7, 1.2};
    struct engine_world world;
    struct gen_message message;
    open_world(&world, state);
    double far = 0;
    for (size_t i = 0; i < COUNT_OF(temperatures); i++) {
        struct gen_request request = question(&message, "Hello, who are you?");
        request.temperature = temperatures[i];
        request.repeat_penalty = i == 1 ? 1.1 : 1.0;
        request.presence_penalty = i == 1 ? 0.2 : 0.0;
        const struct world_job *job = world_ask(&world, i + 1, &request);
        const struct gen_answer answer = world_answer(job);
        const struct world_job *scored = world_score(&world, SCORED + i, &request, &answer);
        assert_int_equal(scored->scores, 1);
        assert_int_equal(scored->score.far, 0);
        assert_true(scored->score.ratios[GEN_RATIO_FAR] < 0);
        assert_true(scored->score.ratios[GEN_RATIO_FLATTER] < 8);
        far += scored->score.ratios[GEN_RATIO_FAR];
    }
    assert_true(far < 0);
    world_close(&world);
}

/* An answer to another question, one that is cut, and one that goes on behind its end. */
static void other_answers_are_far(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    open_world(&world, state);
    const struct world_job *other = world_ask(&world, 1, &request);
    struct gen_answer answer = world_answer(other);
    request = question(&message, "What is 2 plus 2?");
    const struct world_job *replayed = world_score(&world, SCORED, &request, &answer);
    assert_int_equal(replayed->scores, 1);
    assert_true(replayed->score.far > 0);
    assert_true(replayed->score.ratios[GEN_RATIO_FAR] > 4);
    world_close(&world);
}

static void an_answer_that_was_cut_is_far_at_its_end(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    request.max_tokens = 6;
    open_world(&world, state);
    const struct world_job *job = world_ask(&world, 1, &request);
    assert_int_equal(job->done.finish, GEN_FINISH_LENGTH);
    struct gen_answer answer = world_answer(job);
    const struct world_job *honest = world_score(&world, SCORED, &request, &answer);
    assert_int_equal(honest->score.far, 0);
    assert_int_equal(honest->score.tokens, 6);
    answer.finish = GEN_FINISH_STOP;
    const struct world_job *cut = world_score(&world, SCORED + 1, &request, &answer);
    assert_int_equal(cut->score.tokens, 7);
    assert_int_equal(cut->score.far, 1);
    world_close(&world);
}

static void ids_that_do_not_spell_the_text_are_told(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Hello, who are you?");
    open_world(&world, state);
    const struct world_job *job = world_ask(&world, 1, &request);
    struct gen_answer answer = world_answer(job);
    answer.text.len--;
    assert_false(world_score(&world, SCORED, &request, &answer)->score.spells);
    answer = world_answer(job);
    answer.count--;
    assert_false(world_score(&world, SCORED + 1, &request, &answer)->score.spells);
    const uint32_t beyond[] = {UINT32_C(0x7FFFFFFF)};
    answer = (struct gen_answer){.ids = beyond, .count = 1, .text = STR("x"), .finish = GEN_FINISH_STOP};
    assert_false(world_score(&world, SCORED + 2, &request, &answer)->score.spells);
    assert_int_equal(world.jobs[SCORED + 2].score.tokens, 0);
    world_close(&world);
}

/* Whatever stands where a stop string stopped is scored but for the last token. */
static void stop_strings_leave_the_end_out(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    open_world(&world, state);
    const struct world_job *whole = world_ask(&world, 1, &request);
    char stop[3] = {whole->text.data[whole->text.len / 2], whole->text.data[whole->text.len / 2 + 1], '\0'};
    request.stop[0] = str_from(stop);
    request.stop_count = 1;
    const struct world_job *job = world_ask(&world, 2, &request);
    assert_int_equal(job->done.finish, GEN_FINISH_STOP);
    struct gen_answer answer = world_answer(job);
    const struct world_job *scored = world_score(&world, SCORED, &request, &answer);
    assert_true(scored->score.spells);
    assert_int_equal(scored->score.far, 0);
    assert_in_range(scored->score.tokens, answer.count > 0 ? answer.count - 1 : 0, answer.count);
    world_close(&world);
}

/* A stop string that a token of its own completes: no text comes with that, so its id is not told. What is there is
 * scored, and no end. */
static void a_stop_string_of_its_own_token_leaves_no_trace(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    open_world(&world, state);
    const struct world_job *whole = world_ask(&world, 1, &request);
    for (uint64_t i = 0; i < 8; i++) {
        char stop[2] = {whole->text.data[(i + 1) * whole->text.len / 10], '\0'};
        request.stop[0] = str_from(stop);
        request.stop_count = 1;
        const struct world_job *job = world_ask(&world, 2 + i, &request);
        const struct gen_answer answer = world_answer(job);
        const struct world_job *scored = world_score(&world, SCORED + i, &request, &answer);
        assert_true(scored->score.spells);
        assert_int_equal(scored->score.far, 0);
        assert_in_range(scored->score.tokens, answer.count > 0 ? answer.count - 1 : 0, answer.count);
    }
    world_close(&world);
}

/* What came of an answer whose device was lost is scored without an end, also when its last words have not come. */
static void an_answer_that_was_broken_off_has_no_end(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    request.max_tokens = 12;
    open_world(&world, state);
    const struct world_job *job = world_ask(&world, 1, &request);
    struct gen_answer answer = world_answer(job);
    answer.finish = GEN_FINISH_CANCELLED;
    const struct world_job *whole = world_score(&world, SCORED, &request, &answer);
    assert_true(whole->score.spells);
    assert_int_equal(whole->score.tokens, 12);
    assert_int_equal(whole->score.far, 0);
    answer.text.len--;
    assert_true(world_score(&world, SCORED + 1, &request, &answer)->score.spells);
    answer.text = STR("something else");
    assert_false(world_score(&world, SCORED + 2, &request, &answer)->score.spells);
    world_close(&world);
}

/* Jobs come first, and both end. */
static void scores_and_jobs_run_beside_each_other(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    open_world(&world, state);
    struct gen_answer answer = world_answer(world_ask(&world, 1, &request));
    for (uint64_t i = 0; i < 3; i++) {
        world.ops->score(world.engine, SCORED + i, &request, &answer);
        world.ops->submit(world.engine, 2 + i, &request);
    }
    world_run_until(&world, world_ended, world.ended + 6);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(world.jobs[SCORED + i].scores, 1);
        assert_int_equal(world.jobs[SCORED + i].score.far, 0);
        assert_int_equal(world.jobs[SCORED + i].score.tokens, world.jobs[SCORED].score.tokens);
        assert_int_equal(world.jobs[2 + i].dones, 1);
        assert_int_equal(world.jobs[2 + i].text.len, answer.text.len);
    }
    world_close(&world);
}

static void a_score_can_be_cancelled(void **state) {
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = question(&message, "Tell me a story about the sea.");
    open_world(&world, state);
    struct gen_answer answer = world_answer(world_ask(&world, 1, &request));
    for (uint64_t i = 0; i < 4; i++) {
        world.ops->score(world.engine, SCORED + i, &request, &answer);
    }
    world.ops->cancel(world.engine, SCORED + 3);
    world_run_until(&world, world_ended, world.ended + 4);
    const struct world_job *last = &world.jobs[SCORED + 3];
    assert_int_equal(last->dones + last->scores, 1);
    assert_true(last->scores == 1 || last->done.finish == GEN_FINISH_CANCELLED);
    assert_int_equal(world.jobs[SCORED].scores, 1);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_have_ids_that_spell_the_text),
        cmocka_unit_test(own_answers_are_not_far),
        cmocka_unit_test(other_answers_are_far),
        cmocka_unit_test(an_answer_that_was_cut_is_far_at_its_end),
        cmocka_unit_test(ids_that_do_not_spell_the_text_are_told),
        cmocka_unit_test(stop_strings_leave_the_end_out),
        cmocka_unit_test(an_answer_that_was_broken_off_has_no_end),
        cmocka_unit_test(scores_and_jobs_run_beside_each_other),
        cmocka_unit_test(a_score_can_be_cancelled),
    };
    const struct CMUnitTest of_models[] = {
        cmocka_unit_test(a_stop_string_of_its_own_token_leaves_no_trace),
    };
    int failed = cmocka_run_group_tests_name("scripted", tests, select_scripted, NULL);
    failed += cmocka_run_group_tests_name("llama", tests, select_llama, NULL);
    return failed + cmocka_run_group_tests_name("models", of_models, select_llama, NULL);
}
