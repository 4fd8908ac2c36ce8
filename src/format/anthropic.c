#include "format/anthropic.h"

#include "format/anthropic_answer.h"
#include "format/anthropic_envelope.h"
#include "format/anthropic_fields.h"
#include "format/anthropic_tools.h"
#include "format/anthropic_turns.h"

static bool body_read(struct json_value body, bool counted, struct arena *arena, struct call_input *out,
                      struct err *err) {
    struct anthropic_content content;
    return anthropic_fields_read(body, counted, arena, out, &content, err) &&
           anthropic_tools_read(&content, arena, out, err) &&
           anthropic_turns_read(&content, arena, &out->request, err) &&
           ignored_members(&content.ignored, arena, &out->ignored, err);
}

static bool messages_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    return body_read(body, false, arena, out, err);
}

bool anthropic_read_counted(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    return body_read(body, true, arena, out, err);
}

const struct format FORMAT_MESSAGES = {
    .name = "messages",
    .path = "/v1/messages",
    .id_prefix = "msg_",
    .object = "message",
    .chunk_object = "message",
    .stored = STORE_GENERATION_MESSAGES,
    .begins_with = "a message (with \"type\": \"messages\")",
    .read = messages_read,
    .whole = anthropic_write_whole,
    .begin = anthropic_write_begin,
    .text = anthropic_write_text,
    .note = anthropic_write_note,
    .call_start = anthropic_write_call_start,
    .call_arguments = anthropic_write_call_arguments,
    .end = anthropic_write_end,
    .keep_alive = ANTHROPIC_PING,
    .fault = anthropic_envelope_write_event,
    .envelope = &ENVELOPE_ANTHROPIC,
};
