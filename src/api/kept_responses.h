/* Answers of POST /v1/responses that are kept under their ids, with the items before them: their client reads and
 * deletes them, and asks on behind them. Each is a stored answer (store/answers.h), made with its settlement, whose
 * scope follows from its account and its id, so nobody finds one of another's. */
#ifndef NATARIS_API_KEPT_RESPONSES_H
#define NATARIS_API_KEPT_RESPONSES_H

#include "auth/auth.h"
#include "base/arena.h"
#include "base/json_read.h"
#include "call/draft.h"
#include "format/history.h"
#include "store/answers.h"

enum {
    KEPT_RESPONSE_ITEMS_BYTES = 1024 * 1024, /* of the items before an answer; with more it is not kept */
    KEPT_RESPONSES_READ_MAX = 64,            /* answers that the references of one request may name */
};
#define KEPT_RESPONSE_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* Where an account's answer of that id is kept. */
void kept_response_scope(const struct auth_identity *identity, struct str id, uint8_t out[DIGEST_SHA256_SIZE]);
/* Whether the answer of a request is to be kept; not with test keys, of which nothing is. */
bool kept_response_wanted(const struct auth_identity *identity, const struct history *history);
/* What to keep of `call`'s answer, whose object is `whole`, with the items `output`. It borrows `content`, which is
 * written. False: it is too large. */
MUST_CHECK bool kept_response_make(const struct call *call, const struct history *history, struct str whole,
                                   struct str output, struct buf *content, struct store_answer *out);

/* The stage of a draft that reads what the request's history is open for, and whether the account has room for one more
 * that it has asked to be kept. */
enum draft_step kept_responses_enter(struct draft *draft);

#endif
