/* No chain of jobs, refunds, reviews, returns, suspensions, erasures, devices that move from account to account or get
 * other keys, and free jobs on own devices makes money of given credit: what is paid out, or ever could be, was paid
 * in. The kinds of each settlement are as the core divides them (docs/LEDGER.md "Two wallets"), worked out here once
 * more. */
#include "base/clock.h"
#include "base/random_source.h"
#include "store/admin.h"
#include "store/enrolment.h"
#include "store/escrow.h"
#include "store/ledger.h"
#include "store/owed.h"
#include "support/store_fixture.h"
#include "wire/join_token.h"

#include <stdlib.h>

enum { ACCOUNTS = 5, WELCOME_NANO = 100 * 1000, STEPS = 300, OF_HUNDRED = 100, PROVIDER_SHARE = 85, SEEDS = 3 };

#define DAY_MS INT64_C(86400000)

struct world {
    struct store_fixture *fixture;
    struct random_source random;
    uint32_t jobs;
    int64_t paid_in_nano; /* grants of paid credit, and what refunds gave back as such */
    int64_t paid_out_nano;
    int64_t spent_nano[ACCOUNTS], refunded_nano[ACCOUNTS]; /* paid credit */
    /* There are as many devices as accounts; device i begins as that of account i. */
    uint32_t owner[ACCOUNTS], key[ACCOUNTS], keys;
    char token[ACCOUNTS][JOIN_TOKEN_SIZE];
    uint32_t free_jobs, moves;
};

static void name(char out[STORE_ID_MAX], const char *what, uint32_t number) {
    snprintf(out, STORE_ID_MAX, "%s_%u", what, number);
}

static uint32_t pick(struct world *world, uint32_t below) {
    return (uint32_t)random_below(&world->random, below);
}

static int64_t raw(const struct world *world, const char *query) {
    struct store_raw out;
    store_backend()->read(world->fixture->path, query, &out);
    return out.number;
}

/* Of all accounts: 0 paid credit, 1 owed, 2 given, 3 and 4 in escrow. */
static int64_t all_of(const struct world *world, int kind) {
    char query[128];
    snprintf(
        query, sizeof(query),
        "SELECT coalesce(sum(amount_nano), 0) FROM balances WHERE ledger_account >= 16 AND ledger_account %% 16 = %d",
        kind);
    return raw(world, query);
}

static int64_t wallet_of(const struct world *world, uint32_t account, int kind) {
    char query[192];
    snprintf(query, sizeof(query),
             "SELECT coalesce(sum(amount_nano), 0) FROM balances WHERE ledger_account = %d + 16 * (SELECT number FROM"
             " accounts WHERE id = 'acct_%u')",
             kind, account);
    return raw(world, query);
}

/* --- What happens --- */

static struct store_acted act(const struct world *world, enum store_admin_kind kind, uint32_t account,
                              int64_t amount_nano, bool flag) {
    struct store_admin admin = {.kind = kind,
                                .actor = "test",
                                .amount_nano = amount_nano,
                                .given = flag,
                                .now_ms = clock_wall_ms(),
                                .account = {.suspended = flag}};
    name(admin.account.id, "acct", account);
    name(admin.device.id, "prov", account);
    return store_fixture_act(world->fixture, &admin);
}

static void pay_in(struct world *world, uint32_t account, int64_t amount_nano) {
    const struct store_acted acted = act(world, STORE_ADMIN_CREDIT_GRANT, account, amount_nano, false);
    assert_int_equal(acted.code, ERR_NONE);
    world->paid_in_nano += amount_nano;
}

/* All that can be had at once, or else what is asked for. */
static enum err_code pay_out(struct world *world, uint32_t account, int64_t amount_nano) {
    const struct store_acted acted = act(world, STORE_ADMIN_PAYOUT, account, amount_nano, false);
    world->paid_out_nano += acted.code == ERR_NONE ? amount_nano : 0;
    return acted.code;
}

