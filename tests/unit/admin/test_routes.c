/* The admin API without HTTP: what each request asks of the store, and each answer. */
#include "admin/action.h"
#include "base/json_read.h"
#include "store/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/admin_fixture.h"

#define ACCOUNT "/admin/accounts/acct_ada"
#define MS_PER_DAY INT64_C(86400000)

static void assert_body(struct admin_fixture *fixture, const char *expected) {
    assert_string_equal(admin_fixture_body(fixture), expected);
}

static void assert_has(struct admin_fixture *fixture, const char *part) {
    if (strstr(admin_fixture_body(fixture), part) == NULL) {
        fail_msg("no %s in %s", part, admin_fixture_body(fixture));
    }
}

/* A string member of the answer. */
static void read_member(struct admin_fixture *fixture, const char *name, char *out, size_t size) {
    struct json_parser *parser = json_parser_new(1 << 20, 8);
    struct json_value root, value;
    struct str text = STR("");
    struct err err;
    assert_true(json_parse(parser, buf_str(&fixture->body), &root, &err));
    assert_true(json_get(root, name, &value) && json_as_str(value, &text));
    assert_true(str_copy(out, size, text));
    json_parser_free(parser);
}

static void assert_refused(struct admin_fixture *fixture, const char *line, const char *body, int status,
                           const char *param) {
    char expected[96];
    const int executed = fixture->executed;
    if (admin_fixture_call(fixture, line, body) != status) {
        fail_msg("%s %s: %d %s", line, body, fixture->status, admin_fixture_body(fixture));
    }
    snprintf(expected, sizeof(expected), param != NULL ? "\"param\":\"%s\"" : "\"param\":null", param);
    assert_has(fixture, "{\"error\":{\"message\":\"");
    assert_has(fixture, expected);
    assert_int_equal(fixture->executed, executed);
}

static void test_create_makes_an_account_with_two_keys(void **state) {
    struct admin_fixture *fixture = *state;
    char secret[KEY_SIZE];
    uint8_t sha256[DIGEST_SHA256_SIZE];
    assert_int_equal(admin_fixture_call(fixture, "POST /admin/accounts", "{\"name\":\"Ada\",\"tier\":\"pro\"}"), 200);
    const struct store_admin *action = &fixture->action;
    assert_int_equal(action->kind, STORE_ADMIN_ACCOUNT_CREATE);
    assert_string_equal(fixture->actor, "tester");
    assert_string_equal(action->account.name, "Ada");
    assert_int_equal(action->account.tier, STORE_TIER_PRO);
    assert_false(action->account.owner);
    assert_true(str_starts_with(str_from(action->account.id), STR("acct_")));
    assert_true(action->now_ms > 0 && action->account.created_ms == action->now_ms);
    assert_int_equal(action->amount_nano, 5000000000);
    assert_int_equal(action->key_count, 2);
    static const char *const members[] = {"api_key", "test_key"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        enum store_key_kind kind;
        read_member(fixture, members[i], secret, sizeof(secret));
        assert_true(key_check(str_from(secret), &kind));
        assert_int_equal(kind, i == 0 ? STORE_KEY_LIVE : STORE_KEY_TEST);
        assert_int_equal(action->keys[i].kind, kind);
        key_hash(str_from(secret), sha256);
        assert_memory_equal(action->keys[i].sha256, sha256, sizeof(sha256));
        assert_string_equal(action->keys[i].account_id, action->account.id);
        assert_int_equal(action->keys[i].cap_nano, -1);
        assert_int_equal(action->keys[i].expires_ms, 0);
    }
    assert_has(fixture, "\"name\":\"Ada\",\"tier\":\"pro\"");
    assert_has(fixture, "\"balance_usd\":5}");
    assert_int_equal(admin_fixture_call(fixture, "POST /admin/accounts", "{\"name\":\"Bob\"}"), 200);
    assert_int_equal(fixture->action.account.tier, STORE_TIER_FREE);
}

