/* Streams as server-sent events: what all formats' streams share. */
#ifndef NATARIS_FORMAT_EVENTS_H
#define NATARIS_FORMAT_EVENTS_H

#include "base/json_write.h"
#include "format/format.h"

#define EVENT_START "data: "
#define EVENT_END "\n\n"
#define EVENT_LAST EVENT_START "[DONE]" EVENT_END

/* Makes a stream's common parts for an answer (of which only id, model, created_ms and echo are looked at), in the
 * arena; `scratch` is an empty buffer to do it in. False: the arena is full. */
MUST_CHECK bool events_prepare(struct format_stream *stream, const struct format *format, const struct answer *answer,
                               bool include_usage, struct arena *arena, struct buf *scratch);
/* The next event with text, of as much of it as one event may hold; `text` moves behind that. The text is whole UTF-8
 * characters and not empty. */
void events_write_piece(const struct format_stream *stream, struct str *text, struct buf *out);
/* What the stream has gathered. Also of one that was never prepared. */
void events_clear(struct format_stream *stream);
/* The event of a fault in mid-stream. */
void events_write_broken(const struct format_stream *stream, const struct fault *fault, struct buf *out);
/* What a stream is in one piece: first events to [DONE]. How far the stream is itself changes nothing, and is not
 * changed. */
void events_write_whole(const struct format_stream *live, const struct answer *answer, struct buf *out);
/* The event of a fault, as all formats but those of other vendors have it. */
void events_write_fault(const struct fault *fault, struct buf *out);
/* A writer inside the object that `head` opened; events_close closes it, and the event. */
struct json_writer events_open(const struct format_stream *stream, struct buf *out);
void events_close(struct json_writer *writer);

#endif
