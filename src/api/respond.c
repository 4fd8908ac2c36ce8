#include "api/respond.h"

#include "api/access_log.h"
#include "format/envelope.h"
#include "net/http_guard.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* Official SDKs repeat 408, 409, 429 and 5xx by themselves. A wait longer than this is for a person to decide. */
enum { RESPOND_RETRY_WAIT_MAX_MS = 60 * 1000 };

/* Of the headers that a preflight asks for: a name at most, and all names about. */
enum { PREFLIGHT_NAME_BYTES = 128, PREFLIGHT_NAMES_BYTES = 4096 };

/* A buffer that had to grow above this for one long answer is given back. */
enum { RESPOND_KEPT_BYTES = 256 * 1024 };

void respond_headers_add(struct respond_headers *headers, const char *name, struct str value) {
    assert(headers->count < RESPOND_HEADERS_MAX);
    headers->items[headers->count++] = (struct http_response_header){.name = name, .value = value};
}

void respond_format_duration(uint64_t ms, char out[RESPOND_RATE_TEXT_SIZE]) {
    unsigned minutes = (unsigned)(ms / 60000), rest = (unsigned)(ms % 60000);
    int len = 0;
    if (ms > 0 && ms < 1000) {
        snprintf(out, RESPOND_RATE_TEXT_SIZE, "%ums", rest);
        return;
    }
    if (minutes > 0) {
        len = snprintf(out, RESPOND_RATE_TEXT_SIZE, "%um", minutes);
    }
    len += snprintf(out + len, RESPOND_RATE_TEXT_SIZE - (size_t)len, "%u.%03u", rest / 1000, rest % 1000);
    while (out[len - 1] == '0') {
        len--;
    }
    len -= out[len - 1] == '.';
    snprintf(out + len, RESPOND_RATE_TEXT_SIZE - (size_t)len, "s");
}

/* The sandbox has no limits, and a request without a known key has no account. */
static void add_rate_headers(struct respond_headers *headers, const struct api_request *request) {
    static const char *const names[] = {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                                        "x-ratelimit-reset-requests"};
    const struct auth_identity *identity = &request->identity;
    const struct call_backend *backend = &request->api->calls->backend;
    struct core_account_view view;
    if (identity->account_id[0] == '\0' || request_is_test(request) ||
        !backend->account_view(backend->context, identity, &view) || view.requests_per_minute == 0) {
        return;
    }
    snprintf(headers->rate[0], RESPOND_RATE_TEXT_SIZE, "%u", view.requests_per_minute);
    snprintf(headers->rate[1], RESPOND_RATE_TEXT_SIZE, "%u", view.remaining);
    respond_format_duration(view.reset_ms, headers->rate[2]);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        respond_headers_add(headers, names[i], str_from(headers->rate[i]));
    }
}

void respond_headers_init(struct respond_headers *headers, const struct api_request *request, struct str content_type) {
    headers->count = 0;
    respond_headers_add(headers, "x-request-id", str_from(request->id));
    if (request->envelope->id_header != NULL) {
        respond_headers_add(headers, request->envelope->id_header, str_from(request->id));
    }
    respond_headers_add(headers, "Access-Control-Allow-Origin", STR("*"));
    respond_headers_add(
        headers, "Access-Control-Expose-Headers",
        STR("x-request-id, request-id, Retry-After, retry-after-ms, x-should-retry, Idempotent-Replayed, "
            "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests"));
    if (content_type.len > 0) {
        respond_headers_add(headers, "Content-Type", content_type);
    }
    add_rate_headers(headers, request);
}

struct buf *respond_buffer(struct api *api) {
    if (api->text.capacity > RESPOND_KEPT_BYTES) {
        buf_clear(&api->text);
    }
    buf_reset(&api->text);
    return &api->text;
}

void respond_send(struct api_request *request, int status, const struct respond_headers *headers, struct str body) {
    if (!request->logged_as_call) {
        access_log(request, status);
    }
    http_respond(request->exchange, status, headers->items, headers->count, body);
}