static void refund(struct world *world, uint32_t account, int64_t amount_nano) {
    const struct store_acted acted = act(world, STORE_ADMIN_CREDIT_REFUND, account, amount_nano, false);
    assert_int_equal(acted.code, ERR_NONE);
    world->paid_in_nano += amount_nano - acted.result.given_nano;
    world->refunded_nano[account] += amount_nano - acted.result.given_nano;
    assert_true(world->refunded_nano[account] <= world->spent_nano[account]);
}

static void on_settled(void *context, const struct err *err) {
    *(enum err_code *)context = err == NULL ? ERR_NONE : err->code;
}

/* A job of one account on a device, as far as it can pay: given credit first, and what is earned has the kinds in the
 * same proportion, the paid one rounded down. On a device of its own it is free, whatever it has. */
static void serve(struct world *world, uint32_t client, uint32_t device, int64_t charge_nano, bool escrow) {
    enum err_code code = ERR_INTERNAL;
    const uint32_t owner = world->owner[device];
    const int64_t given = wallet_of(world, client, 2), all = given + wallet_of(world, client, 0);
    const int64_t charge = client == owner ? 0 : charge_nano < all ? charge_nano : all;
    struct store_settlement settlement = {.generation = store_fixture_job(++world->jobs), .escrow = escrow};
    struct store_generation *job = &settlement.generation;
    if (charge == 0 && client != owner) {
        return;
    }
    world->free_jobs += client == owner;
    job->outcome = STORE_OUTCOME_COMPLETED;
    job->created_ms = clock_wall_ms() - 10 * DAY_MS; /* ripe at once */
    job->charge_nano = charge;
    job->given_nano = given < charge ? given : charge;
    job->provider_nano = charge * PROVIDER_SHARE / OF_HUNDRED;
    job->provider_given_nano =
        charge == 0 ? 0 : job->provider_nano - job->provider_nano * (charge - job->given_nano) / charge;
    name(job->account_id, "acct", client);
    name(job->key_id, "key", client);
    name(job->device_id, "prov", device);
    name(settlement.provider_account_id, "acct", owner);
    store_settle(world->fixture->store, &settlement, on_settled, &code);
    uv_run(&world->fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(code, ERR_NONE);
    world->spent_nano[client] += charge - job->given_nano;
}

static void on_enrolled(void *context, const struct store_device *device, const struct err *err) {
    struct store_device *out = context;
    *out = device != NULL ? *device : (struct store_device){0};
    assert_true(device != NULL || err->code == ERR_DENIED);
}

/* The device comes with its key, and perhaps a token. An empty account: it was refused. */
static struct store_device come(struct world *world, uint32_t device, uint32_t key, const char *token) {
    struct store_device seen = {0}, candidate = {.created_ms = clock_wall_ms()};
    name(candidate.id, "prov", device);
    memset(candidate.public_key, 7, sizeof(candidate.public_key));
    memcpy(candidate.public_key, &key, sizeof(key));
    store_device_enrol(world->fixture->store, candidate.public_key, str_from(token), &candidate, on_enrolled, &seen);
    uv_run(&world->fixture->loop, UV_RUN_DEFAULT);
    return seen;
}

/* To another account, by a token of that; what it earned before stays with whoever it earned for. */
static void move(struct world *world, uint32_t device, uint32_t account) {
    char owner[STORE_ID_MAX];
    const struct store_device seen = come(world, device, world->key[device], world->token[account]);
    if (seen.account_id[0] != '\0') { /* neither of them is suspended */
        name(owner, "acct", account);
        assert_string_equal(seen.account_id, owner);
        world->moves += world->owner[device] != account;
        world->owner[device] = account;
    }
}

/* Another key makes it no other device, and no other owner's. */
static void replace_key(struct world *world, uint32_t device) {
    char token[JOIN_TOKEN_SIZE], id[STORE_ID_MAX], owner[STORE_ID_MAX];
    struct store_admin admin = {.kind = STORE_ADMIN_DEVICE_KEY, .actor = "test", .now_ms = clock_wall_ms()};
    name(id, "prov", device);
    name(owner, "acct", world->owner[device]);
    (void)str_copy(admin.device.id, sizeof(admin.device.id), str_from(id));
    admin.token = (struct store_join_token){.uses = 1, .created_ms = 1, .expires_ms = INT64_MAX};
    join_token_generate(token);
    join_token_hash(str_from(token), admin.token.sha256);
    assert_int_equal(store_fixture_act(world->fixture, &admin).code, ERR_NONE);
    world->keys++;
    const struct store_device seen = come(world, ACCOUNTS + world->keys, world->keys, token);
    if (seen.account_id[0] != '\0') {
        assert_string_equal(seen.id, id);
        assert_string_equal(seen.account_id, owner);
        world->key[device] = world->keys;
    }
}

static void on_held(void *context, const struct store_escrow_held *held, const struct err *err) {
    (void)held;
    *(bool *)context = err == NULL;
}

static void review(const struct world *world, uint32_t device) {
    bool held = false;
    struct store_escrow_hold step = {.since_ms = 0, .now_ms = clock_wall_ms()};
    name(step.device_id, "prov", device);
    store_escrow_hold(world->fixture->store, &step, on_held, &held);
    uv_run(&world->fixture->loop, UV_RUN_DEFAULT);
    assert_true(held);
}

/* --- What must hold --- */

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

/* What is payable, or could become so, and what was paid out, was paid in. */
static void assert_no_money_was_made(const struct world *world) {
    const int64_t paid_kind = all_of(world, 0) + all_of(world, 1) + all_of(world, 3);
    assert_true(world->paid_out_nano + paid_kind <= world->paid_in_nano);
}

static void assert_books(struct world *world) {
    struct store_ledger_report report;
    store_fixture_reopen(world->fixture);
    assert_true(store_ledger_check(world->fixture->store, on_problem, NULL, &report, &world->fixture->err));
    assert_int_equal(report.problems, 0);
    store_fixture_start(world->fixture);
}

static void add_token(struct world *world, uint32_t account) {
    struct store_join_token token = {.uses = 1000, .created_ms = 1, .expires_ms = INT64_MAX};
    join_token_generate(world->token[account]);
    join_token_hash(str_from(world->token[account]), token.sha256);
    name(token.account_id, "acct", account);
    assert_true(store_join_token_add(world->fixture->store, &token, &world->fixture->err));
}

static int setup(void **state) {
    struct world *world = calloc(1, sizeof(*world));
    void *base;
    store_fixture_setup(&base);
    world->fixture = base;
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        char account[STORE_ID_MAX], key[STORE_ID_MAX];
        name(account, "acct", i);
        name(key, "key", i);
        struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                            .actor = "test",
                                            .account = store_fixture_account(account, false),
                                            .keys = {store_fixture_key(key, "", STORE_KEY_LIVE)},
                                            .key_count = 1,
                                            .amount_nano = WELCOME_NANO,
                                            .given = true};
        assert_true(store_admin_now(world->fixture->store, &admin, &result, &world->fixture->err));
        add_token(world, i);
    }
    store_fixture_start(world->fixture);
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        world->owner[i] = i;
        world->key[i] = ++world->keys;
        assert_string_not_equal(come(world, i, world->key[i], world->token[i]).account_id, "");
    }
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *base = world->fixture;
    free(world);
    return store_fixture_teardown(&base);
}

