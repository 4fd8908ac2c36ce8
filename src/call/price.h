/* What a generation may cost at most, for the hold that is placed before it is dispatched. */
#ifndef NATARIS_CALL_PRICE_H
#define NATARIS_CALL_PRICE_H

#include "wire/generation.h"

enum {
    /* A tool call is written as JSON, where a byte may become the six of \u00xx, inside some markup. */
    PRICE_TOKENS_PER_TOOL_BYTE = 6,
    PRICE_TOKENS_PER_TOOL_CALL = 64,
};

/* More tokens than the prompt can have on any device: a token stands for at least one byte of text (byte-level and
 * byte-fallback vocabularies alike), so the bytes bound the tokens; around them is what the model's chat template adds
 * (tokens/rates.h). */
uint32_t price_prompt_tokens_max(const struct gen_request *request);
/* Nano-dollars per token of a model by its id; those of CATALOG_OTHER_... for one that is not in the catalog. */
void price_of_model(struct str model, int64_t *prompt_nano, int64_t *completion_nano);

#endif
