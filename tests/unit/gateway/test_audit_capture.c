/* Answers that are kept for audits: whose prompts are kept, and whose are not. */
#include "gateway/audit_capture.h"
#include "link/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DEVICE = 7 };

static void begin_with(struct audit_captures *captures, uint64_t generation, uint64_t client, bool given) {
    struct gen_request request;
    gen_request_init(&request);
    request.max_tokens_given = given;
    request.model = STR("model");
    request.prompt = STR("a secret");
    audit_captures_begin(
        captures,
        &(struct audit_subject){
            .generation = generation, .provider = DEVICE, .client = client, .tells_ids = true, .length_tokens_min = 40},
        &request, 1);
}

static void begin(struct audit_captures *captures, uint64_t generation, uint64_t client) {
    begin_with(captures, generation, client, false);
}

static void begin_given(struct audit_captures *captures, uint64_t generation) {
    begin_with(captures, generation, 0, true);
}

/* A delta of so many tokens with as many ids. */
static void say(struct audit_captures *captures, uint64_t generation, struct str text, uint32_t tokens) {
    uint32_t *ids = calloc(tokens + 1, sizeof(*ids));
    struct buf parts;
    assert_non_null(ids);
    buf_init(&parts, SIZE_MAX);
    link_parts_add_token_ids(&parts, ids, tokens);
    audit_captures_delta(
        captures, DEVICE,
        &(struct link_delta){.job = generation, .text = text, .tokens = tokens, .parts = buf_str(&parts)});
    buf_clear(&parts);
    free(ids);
}

static void end(struct audit_captures *captures, uint64_t generation) {
    say(captures, generation, STR("text"), 2);
    audit_captures_done(captures, DEVICE, generation, LINK_FINISH_STOP, 1);
}

static void test_of_an_account_that_opted_out_nothing_is_kept(void **state) {
    (void)state;
    struct audit_captures captures = {0};
    audit_captures_set_unaudited(&captures, 5, true);
    audit_captures_set_unaudited(&captures, 5, true); /* again */
    begin(&captures, 1, 5);
    begin(&captures, 2, 6);
    begin(&captures, 3, 0); /* a made-up prompt */
    assert_int_equal(HASH_COUNT(captures.open), 2);
    for (uint64_t generation = 1; generation <= 3; generation++) {
        end(&captures, generation);
    }
    assert_int_equal(captures.ready_count, 2);
    assert_int_equal(captures.ready->subject.client, 6);
    assert_int_equal(captures.ready->next->subject.client, 0);
    audit_captures_set_unaudited(&captures, 5, false);
    audit_captures_set_unaudited(&captures, 5, false);
    begin(&captures, 4, 5);
    assert_int_equal(HASH_COUNT(captures.open), 1);
    audit_captures_clear(&captures);
}

static void test_what_is_kept_already_is_forgotten(void **state) {
    (void)state;
    struct audit_captures captures = {0};
    for (uint64_t generation = 1; generation <= 6; generation++) {
        begin(&captures, generation, generation % 2 == 0 ? 5 : 6);
    }
    for (uint64_t generation = 1; generation <= 4; generation++) {
        end(&captures, generation);
    }
    captures.ready->next->asked = 1; /* a scorer has number 2 already */
    audit_captures_set_unaudited(&captures, 9, true);
    audit_captures_set_unaudited(&captures, 5, true);
    end(&captures, 5);
    end(&captures, 6);
    assert_int_equal(captures.ready_count, 4); /* 1, 2, 3 and 5 */
    assert_int_equal(captures.ready->subject.generation, 1);
    assert_false(captures.ready->given_up);
    assert_int_equal(captures.ready->next->subject.generation, 2);
    assert_true(captures.ready->next->given_up); /* and nobody else gets it */
    assert_int_equal(captures.ready->next->next->subject.generation, 3);
    audit_captures_clear(&captures);
}

