/* A generation on its devices: what each is sent, who made how much of the answer, and what its settlement says. */
#include "gateway/attempts.h"

#include "catalog/canary.h"
#include "unit/gateway/shell_fixture.h"

enum { ACCOUNT = 1, PROMPT_PRICE = 100, COMPLETION_PRICE = 1000 };

/* Of an account with money, at a price. */
static void ask(struct shell_fixture *fixture, struct shell_call *call) {
    shell_account(fixture, ACCOUNT, 1000 * 1000);
    call->call.identity.account_number = ACCOUNT;
    (void)str_copy(call->call.identity.account_id, STORE_ID_MAX, STR("acct_1"));
    (void)str_copy(call->call.identity.key_id, STORE_ID_MAX, STR("key_1"));
    call->call.prompt_price_nano = PROMPT_PRICE;
    call->call.completion_price_nano = COMPLETION_PRICE;
    shell_ask(fixture, call, "chatcmpl-1");
}

/* Devices come one after the other, so that it is known who is asked when. */
static void join(struct shell_fixture *fixture, struct link_peer *peer, const char *name, const char *owner) {
    fake_store.owner = owner;
    shell_join(fixture, peer, name, LINK_MODEL_WARM, 4096);
}

static void test_one_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    join(fixture, &peer, "laptop", "acct_owner");
    ask(fixture, &call);
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(call.finished, 1);
    const int64_t charge = 10 * PROMPT_PRICE + COMPLETION_PRICE;
    assert_int_equal(call.result.cost_nano, charge);
    assert_int_equal(fake_store.generation.charge_nano, charge);
    assert_int_equal(fake_store.generation.provider_nano, charge * CORE_PROVIDER_SHARE_PERCENT / 100);
    assert_string_equal(fake_store.generation.account_id, "acct_1");
    assert_string_equal(fake_store.generation.key_id, "key_1");
    assert_int_equal(fake_store.generation.purpose, STORE_PURPOSE_REQUEST);
    assert_int_equal(fake_store.generation.kind, STORE_GENERATION_CHAT);
    assert_string_equal(fake_store.earner, "acct_owner");
    assert_int_equal(fake_store.part_count, 0); /* the record says it all */
    shell_call_clear(&call);
}

/* The next one gets the text so far and what is left of the tokens; each earns for its part. */
static void test_another_goes_on(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, second;
    struct shell_call call = {0};
    join(fixture, &first, "first", "acct_first");
    ask(fixture, &call);
    join(fixture, &second, "second", "acct_second");
    shell_accept(fixture, &first);
    shell_delta(fixture, &first, "one two ", 2);
    char first_id[STORE_ID_MAX];
    (void)str_copy(first_id, sizeof(first_id), str_from(shell_device_id(&first)));
    shell_leave(&first);
    assert_int_equal(second.generations, 1);
    assert_string_equal(second.continue_text, "one two ");
    assert_int_equal(second.max_tokens, 14);
    assert_int_equal(fixture->shell.counts.continuations, 1);
    shell_accept(fixture, &second);
    shell_delta(fixture, &second, "three", 1);
    shell_done(fixture, &second, LINK_FINISH_LENGTH, 1);
    assert_int_equal(call.finished, 1);
    assert_string_equal(buf_cstr(&call.call.text), "one two three");
    assert_int_equal(call.result.finish, GEN_FINISH_LENGTH);
    assert_int_equal(call.result.continued, 1);
    assert_int_equal(call.result.attempts, 2);
    assert_string_equal(call.provider_id, shell_device_id(&second));
    assert_int_equal(fake_store.part_count, 2);
    assert_string_equal(fake_store.parts[0].device_id, first_id);
    assert_string_equal(fake_store.parts[0].account_id, "acct_first");
    assert_int_equal(fake_store.parts[0].tokens, 2);
    assert_string_equal(fake_store.parts[1].device_id, shell_device_id(&second));
    assert_string_equal(fake_store.parts[1].account_id, "acct_second");
    assert_int_equal(fake_store.parts[1].tokens, 1);
    assert_int_equal(fake_store.parts[0].amount_nano + fake_store.parts[1].amount_nano,
                     fake_store.generation.provider_nano);
    assert_true(fake_store.parts[0].amount_nano > 0);
    assert_string_equal(fake_store.earner, "acct_second");
    shell_call_clear(&call);
}