static void test_create_refuses(void **state) {
    struct admin_fixture *fixture = *state;
    char body[300];
    assert_refused(fixture, "POST /admin/accounts", "", 400, NULL);
    assert_refused(fixture, "POST /admin/accounts", "[]", 400, NULL);
    assert_refused(fixture, "POST /admin/accounts", "{}", 400, "name");
    assert_refused(fixture, "POST /admin/accounts", "{\"name\":\"\"}", 400, "name");
    assert_refused(fixture, "POST /admin/accounts", "{\"name\":7}", 400, "name");
    assert_refused(fixture, "POST /admin/accounts", "{\"name\":\"a\\nb\"}", 400, "name");
    assert_refused(fixture, "POST /admin/accounts", "{\"name\":\"Ada\",\"tier\":\"gold\"}", 400, "tier");
    snprintf(body, sizeof(body), "{\"name\":\"%0*d\"}", STORE_NAME_MAX, 0);
    assert_refused(fixture, "POST /admin/accounts", body, 400, "name");
}

static void test_lists_and_live_figures(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/accounts", ""), 200);
    assert_int_equal(fixture->limit, 100);
    assert_string_equal(fixture->after, "");
    assert_body(
        fixture,
        "{\"object\":\"list\",\"data\":["
        "{\"id\":\"acct_owner\",\"name\":\"owner\",\"tier\":\"unlimited\",\"suspended\":false,"
        "\"owner\":true,\"created_at\":\"1970-01-01T00:00:01.000Z\",\"balance_usd\":5,\"given_usd\":0,\"held_usd\":0,"
        "\"active_requests\":0},"
        "{\"id\":\"acct_ada\",\"name\":\"ada\",\"tier\":\"pro\",\"suspended\":false,\"owner\":false,"
        "\"created_at\":\"1970-01-01T00:00:01.000Z\",\"balance_usd\":5,\"given_usd\":0,\"held_usd\":0,"
        "\"active_requests\":0}],\"has_more\":false}");
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/accounts?limit=1&after=acct_x&other=y", ""), 200);
    assert_int_equal(fixture->limit, 1);
    assert_string_equal(fixture->after, "acct_x");
    assert_has(fixture, "\"has_more\":true");
    fixture->live = true;
    assert_int_equal(admin_fixture_call(fixture, "GET " ACCOUNT, ""), 200);
    assert_has(fixture, "\"balance_usd\":4.75,\"given_usd\":0,\"held_usd\":0.25,\"active_requests\":2,\"kept\":{");
    assert_has(fixture, "\"jobs\":{\"rows\":3,\"rows_max\":10,\"bytes\":300,\"bytes_max\":null}");
    assert_string_equal(fixture->route, "/admin/accounts/{id}");
}

static void test_pages_are_bounded(void **state) {
    struct admin_fixture *fixture = *state;
    assert_refused(fixture, "GET /admin/accounts?limit=0", "", 400, "limit");
    assert_refused(fixture, "GET /admin/accounts?limit=1001", "", 400, "limit");
    assert_refused(fixture, "GET /admin/accounts?limit=x", "", 400, "limit");
    assert_refused(fixture, "GET /admin/audit?before=-1", "", 400, "before");
    assert_refused(fixture, "GET /admin/accounts?after=0123456789012345678901234567890123456789", "", 400, "after");
}

static void test_what_is_missing(void **state) {
    struct admin_fixture *fixture = *state;
    static const char *const lines[] = {"GET /admin/accounts/acct_none",
                                        "GET /admin/accounts/acct_none/keys",
                                        "GET /admin/accounts/acct_none/earnings",
                                        "GET /admin/accounts/0123456789012345678901234567890123456789",
                                        "GET /admin/accounts/",
                                        "GET /admin/accounts/acct_ada/",
                                        "GET /admin/accounts/acct_ada/other",
                                        "GET /admin",
                                        "GET /",
                                        "GET ",
                                        "POST /v1/chat/completions"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_refused(fixture, lines[i], "{}", 404, NULL);
    }
    assert_refused(fixture, "DELETE /admin/accounts", "", 405, NULL);
    assert_refused(fixture, "GET /admin/keys/key_1", "", 405, NULL);
    assert_has(fixture, "METHOD_NOT_ALLOWED");
    assert_string_equal(fixture->route, "-");
}

static void test_changes(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "PATCH " ACCOUNT, "{\"tier\":\"starter\"}"), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_ACCOUNT_TIER);
    assert_string_equal(fixture->action.account.id, "acct_ada");
    assert_int_equal(fixture->action.account.tier, STORE_TIER_STARTER);
    assert_int_equal(admin_fixture_call(fixture, "PATCH " ACCOUNT, "{\"suspended\":true,\"tier\":null}"), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_ACCOUNT_SUSPEND);
    assert_true(fixture->action.account.suspended);
    assert_has(fixture, "\"suspended\":true");
    assert_int_equal(admin_fixture_call(fixture, "PATCH " ACCOUNT, "{\"suspended\":false}"), 200);
    assert_false(fixture->action.account.suspended);
    assert_refused(fixture, "PATCH " ACCOUNT, "{}", 400, NULL);
    assert_refused(fixture, "PATCH " ACCOUNT, "{\"suspended\":true,\"tier\":\"pro\"}", 400, NULL);
    assert_refused(fixture, "PATCH " ACCOUNT, "{\"suspended\":\"yes\"}", 400, "suspended");
}

