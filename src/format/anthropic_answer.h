/* The answers of POST /v1/messages: a message, and a stream of events with names. */
#ifndef NATARIS_FORMAT_ANTHROPIC_ANSWER_H
#define NATARIS_FORMAT_ANTHROPIC_ANSWER_H

#include "format/format.h"

/* What sends a byte while nothing else comes. */
#define ANTHROPIC_PING "event: ping\ndata: {\"type\":\"ping\"}\n\n"

void anthropic_write_whole(const struct answer *answer, struct buf *out);
/* Of a stream (format/format.h). */
void anthropic_write_begin(const struct format_stream *stream, struct buf *out);
void anthropic_write_text(const struct format_stream *stream, struct str text, struct buf *out);
void anthropic_write_note(const struct format_stream *stream, struct str nataris, struct buf *out);
void anthropic_write_call_start(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                                struct buf *out);
void anthropic_write_call_arguments(const struct format_stream *stream, size_t index, struct str json, struct buf *out);
void anthropic_write_end(const struct format_stream *stream, const struct answer *answer, struct buf *out);

#endif