/* More than anybody could score: the oldest go, but for those that a scorer has. */
static void test_too_many_are_counted(void **state) {
    (void)state;
    struct audit_captures captures = {0};
    uint64_t generation = 1;
    for (; captures.dropped == 0 && generation < 10000; generation++) {
        begin(&captures, generation, 0);
        end(&captures, generation);
        captures.ready->asked = 1;
    }
    assert_int_equal(captures.dropped, 1);
    assert_int_equal(captures.ready_count, generation - 2);
    assert_int_equal(captures.ready->subject.generation, 1);
    assert_int_equal(captures.ready->next->subject.generation, 3);
    audit_captures_clear(&captures);
}

/* Long answers fill the memory there is before there are too many of them, and give it back. */
static void test_what_all_take_is_bounded(void **state) {
    enum { LONG = 250 * 1024, MIB = 1024 * 1024 };
    (void)state;
    struct audit_captures captures = {0};
    char *text = calloc(1, LONG);
    uint64_t generation = 1;
    assert_non_null(text);
    for (; captures.dropped == 0 && generation < 10000; generation++) {
        const struct link_delta delta = {.job = generation, .text = {text, LONG}};
        begin(&captures, generation, 0);
        audit_captures_delta(&captures, DEVICE, &delta);
    }
    assert_in_range(captures.bytes, 128 * MIB, 129 * MIB);
    assert_in_range(generation, 400, 600);
    for (; generation > 0; generation--) {
        audit_captures_end(&captures, generation, 1);
    }
    while (captures.ready != NULL) {
        audit_captures_forget(&captures, captures.ready);
    }
    assert_int_equal(captures.bytes, 0);
    begin(&captures, 1, 0);
    assert_int_equal(HASH_COUNT(captures.open), 1);
    audit_captures_clear(&captures);
    free(text);
}

/* The one that is complete; it is forgotten. */
static struct gen_answer take(struct audit_captures *captures, bool *contradicts) {
    assert_int_equal(captures->ready_count, 1);
    const struct gen_answer answer = audit_capture_answer(captures->ready);
    *contradicts = captures->ready->contradicts;
    audit_captures_forget(captures, captures->ready);
    return answer;
}

/* A device is paid for what it has delivered, however it ended: none of these is a way out. */
static void test_however_it_ends_it_is_kept(void **state) {
    static const enum link_finish finishes[] = {LINK_FINISH_OTHER, LINK_FINISH_TOOL_CALLS, LINK_FINISH_CONTENT_FILTER,
                                                LINK_FINISH_CANCELLED};
    (void)state;
    struct audit_captures captures = {0};
    bool contradicts = true;
    for (size_t i = 0; i < sizeof(finishes) / sizeof(finishes[0]); i++) {
        begin(&captures, 1, 0);
        say(&captures, 1, STR("some words"), 3);
        audit_captures_done(&captures, DEVICE, 1, finishes[i], 5);
        const struct gen_answer answer = take(&captures, &contradicts);
        assert_int_equal(answer.finish, finishes[i] == LINK_FINISH_CANCELLED ? GEN_FINISH_CANCELLED : GEN_FINISH_STOP);
        assert_int_equal(answer.count, 3);
        assert_false(contradicts);
    }
    begin(&captures, 1, 0);
    say(&captures, 1, STR("some words"), 3);
    begin(&captures, 1, 0); /* it failed, and another device goes on */
    say(&captures, 1, STR("and more"), 2);
    assert_int_equal(take(&captures, &contradicts).count, 3);
    audit_captures_end(&captures, 1, 5); /* its client has gone */
    const struct gen_answer broken_off = take(&captures, &contradicts);
    assert_int_equal(broken_off.count, 2);
    assert_int_equal(broken_off.finish, GEN_FINISH_CANCELLED);
    assert_false(contradicts);
    begin(&captures, 1, 0);
    audit_captures_end(&captures, 1, 5); /* nothing was said */
    assert_int_equal(captures.ready_count + HASH_COUNT(captures.open), 0);
    audit_captures_clear(&captures);
}