static void test_keys_are_made_with_their_limits(void **state) {
    struct admin_fixture *fixture = *state;
    char secret[KEY_SIZE];
    enum store_key_kind kind;
    assert_int_equal(admin_fixture_call(fixture, "POST " ACCOUNT "/keys",
                                        "{\"kind\":\"test\",\"name\":\"ci\",\"expires_in_days\":30,\"cap_usd\":1.5,"
                                        "\"models\":[\"nataris-demo-2m\",\"my/own:model\"]}"),
                     200);
    const struct store_admin *action = &fixture->action;
    const struct store_key *key = &action->keys[0];
    assert_int_equal(action->kind, STORE_ADMIN_KEY_CREATE);
    assert_int_equal(action->key_count, 1);
    assert_int_equal(key->kind, STORE_KEY_TEST);
    assert_string_equal(key->account_id, "acct_ada");
    assert_string_equal(key->name, "ci");
    assert_int_equal(key->expires_ms, action->now_ms + 30 * MS_PER_DAY);
    assert_int_equal(key->cap_nano, 1500000000);
    assert_string_equal(key->models, "nataris-demo-2m,my/own:model");
    read_member(fixture, "key", secret, sizeof(secret));
    assert_true(key_check(str_from(secret), &kind));
    assert_int_equal(kind, STORE_KEY_TEST);
    assert_has(fixture, "\"cap_usd\":1.5,\"spent_usd\":0,\"models\":[\"nataris-demo-2m\",\"my/own:model\"],\"key\":");
    assert_int_equal(admin_fixture_call(fixture, "POST " ACCOUNT "/keys", "{\"kind\":\"live\",\"cap_usd\":0}"), 200);
    assert_int_equal(fixture->action.keys[0].cap_nano, 0);
    assert_int_equal(fixture->action.keys[0].expires_ms, 0);
    assert_string_equal(fixture->action.keys[0].models, "");
    assert_has(fixture, "\"expires_at\":null,\"revoked_at\":null,\"cap_usd\":0,");
    assert_has(fixture, "\"key\":\"nat_live_");
}

static void test_keys_for_models_that_nobody_knows(void **state) {
    static const char BODY[] = "{\"kind\":\"live\",\"models\":[\"nataris-fast\",\"my/own:model\",\"lama-3\"]}";
    struct admin_fixture *fixture = *state;
    fixture->offered = "my/own:model";
    assert_int_equal(admin_fixture_call(fixture, "POST " ACCOUNT "/keys", BODY), 200);
    assert_has(fixture, ",\"warnings\":[\"Neither the catalog nor any provider that is connected has a model "
                        "'lama-3'.\"]}");
    fixture->offered = NULL;
    assert_int_equal(admin_fixture_call(fixture, "POST " ACCOUNT "/keys", BODY), 200);
    assert_has(fixture, "has a model 'my/own:model'.\",\"Neither");
    assert_int_equal(
        admin_fixture_call(fixture, "POST " ACCOUNT "/keys", "{\"kind\":\"live\",\"models\":[\"nataris-fast\"]}"), 200);
    assert_null(strstr(buf_cstr(&fixture->body), "warnings"));
}

