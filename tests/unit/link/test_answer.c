/* What goes from one version to the other; the messages themselves are in tests/vectors/link.json. */
#include "link/answer.h"
#include "link/message.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PLAIN_OVERHEAD = 4 }; /* of a plain delta in version 2, over version 1 */

/* Version 1 has three words for how a job finished; what a newer provider knows beside them counts as stop there. */
static void test_finish_for_version_1(void **state) {
    (void)state;
    for (int i = LINK_FINISH_OTHER; i <= LINK_FINISH_CONTENT_FILTER; i++) {
        const enum link_finish finish = (enum link_finish)i;
        const bool known =
            finish == LINK_FINISH_STOP || finish == LINK_FINISH_LENGTH || finish == LINK_FINISH_CANCELLED;
        const enum link_finish told = link_finish_for(LINK_VERSION_1, finish);
        assert_int_equal(told, known ? finish : LINK_FINISH_STOP);
        assert_int_equal(link_finish_for(LINK_VERSION_2, finish), finish);
        assert_int_equal(link_finish_from_number((uint8_t)finish), finish);
    }
    assert_int_equal(link_finish_from_number(6), LINK_FINISH_OTHER);
    assert_int_equal(link_finish_from_number(255), LINK_FINISH_OTHER);
}

static void test_finish_of_a_generation(void **state) {
    (void)state;
    for (int i = GEN_FINISH_STOP; i <= GEN_FINISH_CANCELLED; i++) {
        const enum gen_finish finish = (enum gen_finish)i;
        assert_string_equal(link_finish_name(link_finish_from_generation(finish)), gen_finish_name(finish));
    }
}

/* The word belongs to OTHER alone: a device that sets it beside a finish that has a name says the name. */
static void test_word_without_other(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 256);
    const struct link_done done = {.job = 7, .finish = LINK_FINISH_STOP, .finish_word = STR("bored")};
    link_encode_done(&out, LINK_VERSION_2, &done);
    assert_int_equal(out.len, LINK_DONE_SIZE);
    buf_clear(&out);
}

/* Which stop string has ended a job is told behind the signature, or the byte that says that there is none; a peer that
 * does not know it sends the same bytes as ever. */
static void test_stop_strings(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) {
        const bool signs = (i & 1) != 0, told = (i & 2) != 0, has_word = (i & 4) != 0;
        struct link_done done = {.job = 7,
                                 .finish = has_word ? LINK_FINISH_OTHER : LINK_FINISH_STOP,
                                 .finish_word = has_word ? STR("bored") : STR(""),
                                 .stop = told ? 16 : 0,
                                 .has_claim = signs};
        struct link_done taken = {0};
        struct buf out;
        struct err err;
        buf_init(&out, 256);
        link_encode_done(&out, LINK_VERSION_2, &done);
        const size_t plain = LINK_DONE_SIZE + done.finish_word.len + (signs ? LINK_CLAIM_SIZE : 0);
        assert_int_equal(out.len, plain + (told ? (signs ? 1 : 2) : 0));
        assert_true(link_take_done(buf_str(&out), &taken, &err));
        assert_int_equal(taken.stop, done.stop);
        assert_int_equal(taken.has_claim, signs);
        /* A signature that was cut is none, and its bytes are no number. */
        for (size_t len = LINK_DONE_SIZE + done.finish_word.len; signs && len < plain; len++) {
            assert_true(link_take_done((struct str){out.data, len}, &taken, &err));
            assert_int_equal(taken.stop, 0);
        }
        buf_clear(&out);
    }
}

static void test_plain_delta_costs_little(void **state) {
    (void)state;
    struct buf one, two;
    struct link_message message;
    struct err err;
    const struct link_delta delta = {.job = 7, .tokens = 1, .text = STR("hello"), .parts = STR("")};
    buf_init(&one, 256);
    buf_init(&two, 256);
    link_encode_delta(&one, LINK_VERSION_1, &delta);
    link_encode_delta(&two, LINK_VERSION_2, &delta);
    assert_int_equal(two.len, one.len + PLAIN_OVERHEAD);
    assert_true(link_decode_binary(LINK_VERSION_2, buf_str(&two), &message, &err));
    assert_ptr_equal(message.delta.text.data, two.data + two.len - delta.text.len); /* not copied */
    buf_clear(&one);
    buf_clear(&two);
}

static void test_text_of_version_1_is_bounded(void **state) {
    (void)state;
    static char big[LINK_DELTA_HEAD + LIMIT_DELTA_BYTES + 1] = "\x01\0\x01\0\0\0\0\0\0\0\x07";
    struct link_message message;
    struct err err;
    memset(big + LINK_DELTA_HEAD, 'x', LIMIT_DELTA_BYTES + 1);
    assert_true(link_decode_binary(LINK_VERSION_1, (struct str){big, sizeof(big) - 1}, &message, &err));
    assert_false(link_decode_binary(LINK_VERSION_1, (struct str){big, sizeof(big)}, &message, &err));
    assert_string_equal(err.field, "text");
}

static void test_full_buffer(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, LINK_ACCEPT_SIZE - 1);
    link_encode_accept(&out, LINK_VERSION_2, &(struct link_accept){.job = 1});
    assert_true(out.overflow);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finish_for_version_1),
        cmocka_unit_test(test_finish_of_a_generation),
        cmocka_unit_test(test_stop_strings),
        cmocka_unit_test(test_word_without_other),
        cmocka_unit_test(test_plain_delta_costs_little),
        cmocka_unit_test(test_text_of_version_1_is_bounded),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
