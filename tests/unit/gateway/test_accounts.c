/* What the core, auth and the links learn of accounts: with the first request of a key, and by each action of the
 * operator once it is durable. The store is real, the links are not. */
#include "gateway/accounts.h"

#include "auth/key.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/database.h"
#include "store/jobs.h"
#include "support/temp_folder.h"
#include "wire/join_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/gateway/fake_link.h"

#define GRANT_NANO INT64_C(1000000000)

struct world {
    struct loop *loop;
    struct temp_folder folder;
    struct store *store;
    struct auth *auth;
    struct core_shell shell;
    struct accounts accounts;
    struct call_rates rates;
    struct store_admin action; /* begun by act_begin */
    char secret[KEY_SIZE];     /* of key_1 */
    char join_token[JOIN_TOKEN_SIZE];
    /* The latest answer. */
    unsigned answers;
    struct store_admin result;
    struct err err; /* code ERR_NONE: done */
};

/* --- The world --- */

static void on_broken(void *context, const struct err *err) {
    (void)context;
    fail_msg("%s", err->message);
}

static void make_key(struct store_key *key, const char *id, char secret[KEY_SIZE]) {
    *key = (struct store_key){.kind = STORE_KEY_LIVE, .created_ms = 1, .cap_nano = -1};
    key_generate(STORE_KEY_LIVE, secret);
    key_hash(str_from(secret), key->sha256);
    (void)str_copy(key->id, sizeof(key->id), str_from(id));
    (void)str_copy(key->account_id, sizeof(key->account_id), STR("acct_1"));
}

/* An account of the tier starter with a key, some money and a device to come, as a gateway before this one left it. */
static void fill_store(struct world *world) {
    struct store_account account = {.id = "acct_1", .name = "Ada", .tier = STORE_TIER_STARTER, .created_ms = 1};
    struct store_admin grant = {
        .kind = STORE_ADMIN_CREDIT_GRANT, .actor = "test", .account = account, .amount_nano = GRANT_NANO, .now_ms = 1};
    struct store_admin result;
    struct store_join_token token = {
        .account_id = "acct_1", .uses = 1, .created_ms = 1, .expires_ms = INT64_MAX}; /* and never expires */
    struct store_key key;
    struct err err;
    join_token_generate(world->join_token);
    join_token_hash(str_from(world->join_token), token.sha256);
    make_key(&key, "key_1", world->secret);
    key.cap_nano = 7;
    assert_true(store_account_add(world->store, &account, &err));
    assert_true(store_key_add(world->store, &key, &err));
    assert_true(store_join_token_add(world->store, &token, &err));
    assert_true(store_admin_now(world->store, &grant, &result, &err));
}

static int setup(void **state) {
    struct store_quotas quotas;
    struct world *world = MEM_NEW(struct world);
    struct core_config config;
    struct err err;
    char path[128];
    log_set_level(LOG_ERROR);
    world->loop = loop_new();
    temp_folder_init(&world->folder);
    assert_true(gateway_database_open(&world->store, temp_folder_file(&world->folder, "nataris.db", path), &err));
    fill_store(world);
    world->auth = auth_new(world->store);
    core_config_init(&config);
    core_shell_init(&world->shell, world->loop, world->store, &config);
    world->accounts =
        (struct accounts){.shell = &world->shell, .store = world->store, .auth = world->auth, .rates = &world->rates};
    gateway_tiers_init(world->accounts.tiers, &quotas);
    assert_true(accounts_open(&world->accounts, &err));
    assert_true(store_start(world->store, loop_uv(world->loop), on_broken, NULL, &err));
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    while (world->shell.providers.list != NULL) {
        PROVIDERS_LINK_EVENTS.on_gone(&world->shell.providers, world->shell.providers.list->peer, "gone");
    }
    store_close(world->store);
    core_shell_clear(&world->shell);
    auth_free(world->auth);
    call_rates_clear(&world->rates);
    loop_run(world->loop);
    loop_free(world->loop);
    temp_folder_clear(&world->folder);
    free(world);
    return 0;
}