static void test_keys_refuse(void **state) {
    struct admin_fixture *fixture = *state;
    static const struct {
        const char *body, *param;
    } cases[] = {
        {"{}", "kind"},
        {"{\"kind\":\"both\"}", "kind"},
        {"{\"kind\":\"live\",\"expires_in_days\":0}", "expires_in_days"},
        {"{\"kind\":\"live\",\"expires_in_days\":3651}", "expires_in_days"},
        {"{\"kind\":\"live\",\"expires_in_days\":1.5}", "expires_in_days"},
        {"{\"kind\":\"live\",\"cap_usd\":-1}", "cap_usd"},
        {"{\"kind\":\"live\",\"cap_usd\":true}", "cap_usd"},
        {"{\"kind\":\"live\",\"models\":\"a\"}", "models"},
        {"{\"kind\":\"live\",\"models\":[7]}", "models"},
        {"{\"kind\":\"live\",\"models\":[\"\"]}", "models"},
        {"{\"kind\":\"live\",\"models\":[\"a,b\"]}", "models"},
    };
    char body[1024] = "{\"kind\":\"live\",\"models\":[\"";
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(fixture, "POST " ACCOUNT "/keys", cases[i].body, 400, cases[i].param);
    }
    size_t len = strlen(body);
    for (int i = 0; i < 5; i++) { /* five of 120 bytes are more than a key may list */
        len += (size_t)snprintf(body + len, sizeof(body) - len, "%s%0120d", i > 0 ? "\",\"" : "", i);
    }
    snprintf(body + len, sizeof(body) - len, "\"]}");
    assert_refused(fixture, "POST " ACCOUNT "/keys", body, 400, "models");
}

static void test_key_list_and_revocation(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "GET " ACCOUNT "/keys?limit=5&after=key_0", ""), 200);
    assert_string_equal(fixture->after, "key_0");
    assert_int_equal(fixture->limit, 5);
    assert_has(fixture, "{\"id\":\"key_1\",\"account_id\":\"acct_ada\",\"kind\":\"live\",\"name\":\"default\","
                        "\"created_at\":\"1970-01-01T00:00:01.000Z\",\"expires_at\":null,\"revoked_at\":null,"
                        "\"cap_usd\":null,\"spent_usd\":0.000000001,\"models\":null}");
    assert_has(fixture, "\"revoked_at\":\"1970-01-02T00:00:00.000Z\",\"cap_usd\":1.5,\"spent_usd\":0,"
                        "\"models\":[\"a\",\"b\"]}]");
    assert_null(strstr(admin_fixture_body(fixture), "\"key\":"));
    assert_int_equal(admin_fixture_call(fixture, "DELETE /admin/keys/key_1", ""), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_KEY_REVOKE);
    assert_int_equal(fixture->action.key_count, 1);
    assert_string_equal(fixture->action.keys[0].id, "key_1");
    assert_int_equal(fixture->action.keys[0].revoked_ms, fixture->action.now_ms);
}

static void test_an_account_is_erased(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "DELETE " ACCOUNT, ""), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_ACCOUNT_ERASE);
    assert_string_equal(fixture->action.account.id, "acct_ada");
    assert_true(fixture->action.now_ms > 0);
}

static void test_money_is_exact(void **state) {
    struct admin_fixture *fixture = *state;
    static const struct {
        const char *amount;
        int64_t nano;
    } cases[] = {
        {"4.75", 4750000000},
        {"0.1", 100000000},
        {"1e-9", 1},
        {"123456.789012345", 123456789012345},
        {"\"999999.999999999\"", 999999999999999},
        {"1000000", STORE_AMOUNT_MAX_NANO},
        {"\"5\"", 5000000000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"type\":\"grant\",\"amount_usd\":%s,\"note\":\"thanks\"}", cases[i].amount);
        assert_int_equal(admin_fixture_call(fixture, "POST " ACCOUNT "/credits", body), 200);
        assert_int_equal(fixture->action.kind, STORE_ADMIN_CREDIT_GRANT);
        assert_string_equal(fixture->action.account.id, "acct_ada");
        assert_int_equal(fixture->action.amount_nano, cases[i].nano);
        assert_string_equal(fixture->action.note, "thanks");
    }
    assert_int_equal(admin_fixture_call(fixture, "POST " ACCOUNT "/credits", "{\"type\":\"refund\",\"amount_usd\":1}"),
                     200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_CREDIT_REFUND);
    assert_int_equal(admin_fixture_call(fixture, "POST " ACCOUNT "/payouts", "{\"amount_usd\":\"2.5\"}"), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_PAYOUT);
    assert_body(fixture, "{\"account_id\":\"acct_ada\",\"amount_usd\":2.5,\"note\":\"\",\"balance_usd\":2.5}");
}

