#include "api/route_webhooks.h"

#include "api/body.h"
#include "api/page.h"
#include "api/pending.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/deliveries.h"
#include "store/quota.h"
#include "webhook/fields.h"

#include <stdio.h>

enum { WEBHOOK_ID_RANDOM = 22 };

/* --- Errors --- */

static void respond_failed(struct api_request *request, const struct err *err) {
    struct fault fault;
    if (err->code == ERR_NOT_FOUND) {
        fault_set(&fault, FAULT_NOT_FOUND, "%s", err->message);
    } else if (err->code == ERR_CONFLICT && str_equal_cstr(str_from(err->field), "rate")) {
        fault_set(&fault, FAULT_RATE_LIMIT_EXCEEDED, "%s", err->message);
        fault.retry_after_ms = STORE_WEBHOOK_ASKED_MS;
        respond_fault(request, &fault);
        return;
    } else if (err->code == ERR_CONFLICT && !store_quota_is_past(err)) {
        fault_set(&fault, FAULT_INVALID_REQUEST, "%s", err->message);
        fault.status = 409; /* a good request, but not now */
    } else {
        fault_from_err(&fault, err);
    }
    (void)str_copy(fault.param, sizeof(fault.param), str_from(err->field));
    respond_fault(request, &fault);
}

/* Ends a question to the store: the request, or NULL when there is nothing more to do. */
static struct api_request *answered(void *pending, const struct err *err) {
    struct api_request *request = pending_end(pending);
    if (request != NULL && err != NULL) {
        respond_failed(request, err);
        return NULL;
    }
    return request;
}

/* Test keys lie about in more places; what they could do here is to listen to the account's real business. */
static bool allowed(struct api_request *request) {
    struct fault fault;
    if (!request_is_test(request)) {
        return true;
    }
    fault_set(&fault, FAULT_FORBIDDEN, "Webhooks are managed with a live key.");
    respond_fault(request, &fault);
    return false;
}

/* --- Changes --- */

static void change_init(struct store_webhook_change *change, const struct api_request *request,
                        enum store_webhook_change_kind kind) {
    *change = (struct store_webhook_change){.kind = kind, .now_ms = clock_wall_ms()};
    (void)str_copy(change->webhook.account_id, sizeof(change->webhook.account_id),
                   str_from(request->identity.account_id));
    if (kind != STORE_WEBHOOK_CREATE) {
        page_path_id(request, change->webhook.id);
    }
}

static void respond_webhook(struct api_request *request, const struct store_webhook *webhook, bool show_secret) {
    struct json_writer writer;
    struct buf *body = respond_buffer(request->api);
    json_writer_init(&writer, body);
    webhook_write(&writer, webhook, show_secret);
    respond_json(request, 200, buf_str(body));
}

static void on_changed(void *context, const struct store_webhook_result *result, const struct err *err) {
    struct api_request *request = answered(context, err);
    if (request != NULL) {
        respond_webhook(request, &result->webhook, false);
    }
}

/* The only time that a secret is shown. */
static void on_secret(void *context, const struct store_webhook_result *result, const struct err *err) {
    struct api_request *request = answered(context, err);
    if (request != NULL) {
        respond_webhook(request, &result->webhook, true);
    }
}

static void on_deleted(void *context, const struct store_webhook_result *result, const struct err *err) {
    struct api_request *request = answered(context, err);
    if (request == NULL) {
        return;
    }
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "id", result->webhook.id);
    json_member_cstr(&writer, "object", "webhook");
    json_member_bool(&writer, "deleted", true);
    respond_json_end(request, 200, &writer);
}

static void on_asked(void *context, const struct store_webhook_result *result, const struct err *err) {
    struct api_request *request = answered(context, err);
    struct json_writer writer;
    if (request == NULL) {
        return;
    }
    struct buf *body = respond_buffer(request->api);
    json_writer_init(&writer, body);
    webhook_write_delivery(&writer, &result->delivery);
    respond_json(request, 200, buf_str(body));
}

/* The store calls the delivery that is not there what lists call it. */
static void on_redelivered(void *context, const struct store_webhook_result *result, const struct err *err) {
    struct err named;
    if (err != NULL && err->code == ERR_NOT_FOUND && str_equal_cstr(str_from(err->field), "after")) {
        named = *err;
        (void)str_copy(named.field, sizeof(named.field), STR("delivery_id"));
        err = &named;
    }
    on_asked(context, result, err);
}

static bool read_change(struct api_request *request, struct store_webhook_change *change) {
    struct json_value body;
    struct fault fault;
    struct err err;
    if (!body_parse_object(request, &body, &fault)) {
        respond_fault(request, &fault);
        return false;
    }
    bool ok = webhook_fields_read(body, request->api->backend.webhooks_lax, change, &err);
    if (ok && change->kind == STORE_WEBHOOK_CREATE && !change->set_url) {
        ok = err_set_field(&err, ERR_INVALID, "url", "url is required.");
    }
    if (!ok) {
        fault_from_err(&fault, &err);
        respond_fault(request, &fault);
    }
    return ok;
}

