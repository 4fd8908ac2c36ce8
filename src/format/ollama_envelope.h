/* Refusals as Ollama writes them: {"error": "..."}. */
#ifndef NATARIS_FORMAT_OLLAMA_ENVELOPE_H
#define NATARIS_FORMAT_OLLAMA_ENVELOPE_H

#include "format/envelope.h"

extern const struct envelope ENVELOPE_OLLAMA;
/* The line of a stream that says what went wrong. */
void ollama_envelope_write_line(const struct fault *fault, struct buf *out);

#endif