/* More devices than the generation has room for at first; those that made nothing have no part. */
static void test_the_fourth_one_finishes(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peers[4];
    struct shell_call call = {0};
    join(fixture, &peers[0], "peer 0", "acct_0");
    ask(fixture, &call);
    shell_error(fixture, &peers[0], GEN_FAILURE_OVERLOADED); /* nothing came of it */
    for (int i = 1; i < 4; i++) {
        join(fixture, &peers[i], "peer", "acct_n");
        assert_int_equal(peers[i].generations, 1);
        shell_accept(fixture, &peers[i]);
        shell_delta(fixture, &peers[i], "word ", 1);
        if (i < 3) {
            shell_leave(&peers[i]);
        }
    }
    shell_done(fixture, &peers[3], LINK_FINISH_STOP, 1);
    assert_int_equal(call.finished, 1);
    assert_int_equal(call.result.continued, 2);
    assert_string_equal(peers[3].continue_text, "word word ");
    assert_int_equal(fake_store.part_count, 3);
    assert_string_equal(fake_store.parts[2].device_id, shell_device_id(&peers[3]));
    shell_call_clear(&call);
}

/* A stream reaches its client however long it is, but nobody can go on with what was not kept. */
static void test_too_long_to_go_on_with(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, second;
    struct shell_call call = {.text_max = 4};
    join(fixture, &first, "first", NULL);
    ask(fixture, &call);
    join(fixture, &second, "second", NULL);
    shell_accept(fixture, &first);
    shell_delta(fixture, &first, "more than four bytes", 5);
    assert_int_equal(call.failed, 0);
    shell_leave(&first);
    assert_int_equal(second.generations, 0); /* it could only begin anew */
    assert_int_equal(call.failed, 1);
    assert_non_null(strstr(call.fault.message, "is longer than"));
    shell_call_clear(&call);
}

/* Nothing came, and it ended well: who was asked last finished it. */
static void test_an_answer_of_nothing(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    join(fixture, &peer, "laptop", "acct_owner");
    ask(fixture, &call);
    shell_accept(fixture, &peer);
    shell_done(fixture, &peer, LINK_FINISH_LENGTH, 0);
    assert_int_equal(call.finished, 1);
    assert_string_equal(call.provider_id, shell_device_id(&peer));
    assert_string_equal(fake_store.earner, "acct_owner");
    shell_call_clear(&call);
}

/* The answer leaves only when its settlement is durable. */
static void test_a_settlement_that_is_refused(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    join(fixture, &peer, "laptop", NULL);
    ask(fixture, &call);
    (void)err_set(&fake_store.settle_err, ERR_CONFLICT, "the conversation has gone on");
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(call.finished, 0);
    assert_int_equal(call.failed, 1);
    assert_non_null(strstr(call.fault.message, "could not be settled"));
    assert_non_null(strstr(call.fault.message, "You were not charged"));
    assert_int_equal(fake_store.settled, 1); /* and no second record for the failure */
    struct core_account_view view;
    assert_true(core_account_view(fixture->shell.core.core, ACCOUNT, core_loop_now_ms(&fixture->shell.core), &view));
    assert_int_equal(view.balance_nano, 1000 * 1000);
    assert_int_equal(view.held_nano, 0);
    shell_call_clear(&call);
}

/* It may be charged: so nothing of it can be spent again, and nobody is told that it was free. */
static void test_a_settlement_in_doubt(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    struct core_account_view view;
    join(fixture, &peer, "laptop", NULL);
    ask(fixture, &call);
    (void)err_set(&fake_store.settle_err, ERR_IN_DOUBT, "the database does not answer");
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(call.finished, 0);
    assert_int_equal(call.failed, 1);
    assert_int_equal(call.fault.code, FAULT_UNAVAILABLE);
    assert_null(strstr(call.fault.message, "not charged"));
    assert_non_null(strstr(call.fault.message, "Idempotency-Key"));
    assert_int_equal(fake_store.settled, 1); /* nor is a record of a failure written */
    assert_true(core_account_view(fixture->shell.core.core, ACCOUNT, core_loop_now_ms(&fixture->shell.core), &view));
    assert_int_equal(view.balance_nano, 1000 * 1000 - 10 * PROMPT_PRICE - COMPLETION_PRICE);
    assert_int_equal(view.held_nano, 0);
    shell_call_clear(&call);
}

