/* What an answer of POST /v1/responses repeats of its request. */
#ifndef NATARIS_FORMAT_RESPONSES_ECHO_H
#define NATARIS_FORMAT_RESPONSES_ECHO_H

#include "base/json_read.h"
#include "call/input.h"
#include "format/fields.h"

enum { RESPONSES_ECHO_BYTES = 64 * 1024 }; /* of instructions and of tools: longer ones are not repeated */

/* The fields, zeroed or empty when absent; borrowed from the document. */
struct responses_asked {
    struct str instructions, previous, user, safety_identifier, prompt_cache_key;
    struct json_value input, text, reasoning, metadata;
    struct field_integer max_output_tokens, max_tool_calls, n;
    struct responses_store {
        bool given, value;
    } store;
};

/* Into out->echo, of a request that is read but for that. */
MUST_CHECK bool responses_echo(const struct responses_asked *asked, const struct fields_content *content,
                               struct arena *arena, struct call_input *out, struct err *err);

#endif
