#include "api/route_receipts.h"

#include "api/page.h"
#include "api/pending.h"
#include "api/query.h"
#include "api/respond.h"
#include "base/log.h"
#include "store/receipts.h"
#include "wire/receipt_file.h"

#include <string.h>

static void refuse_missing(struct api_request *request, const char *param, const char *message) {
    struct fault fault;
    fault_set_param(&fault, FAULT_NOT_FOUND, param, "%s", message);
    respond_fault(request, &fault);
}

static void respond_head(struct api_request *request, const struct receipt_head_file *file) {
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    receipt_head_file_write(file, &writer);
    respond_json(request, 200, buf_str(body));
}

/* --- GET /v1/receipts/{id} --- */

/* Signed now: what was signed says where it stands in the chain, and that says what it was from the beginning. */
static void respond_receipt(struct api_request *request, const struct store_receipt *receipt) {
    struct receipt_file file = {.link = receipt->link, .has_salt = store_receipt_has_salt(receipt)};
    uint8_t hash[DIGEST_SHA256_SIZE];
    struct err err;
    if (!receipt_read_bytes(receipt->bytes, &file.receipt, &err)) {
        struct fault fault;
        LOG_ERROR_EVENT("receipt.unreadable", LOG_TEXT("error", err.message));
        fault_set(&fault, FAULT_INTERNAL, "The receipt cannot be read.");
        respond_fault(request, &fault);
        return;
    }
    memcpy(file.salt, receipt->salt, sizeof(file.salt));
    receipt_hash(&file.link, receipt->bytes, hash);
    receipt_sign(request->api->receipt_key, hash, &file.gateway);
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    receipt_file_write(&file, &writer);
    respond_json(request, 200, buf_str(body));
}

static void on_receipt(void *context, const struct store_receipt *receipt, const struct err *err) {
    const bool missing = err != NULL && err->code == ERR_NOT_FOUND;
    struct api_request *request = pending_answered(context, missing ? NULL : err, "settled request", "id");
    if (request == NULL) {
        return;
    }
    if (missing) {
        refuse_missing(request, "id",
                       "You have no settled request with this id. A job's receipt is under the job's id and under that "
                       "of its answer; a workflow's steps have one each: GET /v1/workflows/{id} has their ids.");
    } else if (receipt->kept) {
        respond_receipt(request, receipt);
    } else {
        refuse_missing(
            request, "id",
            "This request has no receipt: it failed and cost nothing, or it is of the time before there were "
            "receipts.");
    }
}

static void handle_one(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    if (request_is_test(request)) {
        refuse_missing(request, "id",
                       "Requests with a test key have no receipts: nothing of them is charged. Ask with a live key.");
        return;
    }
    store_receipt_read(request->api->calls->store, request->identity.account_id, id, on_receipt,
                       pending_new(request, NULL));
}

/* --- GET /v1/receipts/head --- */

/* The day of the query; `day` as it was without one. */
static bool read_day(struct api_request *request, int64_t *day) {
    struct str text, value;
    char decoded[RECEIPT_DAY_SIZE];
    struct fault fault;
    if (!query_find(http_exchange_request(request->exchange)->query, "day", &value)) {
        return true;
    }
    if (query_decode(value, decoded, sizeof(decoded), &text) && receipt_day_read(text, day)) {
        return true;
    }
    fault_set_param(&fault, FAULT_INVALID_REQUEST, "day", "day is a day in UTC, such as 2026-11-30.");
    respond_fault(request, &fault);
    return false;
}

struct head_question {
    int64_t day;
};

static void on_head(void *context, const struct receipt_head *head, const struct err *err) {
    const bool missing = err != NULL && err->code == ERR_NOT_FOUND;
    struct api_request *request = pending_answered(context, missing ? NULL : err, "day", "day");
    if (request == NULL) {
        return;
    }
    if (missing) {
        http_exchange_key_failed(request->exchange);
        refuse_missing(request, "day", "There are no receipts of that day.");
        return;
    }
    struct api *api = request->api;
    const struct head_question *question = request->handler_data;
    respond_head(request,
                 receipt_heads_take(&api->heads, api->receipt_key, question->day, head, loop_now_ms(api->calls->loop)));
}

