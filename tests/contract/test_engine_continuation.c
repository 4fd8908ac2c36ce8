/* An answer that one device began and another goes on with: with no seam, wherever it was cut. On each engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "support/engine_world.h"

#include <stdlib.h>
#include <string.h>

enum { CUTS_MAX = 40 };

static const struct engine_ops *ops_of(void **state) {
    return (const struct engine_ops *)*state;
}

static void check_text(const struct world_job *whole, size_t cut, const struct world_job *rest) {
    struct buf text;
    buf_init(&text, 1024 * 1024);
    buf_append(&text, whole->text.data, cut);
    buf_append_str(&text, buf_str(&rest->text));
    if (!str_equal(buf_str(&text), buf_str((struct buf *)&whole->text))) {
        fail_msg("cut at %zu: \"%.*s\" and \"%.*s\" instead of \"%.*s\"", cut, (int)cut, whole->text.data,
                 (int)rest->text.len, rest->text.data, (int)whole->text.len, whole->text.data);
    }
    assert_true(utf8_valid(rest->text.data, rest->text.len));
    buf_clear(&text);
}

/* Cuts the answer after each delta (of long answers, after some) and has it continued. The tokens add up. */
static void check_cuts(struct engine_world *world, const struct gen_request *asked) {
    struct gen_request request = *asked;
    struct world_job *whole = world_ask(world, 1, &request);
    assert_int_equal(whole->dones, 1);
    assert_true(whole->deltas > 2 && whole->deltas < WORLD_DELTAS);
    uint32_t step = 1 + whole->deltas / CUTS_MAX;
    uint64_t id = 2;
    /* What stands before a stop string comes in one write with the end: nobody has to continue it. */
    uint32_t count = whole->deltas - (asked->stop_count > 0);
    for (uint32_t i = 0; i < count; i += step, id++) {
        uint32_t before = whole->after[i].tokens;
        if (before >= asked->max_tokens) {
            break; /* nothing is left to ask for */
        }
        request.continue_text = (struct str){whole->text.data, whole->after[i].length};
        request.max_tokens = asked->max_tokens - before;
        struct world_job *rest = world_ask(world, id, &request);
        if (rest->failures > 0) {
            fail_msg("failed: %s", rest->message);
        }
        check_text(whole, whole->after[i].length, rest);
        assert_int_equal(rest->done.finish, whole->done.finish);
        assert_int_equal(rest->prompt_tokens, whole->prompt_tokens);
        assert_int_equal(rest->done.usage.prompt_tokens, whole->prompt_tokens);
        assert_true(rest->done.usage.cached_tokens <= whole->prompt_tokens);
        assert_int_equal(before + rest->done.usage.completion_tokens, whole->done.usage.completion_tokens);
    }
    assert_true(id > 3);
}

static void continues_at_every_token(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    world_open(&world, ops_of(state), &options);
    check_cuts(&world, &request);
    world_close(&world);
}

static void keeps_max_tokens(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    request.max_tokens = 9;
    request.max_tokens_given = true;
    world_open(&world, ops_of(state), &options);
    check_cuts(&world, &request);
    assert_int_equal(world.jobs[2].done.finish, GEN_FINISH_LENGTH);
    world_close(&world);
}

/* The stop string lies across tokens, so the lost device had held its beginning back, and delivered none of it. */
static void keeps_stop_strings(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    world_open(&world, ops_of(state), &options);
    struct world_job *whole = world_ask(&world, 50, &request);
    uint32_t at = whole->deltas / 2;
    size_t start = whole->after[at].length - 2;
    request.stop[0] = (struct str){mem_strndup(whole->text.data + start, 5), 5};
    request.stop_count = 1;
    check_cuts(&world, &request);
    assert_true(world.jobs[1].text.len <= start);
    assert_int_equal(world.jobs[1].done.finish, GEN_FINISH_STOP);
    free((void *)request.stop[0].data);
    world_close(&world);
}

static void continues_plain_prompts(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "");
    request.message_count = 0;
    request.prompt = STR("The weather is");
    request.max_tokens = 12;
    world_open(&world, ops_of(state), &options);
    check_cuts(&world, &request);
    world_close(&world);
}

/* scripted only */

