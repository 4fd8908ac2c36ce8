/* What chat and inference requests have in common: the model, sampling, limits and options. */
#ifndef NATARIS_FORMAT_INPUT_H
#define NATARIS_FORMAT_INPUT_H

#include "base/arena.h"
#include "format/orchestration.h"
#include "wire/field.h"
#include "wire/generation.h"

enum { GENERATION_REGION_SIZE = 3 };

/* A generation request as its body says it; strings are in the arena. The model is as the client wrote it. */
struct generation_input {
    struct gen_request request;
    struct str label; /* conversation_id; empty when none */
    bool stream, include_usage;
    char region[GENERATION_REGION_SIZE]; /* where devices may be: two letters, upper case; empty: anywhere */
    bool verified;                       /* only devices that the operator has verified */
    struct orchestration orchestration;  /* not enabled: an ordinary call */
};

/* The body of POST /v1/chat/completions, and that of POST /v1/inference. On false err->field names the field at fault:
 * ERR_INVALID (also for limits), ERR_UNSUPPORTED, or ERR_TOO_LARGE when the arena is full. */
MUST_CHECK bool chat_request_read(struct json_value body, struct arena *arena, struct generation_input *out,
                                  struct err *err);
MUST_CHECK bool inference_request_read(struct json_value body, struct arena *arena, struct generation_input *out,
                                       struct err *err);

/* The fields that the two read differently, as they stand in the document; a zeroed value when absent. */
struct generation_content {
    struct json_value messages, prompt, orchestration, tools;
    bool tools_unused; /* "tool_choice": "none" */
};

/* Reads everything but `content`, which is left to the caller. */
MUST_CHECK bool generation_fields_read(struct json_value body, uint32_t default_max_tokens, struct arena *arena,
                                       struct generation_input *out, struct generation_content *content,
                                       struct err *err);
/* "orchestration" and "tools" of a chat; those of a request that no workflow can answer are refused unless they ask for
 * nothing. */
MUST_CHECK bool generation_orchestration_read(const struct generation_content *content, struct arena *arena,
                                              struct orchestration *out, struct err *err);
MUST_CHECK bool generation_orchestration_refuse(const struct generation_content *content, struct err *err);
/* Copies into the arena, or ERR_TOO_LARGE. */
MUST_CHECK bool generation_copy(struct arena *arena, struct str text, struct str *out, struct err *err);

#endif
