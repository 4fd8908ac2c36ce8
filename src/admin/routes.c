#include "admin/routes.h"

#include "admin/action.h"
#include "admin/device_action.h"
#include "admin/match.h"
#include "admin/write.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };
static const char JSON_TYPE[] = "application/json";

/* One request until its answer. */
struct operation {
    struct admin *admin;
    const struct route_row *row; /* NULL: none matched */
    void (*on_answer)(void *context, const struct admin_answer *answer);
    void *context;
    char id[STORE_ID_MAX];    /* what stands for {id} */
    char after[STORE_ID_MAX]; /* the page asked for */
    unsigned limit;
    int64_t before;
    char actor[STORE_ID_MAX];
    struct admin_action action;
    struct store_earnings earnings;
    struct store_account account;
    void (*on_account)(struct operation *operation, const struct store_account *account); /* find_account */
};

/* Of the two, one is there. */
struct route_row {
    const char *method, *path;
    admin_action_read *read;
    void (*start)(struct operation *operation);
};

/* --- Answers; each ends the operation --- */

static void operation_answer(struct operation *operation, int status, const char *content_type, struct str body) {
    const struct admin_answer answer = {.status = status,
                                        .route = operation->row != NULL ? operation->row->path : "-",
                                        .content_type = content_type,
                                        .body = body};
    operation->admin->operations--;
    operation->on_answer(operation->context, &answer);
    free(operation);
}

static void operation_answer_text(struct operation *operation) {
    operation_answer(operation, 200, JSON_TYPE, buf_str(&operation->admin->text));
}

static void operation_fail(struct operation *operation, const struct err *err) {
    struct buf *out = admin_text(operation->admin);
    const int status = admin_write_error(err, out);
    operation_answer(operation, status, JSON_TYPE, buf_str(out));
}

static void operation_missing(struct operation *operation, const char *what) {
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "There is no such %s.", what);
    operation_fail(operation, &err);
}

/* --- Actions --- */

static void on_executed(void *context, const struct store_admin *result, const struct err *err) {
    struct operation *operation = context;
    if (err != NULL) {
        operation_fail(operation, err);
        return;
    }
    const char *secrets[2];
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        secrets[i] = operation->action.secrets[i][0] != '\0' ? operation->action.secrets[i] : NULL;
    }
    struct buf unknown;
    buf_init(&unknown, sizeof(result->keys[0].models));
    if (result->kind == STORE_ADMIN_KEY_CREATE) {
        admin_find_unknown_models(&operation->admin->backend, &result->keys[0], &unknown);
    }
    admin_write_result(result, secrets, buf_str(&unknown), admin_text(operation->admin));
    buf_clear(&unknown);
    operation_answer_text(operation);
}

static void operation_act(struct operation *operation, struct str body) {
    struct admin *admin = operation->admin;
    struct json_value object = {0};
    struct err err;
    const bool wanted = strcmp(operation->row->method, "DELETE") != 0 || body.len > 0;
    if ((wanted && !admin_read_body(admin->parser, body, &object, &err)) ||
        !operation->row->read(object, operation->id, clock_wall_ms(), &operation->action, &err)) {
        operation_fail(operation, &err);
        return;
    }
    operation->action.admin.actor = operation->actor;
    admin->backend.execute(admin->backend.context, &operation->action.admin, on_executed, operation);
}

/* --- Reads --- */

/* False: it failed, and is answered. */
static bool begin_list(struct operation *operation, struct json_writer *writer, const struct err *err) {
    if (err != NULL) {
        operation_fail(operation, err);
        return false;
    }
    json_writer_init(writer, admin_text(operation->admin));
    json_begin_object(writer);
    json_member_cstr(writer, "object", "list");
    json_write_key(writer, "data");
    json_begin_array(writer);
    return true;
}

static void end_list(struct operation *operation, struct json_writer *writer, bool more) {
    json_end_array(writer);
    json_member_bool(writer, "has_more", more);
    json_end_object(writer);
    operation_answer_text(operation);
}

