/* The admin API with a scripted backend and a scripted store: what it is asked for is kept, and answered at once, or
 * later by the test. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_ADMIN_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_ADMIN_FIXTURE_H

#include "admin/routes.h"
#include "base/compiler.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/devices.h"
#include "store/enrolment.h"
#include "store/escrow.h"
#include "store/owed.h"
#include "store/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADMIN_FIXTURE_CREATED_MS = 1000 };

struct admin_fixture {
    struct loop *loop;
    struct admin *admin;
    /* What execute was called with. */
    int executed;
    struct store_admin action;
    char actor[STORE_ID_MAX];
    admin_done *done;
    void *done_context;
    bool later;          /* the test calls admin_fixture_done itself */
    struct err refusal;  /* code ERR_NONE: none */
    bool live;           /* figures of account 7 */
    const char *offered; /* a model that a provider offers; NULL: none */
    /* What the store was asked. */
    char after[STORE_ID_MAX];
    unsigned limit;
    int64_t before;
    bool reads_fail; /* all reads but those of accounts, among which acct_broken always does */
    /* The last answer of admin_fixture_call. */
    int answers, status;
    char route[64], content_type[64];
    struct buf body;
};

static struct admin_fixture *admin_fixture; /* the fake store knows no context */

/* The store's answer, as it would fill it in. */
UNUSED static void admin_fixture_done(struct admin_fixture *fixture) {
    struct store_admin result = fixture->action;
    const struct err *err = fixture->refusal.code != ERR_NONE ? &fixture->refusal : NULL;
    result.account.number = 7;
    result.account.balance_nano += fixture->action.amount_nano;
    fixture->done(fixture->done_context, err == NULL ? &result : NULL, err);
}

static void admin_fixture_execute(void *context, const struct store_admin *action, admin_done *done,
                                  void *done_context) {
    struct admin_fixture *fixture = context;
    fixture->executed++;
    fixture->action = *action;
    str_copy(fixture->actor, sizeof(fixture->actor), str_from(action->actor));
    fixture->done = done;
    fixture->done_context = done_context;
    if (!fixture->later) {
        admin_fixture_done(fixture);
    }
}

static bool admin_fixture_model_offered(void *context, struct str model) {
    const struct admin_fixture *fixture = context;
    return fixture->offered != NULL && str_equal_cstr(model, fixture->offered);
}

static bool admin_fixture_view(void *context, uint64_t account_number, struct core_account_view *view) {
    const struct admin_fixture *fixture = context;
    *view = (struct core_account_view){.balance_nano = 4750000000, .held_nano = 250000000, .active = 2};
    return fixture->live && account_number == 7;
}

static void admin_fixture_provider_write(void *context, const struct store_device *device, struct json_writer *writer) {
    (void)context;
    json_member_cstr(writer, "state", strcmp(device->id, "prov_1") == 0 ? "idle" : "away");
}

static bool admin_fixture_generation_write(void *context, const char *id, struct json_writer *writer) {
    (void)context;
    if (strcmp(id, "chatcmpl-1") != 0) {
        return false;
    }
    json_begin_object(writer);
    json_member_cstr(writer, "id", id);
    json_end_object(writer);
    return true;
}

static void admin_fixture_metrics(void *context, bool status, struct buf *out) {
    (void)context;
    buf_append_cstr(out, status ? "{\"jobs_running\":2}" : "nataris_jobs_running 2\n");
}

static void admin_fixture_review_write(void *context, const struct store_review *review, struct json_writer *writer) {
    (void)context;
    json_member_bool(writer, "of_audits", strcmp(review->reason, "audit") == 0);
}

static struct store_account admin_fixture_account(uint64_t number, const char *id) {
    struct store_account account = {.number = number,
                                    .owner = number == 1,
                                    .tier = number == 1 ? STORE_TIER_UNLIMITED : STORE_TIER_PRO,
                                    .created_ms = ADMIN_FIXTURE_CREATED_MS,
                                    .balance_nano = 5000000000};
    str_copy(account.id, sizeof(account.id), str_from(id));
    str_copy(account.name, sizeof(account.name), str_from(id + 5));
    return account;
}

static const struct err ADMIN_FIXTURE_BROKEN = {.code = ERR_IO, .message = "disk I/O error"};

/* What a read that fails says; NULL: it does not. */
static const struct err *admin_fixture_read_err(void) {
    return admin_fixture->reads_fail ? &ADMIN_FIXTURE_BROKEN : NULL;
}

