#include "api/stream.h"

#include "api/respond.h"
#include "base/utf8.h"
#include "call/price.h"
#include "format/answer.h"
#include "workflow/workflows.h"

#include <inttypes.h>

/* A chunk is put together from what is prepared once, so that a token costs one escape and one write:
 *   data: {"id":...,"object":...,"created":...,"model":...     chunk_head
 *   ,"choices":[{"index":0,"delta":{"content":"                the rest of delta_prefix
 *   the text, escaped
 *   "},"finish_reason":null}]}                                 the suffix */
#define EVENT_START "data: "
#define EVENT_END "\n\n"

static const struct str chat_delta_start = STR(",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"");
static const struct str chat_delta_end = STR("\"},\"finish_reason\":null}]}" EVENT_END);
/* OpenAI's streams carry "usage": null in every chunk but the last once usage was asked for. */
static const struct str chat_delta_end_usage = STR("\"},\"finish_reason\":null}],\"usage\":null}" EVENT_END);
static const struct str inference_delta_start = STR(",\"output\":\"");
static const struct str inference_delta_end = STR("\",\"finish_reason\":null}" EVENT_END);

static struct str delta_start(const struct call *call) {
    return call->kind == API_CALL_CHAT ? chat_delta_start : inference_delta_start;
}

static struct str delta_end(const struct call *call) {
    if (call->kind == API_CALL_INFERENCE) {
        return inference_delta_end;
    }
    return call->include_usage ? chat_delta_end_usage : chat_delta_end;
}

bool stream_prepare(struct call *call) {
    struct buf *text = respond_buffer(call->api);
    struct json_writer writer;
    buf_append_cstr(text, EVENT_START);
    json_writer_init(&writer, text);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", call->id);
    json_member_cstr(&writer, "object", call->kind == API_CALL_CHAT ? "chat.completion.chunk" : "inference.chunk");
    json_member_int(&writer, "created", call->created_ms / 1000);
    json_member_str(&writer, "model", call->generation.model);
    size_t head_len = text->len;
    buf_append_str(text, delta_start(call));
    call->delta_prefix = arena_copy(call->arena, buf_str(text));
    call->chunk_head = (struct str){.data = call->delta_prefix.data, .len = head_len};
    return call->delta_prefix.data != NULL;
}

static void stream_send(struct call *call, const struct buf *events) {
    http_stream_write(call->exchange, buf_str(events));
    call->last_write_ms = loop_now_ms(call->api->loop);
}

/* A writer inside the object that chunk_head opened; chunk_close closes it. */
static struct json_writer chunk_open(const struct call *call, struct buf *out) {
    buf_append_str(out, call->chunk_head);
    return (struct json_writer){.out = out, .need_comma = true};
}

static void chunk_close(struct json_writer *writer) {
    json_end_object(writer);
    buf_append_cstr(writer->out, EVENT_END);
}

/* A chunk with a choice, up to where its delta's members stand; and what is behind them. */
static struct json_writer choice_open(const struct call *call, struct buf *out) {
    struct json_writer writer = chunk_open(call, out);
    json_write_key(&writer, "choices");
    json_begin_array(&writer);
    json_begin_object(&writer);
    json_member_int(&writer, "index", 0);
    json_write_key(&writer, "delta");
    json_begin_object(&writer);
    return writer;
}

static void choice_close(struct json_writer *writer, const struct call *call, const char *finish_reason) {
    json_end_object(writer);
    json_member_cstr(writer, "finish_reason", finish_reason);
    json_end_object(writer);
    json_end_array(writer);
    if (call->include_usage) {
        json_member_cstr(writer, "usage", NULL);
    }
}

static void write_role(const struct call *call, struct buf *out) {
    struct json_writer writer = choice_open(call, out);
    json_member_cstr(&writer, "role", "assistant");
    json_member_cstr(&writer, "content", "");
    choice_close(&writer, call, NULL);
    chunk_close(&writer);
}

/* Of a call of the caller's tool; each needs its place, which a plain answer does not tell. */
static void write_tool_calls(const struct call *call, struct buf *out) {
    struct json_writer writer = choice_open(call, out);
    struct str calls = answer_tool_calls(call); /* one object in an array */
    json_write_key(&writer, "tool_calls");
    buf_append_cstr(out, "[{\"index\":0,");
    buf_append_str(out, (struct str){.data = calls.data + 2, .len = calls.len - 2});
    writer.need_comma = true;
    choice_close(&writer, call, NULL);
    chunk_close(&writer);
}

/* The last with a choice: no text, the reason. */
static void write_reason(const struct call *call, const struct call_result *result, struct buf *out) {
    if (answer_tool_calls(call).len > 0) {
        write_tool_calls(call, out);
    }
    struct json_writer writer = choice_open(call, out);
    choice_close(&writer, call, answer_call_finish_reason(call, result));
    if (call->workflow_answer != NULL) {
        workflow_answer_write(&writer, call->workflow_answer);
    }
    chunk_close(&writer);
}

static void stream_headers_init(struct respond_headers *headers, const struct api_request *request) {
    respond_headers_init(headers, request, STR("text/event-stream"));
    respond_headers_add(headers, "Cache-Control", STR("no-cache"));
    respond_headers_add(headers, "X-Accel-Buffering", STR("no"));
}

void stream_begin(struct call *call) {
    if (call->headers_sent) {
        return;
    }
    struct respond_headers headers;
    stream_headers_init(&headers, call->request);
    if (call->repeated) {
        respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
    }
    http_stream_begin(call->exchange, 200, headers.items, headers.count);
    call->headers_sent = true;
    call->last_write_ms = loop_now_ms(call->api->loop);
    if (call->kind == API_CALL_CHAT) {
        struct buf *out = respond_buffer(call->api);
        write_role(call, out);
        stream_send(call, out);
    }
}

static void write_delta(const struct call *call, struct str text, struct buf *out) {
    buf_append_str(out, call->delta_prefix);
    json_escape(out, text);
    buf_append_str(out, delta_end(call));
}

/* The next part of a text that is not empty, cut between characters where it is too long for one event. */
static struct str next_piece(struct str *text) {
    struct str piece = *text;
    if (text->len > LIMIT_DELTA_BYTES) {
        size_t whole = utf8_whole_prefix(text->data, LIMIT_DELTA_BYTES);
        piece.len = whole > 0 ? whole : LIMIT_DELTA_BYTES;
    }
    text->data += piece.len;
    text->len -= piece.len;
    return piece;
}

void stream_write_text(struct call *call, struct str text) {
    while (text.len > 0) {
        struct buf *out = respond_buffer(call->api);
        write_delta(call, next_piece(&text), out);
        stream_send(call, out);
    }
}

static void write_last_chunks(const struct call *call, const struct call_result *result, struct buf *out) {
    struct json_writer writer;
    switch (call->kind) {
    case API_CALL_CHAT:
        write_reason(call, result, out);
        if (call->include_usage) {
            writer = chunk_open(call, out);
            json_write_key(&writer, "choices");
            json_begin_array(&writer);
            json_end_array(&writer);
            answer_write_usage(&writer, &result->usage);
            chunk_close(&writer);
        }
        break;
    case API_CALL_INFERENCE:
        writer = chunk_open(call, out);
        json_member_cstr(&writer, "output", "");
        json_member_cstr(&writer, "finish_reason", answer_finish_reason(result->finish));
        answer_write_usage(&writer, &result->usage);
        answer_write_provider(&writer, result);
        answer_write_nataris(&writer, call, result);
        chunk_close(&writer);
        break;
    }
    buf_append_cstr(out, EVENT_START "[DONE]" EVENT_END);
}

void stream_finish(struct call *call, const struct call_result *result) {
    stream_begin(call);
    struct buf *out = respond_buffer(call->api);
    write_last_chunks(call, result, out);
    stream_send(call, out);
    http_stream_end(call->exchange);
}

void stream_write_whole(const struct call *call, const struct call_result *result, struct buf *out) {
    if (call->kind == API_CALL_CHAT) {
        write_role(call, out);
    }
    for (struct str text = buf_str(&call->answer); text.len > 0;) {
        write_delta(call, next_piece(&text), out);
    }
    write_last_chunks(call, result, out);
}

void stream_replay(struct api_request *request, struct str events) {
    struct respond_headers headers;
    stream_headers_init(&headers, request);
    respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
    respond_send(request, 200, &headers, events);
}

void stream_fail(struct call *call, const struct fault *error) {
    struct buf *out = respond_buffer(call->api);
    buf_append_cstr(out, EVENT_START);
    envelope_write(error, out);
    buf_append_cstr(out, EVENT_END);
    stream_send(call, out);
    http_exchange_close_after(call->exchange);
    http_stream_end(call->exchange);
}

void stream_keep_alive(struct call *call) {
    struct buf *out = respond_buffer(call->api);
    buf_append_cstr(out, ": keep-alive" EVENT_END);
    stream_send(call, out);
}

void stream_step(struct call *call, const struct workflow_progress *progress) {
    const bool begins = progress->step->state == CORE_STEP_RUNNING;
    const bool failed = progress->step->state == CORE_STEP_FAILED;
    const char *name = core_step_name_text(progress->step->name);
    struct buf *out = respond_buffer(call->api);
    buf_append_format(out, ": step %" PRIu32 " %s %s" EVENT_END, progress->number + 1, name,
                      begins   ? "running"
                      : failed ? "failed"
                               : "completed");
    struct json_writer writer = choice_open(call, out);
    choice_close(&writer, call, NULL);
    json_write_key(&writer, "nataris");
    json_begin_object(&writer);
    json_member_cstr(&writer, "workflow_id", progress->id);
    json_member_cstr(&writer, "workflow", core_workflow_kind_name(progress->kind));
    json_write_key(&writer, "step");
    json_begin_object(&writer);
    json_member_int(&writer, "number", (int64_t)progress->number + 1);
    json_member_cstr(&writer, "name", name);
    json_member_cstr(&writer, "status", begins ? "RUNNING" : failed ? "FAILED" : "COMPLETED");
    json_end_object(&writer);
    json_member_int(&writer, "steps_executed", progress->steps_executed);
    price_write_member(&writer, "total_cost_usd", progress->cost_nano);
    json_end_object(&writer);
    chunk_close(&writer);
    stream_send(call, out);
}

void stream_progress(struct call *call, uint32_t percent, uint64_t ready_ms) {
    struct buf *out = respond_buffer(call->api);
    buf_append_cstr(out, ": loading ");
    buf_append_str(out, call->generation.model);
    buf_append_format(out, " %u%% (about %" PRIu64 " s)" EVENT_END, percent, (ready_ms + 999) / 1000);
    stream_send(call, out);
}