static void write_account(struct operation *operation, struct json_writer *writer, const struct store_account *account,
                          const struct store_kept_report *kept) {
    const struct admin_backend *backend = &operation->admin->backend;
    struct core_account_view view;
    const bool live = backend->account_view != NULL && backend->account_view(backend->context, account->number, &view);
    admin_write_account(writer, account, live ? &view : NULL, kept);
}

static void on_accounts(void *context, const struct store_account *accounts, size_t count, bool more,
                        const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (!begin_list(operation, &writer, err)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        write_account(operation, &writer, &accounts[i], NULL);
    }
    end_list(operation, &writer, more);
}

static void start_accounts(struct operation *operation) {
    store_accounts_read(operation->admin->store, "", operation->after, operation->limit, on_accounts, operation);
}

static void on_account(void *context, const struct store_account *accounts, size_t count, bool more,
                       const struct err *err) {
    struct operation *operation = context;
    (void)more;
    if (err != NULL) {
        operation_fail(operation, err);
    } else if (count == 0) {
        operation_missing(operation, "account");
    } else {
        operation->on_account(operation, &accounts[0]);
    }
}

/* Goes on with the account that {id} names, or ends the operation. */
static void find_account(struct operation *operation,
                         void (*then)(struct operation *operation, const struct store_account *account)) {
    operation->on_account = then;
    store_accounts_read(operation->admin->store, operation->id, "", 1, on_account, operation);
}

static void on_kept(void *context, const struct store_kept_report *report, const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (err != NULL) {
        operation_fail(operation, err);
        return;
    }
    json_writer_init(&writer, admin_text(operation->admin));
    write_account(operation, &writer, &operation->account, report);
    operation_answer_text(operation);
}

static void answer_account(struct operation *operation, const struct store_account *account) {
    operation->account = *account;
    store_kept_read(operation->admin->store, account->id, on_kept, operation);
}

static void start_account(struct operation *operation) {
    find_account(operation, answer_account);
}

static void on_keys(void *context, const struct store_key *keys, size_t count, bool more, const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (!begin_list(operation, &writer, err)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        admin_write_key(&writer, &keys[i]);
    }
    end_list(operation, &writer, more);
}

static void read_keys(struct operation *operation, const struct store_account *account) {
    store_keys_read(operation->admin->store, account->id, operation->after, operation->limit, on_keys, operation);
}

static void start_keys(struct operation *operation) {
    find_account(operation, read_keys);
}

static void on_owed(void *context, const struct store_owed *owed, const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (err != NULL) {
        operation_fail(operation, err);
        return;
    }
    json_writer_init(&writer, admin_text(operation->admin));
    admin_write_earnings(&writer, operation->id, &operation->earnings, owed);
    operation_answer_text(operation);
}

static void on_earnings(void *context, const struct store_earnings *earnings, const struct err *err) {
    struct operation *operation = context;
    if (err != NULL) {
        operation_fail(operation, err);
    } else {
        operation->earnings = *earnings;
        store_owed_read(operation->admin->store, operation->id, on_owed, operation);
    }
}

static void read_earnings(struct operation *operation, const struct store_account *account) {
    store_earnings_read(operation->admin->store, account->id, 0, INT64_MAX, on_earnings, operation);
}

static void start_earnings(struct operation *operation) {
    find_account(operation, read_earnings);
}

static void on_audit(void *context, const struct store_audit *lines, size_t count, bool more, const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (!begin_list(operation, &writer, err)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        admin_write_audit(&writer, &lines[i]);
    }
    end_list(operation, &writer, more);
}

static void start_audit(struct operation *operation) {
    store_audit_read(operation->admin->store, operation->before, operation->limit, on_audit, operation);
}

/* --- Devices and generations --- */

static void write_device(struct operation *operation, struct json_writer *writer, const struct store_device *device) {
    const struct admin_backend *backend = &operation->admin->backend;
    json_begin_object(writer);
    admin_write_device(writer, device);
    if (backend->provider_write != NULL) {
        backend->provider_write(backend->context, device, writer);
    }
    json_end_object(writer);
}

