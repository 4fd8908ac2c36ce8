/* Heads of days: signed when they change, whoever asks how often. */
#include "api/receipt_heads.h"

#include "store/receipts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t KEY[ED25519_KEY_SIZE] = {7};

static struct receipt_head head_of(int64_t day, int64_t count) {
    struct receipt_head head = {.day = day, .count = count};
    memset(head.hash, (int)count, sizeof(head.hash));
    return head;
}

static const struct receipt_head_file *take(struct receipt_heads *heads, int64_t asked, int64_t day, int64_t count,
                                            uint64_t now_ms) {
    const struct receipt_head head = head_of(day, count);
    const struct receipt_head_file *file = receipt_heads_take(heads, KEY, asked, &head, now_ms);
    struct receipt_signature made;
    receipt_head_sign(KEY, &file->head, &made);
    assert_memory_equal(made.signature, file->gateway.signature, sizeof(made.signature));
    return file;
}

static void test_an_old_day_is_signed_once(void **state) {
    struct receipt_heads heads = {0};
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(take(&heads, 5, 5, 9, i * 10)->head.count, 9);
    }
    assert_int_equal(heads.signatures, 1);
    assert_null(receipt_heads_find(&heads, 6, 0));
    receipt_heads_clear(&heads);
}

/* Today's changes with every answer: it is told as it was for a second, also to those who asked before it was there. */
static void test_today_is_signed_once_in_a_second(void **state) {
    struct receipt_heads heads = {0};
    (void)state;
    assert_null(receipt_heads_find(&heads, STORE_RECEIPTS_NEWEST, 0));
    (void)take(&heads, STORE_RECEIPTS_NEWEST, 5, 1, 100);
    assert_int_equal(receipt_heads_find(&heads, STORE_RECEIPTS_NEWEST, 1099)->head.count, 1);
    assert_int_equal(receipt_heads_find(&heads, 5, 1099)->head.count, 1);
    assert_int_equal(take(&heads, 5, 5, 2, 1099)->head.count, 1);
    assert_int_equal(heads.signatures, 1);
    assert_null(receipt_heads_find(&heads, STORE_RECEIPTS_NEWEST, 1100));
    assert_null(receipt_heads_find(&heads, 5, 1100));
    assert_int_equal(take(&heads, 5, 5, 2, 1100)->head.count, 2);
    assert_int_equal(take(&heads, STORE_RECEIPTS_NEWEST, 6, 1, 1150)->head.day, 6);
    assert_int_equal(receipt_heads_find(&heads, STORE_RECEIPTS_NEWEST, 1200)->head.day, 6);
    assert_int_equal(receipt_heads_find(&heads, 5, 1200)->head.count, 2);
    assert_int_equal(heads.signatures, 3);
    receipt_heads_clear(&heads);
}

/* A clock that was set back begins a day anew: of the same count, but another one. */
static void test_another_head_of_the_same_count(void **state) {
    struct receipt_heads heads = {0};
    struct receipt_head head = head_of(5, 2);
    (void)state;
    (void)receipt_heads_take(&heads, KEY, 5, &head, 0);
    head.hash[3] ^= 1;
    assert_memory_equal(receipt_heads_take(&heads, KEY, 5, &head, RECEIPT_HEADS_FRESH_MS)->head.hash, head.hash,
                        sizeof(head.hash));
    assert_int_equal(heads.signatures, 2);
    receipt_heads_clear(&heads);
}

static void test_so_many_days_and_no_more(void **state) {
    struct receipt_heads heads = {0};
    (void)state;
    for (int64_t day = 0; day <= RECEIPT_HEADS_MAX; day++) {
        const struct receipt_head head = head_of(day, 1);
        assert_int_equal(receipt_heads_take(&heads, KEY, day, &head, 0)->head.day, day);
    }
    assert_int_equal(heads.count, RECEIPT_HEADS_MAX);
    assert_null(receipt_heads_find(&heads, 0, 0)); /* the oldest one */
    for (int64_t day = 1; day <= RECEIPT_HEADS_MAX; day++) {
        assert_int_equal(receipt_heads_find(&heads, day, 0)->head.day, day);
    }
    assert_int_equal(take(&heads, 0, 0, 1, 0)->head.day, 0); /* one that is older still takes the oldest one's place */
    assert_null(receipt_heads_find(&heads, 1, 0));
    assert_int_equal(receipt_heads_find(&heads, 2, 0)->head.day, 2);
    receipt_heads_clear(&heads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_old_day_is_signed_once),
        cmocka_unit_test(test_today_is_signed_once_in_a_second),
        cmocka_unit_test(test_another_head_of_the_same_count),
        cmocka_unit_test(test_so_many_days_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
