/* Receipts: chained in the order of their settlements, whichever group these were in; and every damage is found. */
#include "store/receipts.h"

#include "store/accounts.h"
#include "store/admin.h"
#include "store/generations.h"
#include "store/ledger.h"
#include "support/store_fixture.h"

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define FIRST_MS (INT64_C(20787) * DAY_MS)

static void make(const struct store_generation *job, struct buf *bytes) {
    struct receipt receipt = {.id = str_from(job->id),
                              .account_id = str_from(job->account_id),
                              .model = str_from(job->model),
                              .purpose = STR("request"),
                              .outcome = STR("completed"),
                              .created_ms = job->created_ms,
                              .request_of = STR("body"),
                              .prompt_tokens = job->prompt_tokens,
                              .completion_tokens = job->completion_tokens,
                              .charge_nano = job->charge_nano};
    buf_init(bytes, RECEIPT_FILE_BYTES);
    receipt_write_bytes(&receipt, bytes);
}

static void on_settled(void *context, const struct err *err) {
    int *settled = context;
    assert_null(err);
    ++*settled;
}

static void settle(struct store_fixture *fixture, uint32_t number, int64_t at_ms, int *settled) {
    struct store_settlement settlement = {.generation = store_fixture_job(number), .receipt_salt = {7}};
    struct buf bytes;
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.created_ms = at_ms;
    settlement.generation.latency_ms = 0;
    make(&settlement.generation, &bytes);
    settlement.receipt = buf_str(&bytes);
    store_settle(fixture->store, &settlement, on_settled, settled);
    buf_clear(&bytes);
}