static void on_devices(void *context, const struct store_device *devices, size_t count, bool more,
                       const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (!begin_list(operation, &writer, err)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        write_device(operation, &writer, &devices[i]);
    }
    end_list(operation, &writer, more);
}

static void start_devices(struct operation *operation) {
    store_devices_read(operation->admin->store, "", "", operation->after, operation->limit, on_devices, operation);
}

static void on_device(void *context, const struct store_device *devices, size_t count, bool more,
                      const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    (void)more;
    if (err != NULL) {
        operation_fail(operation, err);
    } else if (count == 0) {
        operation_missing(operation, "provider");
    } else {
        json_writer_init(&writer, admin_text(operation->admin));
        write_device(operation, &writer, &devices[0]);
        operation_answer_text(operation);
    }
}

static void start_device(struct operation *operation) {
    store_devices_read(operation->admin->store, operation->id, "", "", 1, on_device, operation);
}

static void on_reviews(void *context, const struct store_review *reviews, size_t count, bool more,
                       const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (!begin_list(operation, &writer, err)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        admin_write_review(&writer, &reviews[i], &operation->admin->backend);
    }
    end_list(operation, &writer, more);
}

static void on_escrow(void *context, const struct store_escrow *rows, size_t count, bool more, const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (!begin_list(operation, &writer, err)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        admin_write_escrow(&writer, &rows[i]);
    }
    end_list(operation, &writer, more);
}

static void start_escrow(struct operation *operation) {
    store_escrow_read(operation->admin->store, operation->after, operation->limit, on_escrow, operation);
}

static void start_reviews(struct operation *operation) {
    store_reviews_read(operation->admin->store, "", operation->before, operation->limit, on_reviews, operation);
}

static void on_tokens(void *context, const struct store_join_token *tokens, size_t count, bool more,
                      const struct err *err) {
    struct operation *operation = context;
    struct json_writer writer;
    if (!begin_list(operation, &writer, err)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        admin_write_token(&writer, &tokens[i], clock_wall_ms());
    }
    end_list(operation, &writer, more);
}

static void start_tokens(struct operation *operation) {
    store_join_tokens_read(operation->admin->store, operation->after, operation->limit, on_tokens, operation);
}

static void start_generation(struct operation *operation) {
    const struct admin_backend *backend = &operation->admin->backend;
    struct json_writer writer;
    json_writer_init(&writer, admin_text(operation->admin));
    if (backend->generation_write != NULL && backend->generation_write(backend->context, operation->id, &writer)) {
        operation_answer_text(operation);
    } else {
        operation_missing(operation, "job: only running ones and the last that ended are remembered");
    }
}

static void measure(struct operation *operation, bool status, const char *type) {
    const struct admin_backend *backend = &operation->admin->backend;
    if (backend->metrics == NULL) {
        operation_missing(operation, "gateway running with this data folder");
        return;
    }
    struct buf *out = admin_text(operation->admin);
    backend->metrics(backend->context, status, out);
    operation_answer(operation, 200, type, buf_str(out));
}

static void start_metrics(struct operation *operation) {
    measure(operation, false, "text/plain; version=0.0.4; charset=utf-8");
}

static void start_status(struct operation *operation) {
    measure(operation, true, JSON_TYPE);
}

/* --- Routing --- */

