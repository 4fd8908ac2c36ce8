/* What the scripted engine answers: decided by the request alone, so that every device gives the same text.
 * The last message's hash picks the words and how many there are (12 to 31); a directive in the last user message
 * changes that. One word is one token. docs/TESTING.md describes the directives:
 *   [[script tokens=50 rate=200 prefill=300 fail=engine after=10 silent text="literal answer"]] */
#ifndef NATARIS_ENGINE_SCRIPT_H
#define NATARIS_ENGINE_SCRIPT_H

#include "base/err.h"
#include "base/str.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

struct script {
    uint64_t seed;
    uint32_t tokens; /* natural length: then the answer ends with "stop" */
    double rate;     /* tokens per second; 0: all at once */
    uint32_t prefill_ms;
    bool silent; /* says nothing after the prompt was accepted */
    bool fails;
    enum gen_failure failure;
    bool fails_late; /* after `fail_after` tokens; false: instead of accepting the prompt */
    uint32_t fail_after;
    struct str text; /* owned: the literal answer; empty: words from the list */
    size_t text_used;
    uint32_t produced;
};

/* `rate` and `prefill_ms` are what holds without a directive. ERR_INVALID for a directive nobody knows; the script is
 * valid (and to be cleared) in any case. */
MUST_CHECK bool script_init(struct script *script, const struct gen_request *request, double rate, uint32_t prefill_ms,
                            struct err *err);
void script_clear(struct script *script);
/* The next token, borrowed until the next call of the same script; false at the natural end. */
bool script_next(struct script *script, struct str *token);
/* Words in all contents: what the scripted engine calls prompt tokens. */
uint32_t script_count_prompt(const struct gen_request *request);

#endif
