/* What the scripted engine answers: decided by the request alone, so that every device gives the same text.
 * The last message's hash picks the words and how many there are (12 to 31); a grammar is kept to; a directive in the
 * last user message changes all that. One word is one token. docs/TESTING.md describes the directives:
 *   [[script tokens=50 rate=200 prefill=300 fail=engine after=10 silent lie=3 loop text="literal answer"]] */
#ifndef NATARIS_ENGINE_SCRIPT_H
#define NATARIS_ENGINE_SCRIPT_H

#include "base/err.h"
#include "base/str.h"
#include "engine/script_words.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

struct script {
    uint64_t seed;
    uint32_t tokens; /* natural length: then the answer ends with "stop" */
    double rate;     /* tokens per second; 0: all at once */
    uint32_t prefill_ms;
    bool silent; /* says nothing after the prompt was accepted, or after `after` tokens */
    bool fails;
    enum gen_failure failure;
    bool late; /* `after` was given; without it a failure comes instead of accepting the prompt */
    uint32_t after;
    bool exits; /* the process ends after `exit_after` tokens; only a device's own script can say so */
    uint32_t exit_after;
    uint32_t lie;    /* tokens claimed for each one; 1: honest */
    bool loops;      /* always the same word */
    struct str text; /* owned: the literal answer; empty: words from the list */
    size_t text_used;
    uint32_t produced;
    struct script_bias *bias; /* owned; NULL: none */
    struct str right;         /* what the script has where the last token came */
    uint64_t right_seed;
    struct str rest; /* of a token that was said in part, elsewhere */
};

struct script_device {
    double rate; /* rate and prefill_ms: what holds without a directive */
    uint32_t prefill_ms;
    const char *words; /* as in a directive; they hold for every job here, against the directive; NULL: none */
};

/* ERR_INVALID for a directive nobody knows; the script is valid (and to be cleared) in any case. */
MUST_CHECK bool script_init(struct script *script, const struct gen_request *request,
                            const struct script_device *device, struct err *err);
void script_clear(struct script *script);
/* ERR_INVALID when the words for a device are none. */
MUST_CHECK bool script_check(const char *words, struct err *err);
/* Goes to where `text`, said by another device, ends, also inside a token; the tokens up to there are `produced`. A
 * text that is not how this script begins changes nothing: it starts from the beginning. */
void script_continue(struct script *script, struct str text);
/* The next token, borrowed until the next call of the same script; false at the natural end. */
bool script_next(struct script *script, struct str *token);
/* How likely the token was that came last, and the `top` likeliest (wire/logprobs.h). */
void script_append_logprobs(const struct script *script, struct str token, uint32_t top, struct buf *out);
/* Whether all words that the request's biases name are of the list, or of the first of its own text. */
bool script_knows_biases(const struct script *script);
/* Words in all contents: what the scripted engine calls prompt tokens. */
uint32_t script_count_prompt(const struct gen_request *request);

#endif