static const struct route_row ROWS[] = {
    {"POST", "/admin/accounts", admin_read_account_create, NULL},
    {"GET", "/admin/accounts", NULL, start_accounts},
    {"GET", "/admin/accounts/{id}", NULL, start_account},
    {"PATCH", "/admin/accounts/{id}", admin_read_account_change, NULL},
    {"DELETE", "/admin/accounts/{id}", admin_read_account_erase, NULL},
    {"POST", "/admin/accounts/{id}/keys", admin_read_key_create, NULL},
    {"GET", "/admin/accounts/{id}/keys", NULL, start_keys},
    {"DELETE", "/admin/keys/{id}", admin_read_key_revoke, NULL},
    {"POST", "/admin/accounts/{id}/credits", admin_read_credit, NULL},
    {"POST", "/admin/accounts/{id}/payouts", admin_read_payout, NULL},
    {"GET", "/admin/accounts/{id}/earnings", NULL, start_earnings},
    {"GET", "/admin/providers", NULL, start_devices},
    {"GET", "/admin/providers/{id}", NULL, start_device},
    {"PATCH", "/admin/providers/{id}", admin_read_device_change, NULL},
    {"DELETE", "/admin/providers/{id}", admin_read_device_remove, NULL},
    {"POST", "/admin/providers/{id}/key", admin_read_device_key, NULL},
    {"POST", "/admin/providers/{id}/reviews", admin_read_finding, NULL},
    {"DELETE", "/admin/providers/{id}/reviews", admin_read_reviews_clear, NULL},
    {"GET", "/admin/join-tokens", NULL, start_tokens},
    {"DELETE", "/admin/join-tokens/{id}", admin_read_token_revoke, NULL},
    {"POST", "/admin/providers/{id}/escrow", admin_read_escrow_end, NULL},
    {"GET", "/admin/escrow", NULL, start_escrow},
    {"GET", "/admin/reviews", NULL, start_reviews},
    {"GET", "/admin/jobs/{id}", NULL, start_generation},
    {"GET", "/admin/audit", NULL, start_audit},
    {"GET", "/admin/status", NULL, start_status},
    {"GET", "/metrics", NULL, start_metrics},
};

/* Finds the row; else says in `err` what is wrong: ERR_NOT_FOUND, or ERR_UNSUPPORTED for the method. */
static bool route_request(const struct admin_request *request, struct operation *operation, struct err *err) {
    bool known = false;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (!admin_match(ROWS[i].path, request->path, operation->id)) {
            continue;
        }
        if (str_equal_cstr(request->method, ROWS[i].method)) {
            operation->row = &ROWS[i];
            return true;
        }
        known = true;
    }
    return known ? err_set(err, ERR_UNSUPPORTED, "This route does not have that method.")
                 : err_set(err, ERR_NOT_FOUND, "There is no such route.");
}

static bool read_number(struct str value, const char *name, uint64_t max, uint64_t *out, struct err *err) {
    return (str_parse_u64(value, max, out) && *out > 0) ||
           err_set_field(err, ERR_INVALID, name, "%s must be a whole number between 1 and %llu.", name,
                         (unsigned long long)max);
}

static bool read_parameter(struct operation *operation, struct str name, struct str value, struct err *err) {
    uint64_t number = 0;
    bool ok = true; /* unknown ones are ignored */
    if (str_equal_cstr(name, "limit")) {
        ok = read_number(value, "limit", PAGE_MAX, &number, err);
        operation->limit = (unsigned)number;
    } else if (str_equal_cstr(name, "before")) {
        ok = read_number(value, "before", INT64_MAX, &number, err);
        operation->before = (int64_t)number;
    } else if (str_equal_cstr(name, "after")) {
        ok = str_copy(operation->after, sizeof(operation->after), value) ||
             err_set_field(err, ERR_INVALID, "after", "after must be the id of the last one of the page before.");
    }
    return ok;
}

/* Ids and numbers need no escapes in a query, so none are undone. */
static bool read_query(struct operation *operation, struct str query, struct err *err) {
    struct str item, name, value;
    bool more = query.len > 0;
    operation->limit = PAGE_DEFAULT;
    while (more) {
        more = str_split(query, '&', &item, &query);
        if (str_split(item, '=', &name, &value) && !read_parameter(operation, name, value, err)) {
            return false;
        }
    }
    return true;
}

void admin_handle(struct admin *admin, const struct admin_request *request,
                  void (*on_answer)(void *context, const struct admin_answer *answer), void *context) {
    struct operation *operation = MEM_NEW(struct operation);
    struct err err;
    operation->admin = admin;
    operation->on_answer = on_answer;
    operation->context = context;
    (void)str_copy(operation->actor, sizeof(operation->actor), request->actor);
    admin->operations++;
    if (!route_request(request, operation, &err) || !read_query(operation, request->query, &err)) {
        operation_fail(operation, &err);
    } else if (operation->row->read != NULL) {
        operation_act(operation, request->body);
    } else {
        operation->row->start(operation);
    }
}
