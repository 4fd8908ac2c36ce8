/* What of a conversation goes in front of a call's own messages, so that all of it fits the model. Pure. */
#ifndef NATARIS_CONVERSATION_PROMPT_H
#define NATARIS_CONVERSATION_PROMPT_H

#include "base/arena.h"
#include "store/conversations.h"
#include "tokens/rates.h"
#include "wire/generation.h"

enum {
    CONVERSATION_TEMPLATE_TOKENS = 64, /* what it adds by itself; of a small context a sixteenth */
    CONVERSATION_ANSWER_TOKENS = 8,    /* around the answer, which the device has counted without it */
};

/* Tokens of a message of this text. */
int64_t conversation_tokens(struct str text, const struct tokens_rates *rates);

struct conversation_prompt {
    /* Asked: */
    const struct store_conversation *conversation;
    const struct store_message *messages; /* the latest, those not in the summary, in their order */
    size_t message_count;
    bool more; /* there are older ones */
    uint32_t context_length;
    struct tokens_rates most, likely; /* of the call's model */
    const uint32_t *own_counts;       /* of each of the request's messages, if they were counted; else NULL */

    /* Answered: */
    int64_t budget;                   /* tokens that the prompt may have */
    bool counted;                     /* the stored counts are of this model */
    int64_t known;                    /* at most so many has all but the call's own messages */
    int64_t own;                      /* and of these */
    int64_t bytes, tokens;            /* of the whole prompt; tokens as is likely */
    size_t first;                     /* the first of `messages` that is in the prompt */
    bool cut;                         /* some are not, or are older */
    bool system_given;                /* the call had a system text of its own: it becomes the conversation's */
    struct str system;                /* that text */
    struct gen_message *own_messages; /* the call's messages without system texts; part of the request's */
    uint32_t *own_counted;            /* tokens of each of these with its template; 0: it was not counted */
    size_t own_count;
};

/* Replaces the request's messages. False: the arena is full. */
MUST_CHECK bool conversation_prompt_make(struct conversation_prompt *prompt, struct arena *arena,
                                         struct gen_request *request);
/* Tokens of a stored message: as stored, or at most so many. */
int64_t conversation_message_tokens(const struct conversation_prompt *prompt, const struct store_message *message);

#endif