/* The store has the accounts acct_owner (1) and acct_ada (7). */
void store_accounts_read(struct store *store, const char *id, const char *after, unsigned limit,
                         void (*on_result)(void *context, const struct store_account *accounts, size_t count, bool more,
                                           const struct err *err),
                         void *context) {
    const struct store_account all[] = {admin_fixture_account(1, "acct_owner"), admin_fixture_account(7, "acct_ada")};
    (void)store;
    str_copy(admin_fixture->after, sizeof(admin_fixture->after), str_from(after));
    admin_fixture->limit = limit;
    if (strcmp(id, "acct_broken") == 0) {
        on_result(context, NULL, 0, false, &ADMIN_FIXTURE_BROKEN);
    } else if (id[0] == '\0') {
        on_result(context, all, limit < 2 ? limit : 2, limit < 2, NULL);
    } else {
        on_result(context, &all[1], strcmp(id, "acct_ada") == 0 ? 1 : 0, false, NULL);
    }
}

/* acct_ada has three jobs of ten. */
void store_kept_read(struct store *store, const char *account_id,
                     void (*told)(void *context, const struct store_kept_report *report, const struct err *err),
                     void *context) {
    const struct store_kept_report report = {.kept = {[STORE_KEPT_JOBS] = {3, 300}},
                                             .quota = {[STORE_KEPT_JOBS] = {10, 0}}};
    (void)store;
    (void)account_id;
    told(context, admin_fixture->reads_fail ? NULL : &report, admin_fixture_read_err());
}

void store_keys_read(struct store *store, const char *account_id, const char *after, unsigned limit,
                     void (*on_result)(void *context, const struct store_key *keys, size_t count, bool more,
                                       const struct err *err),
                     void *context) {
    struct store_key keys[2] = {
        {.id = "key_1", .name = "default", .cap_nano = -1, .created_ms = 1000, .spent_nano = 1},
        {.id = "key_2", .name = "ci", .kind = STORE_KEY_TEST, .cap_nano = 1500000000, .models = "a,b"},
    };
    (void)store;
    keys[1].created_ms = keys[1].expires_ms = keys[1].revoked_ms = 86400000;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        str_copy(keys[i].account_id, sizeof(keys[i].account_id), str_from(account_id));
    }
    str_copy(admin_fixture->after, sizeof(admin_fixture->after), str_from(after));
    admin_fixture->limit = limit;
    on_result(context, keys, 2, false, admin_fixture_read_err());
}

/* The store has one device, prov_1 of acct_ada. */
void store_devices_read(struct store *store, const char *id, const char *account_id, const char *after, unsigned limit,
                        void (*on_result)(void *context, const struct store_device *devices, size_t count, bool more,
                                          const struct err *err),
                        void *context) {
    const struct store_device device = {.id = "prov_1",
                                        .account_id = "acct_ada",
                                        .name = "laptop",
                                        .region = "DE",
                                        .created_ms = ADMIN_FIXTURE_CREATED_MS};
    (void)store;
    (void)account_id;
    str_copy(admin_fixture->after, sizeof(admin_fixture->after), str_from(after));
    admin_fixture->limit = limit;
    on_result(context, &device, id[0] == '\0' || strcmp(id, "prov_1") == 0 ? 1 : 0, false, admin_fixture_read_err());
}

/* The store has one join token, of acct_ada. */
void store_join_tokens_read(struct store *store, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_join_token *tokens, size_t count,
                                              bool more, const struct err *err),
                            void *context) {
    const struct store_join_token token = {.id = "invite_1",
                                           .account_id = "acct_ada",
                                           .uses = 2,
                                           .created_ms = ADMIN_FIXTURE_CREATED_MS,
                                           .expires_ms = ADMIN_FIXTURE_CREATED_MS + 1};
    (void)store;
    str_copy(admin_fixture->after, sizeof(admin_fixture->after), str_from(after));
    admin_fixture->limit = limit;
    on_result(context, &token, 1, false, admin_fixture_read_err());
}

void store_reviews_read(struct store *store, const char *id, int64_t before, unsigned limit,
                        void (*on_result)(void *context, const struct store_review *reviews, size_t count, bool more,
                                          const struct err *err),
                        void *context) {
    const struct store_review line = {.number = 4,
                                      .created_ms = ADMIN_FIXTURE_CREATED_MS,
                                      .device_id = "prov_1",
                                      .device_name = "laptop",
                                      .reason = "too_fast"};
    (void)store;
    (void)id;
    admin_fixture->before = before;
    admin_fixture->limit = limit;
    on_result(context, &line, 1, false, admin_fixture_read_err());
}

