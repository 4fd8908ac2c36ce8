#include "format/inference.h"

#include "format/events.h"
#include "format/fields.h"
#include "format/functions.h"
#include "format/orchestration.h"
#include "format/parts.h"
#include "format/refused.h"
#include "wire/field.h"

enum { INFERENCE_DEFAULT_MAX_TOKENS = 100 };

static bool inference_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    struct fields_content content;
    struct str prompt;
    if (!fields_read_body(body, INFERENCE_DEFAULT_MAX_TOKENS, arena, out, &content, err) ||
        !orchestration_refuse(&content, err) || !functions_read_format(&content, arena, out, err)) {
        return false;
    }
    if (json_type_of(content.prompt) == JSON_NULL) {
        return field_invalid(err, "prompt", "is required.");
    }
    if (!refused_is_empty(content.messages)) {
        return refused_set(err, STR("messages"), "prompt, or POST /v1/chat/completions");
    }
    if (!field_string(err, "prompt", content.prompt, SIZE_MAX, &prompt)) {
        return false;
    }
    if (prompt.len == 0) {
        return field_invalid(err, "prompt", "must not be empty.");
    }
    /* The models are instruction-tuned: a prompt is answered best as the user's one message in their chat template. */
    struct gen_message *message = ARENA_NEW(arena, struct gen_message);
    if (message == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The request is too large.");
    }
    *message = (struct gen_message){.role = GEN_ROLE_USER, .content = STR(""), .tool_call_id = STR("")};
    out->request.messages = message;
    out->request.message_count = 1;
    return fields_copy(arena, prompt, &message->content, err) && fields_end(&content, arena, out, err);
}

static void whole(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", answer->id);
    json_member_cstr(&writer, "object", FORMAT_INFERENCE.object);
    json_member_int(&writer, "created", answer->created_ms / 1000);
    json_member_str(&writer, "model", answer->model);
    json_member_str(&writer, "output", answer->text);
    json_member_cstr(&writer, "finish_reason", parts_finish_reason(answer));
    parts_write_usage(&writer, &answer->result->usage);
    parts_write_provider(&writer, answer->result);
    parts_write_nataris(&writer, answer);
    json_end_object(&writer);
}

/* --- A stream --- */

static void begin(const struct format_stream *stream, struct buf *out) {
    (void)stream;
    (void)out;
}

static void delta_start(const struct format_stream *stream, struct buf *out) {
    buf_append_str(out, stream->head);
    buf_append_cstr(out, ",\"output\":\"");
}

static struct str delta_end(const struct format_stream *stream) {
    (void)stream;
    return STR("\",\"finish_reason\":null}" EVENT_END);
}

static void note(const struct format_stream *stream, struct str nataris, struct buf *out) {
    struct json_writer writer = events_open(stream, out);
    json_member_cstr(&writer, "output", "");
    json_member_cstr(&writer, "finish_reason", NULL);
    json_write_key(&writer, "nataris");
    json_write_raw(&writer, nataris);
    events_close(&writer);
}

static void end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    struct json_writer writer = events_open(stream, out);
    json_member_cstr(&writer, "output", "");
    json_member_cstr(&writer, "finish_reason", parts_finish_reason(answer));
    parts_write_usage(&writer, &answer->result->usage);
    parts_write_provider(&writer, answer->result);
    parts_write_nataris(&writer, answer);
    events_close(&writer);
    buf_append_cstr(out, EVENT_LAST);
}

const struct format FORMAT_INFERENCE = {
    .name = "inference",
    .path = "/v1/inference",
    .member = "prompt",
    .id_prefix = "inf_",
    .object = "inference",
    .chunk_object = "inference.chunk",
    .stored = STORE_GENERATION_INFERENCE,
    .begins_with = "an inference (with prompt)",
    .read = inference_read,
    .whole = whole,
    .begin = begin,
    .delta_start = delta_start,
    .delta_end = delta_end,
    .note = note,
    .end = end,
    .fault = events_write_fault,
};
