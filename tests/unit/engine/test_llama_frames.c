#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/llama_frames.h"

#include <math.h>
#include <string.h>

static void takes_what_was_appended(void **state) {
    (void)state;
    struct buf bytes;
    struct llama_frame frame;
    size_t used = 0;
    uint32_t tokens = 0;
    struct str text;
    buf_init(&bytes, 4096);
    const uint32_t ids[3] = {11, 22, 33};
    struct str id_bytes;
    llama_frame_append_delta(&bytes, 7, ids, 3, STR("three words here"));
    size_t first = bytes.len;
    llama_frame_append(&bytes, LLAMA_FRAME_CANCEL, UINT64_MAX, STR(""));
    for (size_t len = 0; len < first; len++) {
        assert_int_equal(llama_frame_take((struct str){bytes.data, len}, &frame, &used), LLAMA_FRAME_INCOMPLETE);
    }
    assert_int_equal(llama_frame_take(buf_str(&bytes), &frame, &used), LLAMA_FRAME_COMPLETE);
    assert_int_equal(used, first);
    assert_int_equal(frame.kind, LLAMA_FRAME_DELTA);
    assert_int_equal(frame.job, 7);
    assert_true(llama_frame_read_delta(frame.payload, &tokens, &id_bytes, &text));
    assert_int_equal(id_bytes.len, sizeof(ids));
    assert_memory_equal(id_bytes.data, ids, sizeof(ids));
    assert_int_equal(tokens, 3);
    assert_true(str_equal(text, STR("three words here")));
    struct str rest = {bytes.data + used, bytes.len - used};
    assert_int_equal(llama_frame_take(rest, &frame, &used), LLAMA_FRAME_COMPLETE);
    assert_int_equal(frame.kind, LLAMA_FRAME_CANCEL);
    assert_true(frame.job == UINT64_MAX);
    assert_int_equal(frame.payload.len, 0);
    buf_clear(&bytes);
}

static void tells_failures(void **state) {
    (void)state;
    struct buf bytes;
    struct llama_frame frame;
    size_t used = 0;
    enum gen_failure failure;
    struct str param, message;
    buf_init(&bytes, 4096);
    llama_frame_append_failed(&bytes, 9, GEN_FAILURE_CONTEXT_LENGTH, "messages", "too long");
    assert_int_equal(llama_frame_take(buf_str(&bytes), &frame, &used), LLAMA_FRAME_COMPLETE);
    assert_true(llama_frame_read_failed(frame.payload, &failure, &param, &message));
    assert_int_equal(failure, GEN_FAILURE_CONTEXT_LENGTH);
    assert_true(str_equal(param, STR("messages")));
    assert_true(str_equal(message, STR("too long")));
    assert_false(llama_frame_read_failed(STR("\x01"), &failure, &param, &message));
    assert_false(llama_frame_read_failed(STR("\x01\x09short"), &failure, &param, &message));
    assert_false(llama_frame_read_failed(STR("\x7f\x01p"), &failure, &param, &message));
    buf_clear(&bytes);
}

static void refuses_broken_frames(void **state) {
    (void)state;
    struct buf bytes;
    struct llama_frame frame;
    size_t used = 0;
    struct gen_done done;
    struct llama_ready ready;
    uint32_t number = 0;
    struct str text;
    buf_init(&bytes, 4096);
    llama_frame_append(&bytes, LLAMA_FRAME_DONE, 1, STR("x"));
    bytes.data[4] = 0;
    assert_int_equal(llama_frame_take(buf_str(&bytes), &frame, &used), LLAMA_FRAME_BROKEN);
    bytes.data[4] = LLAMA_FRAME_LOGPROBS + 1;
    assert_int_equal(llama_frame_take(buf_str(&bytes), &frame, &used), LLAMA_FRAME_BROKEN);
    bytes.data[4] = LLAMA_FRAME_DONE;
    uint32_t length = LLAMA_FRAME_MAX + 1;
    memcpy(bytes.data, &length, sizeof(length));
    assert_int_equal(llama_frame_take(buf_str(&bytes), &frame, &used), LLAMA_FRAME_BROKEN);
    length = 8; /* less than kind and job */
    memcpy(bytes.data, &length, sizeof(length));
    assert_int_equal(llama_frame_take(buf_str(&bytes), &frame, &used), LLAMA_FRAME_BROKEN);
    assert_false(llama_frame_read_done(STR("x"), &done));
    assert_false(llama_frame_read_ready(STR("x"), &ready));
    assert_false(llama_frame_read_u32(STR("abc"), &number, &text));
    buf_clear(&bytes);
}

/* The child has read a stranger's file: what it says of an answer is held against what a score can be. */
static void refuses_impossible_scores(void **state) {
    (void)state;
    struct gen_score score = {.tokens = 41, .near = 1, .far = 2, .spells = true, .ratios = {-0.5, 3, -2, 1}}, read;
    const struct str payload = {(const char *)&score, sizeof(score)};
    assert_true(llama_frame_read_score(payload, &read));
    assert_memory_equal(&read, &score, sizeof(score));
    assert_false(llama_frame_read_score((struct str){payload.data, payload.len - 1}, &read));
    const double impossible[] = {NAN, -NAN, INFINITY, -INFINITY, 1e9};
    for (size_t i = 0; i < COUNT_OF(impossible); i++) {
        score.ratios[i % GEN_RATIO_COUNT] = impossible[i];
        assert_false(llama_frame_read_score(payload, &read));
        score.ratios[i % GEN_RATIO_COUNT] = 0;
    }
    score.near = 40; /* and 2 far ones: more than there are */
    assert_false(llama_frame_read_score(payload, &read));
    score.near = 1;
    memset(&score.spells, 7, sizeof(score.spells)); /* no truth value */
    assert_false(llama_frame_read_score(payload, &read));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_was_appended),
        cmocka_unit_test(tells_failures),
        cmocka_unit_test(refuses_broken_frames),
        cmocka_unit_test(refuses_impossible_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