/* --- Actions --- */

static struct store_admin *act_begin(struct world *world, enum store_admin_kind kind) {
    world->action = (struct store_admin){.kind = kind, .actor = "test", .account = {.id = "acct_1"}, .now_ms = 2};
    return &world->action;
}

static void on_done(void *context, const struct store_admin *result, const struct err *err) {
    struct world *world = context;
    world->answers++;
    world->err = err != NULL ? *err : (struct err){0};
    if (result != NULL) {
        world->result = *result;
    }
}

static void act(struct world *world) {
    const unsigned before = world->answers;
    accounts_execute(&world->accounts, &world->action, on_done, world);
    while (world->answers == before) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    assert_int_equal(world->answers, before + 1);
}

static struct core_account_view view_of(const struct world *world, uint64_t number) {
    struct core_account_view view;
    assert_true(core_account_view(world->shell.core.core, number, core_loop_now_ms(&world->shell.core), &view));
    return view;
}

struct entrance {
    bool answered;
    const struct auth_identity *identity;
};

static void on_identity(void *context, const struct auth_identity *identity, const struct err *err) {
    struct entrance *entrance = context;
    assert_true((identity == NULL) == (err != NULL));
    *entrance = (struct entrance){true, identity};
}

/* As a request does. */
static bool may_enter(const struct world *world, const char *secret, const struct auth_identity **identity) {
    char header[KEY_SIZE + 16];
    struct entrance entrance = {0};
    (void)snprintf(header, sizeof(header), "Bearer %s", secret);
    auth_lookup(world->auth, str_from(header), 0, on_identity, &entrance);
    while (!entrance.answered) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    *identity = entrance.identity;
    return entrance.identity != NULL;
}

/* The client of most tests, whom the core knows from its request on. */
static uint64_t enter(const struct world *world) {
    const struct auth_identity *identity;
    assert_true(may_enter(world, world->secret, &identity));
    return identity->account_number;
}

static bool is_known(const struct world *world, uint64_t number) {
    struct core_account_view view;
    return core_account_view(world->shell.core.core, number, core_loop_now_ms(&world->shell.core), &view);
}

/* The core itself knows a device that answers; what it wants done about it is not carried out. */
static void add_device(struct world *world) {
    const struct core_offer offer = {
        .model = STR("tiny"), .state = CORE_MODEL_WARM, .slots = 4, .context_length = 4096};
    const struct core_event joined = {.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.trusted = true}};
    const uint64_t now_ms = core_loop_now_ms(&world->shell.core);
    const struct core_effects effects = core_step(world->shell.core.core, now_ms, &joined);
    const struct core_event status = {.kind = CORE_EVENT_PROVIDER_STATUS,
                                      .provider = effects.items[0].provider,
                                      .status = {.offers = &offer, .offer_count = 1}};
    const struct core_effects ignored = core_step(world->shell.core.core, now_ms, &status);
    (void)ignored;
}

enum { TAKEN = -1 };

/* What comes of a request of the key that may cost this much: TAKEN, or an enum core_failure. */
static int ask(struct world *world, uint64_t account, uint64_t key, int64_t nano) {
    const struct core_event event = {.kind = CORE_EVENT_REQUEST,
                                     .request = {.model = STR("tiny"),
                                                 .max_tokens = 1,
                                                 .account = account,
                                                 .key = key,
                                                 .prompt_tokens_max = 1,
                                                 .prompt_price_nano = nano}};
    const struct core_effects effects = core_step(world->shell.core.core, core_loop_now_ms(&world->shell.core), &event);
    return effects.items[0].kind == CORE_EFFECT_FAIL ? (int)effects.items[0].fail.failure : TAKEN;
}

/* --- Tests --- */

/* Who asks nothing costs nothing. */
static void test_nobody_is_known_before_a_request(void **state) {
    const struct world *world = *state;
    assert_false(is_known(world, 1));
    assert_int_equal(enter(world), 1);
    assert_true(is_known(world, 1));
}

