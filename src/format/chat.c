#include "format/chat.h"

#include "call/logprobs.h"
#include "format/events.h"
#include "format/fields.h"
#include "format/functions.h"
#include "format/logprobs.h"
#include "format/messages.h"
#include "format/orchestration.h"
#include "format/parts.h"
#include "format/refused.h"
#include "wire/field.h"

enum { CHAT_DEFAULT_MAX_TOKENS = 256 };

/* What the answer is to be. A workflow's tools are read with it; its answer is a text. */
static bool read_kind(const struct fields_content *content, struct arena *arena, struct call_input *out,
                      struct err *err) {
    if (out->orchestration == NULL || !out->orchestration->enabled) {
        return functions_read(content, arena, out, err);
    }
    const struct fields_content rest = {.response_format = content->response_format};
    struct call_input scratch = *out;
    return functions_read_format(&rest, arena, &scratch, err) &&
           (scratch.request.grammar.len == 0 || field_unsupported(err, "response_format")) &&
           (out->request.bias_count == 0 || field_unsupported(err, "logit_bias"));
}

bool chat_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    struct fields_content content;
    if (!fields_read_body(body, CHAT_DEFAULT_MAX_TOKENS, arena, out, &content, err)) {
        return false;
    }
    if (!refused_is_empty(content.prompt)) {
        return refused_set(err, STR("prompt"), "messages, or POST /v1/inference");
    }
    return orchestration_read_content(&content, arena, &out->orchestration, err) &&
           read_kind(&content, arena, out, err) && logprobs_read_chat(&content, out, err) &&
           messages_read(content.messages, arena, &out->request, &content.ignored, err) &&
           fields_end(&content, arena, out, err);
}

/* --- The whole answer --- */

/* null beside calls, unless something was said, too. */
static void write_content(const struct answer *answer, struct json_writer *writer) {
    if (answer->text.len > 0) {
        json_member_str(writer, "content", answer->text);
    } else {
        json_member_cstr(writer, "content", NULL);
    }
}

static void write_call(const struct gen_tool_call *call, struct json_writer *writer) {
    json_begin_object(writer);
    json_member_str(writer, "id", call->id);
    json_member_cstr(writer, "type", "function");
    json_write_key(writer, "function");
    json_begin_object(writer);
    json_member_str(writer, "name", call->name);
    json_member_str(writer, "arguments", call->arguments);
    json_end_object(writer);
    json_end_object(writer);
}

/* null where nobody asked, and where only the text was stored. */
static void write_logprobs(const struct answer *answer, struct json_writer *writer) {
    const struct str all = answer->logprobs != NULL ? call_logprobs_all(answer->logprobs) : STR("");
    if (answer->logprobs == NULL || (all.len == 0 && answer->text.len > 0)) {
        json_write_null(writer);
    } else {
        logprobs_write_chat(writer, all);
    }
}

static void write_choices(const struct answer *answer, struct json_writer *writer) {
    json_write_key(writer, "choices");
    json_begin_array(writer);
    json_begin_object(writer);
    json_member_int(writer, "index", 0);
    json_write_key(writer, "message");
    json_begin_object(writer);
    json_member_cstr(writer, "role", "assistant");
    if (answer->result->tool_calls.len > 0) {
        json_member_cstr(writer, "content", NULL);
        json_write_key(writer, "tool_calls");
        json_write_raw(writer, answer->result->tool_calls);
    } else if (answer->call_count > 0) {
        write_content(answer, writer);
        json_write_key(writer, "tool_calls");
        json_begin_array(writer);
        for (size_t i = 0; i < answer->call_count; i++) {
            write_call(&answer->calls[i], writer);
        }
        json_end_array(writer);
    } else {
        json_member_str(writer, "content", answer->text);
    }
    json_end_object(writer);
    json_write_key(writer, "logprobs");
    write_logprobs(answer, writer);
    json_member_cstr(writer, "finish_reason", parts_finish_reason(answer));
    json_end_object(writer);
    json_end_array(writer);
}

static void whole(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", answer->id);
    json_member_cstr(&writer, "object", FORMAT_CHAT.object);
    json_member_int(&writer, "created", answer->created_ms / 1000);
    json_member_str(&writer, "model", answer->model);
    write_choices(answer, &writer);
    parts_write_usage(&writer, &answer->result->usage);
    parts_write_nataris(&writer, answer);
    json_end_object(&writer);
}

/* --- A stream --- */

/* A chunk with a choice, up to where its delta's members stand; and what is behind them. */
static struct json_writer choice_open(const struct format_stream *stream, struct buf *out) {
    struct json_writer writer = events_open(stream, out);
    json_write_key(&writer, "choices");
    json_begin_array(&writer);
    json_begin_object(&writer);
    json_member_int(&writer, "index", 0);
    json_write_key(&writer, "delta");
    json_begin_object(&writer);
    return writer;
}

static void choice_end(struct json_writer *writer, const struct format_stream *stream, const char *finish_reason) {
    json_member_cstr(writer, "finish_reason", finish_reason);
    json_end_object(writer);
    json_end_array(writer);
    if (stream->include_usage) { /* OpenAI's streams carry it in every chunk but the last once it was asked for */
        json_member_cstr(writer, "usage", NULL);
    }
}

