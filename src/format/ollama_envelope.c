#include "format/ollama_envelope.h"

static void write_error(const struct fault *fault, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "error", fault->message);
    json_end_object(&writer);
}

static void write_refusal(const struct fault *fault, const char *request_id, struct buf *out) {
    (void)request_id; /* its header has it */
    write_error(fault, out);
}

void ollama_envelope_write_line(const struct fault *fault, struct buf *out) {
    write_error(fault, out);
    buf_append_cstr(out, "\n");
}

const struct envelope ENVELOPE_OLLAMA = {
    .below = "/api", .but = "/api/v1", .status = fault_status, .write = write_refusal};