static void test_money_refuses(void **state) {
    struct admin_fixture *fixture = *state;
    static const char *const amounts[] = {"0",   "-1",   "\"\"", "\"1.0000000001\"", "1e-10",  "1000000.01",
                                          "1e9", "null", "[]",   "\"$5\"",           "\"nan\""};
    for (size_t i = 0; i < COUNT_OF(amounts); i++) {
        char body[96];
        snprintf(body, sizeof(body), "{\"type\":\"grant\",\"amount_usd\":%s}", amounts[i]);
        assert_refused(fixture, "POST " ACCOUNT "/credits", body, 400, "amount_usd");
        assert_refused(fixture, "POST " ACCOUNT "/payouts", body, 400, "amount_usd");
    }
    assert_refused(fixture, "POST " ACCOUNT "/credits", "{\"type\":\"gift\",\"amount_usd\":1}", 400, "type");
    assert_refused(fixture, "POST " ACCOUNT "/credits", "{\"amount_usd\":1}", 400, "type");
}

static void test_earnings_audit_metrics(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "GET " ACCOUNT "/earnings", ""), 200);
    assert_body(fixture, "{\"account_id\":\"acct_ada\",\"given_usd\":1,\"payable_usd\":5.5,\"ripening_usd\":2,"
                         "\"escrow_usd\":0.25,\"given_escrow_usd\":0,\"ripens\":[{\"by\":\"1970-01-01T00:00:01.000Z\","
                         "\"amount_usd\":2}],\"earned_usd\":10,\"paid_usd\":2.5,\"owed_usd\":7.5,\"jobs\":3,"
                         "\"tokens\":99}");
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/audit?limit=7&before=10", ""), 200);
    assert_int_equal(fixture->limit, 7);
    assert_int_equal(fixture->before, 10);
    assert_body(fixture, "{\"object\":\"list\",\"data\":[{\"number\":9,\"at\":\"1970-01-01T00:00:01.000Z\","
                         "\"actor\":\"cli\",\"action\":\"credit.grant\",\"subject\":\"acct_ada\","
                         "\"amount_usd\":0.000000001,\"note\":\"hello\"}],\"has_more\":true}");
    assert_int_equal(admin_fixture_call(fixture, "GET /metrics", ""), 200);
    assert_body(fixture, "nataris_jobs_running 2\n");
    assert_string_equal(fixture->content_type, "text/plain; version=0.0.4; charset=utf-8");
}

static void test_escrow(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/escrow?limit=5&after=prov_0", ""), 200);
    assert_int_equal(fixture->limit, 5);
    assert_body(fixture, "{\"object\":\"list\",\"data\":[{\"provider_id\":\"prov_1\",\"name\":\"laptop\","
                         "\"account_id\":\"acct_ada\",\"jobs\":2,\"paid_usd\":0.00000017,\"given_usd\":0.00000003,"
                         "\"since\":\"1970-01-01T00:00:01.000Z\",\"in_review\":true}],\"has_more\":false}");
    assert_int_equal(admin_fixture_call(fixture, "POST /admin/providers/prov_1/escrow",
                                        "{\"action\":\"return\",\"note\":\"a liar\"}"),
                     200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_ESCROW_RETURN);
    assert_string_equal(fixture->action.device.id, "prov_1");
    assert_string_equal(fixture->action.note, "a liar");
    assert_refused(fixture, "POST /admin/providers/prov_1/escrow", "{\"action\":\"keep\"}", 400, "action");
    assert_refused(fixture, "POST " ACCOUNT "/credits", "{\"type\":\"refund\",\"amount_usd\":1,\"given\":true}", 400,
                   "given");
}

static void test_devices_reviews_and_jobs(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/providers?limit=5&after=prov_0", ""), 200);
    assert_non_null(strstr(admin_fixture_body(fixture), "\"id\":\"prov_1\",\"name\":\"laptop\""));
    assert_non_null(strstr(admin_fixture_body(fixture), "\"state\":\"idle\""));
    assert_int_equal(fixture->limit, 5);
    assert_string_equal(fixture->after, "prov_0");
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/providers/prov_1", ""), 200);
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/providers/prov_2", ""), 404);

    assert_int_equal(admin_fixture_call(fixture, "PATCH /admin/providers/prov_1", "{\"verified\":true}"), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_DEVICE_VERIFY);
    assert_string_equal(fixture->action.device.id, "prov_1");
    assert_true(fixture->action.device.verified);
    assert_int_equal(admin_fixture_call(fixture, "PATCH /admin/providers/prov_1", "{\"verified\":1}"), 400);
    assert_int_equal(admin_fixture_call(fixture, "DELETE /admin/providers/prov_1/reviews", ""), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_REVIEWS_CLEAR);

    assert_int_equal(admin_fixture_call(fixture, "GET /admin/reviews?before=9", ""), 200);
    assert_int_equal(fixture->before, 9);
    assert_non_null(strstr(admin_fixture_body(fixture), "\"reason\":\"too_fast\",\"job_id\":null"));
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/jobs/chatcmpl-1", ""), 200);
    assert_string_equal(admin_fixture_body(fixture), "{\"id\":\"chatcmpl-1\"}");
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/jobs/chatcmpl-2", ""), 404);
}