static void test_what_the_first_request_brings(void **state) {
    struct world *world = *state;
    const struct auth_identity *identity;
    assert_true(may_enter(world, world->secret, &identity));
    const struct core_account_view view = view_of(world, identity->account_number);
    assert_int_equal(view.balance_nano, GRANT_NANO);
    assert_int_equal(view.requests_per_minute, 60);
    assert_int_equal(view.concurrent, 5);
    assert_false(view.suspended);
    add_device(world);
    assert_int_equal(ask(world, identity->account_number, identity->key_number, 8), CORE_FAILURE_KEY_CAP);
    assert_int_equal(ask(world, identity->account_number, identity->key_number, 7), TAKEN);
}

static void test_a_new_account(void **state) {
    struct world *world = *state;
    struct store_admin *action = act_begin(world, STORE_ADMIN_ACCOUNT_CREATE);
    const struct auth_identity *identity;
    char secret[KEY_SIZE];
    action->account = (struct store_account){.id = "acct_2", .name = "Bob", .tier = STORE_TIER_FREE, .created_ms = 2};
    make_key(&action->keys[0], "key_2", secret);
    (void)str_copy(action->keys[0].account_id, STORE_ID_MAX, STR("acct_2"));
    action->key_count = 1;
    action->amount_nano = 5;
    act(world);
    assert_int_equal(world->err.code, ERR_NONE);
    assert_true(may_enter(world, secret, &identity));
    assert_string_equal(identity->account_id, "acct_2");
    assert_int_equal(identity->account_number, world->result.account.number);
    assert_int_equal(view_of(world, identity->account_number).balance_nano, 5);
    assert_int_equal(view_of(world, identity->account_number).requests_per_minute, 10);
}

static void test_another_tier(void **state) {
    struct world *world = *state;
    (void)enter(world);
    act_begin(world, STORE_ADMIN_ACCOUNT_TIER)->account.tier = STORE_TIER_PRO;
    act(world);
    const struct core_account_view view = view_of(world, world->result.account.number);
    assert_int_equal(view.requests_per_minute, 300);
    assert_int_equal(view.balance_nano, GRANT_NANO); /* money does not move */
    act_begin(world, STORE_ADMIN_ACCOUNT_TIER)->account.tier = STORE_TIER_UNLIMITED;
    act(world);
    assert_int_equal(view_of(world, world->result.account.number).requests_per_minute, 0);
}

static void test_suspension(void **state) {
    struct world *world = *state;
    (void)enter(world);
    act_begin(world, STORE_ADMIN_ACCOUNT_SUSPEND)->account.suspended = true;
    act(world);
    const uint64_t number = world->result.account.number;
    assert_true(view_of(world, number).suspended);
    assert_int_equal(view_of(world, number).requests_per_minute, 60);
    add_device(world);
    assert_int_equal(ask(world, number, 0, 1), CORE_FAILURE_SUSPENDED);
    act_begin(world, STORE_ADMIN_ACCOUNT_SUSPEND)->account.suspended = false;
    act(world);
    assert_int_equal(ask(world, number, 0, 1), TAKEN);
}

static void test_credit(void **state) {
    struct world *world = *state;
    (void)enter(world);
    act_begin(world, STORE_ADMIN_CREDIT_GRANT)->amount_nano = 40;
    act(world);
    assert_int_equal(view_of(world, world->result.account.number).balance_nano, GRANT_NANO + 40);
    act_begin(world, STORE_ADMIN_CREDIT_REFUND)->amount_nano = 2;
    act(world);
    assert_int_equal(view_of(world, world->result.account.number).balance_nano, GRANT_NANO + 42);
}

/* The operator's changes of somebody whom the core does not know are there when it gets to know them, and count
 * once. */
