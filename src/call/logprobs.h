/* The log-probabilities of a call's answer, gathered while it comes: those of the tokens whose text is in it. A device
 * counts with its last text also the tokens of a stop string, which is in no answer; these are left out. */
#ifndef NATARIS_CALL_LOGPROBS_H
#define NATARIS_CALL_LOGPROBS_H

#include "base/str.h"
#include "wire/logprobs.h"

struct call_logprobs;

/* `top`: so many other tokens of each are kept. */
struct call_logprobs *call_logprobs_new(uint32_t top);
void call_logprobs_free(struct call_logprobs *logprobs); /* or NULL */
/* The next text and what came with it: checked log-probabilities of all its tokens. Tokens that begin behind the text
 * are not of it. */
void call_logprobs_add(struct call_logprobs *logprobs, struct str text, struct str came);
/* All so far; borrowed until more is added. */
struct str call_logprobs_all(const struct call_logprobs *logprobs);
/* Those since this was asked last: for streams. Likewise. */
struct str call_logprobs_take(struct call_logprobs *logprobs);
/* False: there were more than LIMIT_LOGPROBS_BYTES, and they are not all there. */
bool call_logprobs_are_whole(const struct call_logprobs *logprobs);

#endif
