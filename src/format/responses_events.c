#include "format/responses_events.h"

#include "format/events.h"
#include "format/responses_items.h"
#include "format/responses_object.h"

#include <string.h>

/* An item of the output is a block of the stream: the open one's text or arguments are gathered in `said`, and those
 * before it stand in `done` as they will stand in the last event's output. */

/* "event: <name>", and the object's first members. */
static struct json_writer open_event(const char *name, uint64_t number, struct buf *out) {
    struct json_writer writer;
    buf_append_cstr(out, "event: ");
    buf_append_cstr(out, name);
    buf_append_cstr(out, "\n" EVENT_START);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "type", name);
    json_member_int(&writer, "sequence_number", (int64_t)number);
    return writer;
}

static struct json_writer event_open(const struct format_stream *stream, const char *name, struct buf *out) {
    return open_event(name, stream->state->events++, out);
}

static void write_response(const struct format_stream *stream, const char *name, const struct answer *answer,
                           const struct responses_view *view, struct buf *out) {
    struct json_writer writer = event_open(stream, name, out);
    json_write_key(&writer, "response");
    responses_write_object(&writer, answer, view);
    events_close(&writer);
}

/* --- The open item --- */

struct open_item {
    char id[ID_SIZE];
    size_t place;
};

static struct open_item item_of(const struct format_stream *stream) {
    const struct format_state *state = stream->state;
    struct open_item item = {.place = state->blocks - 1};
    responses_item_id(stream->known.id, state->open == FORMAT_BLOCK_CALL, item.place, item.id);
    return item;
}

/* An event about it, or about its one part. */
static struct json_writer item_event(const struct format_stream *stream, const char *name, bool part, struct buf *out) {
    const struct open_item item = item_of(stream);
    struct json_writer writer = event_open(stream, name, out);
    json_member_cstr(&writer, "item_id", item.id);
    json_member_int(&writer, "output_index", (int64_t)item.place);
    if (part) {
        json_member_int(&writer, "content_index", 0);
    }
    return writer;
}

static void item_value(const struct format_stream *stream, const char *name, struct str item, struct buf *out) {
    struct json_writer writer = event_open(stream, name, out);
    json_member_int(&writer, "output_index", (int64_t)stream->state->blocks - 1);
    json_write_key(&writer, "item");
    json_write_raw(&writer, item);
    events_close(&writer);
}

static void part_event(const struct format_stream *stream, const char *name, struct str text, struct buf *out) {
    struct json_writer writer = item_event(stream, name, true, out);
    json_write_key(&writer, "part");
    responses_write_part(&writer, text);
    events_close(&writer);
}

static void write_logprobs(struct json_writer *writer) {
    json_write_key(writer, "logprobs");
    json_begin_array(writer);
    json_end_array(writer);
}

/* Where the item that now ends begins in `done`. */
static size_t done_begin(struct format_state *state) {
    if (state->done.len > 0) {
        buf_append_cstr(&state->done, ",");
    }
    return state->done.len;
}

static struct str done_item(const struct format_state *state, size_t from) {
    return (struct str){state->done.data + from, state->done.len - from};
}

static void close_text(const struct format_stream *stream, const char *status, struct buf *out) {
    struct format_state *state = stream->state;
    const struct open_item item = item_of(stream);
    const struct str said = buf_str(&state->said);
    struct json_writer writer = item_event(stream, "response.output_text.done", true, out);
    json_member_str(&writer, "text", said);
    write_logprobs(&writer);
    events_close(&writer);
    part_event(stream, "response.content_part.done", said, out);
    const size_t from = done_begin(state);
    json_writer_init(&writer, &state->done);
    responses_write_message(&writer, item.id, status, said);
    item_value(stream, "response.output_item.done", done_item(state, from), out);
}

static void close_call(const struct format_stream *stream, const char *status, struct buf *out) {
    struct format_state *state = stream->state;
    const struct open_item item = item_of(stream);
    const struct gen_tool_call call = {
        .id = str_from(state->call_id), .name = state->call_name, .arguments = buf_str(&state->said)};
    struct json_writer writer = item_event(stream, "response.function_call_arguments.done", false, out);
    json_member_str(&writer, "name", call.name);
    json_member_str(&writer, "arguments", call.arguments);
    events_close(&writer);
    const size_t from = done_begin(state);
    json_writer_init(&writer, &state->done);
    responses_write_call(&writer, item.id, status, &call);
    item_value(stream, "response.output_item.done", done_item(state, from), out);
}