static void test_what_changed_before_the_first_request(void **state) {
    struct world *world = *state;
    act_begin(world, STORE_ADMIN_CREDIT_GRANT)->amount_nano = 40;
    act(world);
    act_begin(world, STORE_ADMIN_CREDIT_REFUND)->amount_nano = 2;
    act(world);
    act_begin(world, STORE_ADMIN_ACCOUNT_TIER)->account.tier = STORE_TIER_PRO;
    act(world);
    act_begin(world, STORE_ADMIN_ACCOUNT_SUSPEND)->account.suspended = true;
    act(world);
    assert_false(is_known(world, world->result.account.number));
    const struct core_account_view view = view_of(world, enter(world));
    assert_int_equal(view.balance_nano, GRANT_NANO + 42);
    assert_int_equal(view.requests_per_minute, 300);
    assert_true(view.suspended);
}

/* Whatever the order in which the store takes them, the money is counted once. */
static void test_a_grant_beside_the_first_request(void **state) {
    struct world *world = *state;
    char header[KEY_SIZE + 16];
    struct entrance entrance = {0};
    (void)snprintf(header, sizeof(header), "Bearer %s", world->secret);
    act_begin(world, STORE_ADMIN_CREDIT_GRANT)->amount_nano = 40;
    accounts_execute(&world->accounts, &world->action, on_done, world);
    auth_lookup(world->auth, str_from(header), 0, on_identity, &entrance);
    accounts_execute(&world->accounts, &world->action, on_done, world);
    while (world->answers < 2 || !entrance.answered) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    assert_int_equal(view_of(world, entrance.identity->account_number).balance_nano, GRANT_NANO + 80);
}

/* The second key's account is known already: what it has is not told again. */
static void test_a_second_key_brings_no_money(void **state) {
    struct world *world = *state;
    const struct auth_identity *identity;
    char secret[KEY_SIZE];
    const uint64_t number = enter(world);
    struct store_admin *action = act_begin(world, STORE_ADMIN_KEY_CREATE);
    make_key(&action->keys[0], "key_2", secret);
    action->key_count = 1;
    act(world);
    assert_true(may_enter(world, secret, &identity));
    assert_int_equal(identity->account_number, number);
    assert_int_equal(view_of(world, number).balance_nano, GRANT_NANO);
}

static void on_job(void *context, const struct store_job *job, bool changed, const struct err *err) {
    (void)job, (void)changed;
    assert_null(err);
    *(bool *)context = true;
}

/* A gateway that begins again has a job to go on with, whose client may never come again. */
static void test_the_keys_of_unfinished_jobs_are_known_at_the_start(void **state) {
    struct world *world = *state;
    const struct store_job_new asked = {
        .job = {.id = "job_1", .account_id = "acct_1", .key_id = "key_1", .created_ms = 3, .body = STR("{}")}};
    const struct auth_identity *identity;
    struct err err;
    bool added = false;
    store_job_add(world->store, &asked, on_job, &added);
    while (!added) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    store_close(world->store);
    auth_free(world->auth);
    char path[128];
    assert_true(gateway_database_open(&world->store, temp_folder_file(&world->folder, "nataris.db", path), &err));
    world->auth = auth_new(world->store);
    world->accounts.store = world->store;
    world->accounts.auth = world->auth;
    assert_true(accounts_open(&world->accounts, &err));
    assert_true(auth_find_key(world->auth, "key_1", &identity, &err));
    assert_int_equal(view_of(world, identity->account_number).balance_nano, GRANT_NANO);
    assert_true(store_start(world->store, loop_uv(world->loop), on_broken, NULL, &err));
}

/* What an owner has earned is no client's money. */
static void test_a_payout_moves_no_wallet(void **state) {
    struct world *world = *state;
    act_begin(world, STORE_ADMIN_PAYOUT)->amount_nano = 1;
    act(world);
    assert_int_equal(world->err.code, ERR_CONFLICT); /* nothing was earned */
    const struct auth_identity *identity;
    assert_true(may_enter(world, world->secret, &identity));
    assert_int_equal(view_of(world, identity->account_number).balance_nano, GRANT_NANO);
}

