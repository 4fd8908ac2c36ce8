/* A stream of POST /v1/responses: named events, each with its number, for items and what they hold. */
#ifndef NATARIS_FORMAT_RESPONSES_EVENTS_H
#define NATARIS_FORMAT_RESPONSES_EVENTS_H

#include "format/format.h"

/* As struct format has them. */
void responses_begin(const struct format_stream *stream, struct buf *out);
void responses_text(const struct format_stream *stream, struct str text, struct buf *out);
void responses_note(const struct format_stream *stream, struct str nataris, struct buf *out);
void responses_call_start(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                          struct buf *out);
void responses_call_arguments(const struct format_stream *stream, size_t index, struct str json, struct buf *out);
void responses_end(const struct format_stream *stream, const struct answer *answer, struct buf *out);
void responses_fault(const struct fault *fault, struct buf *out);
void responses_broken(const struct format_stream *stream, const struct fault *fault, struct buf *out);

#endif
