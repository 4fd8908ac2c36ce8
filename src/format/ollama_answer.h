/* Answers as Ollama writes them: one JSON object, or in a stream one on each line. */
#ifndef NATARIS_FORMAT_OLLAMA_ANSWER_H
#define NATARIS_FORMAT_OLLAMA_ANSWER_H

#include "format/format.h"

/* As a format has them (format/format.h). A call of a tool is told whole, with the last line but one. */
void ollama_write_chat(const struct answer *answer, struct buf *out);
void ollama_write_generate(const struct answer *answer, struct buf *out);
void ollama_write_begin(const struct format_stream *stream, struct buf *out);
void ollama_write_chat_text(const struct format_stream *stream, struct str text, struct buf *out);
void ollama_write_generate_text(const struct format_stream *stream, struct str text, struct buf *out);
void ollama_write_note(const struct format_stream *stream, struct str nataris, struct buf *out);
void ollama_write_call_start(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                             struct buf *out);
void ollama_write_call_arguments(const struct format_stream *stream, size_t index, struct str json, struct buf *out);
void ollama_write_chat_end(const struct format_stream *stream, const struct answer *answer, struct buf *out);
void ollama_write_generate_end(const struct format_stream *stream, const struct answer *answer, struct buf *out);

#endif
