#include "api/route_account.h"

#include "api/body.h"
#include "api/pending.h"
#include "api/respond.h"
#include "base/json_values.h"
#include "store/admin.h"

/* --- The account as JSON --- */

static void respond_account(struct api_request *request, const struct store_account *account) {
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "id", account->id);
    json_member_cstr(&writer, "object", "account");
    json_member_cstr(&writer, "name", account->name);
    json_member_cstr(&writer, "tier", store_tier_name(account->tier));
    json_member_bool(&writer, "suspended", account->suspended);
    json_member_bool(&writer, "audits", !account->unaudited);
    json_member_time(&writer, "created_at", account->created_ms);
    respond_json_end(request, 200, &writer);
}

/* --- GET /v1/account --- */

static void read_account(struct api_request *request,
                         void (*on_result)(void *context, const struct store_account *accounts, size_t count, bool more,
                                           const struct err *err)) {
    store_accounts_read(request->api->calls->store, request->identity.account_id, "", 1, on_result,
                        pending_new(request, NULL));
}

/* The request, or NULL when there is nothing more to do. */
static struct api_request *told(void *pending, size_t count, const struct err *err) {
    const struct err gone = {.code = ERR_NOT_FOUND};
    return pending_answered(pending, err == NULL && count == 0 ? &gone : err, "account", NULL);
}

static void on_read(void *context, const struct store_account *accounts, size_t count, bool more,
                    const struct err *err) {
    struct api_request *request = told(context, count, err);
    (void)more;
    if (request != NULL) {
        respond_account(request, &accounts[0]);
    }
}

static void handle_read(struct api_request *request) {
    read_account(request, on_read);
}

/* --- PATCH /v1/account --- */

struct account_change {
    bool audits;
};

static bool change_read(struct api_request *request, struct account_change *out, struct fault *fault) {
    struct json_value body, value, member;
    struct json_iterator iterator;
    struct str name;
    if (!body_parse_object(request, &body, fault)) {
        return false;
    }
    for (json_iterate(body, &iterator); json_next(&iterator, &name, &member);) {
        if (!str_equal_cstr(name, "audits")) {
            fault_set(fault, FAULT_INVALID_REQUEST, "Only audits can be changed here.");
            (void)str_copy(fault->param, sizeof(fault->param), name);
            return false;
        }
    }
    if (!json_get(body, "audits", &value) || !json_as_bool(value, &out->audits)) {
        fault_set_param(fault, FAULT_INVALID_REQUEST, "audits",
                        "audits is true or false: whether answers to this account may be shown, with their prompts, to "
                        "devices that score them.");
        return false;
    }
    return true;
}

static void on_changed(void *context, const struct store_admin *result, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "account", NULL);
    if (request != NULL) {
        respond_account(request, &result->account);
    }
}

/* What it is already costs nothing: no line in the operator's log, and none of the changes that there may be. */
static void on_known(void *context, const struct store_account *accounts, size_t count, bool more,
                     const struct err *err) {
    struct api_request *request = told(context, count, err);
    (void)more;
    if (request == NULL) {
        return;
    }
    const struct account_change *change = request->handler_data;
    if (accounts[0].unaudited == !change->audits) {
        respond_account(request, &accounts[0]);
        return;
    }
    const struct api_accounts *backend = &request->api->backend.accounts;
    const uint64_t wait_ms = backend->change_wait_ms(backend->context, &request->identity);
    if (wait_ms > 0) {
        struct fault fault;
        fault_set(&fault, FAULT_RATE_LIMIT_EXCEEDED,
                  "Your account has changed this too often in an hour. What it was set to last holds.");
        fault.retry_after_ms = wait_ms;
        respond_fault(request, &fault);
        return;
    }
    backend->audits_set(backend->context, request->identity.account_id, change->audits, on_changed,
                        pending_new(request, NULL));
}

static void handle_change(struct api_request *request) {
    struct account_change *change = ARENA_NEW(http_exchange_arena(request->exchange), struct account_change);
    struct fault fault;
    if (change == NULL) {
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
    } else if (request_is_test(request)) {
        fault_set(&fault, FAULT_FORBIDDEN, "The account is changed with a live key.");
        respond_fault(request, &fault);
    } else if (!change_read(request, change, &fault)) {
        respond_fault(request, &fault);
    } else {
        request->handler_data = change;
        read_account(request, on_known);
    }
}

static const struct route routes[] = {
    {"GET", "/v1/account", true, handle_read, NULL},
    {"PATCH", "/v1/account", true, handle_change, NULL},
};

const struct route_set ROUTES_ACCOUNT = {routes, COUNT_OF(routes)};