void store_audit_read(struct store *store, int64_t before, unsigned limit,
                      void (*on_result)(void *context, const struct store_audit *lines, size_t count, bool more,
                                        const struct err *err),
                      void *context) {
    const struct store_audit line = {.number = 9,
                                     .created_ms = 1000,
                                     .amount_nano = 1,
                                     .actor = "cli",
                                     .action = "credit.grant",
                                     .subject = "acct_ada",
                                     .note = "hello"};
    (void)store;
    admin_fixture->before = before;
    admin_fixture->limit = limit;
    on_result(context, &line, 1, true, admin_fixture_read_err());
}

void store_earnings_read(struct store *store, const char *account_id, int64_t from_ms, int64_t to_ms,
                         void (*on_result)(void *context, const struct store_earnings *earnings, const struct err *err),
                         void *context) {
    const struct store_earnings earnings = {
        .earned_nano = 10000000000, .paid_nano = 2500000000, .generations = 3, .tokens = 99, .given_nano = 1000000000};
    (void)store;
    assert_string_equal(account_id, "acct_ada");
    assert_int_equal(from_ms, 0);
    assert_int_equal(to_ms, INT64_MAX);
    on_result(context, &earnings, admin_fixture_read_err());
}

void store_owed_read(struct store *store, const char *account_id,
                     void (*on_result)(void *context, const struct store_owed *owed, const struct err *err),
                     void *context) {
    const struct store_owed owed = {.earnings_nano = 7500000000,
                                    .ripening_nano = 2000000000,
                                    .payable_nano = 5500000000,
                                    .escrow_nano = 250000000,
                                    .days = {{1000, 2000000000}},
                                    .day_count = 1};
    (void)store;
    assert_string_equal(account_id, "acct_ada");
    on_result(context, &owed, admin_fixture_read_err());
}

void store_escrow_read(struct store *store, const char *after, unsigned limit,
                       void (*on_result)(void *context, const struct store_escrow *rows, size_t count, bool more,
                                         const struct err *err),
                       void *context) {
    const struct store_escrow row = {.device_id = "prov_1",
                                     .name = "laptop",
                                     .account_id = "acct_ada",
                                     .generations = 2,
                                     .paid_nano = 170,
                                     .given_nano = 30,
                                     .since_ms = 1000,
                                     .in_review = true};
    (void)store;
    admin_fixture->limit = limit;
    assert_true(strcmp(after, "") == 0 || strcmp(after, "prov_0") == 0);
    on_result(context, &row, 1, false, admin_fixture_read_err());
}

UNUSED static int admin_fixture_setup(void **state) {
    struct admin_fixture *fixture = MEM_NEW(struct admin_fixture);
    const struct admin_backend backend = {.context = fixture,
                                          .execute = admin_fixture_execute,
                                          .account_view = admin_fixture_view,
                                          .model_offered = admin_fixture_model_offered,
                                          .metrics = admin_fixture_metrics,
                                          .review_write = admin_fixture_review_write,
                                          .provider_write = admin_fixture_provider_write,
                                          .generation_write = admin_fixture_generation_write};
    log_set_level(LOG_ERROR);
    fixture->loop = loop_new();
    fixture->admin = admin_new(fixture->loop, NULL, &backend);
    buf_init(&fixture->body, 1 << 20);
    admin_fixture = fixture;
    *state = fixture;
    return 0;
}

UNUSED static int admin_fixture_teardown(void **state) {
    struct admin_fixture *fixture = (struct admin_fixture *)*state;
    admin_free(fixture->admin);
    loop_free(fixture->loop);
    buf_clear(&fixture->body);
    free(fixture);
    return 0;
}

static void admin_fixture_on_answer(void *context, const struct admin_answer *answer) {
    struct admin_fixture *fixture = context;
    fixture->answers++;
    fixture->status = answer->status;
    str_copy(fixture->route, sizeof(fixture->route), str_from(answer->route));
    str_copy(fixture->content_type, sizeof(fixture->content_type), str_from(answer->content_type));
    buf_reset(&fixture->body);
    buf_append_str(&fixture->body, answer->body);
}

/* A request without HTTP; `line` is "METHOD PATH?QUERY". Returns the status, 0 while there is none. */
UNUSED static int admin_fixture_call(struct admin_fixture *fixture, const char *line, const char *body) {
    struct str method, path, query = STR("");
    fixture->status = 0;
    str_split(str_from(line), ' ', &method, &path);
    str_split(path, '?', &path, &query);
    const struct admin_request request = {
        .method = method, .path = path, .query = query, .body = str_from(body), .actor = STR("tester")};
    admin_handle(fixture->admin, &request, admin_fixture_on_answer, fixture);
    return fixture->status;
}

/* The body of the last answer. */
UNUSED static const char *admin_fixture_body(struct admin_fixture *fixture) {
    return buf_cstr(&fixture->body);
}

#endif
