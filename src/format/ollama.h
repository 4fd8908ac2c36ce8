/* POST /api/chat and POST /api/generate, as Ollama documents them: for its clients. */
#ifndef NATARIS_FORMAT_OLLAMA_H
#define NATARIS_FORMAT_OLLAMA_H

#include "format/format.h"

extern const struct format FORMAT_OLLAMA_CHAT;
extern const struct format FORMAT_OLLAMA_GENERATE;

#endif
