#include "format/anthropic_envelope.h"

#include <string.h>

/* The types of https://docs.anthropic.com/en/api/errors, by the status that each is documented with; all others of a
 * client's are an invalid_request_error. */
static const char *type_of(int status) {
    switch (status) {
    case 401:
        return "authentication_error";
    case 402:
        return "billing_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 408:
    case 504:
        return "timeout_error";
    case 413:
        return "request_too_large";
    case 429:
        return "rate_limit_error";
    case ANTHROPIC_OVERLOADED:
        return "overloaded_error";
    default:
        return status >= 500 ? "api_error" : "invalid_request_error";
    }
}

static int status_of(const struct fault *fault) {
    const int status = fault_status(fault);
    return status == 503 ? ANTHROPIC_OVERLOADED : status;
}

static void write_unsupported(const char *feature, struct json_writer *writer) {
    json_write_key(writer, "details");
    json_begin_object(writer);
    json_member_cstr(writer, "error_code", "thread_unsupported_request");
    json_write_key(writer, "unsupported");
    json_begin_array(writer);
    json_write_cstr(writer, feature);
    json_end_array(writer);
    json_end_object(writer);
}

static void write_members(struct json_writer *writer, const struct fault *fault) {
    json_member_cstr(writer, "type", "error");
    json_write_key(writer, "error");
    json_begin_object(writer);
    json_member_cstr(writer, "type", type_of(status_of(fault)));
    json_member_cstr(writer, "message", fault->message);
    if (strcmp(fault->param, ANTHROPIC_THREAD) == 0) {
        write_unsupported(ANTHROPIC_THREAD, writer);
    }
    json_end_object(writer);
}

static void write_body(const struct fault *fault, const char *request_id, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_members(&writer, fault);
    json_member_cstr(&writer, "request_id", request_id);
    json_end_object(&writer);
}

const struct envelope ENVELOPE_ANTHROPIC = {
    .below = "/v1/messages", .id_header = "request-id", .status = status_of, .write = write_body};

void anthropic_envelope_write_event(const struct fault *fault, struct buf *out) {
    struct json_writer writer;
    buf_append_cstr(out, "event: error\ndata: ");
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_members(&writer, fault);
    json_end_object(&writer);
    buf_append_cstr(out, "\n\n");
}