static void scripted_cuts_inside_words(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request =
        world_chat(&message, "[[script text=\"Gr\xc3\xbc\xc3\x9f"
                             "e \xe2\x80\x94 aus K\xc3\xb6ln \xf0\x9f\x99\x82 three END four\"]]");
    request.stop[0] = STR("three END");
    request.stop_count = 1;
    world_open(&world, ops_of(state), &options);
    check_cuts(&world, &request);
    request.stop_count = 0;
    struct world_job *whole = world_ask(&world, 20, &request);
    uint64_t id = 21;
    for (size_t cut = 1; cut <= whole->text.len; cut++) {
        if (utf8_valid(whole->text.data, cut)) {
            request.continue_text = (struct str){whole->text.data, cut};
            check_text(whole, cut, world_ask(&world, id++, &request));
        }
    }
    world_close(&world);
}

/* Nothing is left: the answer ends at once, and what was delivered stands. */
static void assert_full(const struct world_job *job) {
    assert_int_equal(job->accepts, 1);
    assert_int_equal(job->dones, 1);
    assert_int_equal(job->done.finish, GEN_FINISH_LENGTH);
    assert_int_equal(job->done.usage.completion_tokens, 0);
    assert_int_equal(job->text.len, 0);
    assert_true(job->prompt_tokens > 0 && job->prompt_tokens < 256);
}

static void scripted_ends_when_the_context_is_full(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "[[script tokens=1000]]");
    options.context_length = 256;
    request.max_tokens = 1000;
    world_open(&world, ops_of(state), &options);
    struct world_job *whole = world_ask(&world, 1, &request);
    assert_int_equal(whole->done.finish, GEN_FINISH_LENGTH);
    request.continue_text = buf_str(&whole->text);
    request.max_tokens_given = true;
    assert_full(world_ask(&world, 2, &request));
    world_close(&world);
}

/* llama only */

static void llama_ends_when_the_context_is_full(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello");
    enum { WORD = 6, MOST = 20000 };
    char *text = mem_alloc(WORD * MOST);
    for (size_t i = 0; i < MOST; i++) {
        memcpy(text + WORD * i, "hello ", WORD);
    }
    options.context_length = 256;
    world_open(&world, ops_of(state), &options);
    request.max_tokens_given = true;
    request.continue_text = (struct str){text, WORD * 300}; /* a little too much */
    assert_full(world_ask(&world, 1, &request));
    request.continue_text.len = WORD * MOST; /* so much that it is not even counted */
    assert_full(world_ask(&world, 2, &request));
    request.continue_text.len = 0; /* and the slots are as good as before */
    request.max_tokens = 20;
    assert_true(world_ask(&world, 3, &request)->text.len > 0);
    world_close(&world);
    free(text);
}

/* The penalties look back over the seam: without that the words that they keep out would come again. */
static void llama_keeps_penalties(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Tell me something about water.");
    request.frequency_penalty = 1.5;
    request.presence_penalty = 1.0;
    request.repeat_penalty = 1.3;
    request.max_tokens = 40;
    world_open(&world, ops_of(state), &options);
    check_cuts(&world, &request);
    world_close(&world);
}

/* The device that goes on may have the conversation's prefix in a slot, and then reads less. */
static void llama_uses_its_cache(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    request.scope = STR("mine");
    world_open(&world, ops_of(state), &options);
    struct world_job *whole = world_ask(&world, 1, &request);
    request.continue_text = (struct str){whole->text.data, whole->after[2].length};
    struct world_job *rest = world_ask(&world, 2, &request);
    assert_int_equal(rest->done.usage.cached_tokens, whole->prompt_tokens);
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

#define CONTRACT                                                                                                       \
    cmocka_unit_test(continues_at_every_token), cmocka_unit_test(keeps_max_tokens),                                    \
        cmocka_unit_test(keeps_stop_strings), cmocka_unit_test(continues_plain_prompts)

int main(void) {
    const struct CMUnitTest scripted[] = {CONTRACT, cmocka_unit_test(scripted_cuts_inside_words),
                                          cmocka_unit_test(scripted_ends_when_the_context_is_full)};
    const struct CMUnitTest llama[] = {CONTRACT, cmocka_unit_test(llama_keeps_penalties),
                                       cmocka_unit_test(llama_uses_its_cache),
                                       cmocka_unit_test(llama_ends_when_the_context_is_full)};
    int failed = cmocka_run_group_tests_name("scripted", scripted, select_scripted, NULL);
    return failed + cmocka_run_group_tests_name("llama", llama, select_llama, NULL);
}