/* Each day that is not there costs a look into the store, and there are more of them than anybody would ask for. */
static bool refuse_guesser(struct api_request *request) {
    struct fault fault;
    const uint64_t wait_ms = http_exchange_key_wait_ms(request->exchange);
    if (wait_ms > 0) {
        fault_set(&fault, FAULT_RATE_LIMIT_EXCEEDED,
                  "Your address has asked for too many days without receipts, or with wrong API keys, in a minute.");
        fault.retry_after_ms = wait_ms;
        respond_fault(request, &fault);
    }
    return wait_ms > 0;
}

static void handle_head(struct api_request *request) {
    struct api *api = request->api;
    int64_t day = STORE_RECEIPTS_NEWEST;
    if (!read_day(request, &day)) {
        return;
    }
    const struct receipt_head_file *known = receipt_heads_find(&api->heads, day, loop_now_ms(api->calls->loop));
    if (known != NULL) {
        respond_head(request, known);
        return;
    }
    if (day != STORE_RECEIPTS_NEWEST && refuse_guesser(request)) {
        return;
    }
    struct head_question *question = ARENA_NEW(http_exchange_arena(request->exchange), struct head_question);
    question->day = day;
    request->handler_data = question;
    store_receipt_head(api->calls->store, day, on_head, pending_new(request, NULL));
}

/* --- GET /v1/receipts/chain --- */

static void on_leaves(void *context, const struct store_receipt_leaves *leaves, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "day", "day");
    char hex[DIGEST_HEX_SIZE];
    if (request == NULL) {
        return;
    }
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "object", "list");
    json_write_key(&writer, "data");
    json_begin_array(&writer);
    for (size_t i = 0; i < leaves->count; i++) {
        digest_hex(leaves->items[i], DIGEST_SHA256_SIZE, hex);
        json_write_cstr(&writer, hex);
    }
    json_end_array(&writer);
    json_member_bool(&writer, "has_more", leaves->count == STORE_RECEIPT_LEAVES_MAX);
    respond_json_end(request, 200, &writer);
}

static bool read_after(struct api_request *request, int64_t *after) {
    struct str text, value;
    char decoded[32];
    uint64_t number = 0;
    struct fault fault;
    if (query_find(http_exchange_request(request->exchange)->query, "after", &value) &&
        (!query_decode(value, decoded, sizeof(decoded), &text) || !str_parse_u64(text, INT64_MAX / 2, &number))) {
        fault_set_param(&fault, FAULT_INVALID_REQUEST, "after",
                        "after is the place of a receipt in its day, or 0: those behind it are told.");
        respond_fault(request, &fault);
        return false;
    }
    *after = (int64_t)number;
    return true;
}

static void handle_chain(struct api_request *request) {
    int64_t day = STORE_RECEIPTS_NEWEST, after;
    if (!read_day(request, &day) || !read_after(request, &after)) {
        return;
    }
    if (day == STORE_RECEIPTS_NEWEST) {
        struct fault fault;
        fault_set_param(&fault, FAULT_INVALID_REQUEST, "day", "Say of which day, such as day=2026-11-30 (UTC).");
        respond_fault(request, &fault);
        return;
    }
    store_receipt_leaves(request->api->calls->store, day, after, STORE_RECEIPT_LEAVES_MAX, on_leaves,
                         pending_new(request, NULL));
}

static const struct route routes[] = {
    {"GET", "/v1/receipts/head", false, handle_head, NULL},
    {"GET", "/v1/receipts/chain", true, handle_chain, NULL},
    {"GET", "/v1/receipts/{id}", true, handle_one, NULL},
};

const struct route_set ROUTES_RECEIPTS = {routes, COUNT_OF(routes)};