static void assert_nothing_payable(struct world *world) {
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        assert_int_equal(pay_out(world, i, 1), ERR_CONFLICT);
    }
    assert_int_equal(all_of(world, 0) + all_of(world, 1) + all_of(world, 3), 0);
}

/* Given credit goes from friend to friend and back. */
static void test_a_chain_of_friends(void **state) {
    struct world *world = *state;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < ACCOUNTS; i++) {
            serve(world, i, (i + 1) % ACCOUNTS, INT64_MAX, false);
            assert_nothing_payable(world);
        }
    }
    assert_books(world);
}

static void test_refunds_of_given_credit(void **state) {
    struct world *world = *state;
    for (uint32_t i = 0; i < 4; i++) {
        serve(world, 0, 1, INT64_MAX, false);
        refund(world, 0, WELCOME_NANO);
    }
    assert_int_equal(world->paid_in_nano, 0);
    assert_nothing_payable(world);
    assert_books(world);
}

/* Into escrow at once or later, and out of it in each way. */
static void test_reviews(void **state) {
    struct world *world = *state;
    static const enum store_admin_kind ends[] = {STORE_ADMIN_ESCROW_RELEASE, STORE_ADMIN_ESCROW_RETURN,
                                                 STORE_ADMIN_ESCROW_FORFEIT};
    for (uint32_t i = 0; i < COUNT_OF(ends); i++) {
        serve(world, 0, 1, 1000, true);
        serve(world, 2, 1, 1000, false);
        review(world, 1);
        assert_int_equal(act(world, ends[i], 1, 0, false).code, ERR_NONE);
        assert_nothing_payable(world);
        serve(world, 1, 3, INT64_MAX, false);
        assert_nothing_payable(world);
    }
    assert_books(world);
}

