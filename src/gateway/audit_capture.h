/* Answers that are to be audited, kept on the link's side while they come: what was asked, the text and the ids of its
 * tokens as the device sent them. Bounded; nothing is kept of answers that nobody will score. */
#ifndef NATARIS_GATEWAY_AUDIT_CAPTURE_H
#define NATARIS_GATEWAY_AUDIT_CAPTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/audit_book.h"
#include "link/answer.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

/* Whose answer it is. */
struct audit_subject {
    uint64_t generation, provider; /* the core's handles */
    uint64_t client;               /* number of the account that has asked; 0: a made-up prompt */
    struct audit_key key;          /* device and file */
    char account_id[STORE_ID_MAX]; /* of the device's owner */
    char generation_id[STORE_ID_MAX];
    bool canary;
    bool tells_ids; /* the device says that it tells them: an answer without is not what it promised */
    /* An answer that ends by its length before max_tokens has come to the end of the device's context: it has so many
     * tokens at least. */
    uint32_t length_tokens_min;
};

struct audit_capture {
    struct audit_subject subject;
    struct arena arena;
    struct gen_request request; /* as it was sent; in the arena */
    struct buf text, ids;
    uint64_t tokens;  /* that came: of an answer that is longer than what is kept more than there are ids */
    bool cut_short;   /* only its beginning is kept, or there was no more of it: its end says nothing */
    bool unusable;    /* it is not to be scored: its account has opted out meanwhile */
    bool contradicts; /* it needs no scorer: ids are missing, or it ends where it cannot */
    enum gen_finish finish;
    size_t bytes;      /* that it takes */
    uint64_t ready_ms; /* once it is over; on the loop's clock */
    /* Of the scorers (gateway/audit.h): how many have been asked and have answered, and what is common to them. */
    bool given_up; /* it could not be scored */
    uint32_t asked, scored;
    struct gen_score score;
    char scorers[2][STORE_ID_MAX]; /* the owners of those that were asked */
    struct audit_capture *next, *prev;
    UT_hash_handle hh;
};

struct audit_captures {          /* zeroed: none */
    struct audit_capture *open;  /* uthash, by generation */
    struct audit_capture *ready; /* complete, oldest first */
    size_t ready_count;
    size_t bytes;        /* that all take */
    uint64_t dropped;    /* for which there was no room, since somebody last asked */
    uint64_t *unaudited; /* owned, in order: numbers of accounts whose prompts are shown to nobody */
    size_t unaudited_count;
    void (*on_ready)(void *context); /* an answer is complete; may be NULL, and frees nothing */
    void *context;
};

/* No prompt of this account is kept from now on, and those that are kept and not yet given to a scorer are forgotten;
 * or that ends. */
void audit_captures_set_unaudited(struct audit_captures *captures, uint64_t account, bool unaudited);

/* Keeps the answer to a request that was just sent to a device; any other attempt of the generation is over. Nothing
 * happens when there are too many, or its account does not want it. */
void audit_captures_begin(struct audit_captures *captures, const struct audit_subject *subject,
                          const struct gen_request *request, uint64_t now_ms);
/* What a device says; nothing happens for an answer that is not kept, or is another device's. */
void audit_captures_delta(struct audit_captures *captures, uint64_t provider, const struct link_delta *delta);
void audit_captures_done(struct audit_captures *captures, uint64_t provider, uint64_t generation,
                         enum link_finish finish, uint64_t now_ms);
/* The generation is over, or its attempt has failed: what came by then is scored without an end. It is paid for, too;
 * else whoever breaks off each answer would never be looked at. Nothing happens after it was done. */
void audit_captures_end(struct audit_captures *captures, uint64_t generation, uint64_t now_ms);
/* One of the ready ones is not needed any more. */
void audit_captures_forget(struct audit_captures *captures, struct audit_capture *capture);
void audit_captures_clear(struct audit_captures *captures);
/* What was captured as an answer; it borrows from the capture. */
struct gen_answer audit_capture_answer(const struct audit_capture *capture);

#endif
