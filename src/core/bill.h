/* What a device has delivered, and what of its numbers is billed: paid is what came, never what was said
 * (docs/LEDGER.md#what-counts). */
#ifndef NATARIS_CORE_BILL_H
#define NATARIS_CORE_BILL_H

#include "core/core.h"

struct core_attempt;
struct core_generation;

enum {
    /* A token is a byte of text at least. These few stand for tokens without text: the end of a turn, marks of a chat
     * format, a stop string that was kept back. An honest answer has three to four bytes a token, so it never needs
     * them but when it is a word long. */
    CORE_BILL_SPARE_TOKENS = 4,
    /* The longest tokens of known vocabularies are runs of blanks, lines and signs: 81 bytes with SmolLM2, 128 with
     * Qwen2.5 and Llama 3. Even an answer of nothing else stays within this, and ... */
    CORE_BILL_TOKEN_BYTES = 128,
    CORE_BILL_SPARE_BYTES = 2048, /* ... a short one of a vocabulary with longer tokens within this, besides */
};

/* By one attempt, while its client was there. */
struct core_delivered {
    uint64_t bytes;   /* of text */
    uint64_t tokens;  /* of its deltas, as it says */
    uint64_t spelled; /* likewise, but of a delta no more than it has bytes */
};

/* Adds a delta to what its attempt has delivered, and cuts its text to what max_tokens of the attempt can be. False:
 * there was more, of text or of tokens: the attempt is over. */
bool core_bill_deliver(struct core_attempt *attempt, struct str *text, uint32_t tokens);
/* Completion tokens to pay for: the least of the device's claim (UINT32_MAX: it made none), its deltas, and its
 * bytes. */
uint32_t core_bill_tokens(const struct core_delivered *delivered, uint32_t claim);
/* Adds what the present attempt has delivered to the generation's parts, with its count of the prompt; nothing when it
 * has delivered nothing behind others: it has no part in the answer, nor in what the prompt costs. */
void core_bill_add_part(struct core_generation *generation, uint32_t claim);
/* The prompt tokens to pay for, as its last part's device counted them; 0 when nothing was delivered: then nothing is
 * paid. */
uint32_t core_bill_prompt(const struct core_generation *generation);
/* Is its count of the prompt to be looked at before it is paid? Always when it is more than prompt_tokens_sure, and one
 * in sixteen of all others: so small lies are found as well. */
bool core_bill_is_doubtful(struct core *core, const struct core_generation *generation, uint32_t prompt_tokens);

#endif
