#include "api/respond.h"

#include "api/access_log.h"
#include "base/json_write.h"
#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Official SDKs repeat 408, 409, 429 and 5xx by themselves. A wait longer than this is for a person to decide. */
enum { RESPOND_RETRY_WAIT_MAX_MS = 60 * 1000 };

/* A buffer that had to grow above this for one long answer is given back. */
enum { RESPOND_KEPT_BYTES = 256 * 1024 };

enum error_retry { RETRY_NEVER, RETRY_ALWAYS, RETRY_WITH_WAIT /* when the error names a wait */ };

struct error_kind {
    int status;
    const char *code, *type;
    enum error_retry retry;
    uint32_t retry_after_ms; /* when the error names none itself; 0: no header */
};

static const struct error_kind error_kinds[] = {
    [FAULT_INVALID_REQUEST] = {400, "INVALID_REQUEST", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_CONTEXT_LENGTH] = {400, "context_length_exceeded", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_INVALID_API_KEY] = {401, "INVALID_API_KEY", "authentication_error", RETRY_NEVER, 0},
    [FAULT_INSUFFICIENT_CREDITS] = {402, "INSUFFICIENT_CREDITS", "billing_error", RETRY_NEVER, 0},
    [FAULT_FORBIDDEN] = {403, "FORBIDDEN", "authentication_error", RETRY_NEVER, 0},
    [FAULT_NOT_FOUND] = {404, "NOT_FOUND", "not_found_error", RETRY_NEVER, 0},
    [FAULT_MODEL_NOT_FOUND] = {404, "MODEL_NOT_FOUND", "not_found_error", RETRY_NEVER, 0},
    [FAULT_METHOD_NOT_ALLOWED] = {405, "METHOD_NOT_ALLOWED", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_REQUEST_TIMEOUT] = {408, "REQUEST_TIMEOUT", "timeout_error", RETRY_ALWAYS, 1000},
    [FAULT_CONVERSATION_BUSY] = {409, "CONVERSATION_BUSY", "invalid_request_error", RETRY_WITH_WAIT, 0},
    [FAULT_CONFLICT] = {409, "IDEMPOTENCY_CONFLICT", "invalid_request_error", RETRY_WITH_WAIT, 0},
    [FAULT_TOO_LARGE] = {413, "REQUEST_TOO_LARGE", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_RATE_LIMIT_EXCEEDED] = {429, "RATE_LIMIT_EXCEEDED", "rate_limit_error", RETRY_ALWAYS, 1000},
    [FAULT_INTERNAL] = {500, "INTERNAL_ERROR", "server_error", RETRY_ALWAYS, 0},
    [FAULT_MODEL_WARMING] = {503, "model_warming", "service_unavailable_error", RETRY_ALWAYS, 300000},
    [FAULT_UNAVAILABLE] = {503, "SERVICE_UNAVAILABLE", "service_unavailable_error", RETRY_ALWAYS, 5000},
};

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
    const struct api_backend *backend = &request->api->backend;
    struct core_account_view view;
    if (identity->account_id[0] == '\0' || identity->kind == STORE_KEY_TEST ||
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
    respond_headers_add(headers, "Access-Control-Allow-Origin", STR("*"));
    respond_headers_add(headers, "Access-Control-Expose-Headers",
                        STR("x-request-id, Retry-After, retry-after-ms, x-should-retry, Idempotent-Replayed, "
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
    if (request->call == NULL) {
        access_log(request, status);
    }
    http_respond(request->exchange, status, headers->items, headers->count, body);
}

void respond_json(struct api_request *request, int status, struct str body) {
    struct respond_headers headers;
    respond_headers_init(&headers, request, STR("application/json"));
    respond_send(request, status, &headers, body);
}

int fault_status(const struct fault *error) {
    return error->status != 0 ? error->status : error_kinds[error->code].status;
}

const char *fault_name(enum fault_code code) {
    return error_kinds[code].code;
}

static uint64_t error_retry_after_ms(const struct fault *error) {
    return error->retry_after_ms != 0 ? error->retry_after_ms : error_kinds[error->code].retry_after_ms;
}

static uint64_t error_retry_after_s(const struct fault *error) {
    return (error_retry_after_ms(error) + 999) / 1000;
}

static bool error_is_retryable(const struct fault *error) {
    switch (error_kinds[error->code].retry) {
    case RETRY_ALWAYS:
        return true;
    case RETRY_WITH_WAIT:
        return error->retry_after_ms != 0;
    case RETRY_NEVER:
        break;
    }
    return false;
}

void envelope_write_object(struct json_writer *writer, const struct fault *error) {
    const struct error_kind *kind = &error_kinds[error->code];
    json_begin_object(writer);
    json_member_cstr(writer, "message", error->message);
    json_member_cstr(writer, "type", kind->type);
    json_member_cstr(writer, "code", kind->code);
    json_member_cstr(writer, "param", error->param[0] != '\0' ? error->param : NULL);
    int status = fault_status(error);
    if ((status == 429 || status == 503) && error_retry_after_s(error) != 0) {
        json_member_int(writer, "retry_after", (int64_t)error_retry_after_s(error));
    }
    json_end_object(writer);
}

void envelope_write(const struct fault *error, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_write_key(&writer, "error");
    envelope_write_object(&writer, error);
    json_end_object(&writer);
}

void respond_error_header(struct api_request *request, const struct fault *error, const char *name, struct str value) {
    struct respond_headers headers;
    respond_headers_init(&headers, request, STR("application/json"));
    if (name != NULL) {
        respond_headers_add(&headers, name, value);
    }
    if (error->code == FAULT_INVALID_API_KEY) {
        respond_headers_add(&headers, "WWW-Authenticate", STR("Bearer"));
    }
    const bool retryable = error_is_retryable(error);
    const uint64_t wait_ms = error_retry_after_ms(error);
    char seconds[24], milliseconds[24];
    if (retryable && wait_ms != 0) {
        snprintf(seconds, sizeof(seconds), "%" PRIu64, error_retry_after_s(error));
        snprintf(milliseconds, sizeof(milliseconds), "%" PRIu64, wait_ms);
        respond_headers_add(&headers, "Retry-After", str_from(seconds));
        respond_headers_add(&headers, "retry-after-ms", str_from(milliseconds));
    }
    if (!retryable || wait_ms > RESPOND_RETRY_WAIT_MAX_MS) {
        respond_headers_add(&headers, "x-should-retry", STR("false"));
    }
    struct buf *body = respond_buffer(request->api);
    envelope_write(error, body);
    respond_send(request, fault_status(error), &headers, buf_str(body));
}

void respond_error(struct api_request *request, const struct fault *error) {
    respond_error_header(request, error, NULL, STR(""));
}

/* Whether a browser's page may send this header. */
static bool preflight_allows(struct str name) {
    static const char *const names[] = {"authorization",       "content-type",   "accept",     "idempotency-key",
                                        "openai-organization", "openai-project", "user-agent", "x-request-id"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_equal_nocase(name, str_from(names[i]))) {
            return true;
        }
    }
    struct str prefix = STR("x-stainless-");
    return name.len > prefix.len && str_equal_nocase((struct str){name.data, prefix.len}, prefix);
}

void respond_preflight(struct api_request *request) {
    struct respond_headers headers;
    respond_headers_init(&headers, request, STR(""));
    respond_headers_add(&headers, "Access-Control-Allow-Methods", STR("GET, HEAD, POST, PATCH, DELETE, OPTIONS"));
    respond_headers_add(&headers, "Access-Control-Max-Age", STR("86400"));
    /* The list has no wildcard that covers Authorization or a prefix, so the answer repeats what was asked for and is
     * allowed (Fetch standard, "CORS-preflight fetch"). */
    struct buf *names = respond_buffer(request->api);
    buf_append_cstr(names, "Authorization, Content-Type, Idempotency-Key");
    struct str rest = http_request_header(http_exchange_request(request->exchange), "access-control-request-headers");
    while (rest.len > 0) {
        struct str name, tail;
        str_split(rest, ',', &name, &tail);
        name = str_trim(name);
        if (preflight_allows(name)) {
            buf_append_cstr(names, ", ");
            buf_append_str(names, name);
        }
        rest = tail;
    }
    respond_headers_add(&headers, "Access-Control-Allow-Headers", buf_str(names));
    respond_send(request, 204, &headers, STR(""));
}

void fault_set(struct fault *error, enum fault_code code, const char *format, ...) {
    *error = (struct fault){.code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
}

static enum fault_code error_code_of(enum err_code code) {
    switch (code) {
    case ERR_INVALID:
    case ERR_UNSUPPORTED:
        return FAULT_INVALID_REQUEST;
    case ERR_TOO_LARGE:
        return FAULT_TOO_LARGE;
    case ERR_NOT_FOUND:
        return FAULT_NOT_FOUND;
    case ERR_DENIED:
        return FAULT_INVALID_API_KEY;
    case ERR_TIMEOUT:
        return FAULT_REQUEST_TIMEOUT;
    case ERR_UNAVAILABLE:
    case ERR_IN_DOUBT:
        return FAULT_UNAVAILABLE;
    case ERR_NONE:
    case ERR_CONFLICT:
    case ERR_CLOSED:
    case ERR_IO:
    case ERR_INTERNAL:
        break;
    }
    return FAULT_INTERNAL;
}

void fault_from_err(struct fault *error, const struct err *err) {
    enum fault_code code = error_code_of(err->code);
    if (code == FAULT_INTERNAL) {
        /* The details are the operator's. */
        LOG_ERROR_EVENT("api.internal_error", LOG_TEXT("kind", err_code_name(err->code)),
                        LOG_TEXT("message", err->message));
        fault_set(error, code, "Something went wrong on our side.");
    } else if (err->code == ERR_IN_DOUBT) {
        fault_set(error, code,
                  "Whether this was done cannot be told now. Look before you try again, or try again with the same "
                  "Idempotency-Key.");
    } else {
        fault_set(error, code, "%s", err->message);
    }
    snprintf(error->param, sizeof(error->param), "%s", err->field);
}