static void choice_close(struct json_writer *writer, const struct format_stream *stream, const char *finish_reason) {
    json_end_object(writer);
    choice_end(writer, stream, finish_reason);
}

static void begin(const struct format_stream *stream, struct buf *out) {
    struct json_writer writer = choice_open(stream, out);
    json_member_cstr(&writer, "role", "assistant");
    json_member_cstr(&writer, "content", "");
    choice_close(&writer, stream, NULL);
    events_close(&writer);
}

static void delta_start(const struct format_stream *stream, struct buf *out) {
    buf_append_str(out, stream->head);
    buf_append_cstr(out, ",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"");
}

static void delta_logprobs(const struct format_stream *stream, struct str text, struct str logprobs, struct buf *out) {
    struct json_writer writer = choice_open(stream, out);
    json_member_str(&writer, "content", text);
    json_end_object(&writer);
    json_write_key(&writer, "logprobs");
    logprobs_write_chat(&writer, logprobs);
    choice_end(&writer, stream, NULL);
    events_close(&writer);
}

static struct str delta_end(const struct format_stream *stream) {
    return stream->include_usage ? STR("\"},\"finish_reason\":null}],\"usage\":null}" EVENT_END)
                                 : STR("\"},\"finish_reason\":null}]}" EVENT_END);
}

static void note(const struct format_stream *stream, struct str nataris, struct buf *out) {
    struct json_writer writer = choice_open(stream, out);
    choice_close(&writer, stream, NULL);
    json_write_key(&writer, "nataris");
    json_write_raw(&writer, nataris);
    events_close(&writer);
}

/* A call begins: its arguments follow piece by piece. */
static void call_start(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                       struct buf *out) {
    struct json_writer writer = choice_open(stream, out);
    json_write_key(&writer, "tool_calls");
    json_begin_array(&writer);
    json_begin_object(&writer);
    json_member_int(&writer, "index", (int64_t)index);
    json_member_str(&writer, "id", call->id);
    json_member_cstr(&writer, "type", "function");
    json_write_key(&writer, "function");
    json_begin_object(&writer);
    json_member_str(&writer, "name", call->name);
    json_member_cstr(&writer, "arguments", "");
    json_end_object(&writer);
    json_end_object(&writer);
    json_end_array(&writer);
    choice_close(&writer, stream, NULL);
    events_close(&writer);
}

static void call_arguments(const struct format_stream *stream, size_t index, struct str json, struct buf *out) {
    struct json_writer writer = choice_open(stream, out);
    json_write_key(&writer, "tool_calls");
    json_begin_array(&writer);
    json_begin_object(&writer);
    json_member_int(&writer, "index", (int64_t)index);
    json_write_key(&writer, "function");
    json_begin_object(&writer);
    json_member_str(&writer, "arguments", json);
    json_end_object(&writer);
    json_end_object(&writer);
    json_end_array(&writer);
    choice_close(&writer, stream, NULL);
    events_close(&writer);
}

/* Of a call of the caller's tool; each needs its place, which a plain answer does not tell. */
static void write_tool_calls(const struct format_stream *stream, struct str calls, struct buf *out) {
    struct json_writer writer = choice_open(stream, out);
    json_write_key(&writer, "tool_calls");
    buf_append_cstr(out, "[{\"index\":0,"); /* `calls` is one object in an array */
    buf_append_str(out, (struct str){.data = calls.data + 2, .len = calls.len - 2});
    writer.need_comma = true;
    choice_close(&writer, stream, NULL);
    events_close(&writer);
}

/* The last with a choice: no text, the reason. */
static void write_reason(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    const struct call_result *result = answer->result;
    if (result->tool_calls.len > 0) {
        write_tool_calls(stream, result->tool_calls, out);
    }
    struct json_writer writer = choice_open(stream, out);
    choice_close(&writer, stream, parts_finish_reason(answer));
    if (result->nataris.len > 0) {
        parts_write_nataris(&writer, answer);
    } else if (answer->ignored.len > 0) {
        parts_write_ignored(&writer, answer);
    }
    events_close(&writer);
}

static void end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    write_reason(stream, answer, out);
    if (stream->include_usage) {
        struct json_writer writer = events_open(stream, out);
        json_write_key(&writer, "choices");
        json_begin_array(&writer);
        json_end_array(&writer);
        parts_write_usage(&writer, &answer->result->usage);
        events_close(&writer);
    }
    buf_append_cstr(out, EVENT_LAST);
}

const struct format FORMAT_CHAT = {
    .name = "chat",
    .path = "/v1/chat/completions",
    .member = "messages",
    .id_prefix = "chatcmpl-",
    .object = "chat.completion",
    .chunk_object = "chat.completion.chunk",
    .stored = STORE_GENERATION_CHAT,
    .converses = true,
    .begins_with = "a chat (with messages)",
    .read = chat_read,
    .whole = whole,
    .begin = begin,
    .delta_start = delta_start,
    .delta_end = delta_end,
    .delta_logprobs = delta_logprobs,
    .note = note,
    .call_start = call_start,
    .call_arguments = call_arguments,
    .end = end,
    .fault = events_write_fault,
};
