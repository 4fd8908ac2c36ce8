#include "format/envelope.h"

void envelope_write_object(struct json_writer *writer, const struct fault *fault) {
    const int status = fault_status(fault);
    json_begin_object(writer);
    json_member_cstr(writer, "message", fault->message);
    json_member_cstr(writer, "type", fault_type(fault->code));
    json_member_cstr(writer, "code", fault_name(fault->code));
    json_member_cstr(writer, "param", fault->param[0] != '\0' ? fault->param : NULL);
    if ((status == 429 || status == 503) && fault_retry_after_s(fault) != 0) {
        json_member_int(writer, "retry_after", (int64_t)fault_retry_after_s(fault));
    }
    json_end_object(writer);
}

void envelope_write(const struct fault *fault, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_write_key(&writer, "error");
    envelope_write_object(&writer, fault);
    json_end_object(&writer);
}

static void write_openai(const struct fault *fault, const char *request_id, struct buf *out) {
    (void)request_id; /* its header has it */
    envelope_write(fault, out);
}

const struct envelope ENVELOPE_OPENAI = {.status = fault_status, .write = write_openai};

static bool is_below(struct str path, const char *where) {
    const struct str below = str_from(where);
    return str_starts_with(path, below) && (path.len == below.len || path.data[below.len] == '/');
}

bool envelope_is_for(const struct envelope *envelope, struct str path) {
    if (envelope->below == NULL) {
        return true;
    }
    return is_below(path, envelope->below) && (envelope->but == NULL || !is_below(path, envelope->but));
}
