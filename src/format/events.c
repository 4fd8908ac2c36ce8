#include "format/events.h"

#include "base/utf8.h"
#include "call/logprobs.h"
#include "format/envelope.h"

static void state_init(struct format_state *state) {
    *state = (struct format_state){0};
    buf_init(&state->said, LIMIT_ANSWER_BYTES);
    buf_init(&state->done, 6 * LIMIT_ANSWER_BYTES); /* each byte may become \u00xx */
}

static void state_clear(struct format_state *state) {
    buf_clear(&state->said);
    buf_clear(&state->done);
}

void events_clear(struct format_stream *stream) {
    if (stream->state != NULL) {
        state_clear(stream->state);
    }
}

/* An event of most formats is put together from what is prepared once:
 *   data: {"id":...,"object":...,"created":...,"model":...     head
 *   ,"choices":[{"index":0,"delta":{"content":"                the rest of delta
 *   the text, escaped
 *   "},"finish_reason":null}]}                                 the format's delta_end */
bool events_prepare(struct format_stream *stream, const struct format *format, const struct answer *answer,
                    bool include_usage, struct arena *arena, struct buf *scratch) {
    struct json_writer writer;
    *stream = (struct format_stream){.format = format,
                                     .include_usage = include_usage,
                                     .known = *answer,
                                     .state = ARENA_NEW(arena, struct format_state)};
    buf_append_cstr(scratch, EVENT_START);
    json_writer_init(&writer, scratch);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", answer->id);
    json_member_cstr(&writer, "object", format->chunk_object);
    json_member_int(&writer, "created", answer->created_ms / 1000);
    json_member_str(&writer, "model", answer->model);
    stream->head = arena_copy(arena, buf_str(scratch));
    if (stream->head.data == NULL || stream->state == NULL) {
        return false;
    }
    state_init(stream->state);
    if (format->text != NULL) {
        return true;
    }
    buf_reset(scratch);
    format->delta_start(stream, scratch);
    stream->delta = arena_copy(arena, buf_str(scratch));
    return stream->delta.data != NULL;
}

struct json_writer events_open(const struct format_stream *stream, struct buf *out) {
    buf_append_str(out, stream->head);
    return (struct json_writer){.out = out, .need_comma = true};
}

void events_close(struct json_writer *writer) {
    json_end_object(writer);
    buf_append_cstr(writer->out, EVENT_END);
}

static struct str next_piece(struct str *text) {
    struct str piece = *text;
    if (text->len > LIMIT_DELTA_BYTES) {
        const size_t whole = utf8_whole_prefix(text->data, LIMIT_DELTA_BYTES);
        piece.len = whole > 0 ? whole : LIMIT_DELTA_BYTES;
    }
    text->data += piece.len;
    text->len -= piece.len;
    return piece;
}

void events_write_piece(const struct format_stream *stream, struct str *text, struct buf *out) {
    if (stream->format->text != NULL) {
        stream->format->text(stream, next_piece(text), out);
        return;
    }
    buf_append_str(out, stream->delta);
    json_escape(out, next_piece(text));
    buf_append_str(out, stream->format->delta_end(stream));
}

static void write_texts(struct format_stream *stream, const struct answer *answer, struct buf *out) {
    const struct call_result *result = answer->result;
    for (struct str text = answer->text; result->choice_count == 0 && text.len > 0;) {
        events_write_piece(stream, &text, out);
    }
    for (stream->choice = 0; stream->choice < result->choice_count; stream->choice++) {
        for (struct str text = result->choices[stream->choice].text; text.len > 0;) {
            events_write_piece(stream, &text, out);
        }
    }
}

void events_write_whole(const struct format_stream *live, const struct answer *answer, struct buf *out) {
    struct format_state state;
    struct format_stream stream = *live;
    state_init(&state);
    stream.state = &state;
    stream.format->begin(&stream, out);
    if (answer->logprobs != NULL && answer->text.len > 0) {
        stream.format->delta_logprobs(&stream, answer->text, call_logprobs_all(answer->logprobs), out);
    } else {
        write_texts(&stream, answer, out);
    }
    for (size_t i = 0; i < answer->call_count; i++) {
        stream.format->call_start(&stream, i, &answer->calls[i], out);
        stream.format->call_arguments(&stream, i, answer->calls[i].arguments, out);
    }
    stream.format->end(&stream, answer, out);
    state_clear(&state);
}

void events_write_broken(const struct format_stream *stream, const struct fault *fault, struct buf *out) {
    if (stream->format->broken != NULL) {
        stream->format->broken(stream, fault, out);
    } else {
        stream->format->fault(fault, out);
    }
}

void events_write_fault(const struct fault *fault, struct buf *out) {
    buf_append_cstr(out, EVENT_START);
    envelope_write(fault, out);
    buf_append_cstr(out, EVENT_END);
}
