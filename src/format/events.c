#include "format/events.h"

#include "base/utf8.h"
#include "format/envelope.h"

/* An event of most formats is put together from what is prepared once:
 *   data: {"id":...,"object":...,"created":...,"model":...     head
 *   ,"choices":[{"index":0,"delta":{"content":"                the rest of delta
 *   the text, escaped
 *   "},"finish_reason":null}]}                                 the format's delta_end */
bool events_prepare(struct format_stream *stream, const struct format *format, const struct answer *answer,
                    bool include_usage, struct arena *arena, struct buf *scratch) {
    struct json_writer writer;
    *stream = (struct format_stream){.format = format, .include_usage = include_usage};
    buf_append_cstr(scratch, EVENT_START);
    json_writer_init(&writer, scratch);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", answer->id);
    json_member_cstr(&writer, "object", format->chunk_object);
    json_member_int(&writer, "created", answer->created_ms / 1000);
    json_member_str(&writer, "model", answer->model);
    stream->head = arena_copy(arena, buf_str(scratch));
    if (stream->head.data == NULL) {
        return false;
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
    buf_append_str(out, stream->delta);
    json_escape(out, next_piece(text));
    buf_append_str(out, stream->format->delta_end(stream));
}

void events_write_whole(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    stream->format->begin(stream, out);
    for (struct str text = answer->text; text.len > 0;) {
        events_write_piece(stream, &text, out);
    }
    stream->format->end(stream, answer, out);
}

void events_write_fault(const struct fault *fault, struct buf *out) {
    buf_append_cstr(out, EVENT_START);
    envelope_write(fault, out);
    buf_append_cstr(out, EVENT_END);
}
