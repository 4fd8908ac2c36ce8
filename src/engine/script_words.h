/* The words of the scripted engine as the tokens of a vocabulary: their numbers, how likely each is where another one
 * stands in the script, and what a request's biases make of that. A word's number is a hash of it. */
#ifndef NATARIS_ENGINE_SCRIPT_WORDS_H
#define NATARIS_ENGINE_SCRIPT_WORDS_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

uint64_t script_hash(struct str text);
/* The number that a word has as a token. */
uint32_t script_token_id(struct str token);
/* A word of the list, as the seed has it; the first one of a text has no blank in front. */
struct str script_word(uint64_t seed, bool first);

/* Of a request with biases: words by how much likelier they are. */
struct script_bias;
struct script_bias *script_bias_new(const struct gen_request *request);
void script_bias_free(struct script_bias *bias);
/* The likeliest word where the script has `right`. */
struct str script_bias_choose(const struct script_bias *bias, uint64_t seed, bool first, struct str right);
/* Appends how likely the word is that came where the script has `right`, and the `top` likeliest (wire/logprobs.h);
 * biases are left out of account. */
void script_logprobs_append(struct buf *out, uint64_t seed, bool first, struct str right, struct str came,
                            uint32_t top);
/* There is this word, too, besides those of the list. */
void script_bias_know(struct script_bias *bias, struct str word);
bool script_bias_all_known(const struct script_bias *bias);

#endif