/* The core names an attempt that was never made here: the two disagree, and nothing may be charged. */
static void test_an_attempt_nobody_made(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, second;
    struct shell_call call = {0};
    join(fixture, &first, "first", NULL);
    ask(fixture, &call);
    join(fixture, &second, "second", NULL);
    shell_accept(fixture, &first);
    shell_delta(fixture, &first, "one ", 1);
    shell_leave(&first);
    shell_accept(fixture, &second);
    shell_delta(fixture, &second, "two", 1);
    fixture->shell.generations.list->attempts[0].number = 77;
    shell_done(fixture, &second, LINK_FINISH_STOP, 1);
    assert_int_equal(fake_store.settled, 0);
    assert_int_equal(call.failed, 1);
    assert_non_null(strstr(call.fault.message, "could not be settled"));
    shell_call_clear(&call);
}

/* A device of `peer` that says that it found so much; what the client is told. */
static uint32_t ask_cached(struct shell_fixture *fixture, struct link_peer *peer, const char *account, uint32_t says) {
    struct shell_call call = {0};
    (void)str_copy(call.call.identity.account_id, STORE_ID_MAX, str_from(account));
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, peer);
    shell_delta(fixture, peer, "hi", 1);
    PROVIDERS_LINK_EVENTS.on_done(
        &fixture->shell.providers, peer,
        &(struct link_done){.job = peer->generation,
                            .finish = LINK_FINISH_STOP,
                            .usage = {.prompt_tokens = 10, .completion_tokens = 1, .cached_tokens = says}});
    assert_int_equal(call.finished, 1);
    const uint32_t told = call.result.usage.cached_tokens;
    shell_call_clear(&call);
    return told;
}

/* Each account has a scope of its own, and is told no more of a cache than it can have left there. */
static void test_accounts_do_not_meet_in_a_cache(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    char first[sizeof(peer.scope)];
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    assert_int_equal(ask_cached(fixture, &peer, "acct_a", 10), 0); /* it was never here */
    (void)str_copy(first, sizeof(first), str_from(peer.scope));
    assert_int_equal(strlen(first), SCOPE_SIZE - 1);
    assert_false(peer.seed_given);
    assert_int_equal(ask_cached(fixture, &peer, "acct_a", 9), 9);
    assert_string_equal(peer.scope, first);
    assert_int_equal(ask_cached(fixture, &peer, "acct_b", 9), 0);
    assert_string_not_equal(peer.scope, first);
}

/* A canary's scope says neither whose nor what it is. */
static void test_a_canary_has_a_scope_like_all(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    char first[sizeof(peer.scope)];
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    canaries_due(&fixture->canaries);
    assert_int_equal(strlen(peer.scope), SCOPE_SIZE - 1);
    (void)str_copy(first, sizeof(first), str_from(peer.scope));
    size_t asked = 0;
    while (strcmp(catalog_canary_at(STR(SHELL_MODEL), asked)->question, peer.question) != 0) {
        asked++;
    }
    shell_answer(fixture, &peer, catalog_canary_at(STR(SHELL_MODEL), asked)->answer);
    assert_int_equal(ask_cached(fixture, &peer, "", 10), 0);
    assert_string_not_equal(peer.scope, first);
}

/* A peer that does not know scopes is asked for a seed's text, which it computes anew; it is believed no cache. */
static void test_a_device_without_scopes_reuses_nothing(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_join(fixture, &peer, "old", LINK_MODEL_WARM, 4096);
    peer.old = true;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_cached(fixture, &peer, "acct_a", 10), 0);
        assert_true(peer.seed_given);
        assert_string_equal(peer.scope, "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_one_device),
        SHELL_TEST(test_another_goes_on),
        SHELL_TEST(test_the_fourth_one_finishes),
        SHELL_TEST(test_too_long_to_go_on_with),
        SHELL_TEST(test_an_answer_of_nothing),
        SHELL_TEST(test_a_settlement_that_is_refused),
        SHELL_TEST(test_a_settlement_in_doubt),
        SHELL_TEST(test_an_attempt_nobody_made),
        SHELL_TEST(test_accounts_do_not_meet_in_a_cache),
        SHELL_TEST(test_a_canary_has_a_scope_like_all),
        SHELL_TEST(test_a_device_without_scopes_reuses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