static void item_close(const struct format_stream *stream, const char *status, struct buf *out) {
    struct format_state *state = stream->state;
    switch (state->open) {
    case FORMAT_BLOCK_NONE:
        return;
    case FORMAT_BLOCK_TEXT:
        close_text(stream, status, out);
        break;
    case FORMAT_BLOCK_CALL:
        close_call(stream, status, out);
        break;
    }
    buf_reset(&state->said);
    state->open = FORMAT_BLOCK_NONE;
}

static void open_text(const struct format_stream *stream, struct buf *out) {
    struct format_state *state = stream->state;
    struct json_writer writer;
    item_close(stream, "completed", out);
    state->open = FORMAT_BLOCK_TEXT;
    state->blocks++;
    /* What it looks like so far is written where its end will be. */
    const size_t from = state->done.len;
    json_writer_init(&writer, &state->done);
    responses_write_message(&writer, item_of(stream).id, "in_progress", STR(""));
    item_value(stream, "response.output_item.added", done_item(state, from), out);
    state->done.len = from;
    part_event(stream, "response.content_part.added", STR(""), out);
}

/* --- The events --- */

void responses_begin(const struct format_stream *stream, struct buf *out) {
    const struct responses_view view = {.output = STR("")};
    write_response(stream, "response.created", &stream->known, &view, out);
    write_response(stream, "response.in_progress", &stream->known, &view, out);
}

void responses_text(const struct format_stream *stream, struct str text, struct buf *out) {
    if (stream->state->open != FORMAT_BLOCK_TEXT) {
        open_text(stream, out);
    }
    buf_append_str(&stream->state->said, text);
    struct json_writer writer = item_event(stream, "response.output_text.delta", true, out);
    json_member_str(&writer, "delta", text);
    write_logprobs(&writer);
    events_close(&writer);
}

/* Nothing that makes these answers tells how far it is but by a comment. */
void responses_note(const struct format_stream *stream, struct str nataris, struct buf *out) {
    (void)stream;
    (void)nataris;
    (void)out;
}

void responses_call_start(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                          struct buf *out) {
    struct format_state *state = stream->state;
    struct json_writer writer;
    (void)index;
    item_close(stream, "completed", out);
    state->open = FORMAT_BLOCK_CALL;
    state->blocks++;
    state->call_name = call->name;
    (void)str_copy(state->call_id, sizeof(state->call_id), call->id);
    const struct gen_tool_call begun = {.id = call->id, .name = call->name, .arguments = STR("")};
    const size_t from = state->done.len;
    json_writer_init(&writer, &state->done);
    responses_write_call(&writer, item_of(stream).id, "in_progress", &begun);
    item_value(stream, "response.output_item.added", done_item(state, from), out);
    state->done.len = from;
}

void responses_call_arguments(const struct format_stream *stream, size_t index, struct str json, struct buf *out) {
    (void)index;
    buf_append_str(&stream->state->said, json);
    struct json_writer writer = item_event(stream, "response.function_call_arguments.delta", false, out);
    json_member_str(&writer, "delta", json);
    events_close(&writer);
}

void responses_end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    struct format_state *state = stream->state;
    const bool cut = strcmp(responses_status(answer), "incomplete") == 0;
    if (state->blocks == 0) {
        open_text(stream, out); /* an answer without a word is a message without one */
    }
    item_close(stream, responses_status(answer), out);
    const struct responses_view view = {.output = state->done.overflow ? STR("") : buf_str(&state->done)};
    write_response(stream, cut ? "response.incomplete" : "response.completed", answer, &view, out);
}

/* --- What went wrong --- */

static void write_error(const struct fault *fault, uint64_t number, struct buf *out) {
    struct json_writer writer = open_event("error", number, out);
    json_member_cstr(&writer, "code", fault_name(fault->code));
    json_member_cstr(&writer, "message", fault->message);
    json_member_cstr(&writer, "param", fault->param[0] != '\0' ? fault->param : NULL);
    events_close(&writer);
}

void responses_fault(const struct fault *fault, struct buf *out) {
    write_error(fault, 0, out);
}

/* The event, and the object as far as it came. */
void responses_broken(const struct format_stream *stream, const struct fault *fault, struct buf *out) {
    struct format_state *state = stream->state;
    write_error(fault, state->events++, out);
    const struct responses_view view = {.output = state->done.overflow ? STR("") : buf_str(&state->done),
                                        .fault = fault};
    write_response(stream, "response.failed", &stream->known, &view, out);
}