static void test_a_new_key(void **state) {
    struct world *world = *state;
    struct store_admin *action = act_begin(world, STORE_ADMIN_KEY_CREATE);
    const struct auth_identity *identity;
    char secret[KEY_SIZE];
    make_key(&action->keys[0], "key_2", secret);
    action->keys[0].cap_nano = 3;
    action->key_count = 1;
    act(world);
    assert_true(may_enter(world, secret, &identity));
    assert_string_equal(identity->key_id, "key_2");
    add_device(world);
    assert_int_equal(ask(world, identity->account_number, identity->key_number, 4), CORE_FAILURE_KEY_CAP);
    assert_int_equal(ask(world, identity->account_number, identity->key_number, 3), TAKEN);
}

static void test_a_revocation_holds_at_once(void **state) {
    struct world *world = *state;
    struct store_admin *action = act_begin(world, STORE_ADMIN_KEY_REVOKE);
    const struct auth_identity *identity;
    (void)str_copy(action->keys[0].id, STORE_ID_MAX, STR("key_1"));
    action->keys[0].revoked_ms = 2;
    action->key_count = 1;
    assert_true(may_enter(world, world->secret, &identity));
    act(world);
    assert_int_equal(world->err.code, ERR_NONE);
    assert_false(may_enter(world, world->secret, &identity));
}

/* Nothing is learnt of what is not durable. */
static void test_what_the_store_refuses(void **state) {
    struct world *world = *state;
    struct store_admin *action = act_begin(world, STORE_ADMIN_CREDIT_GRANT);
    const struct auth_identity *identity;
    (void)str_copy(action->account.id, STORE_ID_MAX, STR("acct_none"));
    action->amount_nano = 40;
    act(world);
    assert_int_equal(world->err.code, ERR_NOT_FOUND);
    assert_true(may_enter(world, world->secret, &identity));
    assert_int_equal(view_of(world, identity->account_number).balance_nano, GRANT_NANO);
}

/* Its link is made anew, so that it joins with its mark; what else is done about the device leaves it alone. */
static void test_a_verified_device(void **state) {
    static struct link_peer peer;
    struct world *world = *state;
    const struct link_hello hello = {.join_token = str_from(world->join_token), .device = {.name = STR("laptop")}};
    PROVIDERS_LINK_EVENTS.on_hello(&world->shell.providers, &peer, &hello);
    while (peer.admitted[0] == '\0') {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    (void)act_begin(world, STORE_ADMIN_REVIEWS_CLEAR);
    (void)str_copy(world->action.device.id, STORE_ID_MAX, str_from(peer.admitted));
    act(world);
    assert_int_equal(world->err.code, ERR_NONE);
    assert_string_equal(peer.closed, "");
    act_begin(world, STORE_ADMIN_DEVICE_VERIFY)->device.verified = true;
    (void)str_copy(world->action.device.id, STORE_ID_MAX, str_from(peer.admitted));
    act(world);
    assert_int_equal(world->err.code, ERR_NONE);
    assert_string_equal(peer.closed, "the operator has changed what this device may do");
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_nobody_is_known_before_a_request),
        WORLD_TEST(test_what_the_first_request_brings),
        WORLD_TEST(test_a_new_account),
        WORLD_TEST(test_another_tier),
        WORLD_TEST(test_suspension),
        WORLD_TEST(test_credit),
        WORLD_TEST(test_what_changed_before_the_first_request),
        WORLD_TEST(test_a_grant_beside_the_first_request),
        WORLD_TEST(test_a_second_key_brings_no_money),
        WORLD_TEST(test_the_keys_of_unfinished_jobs_are_known_at_the_start),
        WORLD_TEST(test_a_payout_moves_no_wallet),
        WORLD_TEST(test_a_new_key),
        WORLD_TEST(test_a_revocation_holds_at_once),
        WORLD_TEST(test_what_the_store_refuses),
        WORLD_TEST(test_a_verified_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
