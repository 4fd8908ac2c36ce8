#include "format/anthropic_answer.h"

#include "base/json_write.h"
#include "format/parts.h"
#include "wire/limits.h"

#include <stdio.h>

/* --- What both have --- */

static const char *stop_reason(const struct answer *answer) {
    switch (answer->result->finish) {
    case GEN_FINISH_LENGTH:
    case GEN_FINISH_CANCELLED: /* cut short; clients know no better word for it */
        return "max_tokens";
    case GEN_FINISH_STOP:
        break;
    }
    if (answer->call_count > 0) {
        return "tool_use";
    }
    return answer->stop.len > 0 ? "stop_sequence" : "end_turn";
}

static void write_stop(struct json_writer *writer, const struct answer *answer) {
    const bool stopped = answer->result->finish == GEN_FINISH_STOP && answer->call_count == 0 && answer->stop.len > 0;
    json_member_cstr(writer, "stop_reason", stop_reason(answer));
    if (stopped) {
        json_member_str(writer, "stop_sequence", answer->stop);
    } else {
        json_member_cstr(writer, "stop_sequence", NULL);
    }
}

/* What was read from a cache is not counted among the input. */
static void write_usage(struct json_writer *writer, const struct gen_usage *usage) {
    const uint32_t cached = usage->cached_tokens < usage->prompt_tokens ? usage->cached_tokens : usage->prompt_tokens;
    json_write_key(writer, "usage");
    json_begin_object(writer);
    json_member_int(writer, "input_tokens", (int64_t)usage->prompt_tokens - cached);
    json_member_int(writer, "cache_creation_input_tokens", 0);
    json_member_int(writer, "cache_read_input_tokens", cached);
    json_member_int(writer, "output_tokens", usage->completion_tokens);
    json_end_object(writer);
}

/* The owner's clients expect this prefix. */
static void write_call_id(struct json_writer *writer, struct str id) {
    static const struct str ours = STR("call_");
    char text[2 * LIMIT_NAME_BYTES];
    const size_t skip = str_starts_with(id, ours) ? ours.len : 0;
    snprintf(text, sizeof(text), "toolu_%.*s", (int)(id.len - skip), id.data + skip);
    json_member_cstr(writer, "id", text);
}

static void write_head(struct json_writer *writer, const char *id, struct str model) {
    json_member_cstr(writer, "id", id);
    json_member_cstr(writer, "type", "message");
    json_member_cstr(writer, "role", "assistant");
    json_member_str(writer, "model", model);
}

/* --- The whole answer --- */

/* An answer that was cut, or a model that writes no JSON, leaves arguments that are none: they come as the owner's
 * guide to such arguments has them ("Handling invalid JSON in tool responses"). */
static void write_input(struct json_writer *writer, struct str arguments) {
    enum { DEPTH = 128 };
    struct json_parser *parser = json_parser_new(2 * LIMIT_ANSWER_BYTES, DEPTH);
    struct json_value value;
    struct err err;
    json_write_key(writer, "input");
    if (arguments.len == 0) {
        arguments = STR("{}");
    }
    if (json_parse(parser, arguments, &value, &err) && json_type_of(value) == JSON_OBJECT) {
        json_write_raw(writer, arguments);
    } else {
        json_begin_object(writer);
        json_member_str(writer, "INVALID_JSON", arguments);
        json_end_object(writer);
    }
    json_parser_free(parser);
}