/* An account that pays a little does not turn what it was given into more than that. */
static void test_a_little_paid_credit_beside_much_given(void **state) {
    struct world *world = *state;
    pay_in(world, 0, 7);
    for (uint32_t i = 0; i < 60; i++) { /* each with as much rounding as there can be */
        serve(world, 0, 1 + i % 2, 1999, false);
    }
    assert_no_money_was_made(world);
    assert_true(all_of(world, 1) <= 7);
    assert_books(world);
}

static void test_suspended_and_erased_accounts(void **state) {
    struct world *world = *state;
    serve(world, 0, 1, INT64_MAX, false);
    assert_int_equal(act(world, STORE_ADMIN_ACCOUNT_SUSPEND, 1, 0, true).code, ERR_NONE);
    assert_nothing_payable(world);
    assert_int_equal(act(world, STORE_ADMIN_ACCOUNT_SUSPEND, 1, 0, false).code, ERR_NONE);
    serve(world, 1, 2, INT64_MAX, false);
    assert_int_equal(act(world, STORE_ADMIN_ACCOUNT_ERASE, 0, 0, false).code, ERR_NONE);
    assert_int_equal(act(world, STORE_ADMIN_ACCOUNT_ERASE, 1, 0, false).code, ERR_NONE);
    assert_int_equal(act(world, STORE_ADMIN_ACCOUNT_SUSPEND, 1, 0, false).code, ERR_NONE);
    assert_nothing_payable(world);
    assert_books(world);
}

/* One device goes round: each of its owners asks it for nothing, the others pay with what they were given. */
static void test_a_device_that_goes_round(void **state) {
    struct world *world = *state;
    for (uint32_t i = 1; i <= 2 * ACCOUNTS; i++) {
        const uint32_t owner = i % ACCOUNTS, before = (i + ACCOUNTS - 1) % ACCOUNTS;
        move(world, 0, owner);
        assert_int_equal(world->owner[0], owner);
        serve(world, owner, 0, INT64_MAX, false);
        serve(world, before, 0, INT64_MAX, i % 3 == 0);
        review(world, 0);
        assert_nothing_payable(world);
        assert_int_equal(
            act(world, i % 2 == 0 ? STORE_ADMIN_ESCROW_RELEASE : STORE_ADMIN_ESCROW_RETURN, 0, 0, false).code,
            ERR_NONE);
        replace_key(world, 0);
        assert_nothing_payable(world);
    }
    assert_int_equal(world->free_jobs, 2 * ACCOUNTS);
    assert_books(world);
}