/* The gateway cuts it off, and pays for max_tokens. */
static void test_more_than_was_asked_for_contradicts(void **state) {
    (void)state;
    struct audit_captures captures = {0};
    bool contradicts = false;
    begin(&captures, 1, 0);
    say(&captures, 1, STR("many words"), 257);
    audit_captures_end(&captures, 1, 5);
    (void)take(&captures, &contradicts);
    assert_true(contradicts);
    begin(&captures, 1, 0);
    say(&captures, 1, STR("many words"), LIMIT_SCORE_TOKENS + 1); /* more than is kept */
    audit_captures_done(&captures, DEVICE, 1, LINK_FINISH_STOP, 5);
    (void)take(&captures, &contradicts);
    assert_true(contradicts);
    audit_captures_clear(&captures);
}

/* Else a scorer would refuse it, and nothing would be found. */
static void test_ids_that_no_model_has_contradict(void **state) {
    (void)state;
    struct audit_captures captures = {0};
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t ids[] = {7, (uint32_t)INT32_MAX + i};
        struct buf parts;
        bool contradicts = false;
        buf_init(&parts, SIZE_MAX);
        link_parts_add_token_ids(&parts, ids, 2);
        begin(&captures, 1, 0);
        audit_captures_delta(
            &captures, DEVICE,
            &(struct link_delta){.job = 1, .text = STR("some words"), .tokens = 2, .parts = buf_str(&parts)});
        audit_captures_done(&captures, DEVICE, 1, LINK_FINISH_STOP, 5);
        (void)take(&captures, &contradicts);
        assert_int_equal(contradicts, i > 0);
        buf_clear(&parts);
    }
    audit_captures_clear(&captures);
}

/* Of one that is longer than what is kept the beginning is scored, with whole deltas, and no end. */
static void test_of_long_ones_the_beginning_is_kept(void **state) {
    enum { LONG = 200 * 1024 };
    (void)state;
    struct audit_captures captures = {0};
    char *text = calloc(1, LONG);
    bool contradicts = true;
    assert_non_null(text);
    begin(&captures, 1, 0);
    say(&captures, 1, (struct str){text, LONG}, 100);
    say(&captures, 1, (struct str){text, LONG}, 100);
    say(&captures, 1, STR("no more"), 2);
    audit_captures_done(&captures, DEVICE, 1, LINK_FINISH_STOP, 5);
    assert_int_equal(captures.ready->text.len, LONG);
    const struct gen_answer answer = take(&captures, &contradicts);
    assert_int_equal(answer.count, 100);
    assert_int_equal(answer.finish, GEN_FINISH_CANCELLED);
    assert_false(contradicts);
    audit_captures_clear(&captures);
    free(text);
}

/* 256 tokens are the default, which may be cut to what the context leaves: 40 at least. Up to 3 are not told, when the
 * end has cut a character. */
static void test_a_length_that_no_context_explains_contradicts(void **state) {
    (void)state;
    struct audit_captures captures = {0};
    bool contradicts = true;
    for (uint32_t tokens = 36; tokens <= 37; tokens++) {
        begin(&captures, 1, 0);
        say(&captures, 1, STR("some words"), tokens);
        audit_captures_done(&captures, DEVICE, 1, LINK_FINISH_LENGTH, 5);
        (void)take(&captures, &contradicts);
        assert_int_equal(contradicts, tokens < 37);
    }
    for (uint32_t tokens = 252; tokens <= 253; tokens++) {
        begin_given(&captures, 1);
        say(&captures, 1, STR("some words"), tokens);
        audit_captures_done(&captures, DEVICE, 1, LINK_FINISH_LENGTH, 5);
        (void)take(&captures, &contradicts);
        assert_int_equal(contradicts, tokens < 253);
    }
    audit_captures_clear(&captures);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_an_account_that_opted_out_nothing_is_kept),
        cmocka_unit_test(test_what_is_kept_already_is_forgotten),
        cmocka_unit_test(test_too_many_are_counted),
        cmocka_unit_test(test_what_all_take_is_bounded),
        cmocka_unit_test(test_however_it_ends_it_is_kept),
        cmocka_unit_test(test_more_than_was_asked_for_contradicts),
        cmocka_unit_test(test_ids_that_no_model_has_contradict),
        cmocka_unit_test(test_of_long_ones_the_beginning_is_kept),
        cmocka_unit_test(test_a_length_that_no_context_explains_contradicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