static void turn(struct store_fixture *fixture) {
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

struct told {
    enum err_code code;
    struct store_receipt receipt;
    uint8_t hash[DIGEST_SHA256_SIZE], leaf[DIGEST_SHA256_SIZE];
    bool salted;
};

static void on_receipt(void *context, const struct store_receipt *receipt, const struct err *err) {
    struct told *told = context;
    told->code = err != NULL ? err->code : ERR_NONE;
    if (receipt != NULL) {
        told->receipt = *receipt;
        told->salted = store_receipt_has_salt(receipt);
        receipt_hash(&receipt->link, receipt->bytes, told->hash);
        digest_sha256(receipt->bytes.data, receipt->bytes.len, told->leaf);
    }
}

static struct told read_one(struct store_fixture *fixture, const char *account_id, uint32_t number) {
    struct told told = {.code = ERR_INTERNAL};
    store_receipt_read(fixture->store, account_id, store_fixture_job(number).id, on_receipt, &told);
    turn(fixture);
    return told;
}

static void on_head(void *context, const struct receipt_head *head, const struct err *err) {
    struct receipt_head *out = context;
    *out = err == NULL ? *head : (struct receipt_head){.count = -(int64_t)err->code};
}

static struct receipt_head head_of(struct store_fixture *fixture, int64_t day) {
    struct receipt_head head;
    store_receipt_head(fixture->store, day, on_head, &head);
    turn(fixture);
    return head;
}

static void on_problem(void *context, const char *text) {
    (void)text;
    ++*(int *)context;
}

static int problems(struct store_fixture *fixture, int64_t receipts) {
    struct store_ledger_report report;
    int count = 0;
    store_fixture_reopen(fixture);
    assert_true(store_ledger_check(fixture->store, on_problem, &count, &report, &fixture->err));
    assert_int_equal(report.receipts, receipts);
    return count;
}

static void one_follows_from_the_other(void **state) {
    struct store_fixture *fixture = *state;
    int settled = 0;
    store_fixture_start(fixture);
    for (uint32_t i = 0; i < 20; i++) { /* in groups of one and of many */
        settle(fixture, i, FIRST_MS + i, &settled);
        if (i < 3) {
            turn(fixture);
        }
    }
    turn(fixture);
    assert_int_equal(settled, 20);
    uint8_t hash[DIGEST_SHA256_SIZE] = {0};
    for (uint32_t i = 0; i < 20; i++) {
        const struct told told = read_one(fixture, "acct_1", i);
        assert_true(told.receipt.kept);
        assert_true(told.salted);
        assert_int_equal(told.receipt.link.day, 20787);
        assert_int_equal(told.receipt.link.place, i + 1);
        assert_memory_equal(told.receipt.link.previous, hash, sizeof(hash));
        memcpy(hash, told.hash, sizeof(hash));
    }
    const struct receipt_head head = head_of(fixture, STORE_RECEIPTS_NEWEST);
    assert_int_equal(head.count, 20);
    assert_memory_equal(head.hash, hash, sizeof(hash));
    assert_int_equal(problems(fixture, 20), 0);
}

static void a_day_goes_on_from_the_one_before(void **state) {
    struct store_fixture *fixture = *state;
    int settled = 0;
    store_fixture_start(fixture);
    settle(fixture, 0, FIRST_MS + DAY_MS - 1, &settled);
    settle(fixture, 1, FIRST_MS + DAY_MS, &settled);
    settle(fixture, 2, FIRST_MS + DAY_MS - 1, &settled); /* late */
    turn(fixture);
    const struct told first = read_one(fixture, "acct_1", 0), second = read_one(fixture, "acct_1", 1);
    const struct told third = read_one(fixture, "acct_1", 2);
    assert_int_equal(second.receipt.link.place, 1);
    assert_memory_equal(second.receipt.link.previous, first.hash, sizeof(first.hash));
    assert_int_equal(third.receipt.link.day, 20788);
    assert_int_equal(head_of(fixture, 20787).count, 1);
    assert_memory_equal(head_of(fixture, 20787).hash, first.hash, sizeof(first.hash));
    assert_int_equal(head_of(fixture, 20788).count, 2);
    assert_int_equal(head_of(fixture, 20786).count, -(int64_t)ERR_NOT_FOUND);
    store_fixture_reopen(fixture); /* and from the file */
    store_fixture_start(fixture);
    settle(fixture, 3, FIRST_MS - 30 * DAY_MS, &settled); /* the clock was wrong until now */
    turn(fixture);
    const struct told fourth = read_one(fixture, "acct_1", 3);
    assert_int_equal(fourth.receipt.link.day, 20757);
    assert_memory_equal(fourth.receipt.link.previous, third.hash, sizeof(third.hash));
    assert_int_equal(head_of(fixture, STORE_RECEIPTS_NEWEST).day, 20757);
    assert_int_equal(problems(fixture, 4), 0);
}

struct leaves {
    size_t count;
    uint8_t first[DIGEST_SHA256_SIZE];
};

static void on_leaves(void *context, const struct store_receipt_leaves *leaves, const struct err *err) {
    struct leaves *out = context;
    assert_null(err);
    out->count = leaves->count;
    if (leaves->count > 0) {
        memcpy(out->first, leaves->items[0], sizeof(out->first));
    }
}

static struct leaves leaves_of(struct store_fixture *fixture, int64_t day, int64_t after, unsigned limit) {
    struct leaves leaves = {0};
    store_receipt_leaves(fixture->store, day, after, limit, on_leaves, &leaves);
    turn(fixture);
    return leaves;
}

/* The day's row is written for every few hundred receipts: what it does not know yet is no less there. */
static void the_row_of_a_day_may_be_behind(void **state) {
    enum { RECEIPTS = 600, REOPENED_AT = 280 };
    struct store_fixture *fixture = *state;
    uint8_t hash[DIGEST_SHA256_SIZE] = {0};
    int settled = 0;
    store_fixture_start(fixture);
    for (uint32_t i = 0; i < RECEIPTS; i++) {
        settle(fixture, i, FIRST_MS + i, &settled);
        if (i % 50 == 7) {
            turn(fixture);
        }
        if (i == REOPENED_AT) {
            turn(fixture);
            assert_int_equal(head_of(fixture, 20787).count, REOPENED_AT + 1);
            assert_int_equal(problems(fixture, REOPENED_AT + 1), 0);
            store_fixture_start(fixture);
        }
    }
    turn(fixture);
    const struct told last = read_one(fixture, "acct_1", RECEIPTS - 1);
    assert_int_equal(last.receipt.link.place, RECEIPTS);
    memcpy(hash, last.hash, sizeof(hash));
    assert_memory_equal(head_of(fixture, 20787).hash, hash, sizeof(hash));
    assert_int_equal(leaves_of(fixture, 20787, RECEIPTS - 3, 9).count, 3);
    settle(fixture, RECEIPTS, FIRST_MS + DAY_MS, &settled); /* the day is over: its row knows all of it */
    turn(fixture);
    assert_int_equal(head_of(fixture, 20787).count, RECEIPTS);
    assert_memory_equal(head_of(fixture, 20787).hash, hash, sizeof(hash));
    assert_int_equal(problems(fixture, RECEIPTS + 1), 0);
}

static void others_see_none(void **state) {
    struct store_fixture *fixture = *state;
    int settled = 0;
    const struct store_generation failed = store_fixture_job(1);
    struct store_account other = store_fixture_account("acct_2", false);
    assert_true(store_account_add(fixture->store, &other, &fixture->err));
    store_fixture_start(fixture);
    settle(fixture, 0, FIRST_MS, &settled);
    store_fixture_settle(fixture->store, &failed, NULL, NULL);
    turn(fixture);
    assert_int_equal(read_one(fixture, "acct_2", 0).code, ERR_NOT_FOUND);
    assert_int_equal(read_one(fixture, "acct_1", 2).code, ERR_NOT_FOUND);
    assert_int_equal(read_one(fixture, "acct_1", 1).code, ERR_NONE);
    assert_false(read_one(fixture, "acct_1", 1).receipt.kept);
}

static void the_way_to_the_head_is_told(void **state) {
    struct store_fixture *fixture = *state;
    int settled = 0;
    store_fixture_start(fixture);
    for (uint32_t i = 0; i < 10; i++) {
        const struct store_generation failed = store_fixture_job(100 + i); /* numbers and places part */
        settle(fixture, i, FIRST_MS + (i < 4 ? 0 : DAY_MS), &settled);
        store_fixture_settle(fixture->store, &failed, NULL, NULL);
    }
    turn(fixture);
    assert_int_equal(leaves_of(fixture, 20787, 0, 100).count, 4);
    assert_int_equal(leaves_of(fixture, 20788, 0, 100).count, 6);
    assert_int_equal(leaves_of(fixture, 20788, 0, 4).count, 4);
    assert_int_equal(leaves_of(fixture, 20788, 4, 4).count, 2);
    assert_int_equal(leaves_of(fixture, 20788, 6, 4).count, 0);
    assert_int_equal(leaves_of(fixture, 20789, 0, 4).count, 0);
    const struct leaves behind = leaves_of(fixture, 20788, 4, 4);
    assert_memory_equal(behind.first, read_one(fixture, "acct_1", 8).leaf, DIGEST_SHA256_SIZE);
}

static void on_rolled(void *context, int64_t next, const struct err *err) {
    (void)context;
    (void)next;
    assert_null(err);
}

static void what_is_rolled_up_leaves_its_head(void **state) {
    struct store_fixture *fixture = *state;
    int settled = 0;
    store_fixture_start(fixture);
    for (uint32_t i = 0; i < 6; i++) {
        settle(fixture, i, FIRST_MS + i * DAY_MS / 3, &settled);
    }
    turn(fixture);
    const struct receipt_head head = head_of(fixture, 20787);
    const struct store_roll_up step = {.before_ms = FIRST_MS + DAY_MS / 3 + 1, .now_ms = FIRST_MS + 9 * DAY_MS};
    store_generations_roll_up(fixture->store, &step, on_rolled, NULL);
    turn(fixture);
    assert_int_equal(read_one(fixture, "acct_1", 0).code, ERR_NOT_FOUND);
    assert_true(read_one(fixture, "acct_1", 2).receipt.kept);
    assert_memory_equal(head_of(fixture, 20787).hash, head.hash, sizeof(head.hash));
    assert_int_equal(leaves_of(fixture, 20787, 0, 9).count, 0); /* nobody is led over the gap */
    assert_int_equal(leaves_of(fixture, 20787, 2, 9).count, 1);
    assert_int_equal(problems(fixture, 4), 0);
}

/* Whoever has the file can take the lock off, too. */
#define UNLOCK "DROP TRIGGER receipts_no_update; "

static void every_damage_is_found(void **state) {
    static const char *const DAMAGES[] = {
        "UPDATE generations SET charge_nano = charge_nano + 1, provider_nano = 0 WHERE number = 3",
        "UPDATE generations SET prompt_tokens = prompt_tokens + 1 WHERE number = 3",
        "UPDATE receipt_days SET head = randomblob(32) WHERE number = 1",
        "UPDATE receipt_days SET head = randomblob(32) WHERE number = 2",
        "UPDATE receipt_days SET count = count + 1 WHERE number = 2",
        "UPDATE receipt_days SET count = count - 1 WHERE number = 2",
        UNLOCK "UPDATE generations SET receipt_day = NULL, receipt_place = NULL, receipt = NULL WHERE number = 3",
        UNLOCK "UPDATE generations SET receipt_day = NULL, receipt_place = NULL, receipt = NULL WHERE number = 6",
        UNLOCK "UPDATE generations SET receipt_day = NULL, receipt_place = NULL, receipt = NULL WHERE number = 7",
        UNLOCK "UPDATE generations SET receipt_day = NULL, receipt_place = NULL, receipt = NULL WHERE number = 8",
        UNLOCK
        "UPDATE generations SET receipt = CAST(substr(receipt, 1, 60) || randomblob(32) || substr(receipt, 93) AS"
        " BLOB) WHERE number = 7",
        UNLOCK "UPDATE generations SET receipt_day = 99 WHERE number = 6",
        UNLOCK
        "UPDATE generations SET receipt = CAST(substr(receipt, 1, 16) || randomblob(32) || substr(receipt, 49) AS"
        " BLOB) WHERE number = 3",
        UNLOCK "UPDATE generations SET receipt_place = receipt_place + 1 WHERE number = 3",
        UNLOCK "UPDATE generations SET receipt = CAST(receipt || x'00' AS BLOB) WHERE number = 3",
        UNLOCK "UPDATE generations SET receipt = substr(receipt, 1, 40) WHERE number = 6",
        UNLOCK "UPDATE generations SET receipt = (SELECT receipt FROM generations WHERE number = 4) WHERE number = 3",
        UNLOCK "UPDATE generations SET receipt_day = receipt_day - 1, receipt_place = 5 WHERE number = 5",
        "UPDATE generations SET model = model || 'x' WHERE number = 3",
        "UPDATE generations SET created_ms = created_ms + 1 WHERE number = 3",
        "UPDATE receipt_days SET last_generation = 4 WHERE number = 2",
    };
    for (size_t i = 0; i < COUNT_OF(DAMAGES); i++) {
        struct store_fixture *fixture;
        void *own;
        int settled = 0;
        store_fixture_setup_client(&own);
        fixture = own;
        store_fixture_start(fixture);
        for (uint32_t n = 0; n < 6; n++) {
            settle(fixture, n, FIRST_MS + (n < 4 ? 0 : DAY_MS), &settled);
        }
        turn(fixture);
        for (uint32_t n = 6; n < 8; n++) { /* the day's row knows nothing of these yet */
            settle(fixture, n, FIRST_MS + DAY_MS, &settled);
        }
        turn(fixture);
        store_fixture_close(fixture);
        store_backend()->change(fixture->path, DAMAGES[i]);
        store_fixture_open(fixture);
        struct store_ledger_report report;
        int count = 0;
        assert_true(store_ledger_check(fixture->store, on_problem, &count, &report, &fixture->err));
        if (count == 0) {
            fail_msg("not found: %s", DAMAGES[i]);
        }
        store_fixture_teardown(&own);
    }
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_follows_from_the_other, store_fixture_setup_client, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(a_day_goes_on_from_the_one_before, store_fixture_setup_client,
                                        store_fixture_teardown),
        cmocka_unit_test_setup_teardown(the_row_of_a_day_may_be_behind, store_fixture_setup_client,
                                        store_fixture_teardown),
        cmocka_unit_test_setup_teardown(others_see_none, store_fixture_setup_client, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(the_way_to_the_head_is_told, store_fixture_setup_client,
                                        store_fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_rolled_up_leaves_its_head, store_fixture_setup_client,
                                        store_fixture_teardown),
        cmocka_unit_test(every_damage_is_found),
    };
    return STORE_CONTRACT_RUN(tests);
}
