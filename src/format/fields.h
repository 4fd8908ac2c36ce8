/* What the bodies of all formats have in common: the model, sampling, limits and options. */
#ifndef NATARIS_FORMAT_FIELDS_H
#define NATARIS_FORMAT_FIELDS_H

#include "base/arena.h"
#include "base/json_read.h"
#include "call/input.h"
#include "format/ignored.h"
#include "wire/field.h"

/* The fields that formats read differently, as they stand in the document; a zeroed value when absent. */
struct fields_content {
    struct json_value messages, prompt, orchestration;
    struct json_value tools, functions, tool_choice, function_call; /* the latter of each two is the older form */
    struct json_value response_format;
    struct json_value logprobs, top_logprobs;
    bool logprobs_taken; /* the format has them; else they are refused */
    bool one_call;       /* "parallel_tool_calls": false */
    bool flat;           /* as POST /v1/responses has them: response_format is its text.format (format/functions.h) */
    struct ignored ignored; /* names of fields that change nothing; formats may add to it */
};

/* Reads everything but `content`, which is left to the format. On false err->field names the field at fault:
 * ERR_INVALID (also for limits), ERR_UNSUPPORTED, or ERR_TOO_LARGE when the arena is full. */
MUST_CHECK bool fields_read_body(struct json_value body, uint32_t default_max_tokens, struct arena *arena,
                                 struct call_input *out, struct fields_content *content, struct err *err);
/* Fields that one form has beside those of all, or reads in its own way. */
struct fields_own {
    const struct field_rule *rules;
    size_t count;
    void *target;
};
/* The same for a body with such. */
MUST_CHECK bool fields_read_own(struct json_value body, const struct fields_own *own, uint32_t default_max_tokens,
                                struct arena *arena, struct call_input *out, struct fields_content *content,
                                struct err *err);
/* What a format is the last to do: the names of ignored fields into *out. Fields that only some formats have are
 * refused, unless this one has taken them. */
MUST_CHECK bool fields_end(const struct fields_content *content, struct arena *arena, struct call_input *out,
                           struct err *err);
/* Copies into the arena, or ERR_TOO_LARGE. */
MUST_CHECK bool fields_copy(struct arena *arena, struct str text, struct str *out, struct err *err);

#endif