static void test_the_store_may_refuse(void **state) {
    struct admin_fixture *fixture = *state;
    static const struct {
        enum err_code code;
        int status;
    } cases[] = {{ERR_NOT_FOUND, 404}, {ERR_CONFLICT, 409}, {ERR_UNAVAILABLE, 503}, {ERR_IO, 500}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        err_set(&fixture->refusal, cases[i].code, "the store said so");
        assert_int_equal(admin_fixture_call(fixture, "POST /admin/accounts", "{\"name\":\"Ada\"}"), cases[i].status);
        assert_null(strstr(admin_fixture_body(fixture), "nat_"));
        assert_true(cases[i].code == ERR_IO || strstr(admin_fixture_body(fixture), "the store said so") != NULL);
    }
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/accounts/acct_broken", ""), 500);
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/accounts/acct_broken/keys", ""), 500);
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/accounts/acct_broken/earnings", ""), 500);
}

/* Every read that fails says so, and nothing of the page before. */
static void test_the_store_cannot_read(void **state) {
    static const char *const lines[] = {
        "GET " ACCOUNT "/keys",           "GET " ACCOUNT "/earnings",    "GET /admin/audit",
        "GET /admin/providers",           "GET /admin/providers/prov_1", "GET /admin/reviews",
        "GET /admin/accounts/acct_broken"};
    struct admin_fixture *fixture = *state;
    fixture->reads_fail = true;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_int_equal(admin_fixture_call(fixture, lines[i], ""), 500);
        assert_has(fixture, "{\"error\":{\"message\":\"Something went wrong on our side.\"");
    }
}

/* A command on the store itself: there is no gateway that could tell more. */
static void test_without_a_gateway(void **state) {
    struct admin_fixture *fixture = *state;
    const struct admin_backend none = {.context = fixture, .execute = admin_fixture_execute};
    fixture->admin->backend = none;
    assert_int_equal(admin_fixture_call(fixture, "GET /metrics", ""), 404);
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/jobs/chatcmpl-1", ""), 404);
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/providers/prov_1", ""), 200);
    assert_null(strstr(admin_fixture_body(fixture), "\"state\""));
    assert_int_equal(admin_fixture_call(fixture, "GET " ACCOUNT, ""), 200);
    assert_has(fixture, "\"balance_usd\":5,\"given_usd\":0,\"held_usd\":0,\"active_requests\":0,\"kept\":{");
}

static void test_answers_may_come_later(void **state) {
    struct admin_fixture *fixture = *state;
    fixture->later = true;
    assert_int_equal(admin_fixture_call(fixture, "DELETE /admin/keys/key_1", ""), 0);
    assert_int_equal(fixture->answers, 0);
    admin_fixture_done(fixture);
    assert_int_equal(fixture->answers, 1);
    assert_int_equal(fixture->status, 200);
}

#define ADMIN_TEST(test) cmocka_unit_test_setup_teardown(test, admin_fixture_setup, admin_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ADMIN_TEST(test_create_makes_an_account_with_two_keys),
        ADMIN_TEST(test_create_refuses),
        ADMIN_TEST(test_lists_and_live_figures),
        ADMIN_TEST(test_pages_are_bounded),
        ADMIN_TEST(test_what_is_missing),
        ADMIN_TEST(test_changes),
        ADMIN_TEST(test_keys_are_made_with_their_limits),
        ADMIN_TEST(test_keys_for_models_that_nobody_knows),
        ADMIN_TEST(test_keys_refuse),
        ADMIN_TEST(test_key_list_and_revocation),
        ADMIN_TEST(test_an_account_is_erased),
        ADMIN_TEST(test_money_is_exact),
        ADMIN_TEST(test_money_refuses),
        ADMIN_TEST(test_earnings_audit_metrics),
        ADMIN_TEST(test_escrow),
        ADMIN_TEST(test_devices_reviews_and_jobs),
        ADMIN_TEST(test_the_store_may_refuse),
        ADMIN_TEST(test_the_store_cannot_read),
        ADMIN_TEST(test_without_a_gateway),
        ADMIN_TEST(test_answers_may_come_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