static void handle_create(struct api_request *request) {
    struct store_webhook_change change;
    change_init(&change, request, STORE_WEBHOOK_CREATE);
    if (!allowed(request) || !read_change(request, &change)) {
        return;
    }
    struct store_webhook *webhook = &change.webhook;
    id_make_random("wh_", WEBHOOK_ID_RANDOM, webhook->id);
    random_bytes(webhook->secret, sizeof(webhook->secret));
    webhook->created_ms = change.now_ms;
    if (!change.set_state) {
        webhook->state = STORE_WEBHOOK_ENABLED;
    }
    if (!change.set_events) {
        for (int kind = STORE_EVENT_TEST + 1; kind < STORE_EVENT_KINDS; kind++) {
            webhook->events |= UINT32_C(1) << kind;
        }
    }
    if (!change.set_balance) {
        webhook->balance_nano = WEBHOOK_BALANCE_DEFAULT_NANO;
    }
    store_webhook_change(request->api->calls->store, &change, on_secret, pending_new(request, NULL));
}

static void handle_update(struct api_request *request) {
    struct store_webhook_change change;
    change_init(&change, request, STORE_WEBHOOK_UPDATE);
    if (allowed(request) && read_change(request, &change)) {
        store_webhook_change(request->api->calls->store, &change, on_changed, pending_new(request, NULL));
    }
}

static void handle_delete(struct api_request *request) {
    struct store_webhook_change change;
    change_init(&change, request, STORE_WEBHOOK_DELETE);
    if (allowed(request)) {
        store_webhook_change(request->api->calls->store, &change, on_deleted, pending_new(request, NULL));
    }
}

static void handle_rotate(struct api_request *request) {
    struct store_webhook_change change;
    change_init(&change, request, STORE_WEBHOOK_ROTATE);
    if (allowed(request)) {
        random_bytes(change.webhook.secret, sizeof(change.webhook.secret));
        store_webhook_change(request->api->calls->store, &change, on_secret, pending_new(request, NULL));
    }
}

static void handle_test(struct api_request *request) {
    struct store_webhook_change change;
    change_init(&change, request, STORE_WEBHOOK_TEST);
    if (allowed(request)) {
        store_webhook_change(request->api->calls->store, &change, on_asked, pending_new(request, NULL));
    }
}

static void handle_redeliver(struct api_request *request) {
    struct store_webhook_change change;
    struct json_value body, value;
    struct str id;
    struct fault fault;
    change_init(&change, request, STORE_WEBHOOK_REDELIVER);
    if (!allowed(request)) {
        return;
    }
    if (!body_parse_object(request, &body, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    if (!json_get(body, "delivery_id", &value) || !json_as_str(value, &id)) {
        fault_set_param(&fault, FAULT_INVALID_REQUEST, "delivery_id", "delivery_id must be the id of a delivery.");
        respond_fault(request, &fault);
        return;
    }
    if (!str_copy(change.delivery_id, sizeof(change.delivery_id), id)) {
        (void)snprintf(change.delivery_id, sizeof(change.delivery_id), "-"); /* too long for one of ours */
    }
    store_webhook_change(request->api->calls->store, &change, on_redelivered, pending_new(request, NULL));
}

/* --- Lists --- */

static void on_list(void *context, const struct store_webhook *webhooks, size_t count, const struct err *err) {
    struct api_request *request = answered(context, err);
    struct json_writer writer;
    if (request == NULL) {
        return;
    }
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        webhook_write(&writer, &webhooks[i], false);
    }
    page_list_end(request, &writer, false);
}

static void on_one(void *context, const struct store_webhook *webhooks, size_t count, const struct err *err) {
    struct api_request *request = answered(context, err);
    (void)count;
    if (request != NULL) {
        respond_webhook(request, webhooks, false);
    }
}

static void handle_list(struct api_request *request) {
    if (allowed(request)) {
        store_webhooks_read(request->api->calls->store, request->identity.account_id, "", on_list,
                            pending_new(request, NULL));
    }
}

static void handle_one(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    if (allowed(request)) {
        store_webhooks_read(request->api->calls->store, request->identity.account_id, id, on_one,
                            pending_new(request, NULL));
    }
}

static void on_deliveries(void *context, const struct store_delivery *deliveries, size_t count, bool more,
                          const struct err *err) {
    struct api_request *request = answered(context, err);
    struct json_writer writer;
    if (request == NULL) {
        return;
    }
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        webhook_write_delivery(&writer, &deliveries[i]);
    }
    page_list_end(request, &writer, more);
}

static void handle_deliveries(struct api_request *request) {
    char id[STORE_ID_MAX];
    struct page page;
    struct fault fault;
    page_path_id(request, id);
    if (!allowed(request)) {
        return;
    }
    if (!page_read(request, "delivery", &page, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    store_deliveries_read(request->api->calls->store, request->identity.account_id, id, page.after, page.limit,
                          on_deliveries, pending_new(request, NULL));
}

static const struct route routes[] = {
    {"POST", "/v1/webhooks", true, handle_create, NULL},
    {"GET", "/v1/webhooks", true, handle_list, NULL},
    {"GET", "/v1/webhooks/{id}", true, handle_one, NULL},
    {"PATCH", "/v1/webhooks/{id}", true, handle_update, NULL},
    {"DELETE", "/v1/webhooks/{id}", true, handle_delete, NULL},
    {"POST", "/v1/webhooks/{id}/rotate-secret", true, handle_rotate, NULL},
    {"POST", "/v1/webhooks/{id}/test", true, handle_test, NULL},
    {"GET", "/v1/webhooks/{id}/deliveries", true, handle_deliveries, NULL},
    {"POST", "/v1/webhooks/{id}/redeliver", true, handle_redeliver, NULL},
};

const struct route_set ROUTES_WEBHOOKS = {routes, COUNT_OF(routes)};