struct json_writer respond_json_begin(struct api_request *request) {
    struct json_writer writer;
    json_writer_init(&writer, respond_buffer(request->api));
    json_begin_object(&writer);
    return writer;
}

void respond_json_end(struct api_request *request, int status, struct json_writer *writer) {
    json_end_object(writer);
    respond_json(request, status, buf_str(writer->out));
}

void respond_json(struct api_request *request, int status, struct str body) {
    struct respond_headers headers;
    respond_headers_init(&headers, request, STR("application/json"));
    respond_send(request, status, &headers, body);
}

static void log_refusal(const struct api_request *request, const struct fault *fault) {
    const struct refusal refusal = {.request_id = request->id,
                                    .code = fault_name(fault->code),
                                    .address = http_exchange_peer(request->exchange),
                                    .identity = &request->identity,
                                    .status = request->envelope->status(fault)};
    if (refusal_log_is_for(refusal.status)) {
        (void)refusal_log_write(&request->api->refusals, &refusal, loop_now_ms(request->api->calls->loop));
    }
}

void respond_fault_header(struct api_request *request, const struct fault *fault, const char *name, struct str value) {
    struct respond_headers headers;
    respond_headers_init(&headers, request, STR("application/json"));
    if (name != NULL) {
        respond_headers_add(&headers, name, value);
    }
    if (fault->code == FAULT_INVALID_API_KEY) {
        respond_headers_add(&headers, "WWW-Authenticate", STR("Bearer"));
    }
    const bool retryable = fault_is_retryable(fault);
    const uint64_t wait_ms = fault_retry_after_ms(fault);
    char seconds[24], milliseconds[24];
    if (retryable && wait_ms != 0) {
        snprintf(seconds, sizeof(seconds), "%" PRIu64, fault_retry_after_s(fault));
        snprintf(milliseconds, sizeof(milliseconds), "%" PRIu64, wait_ms);
        respond_headers_add(&headers, "Retry-After", str_from(seconds));
        respond_headers_add(&headers, "retry-after-ms", str_from(milliseconds));
    }
    if (!retryable || wait_ms > RESPOND_RETRY_WAIT_MAX_MS) {
        respond_headers_add(&headers, "x-should-retry", STR("false"));
    }
    struct buf *body = respond_buffer(request->api);
    request->envelope->write(fault, request->id, body);
    log_refusal(request, fault);
    respond_send(request, request->envelope->status(fault), &headers, buf_str(body));
}

void respond_fault(struct api_request *request, const struct fault *fault) {
    respond_fault_header(request, fault, NULL, STR(""));
}

/* Of what a browser's page says it will send, all that can be names of headers. None of them is dangerous: the answer
 * has no Access-Control-Allow-Credentials, so what a page sends is its own. */
static void append_asked(struct buf *names, struct str asked) {
    while (asked.len > 0 && names->len < PREFLIGHT_NAMES_BYTES) {
        struct str name;
        (void)str_split(asked, ',', &name, &asked);
        name = str_trim(name);
        if (name.len > 0 && name.len <= PREFLIGHT_NAME_BYTES && http_guard_token_length(name) == name.len) {
            buf_append_cstr(names, ", ");
            buf_append_str(names, name);
        }
    }
}

void respond_preflight(struct api_request *request) {
    struct respond_headers headers;
    respond_headers_init(&headers, request, STR(""));
    respond_headers_add(&headers, "Access-Control-Allow-Methods", STR(RESPOND_METHODS));
    respond_headers_add(&headers, "Access-Control-Max-Age", STR("86400"));
    /* A wildcard would not cover Authorization, so the answer repeats what was asked for (Fetch standard,
     * "CORS-preflight fetch"). */
    struct buf *names = respond_buffer(request->api);
    buf_append_cstr(names, "Authorization, Content-Type, Idempotency-Key");
    append_asked(names,
                 http_request_header(http_exchange_request(request->exchange), "access-control-request-headers"));
    respond_headers_add(&headers, "Access-Control-Allow-Headers", buf_str(names));
    respond_headers_add(&headers, "Vary", STR("Access-Control-Request-Headers"));
    respond_send(request, 204, &headers, STR(""));
}