/* What a device earned for one owner is not another's once it has moved: released, it goes to whoever it was earned
 * for. */
static void test_earnings_do_not_move_with_the_device(void **state) {
    struct world *world = *state;
    pay_in(world, 2, 10 * 1000);
    serve(world, 2, 0, INT64_MAX, false); /* of device 0 for account 0: given credit, and what was paid in */
    const int64_t owed = wallet_of(world, 0, 1);
    assert_true(owed > 0);
    move(world, 0, 1);
    assert_int_equal(wallet_of(world, 1, 1), 0);
    review(world, 0);
    assert_int_equal(wallet_of(world, 0, 1), 0);
    assert_int_equal(wallet_of(world, 0, 3), owed);
    assert_int_equal(act(world, STORE_ADMIN_ESCROW_RELEASE, 0, 0, false).code, ERR_NONE);
    assert_int_equal(wallet_of(world, 0, 1), owed);
    assert_int_equal(wallet_of(world, 1, 1), 0);
    assert_int_equal(pay_out(world, 1, 1), ERR_CONFLICT);
    assert_int_equal(pay_out(world, 0, owed), ERR_NONE);
    assert_no_money_was_made(world);
    assert_books(world);
}

/* --- Whatever order --- */

static void step(struct world *world) {
    const uint32_t a = pick(world, ACCOUNTS), b = pick(world, ACCOUNTS);
    const int64_t amount = 1 + (int64_t)pick(world, 5000);
    switch (pick(world, 15)) {
    case 0:
        pay_in(world, a, 10 * amount);
        return;
    case 1:
        (void)act(world, STORE_ADMIN_CREDIT_GRANT, a, amount / 10 + 1, true);
        return;
    case 2:
        refund(world, a, amount);
        return;
    case 3:
        review(world, a);
        return;
    case 4:
        (void)act(world, STORE_ADMIN_ESCROW_RELEASE, a, 0, false);
        return;
    case 5:
        (void)act(world, STORE_ADMIN_ESCROW_RETURN, a, 0, false);
        return;
    case 6:
        (void)act(world, pick(world, 8) == 0 ? STORE_ADMIN_ESCROW_FORFEIT : STORE_ADMIN_ESCROW_RELEASE, a, 0, false);
        return;
    case 7:
        (void)pay_out(world, a, pick(world, 2) == 0 ? wallet_of(world, a, 1) : amount);
        return;
    case 8:
        (void)act(world, STORE_ADMIN_ACCOUNT_SUSPEND, a, 0, pick(world, 3) == 0);
        return;
    case 9:
        move(world, a, b);
        return;
    case 10:
        replace_key(world, a);
        return;
    case 11:
        serve(world, world->owner[b], b, 50 * amount, pick(world, 6) == 0); /* free */
        return;
    default:
        serve(world, a, b, 50 * amount, pick(world, 6) == 0); /* often all that there is */
        return;
    }
}

static void test_any_order_makes_no_money(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world->random = (struct random_source){.state = seed};
        for (uint32_t i = 0; i < STEPS / SEEDS; i++) {
            step(world);
            assert_no_money_was_made(world);
        }
    }
    assert_true(world->paid_out_nano > 0); /* it does come out, as far as it came in */
    assert_true(world->moves > 0 && world->free_jobs > 0);
    assert_books(world);
}

#define LAUNDERING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        LAUNDERING_TEST(test_a_chain_of_friends),
        LAUNDERING_TEST(test_refunds_of_given_credit),
        LAUNDERING_TEST(test_reviews),
        LAUNDERING_TEST(test_a_little_paid_credit_beside_much_given),
        LAUNDERING_TEST(test_suspended_and_erased_accounts),
        LAUNDERING_TEST(test_a_device_that_goes_round),
        LAUNDERING_TEST(test_earnings_do_not_move_with_the_device),
        LAUNDERING_TEST(test_any_order_makes_no_money),
    };
    return STORE_CONTRACT_RUN(tests);
}