static void write_content(const struct answer *answer, struct json_writer *writer) {
    json_write_key(writer, "content");
    json_begin_array(writer);
    if (answer->text.len > 0) {
        json_begin_object(writer);
        json_member_cstr(writer, "type", "text");
        json_member_str(writer, "text", answer->text);
        json_end_object(writer);
    }
    for (size_t i = 0; i < answer->call_count; i++) {
        json_begin_object(writer);
        json_member_cstr(writer, "type", "tool_use");
        write_call_id(writer, answer->calls[i].id);
        json_member_str(writer, "name", answer->calls[i].name);
        write_input(writer, answer->calls[i].arguments);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void anthropic_write_whole(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_head(&writer, answer->id, answer->model);
    write_content(answer, &writer);
    write_stop(&writer, answer);
    write_usage(&writer, &answer->result->usage);
    parts_write_nataris(&writer, answer);
    json_end_object(&writer);
}

/* --- A stream --- */

/* An event of that name, up to where its members follow. */
static struct json_writer event_open(const char *type, struct buf *out) {
    struct json_writer writer;
    buf_append_format(out, "event: %s\ndata: ", type);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "type", type);
    return writer;
}

static void event_close(struct json_writer *writer) {
    json_end_object(writer);
    buf_append_cstr(writer->out, "\n\n");
}

void anthropic_write_begin(const struct format_stream *stream, struct buf *out) {
    const struct gen_usage likely = {.prompt_tokens = stream->prompt_tokens};
    struct json_writer writer = event_open("message_start", out);
    json_write_key(&writer, "message");
    json_begin_object(&writer);
    write_head(&writer, stream->known.id, stream->known.model);
    json_write_key(&writer, "content");
    json_begin_array(&writer);
    json_end_array(&writer);
    json_member_cstr(&writer, "stop_reason", NULL);
    json_member_cstr(&writer, "stop_sequence", NULL);
    write_usage(&writer, &likely);
    json_end_object(&writer);
    event_close(&writer);
    buf_append_cstr(out, ANTHROPIC_PING);
}

static void block_close(const struct format_stream *stream, struct buf *out) {
    struct format_state *state = stream->state;
    if (state->open == FORMAT_BLOCK_NONE) {
        return;
    }
    struct json_writer writer = event_open("content_block_stop", out);
    json_member_int(&writer, "index", (int64_t)state->blocks - 1);
    event_close(&writer);
    state->open = FORMAT_BLOCK_NONE;
}

/* Up to the members of the block. */
static struct json_writer block_open(const struct format_stream *stream, enum format_block kind, struct buf *out) {
    block_close(stream, out);
    struct json_writer writer = event_open("content_block_start", out);
    json_member_int(&writer, "index", (int64_t)stream->state->blocks++);
    stream->state->open = kind;
    json_write_key(&writer, "content_block");
    json_begin_object(&writer);
    return writer;
}

static void write_delta(const struct format_stream *stream, const char *type, const char *member, struct str text,
                        struct buf *out) {
    struct json_writer writer = event_open("content_block_delta", out);
    json_member_int(&writer, "index", (int64_t)stream->state->blocks - 1);
    json_write_key(&writer, "delta");
    json_begin_object(&writer);
    json_member_cstr(&writer, "type", type);
    json_member_str(&writer, member, text);
    json_end_object(&writer);
    event_close(&writer);
}

void anthropic_write_text(const struct format_stream *stream, struct str text, struct buf *out) {
    if (stream->state->open != FORMAT_BLOCK_TEXT) {
        struct json_writer writer = block_open(stream, FORMAT_BLOCK_TEXT, out);
        json_member_cstr(&writer, "type", "text");
        json_member_cstr(&writer, "text", "");
        json_end_object(&writer);
        event_close(&writer);
    }
    write_delta(stream, "text_delta", "text", text, out);
}

/* The comment before it says the same to people; programs know no such event. */
void anthropic_write_note(const struct format_stream *stream, struct str nataris, struct buf *out) {
    (void)stream;
    (void)nataris;
    (void)out;
}

void anthropic_write_call_start(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                                struct buf *out) {
    (void)index; /* blocks have numbers of their own */
    struct json_writer writer = block_open(stream, FORMAT_BLOCK_CALL, out);
    json_member_cstr(&writer, "type", "tool_use");
    write_call_id(&writer, call->id);
    json_member_str(&writer, "name", call->name);
    json_write_key(&writer, "input");
    json_begin_object(&writer);
    json_end_object(&writer);
    json_end_object(&writer);
    event_close(&writer);
}

void anthropic_write_call_arguments(const struct format_stream *stream, size_t index, struct str json,
                                    struct buf *out) {
    (void)index;
    write_delta(stream, "input_json_delta", "partial_json", json, out);
}

void anthropic_write_end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    block_close(stream, out);
    struct json_writer writer = event_open("message_delta", out);
    json_write_key(&writer, "delta");
    json_begin_object(&writer);
    write_stop(&writer, answer);
    json_end_object(&writer);
    write_usage(&writer, &answer->result->usage);
    parts_write_nataris(&writer, answer);
    event_close(&writer);
    writer = event_open("message_stop", out);
    event_close(&writer);
}
