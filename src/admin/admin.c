#include "admin/admin.h"

#include "admin/internal.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/fault.h"
#include "format/envelope.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ADMIN_BODY_BYTES = 64 * 1024,
    ADMIN_TEXT_BYTES = 4 * 1024 * 1024, /* a page of the longest rows */
    ADMIN_METHOD_SIZE = 16,
};

/* One HTTP exchange until its answer, or until its client is gone. */
struct admin_exchange {
    struct admin *admin;
    struct http_exchange *exchange; /* NULL: gone; the action is carried out all the same */
    char method[ADMIN_METHOD_SIZE];
    uint64_t started_ms;
};

struct admin *admin_new(struct loop *loop, struct store *store, const struct admin_backend *backend) {
    struct admin *admin = MEM_NEW(struct admin);
    admin->loop = loop;
    admin->store = store;
    admin->backend = *backend;
    admin->parser = json_parser_new(ADMIN_BODY_BYTES, LIMIT_JSON_DEPTH);
    buf_init(&admin->text, ADMIN_TEXT_BYTES);
    return admin;
}

void admin_free(struct admin *admin) {
    if (admin == NULL) {
        return;
    }
    assert(admin->operations == 0);
    json_parser_free(admin->parser);
    buf_clear(&admin->text);
    free(admin);
}

struct buf *admin_text(struct admin *admin) {
    buf_clear(&admin->text); /* it is used seldom, and its memory better elsewhere */
    return &admin->text;
}

int admin_write_error(const struct err *err, struct buf *out) {
    struct fault error;
    if (err->code == ERR_CONFLICT) {
        fault_set(&error, FAULT_INVALID_REQUEST, "%s", err->message);
        error.status = 409;
    } else if (err->code == ERR_UNSUPPORTED) {
        fault_set(&error, FAULT_METHOD_NOT_ALLOWED, "%s", err->message);
    } else {
        fault_from_err(&error, err);
    }
    envelope_write(&error, out);
    return fault_status(&error);
}

static void respond(struct http_exchange *exchange, int status, const char *content_type, struct str body) {
    const struct http_response_header headers[] = {{"Content-Type", str_from(content_type)},
                                                   {"Cache-Control", STR("no-store")}}; /* keys are shown once */
    http_respond(exchange, status, headers, COUNT_OF(headers), body);
}

static void on_answer(void *context, const struct admin_answer *answer) {
    struct admin_exchange *state = context;
    LOG_INFO_EVENT("admin.request", LOG_TEXT("method", state->method), LOG_TEXT("path", answer->route),
                   LOG_INT("status", answer->status),
                   LOG_INT("ms", (int64_t)(loop_now_ms(state->admin->loop) - state->started_ms)));
    if (state->exchange != NULL) {
        respond(state->exchange, answer->status, answer->content_type, answer->body);
    }
    free(state);
}

static void on_gone(void *user) {
    struct admin_exchange *state = user;
    state->exchange = NULL;
}

void admin_on_request(void *context, struct http_exchange *exchange) {
    struct admin *admin = context;
    const struct http_request *http = http_exchange_request(exchange);
    struct admin_exchange *state = MEM_NEW(struct admin_exchange);
    const struct str actor = http_request_header(http, "x-admin-actor");
    *state = (struct admin_exchange){.admin = admin, .exchange = exchange, .started_ms = loop_now_ms(admin->loop)};
    (void)str_copy(state->method, sizeof state->method, http->method);
    http_exchange_on_gone(exchange, on_gone, state);
    const struct admin_request request = {.method = http->method,
                                          .path = http->path,
                                          .query = http->query,
                                          .body = http->body,
                                          .actor = actor.len > 0 ? actor : STR("api")};
    admin_handle(admin, &request, on_answer, state);
}

void admin_on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    struct admin *admin = context;
    struct fault error;
    struct buf *out = admin_text(admin);
    fault_set(&error, FAULT_INVALID_REQUEST, "The HTTP request was refused: %s.", why);
    error.status = status;
    envelope_write(&error, out);
    respond(exchange, status, "application/json", buf_str(out));
}
