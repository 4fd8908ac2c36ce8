/* Answers that are kept for audits: whose prompts are kept, and whose are not. */
#include "gateway/audit_capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DEVICE = 7 };

static void begin(struct audit_captures *captures, uint64_t generation, uint64_t client) {
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("model");
    request.prompt = STR("a secret");
    audit_captures_begin(
        captures,
        &(struct audit_subject){.generation = generation, .provider = DEVICE, .client = client, .tells_ids = true},
        &request);
}

static void end(struct audit_captures *captures, uint64_t generation) {
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
        audit_captures_drop(&captures, generation);
    }
    assert_int_equal(captures.bytes, 0);
    begin(&captures, 1, 0);
    assert_int_equal(HASH_COUNT(captures.open), 1);
    audit_captures_clear(&captures);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_an_account_that_opted_out_nothing_is_kept),
        cmocka_unit_test(test_what_is_kept_already_is_forgotten),
        cmocka_unit_test(test_too_many_are_counted),
        cmocka_unit_test(test_what_all_take_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
