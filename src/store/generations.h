/* The records of generations: one for each text that a model was asked for and that has ended. For usage, for what
 * devices earned, and for the operator; never prompt or answer. */
#ifndef NATARIS_STORE_GENERATIONS_H
#define NATARIS_STORE_GENERATIONS_H

#include "store/limits.h"
#include "store/purpose.h"

enum store_outcome { /* stored by number */
                     STORE_OUTCOME_COMPLETED = 0,
                     STORE_OUTCOME_FAILED = 1,
                     STORE_OUTCOME_CANCELLED = 2,
};

/* What was asked: messages, or a prompt. */
enum store_generation_kind { /* stored by number */
                             STORE_GENERATION_CHAT = 0,
                             STORE_GENERATION_INFERENCE = 1,
                             STORE_GENERATION_COMPLETIONS = 2,
                             STORE_GENERATION_MESSAGES = 3,
                             STORE_GENERATION_RESPONSES = 4,
                             STORE_GENERATION_OLLAMA_CHAT = 5,
                             STORE_GENERATION_OLLAMA_GENERATE = 6,
};
enum { STORE_GENERATION_KINDS = 8 }; /* more than any number that was given */

struct store_generation {
    char id[STORE_ID_MAX]; /* unique; it names what it was for (store_purpose), but nobody has to read that out of it */
    enum store_purpose purpose;
    enum store_generation_kind kind;
    char account_id[STORE_ID_MAX];
    char key_id[STORE_ID_MAX];
    char model[STORE_MODEL_MAX];
    char device_id[STORE_ID_MAX]; /* the one that finished it; empty when none */
    char label[STORE_NAME_MAX];   /* the request's conversation_id, also when that is only a label */
    enum store_outcome outcome;
    uint32_t prompt_tokens, completion_tokens, attempts;
    uint32_t ttft_ms, latency_ms;
    int64_t created_ms;
    int64_t charge_nano, provider_nano; /* from the client's wallets; of it, to the device's owner */
    int64_t given_nano;                 /* of the charge, from given credit (ledger.h) */
    int64_t provider_given_nano;        /* of provider_nano, so; of several parts: in each of them, and 0 here */
    bool own_devices; /* of one that is read for its client: all of it was made by devices of the client's own */
};

/* Synchronous; each in order of creation; the callback returns false to stop. */
MUST_CHECK bool store_each_generation(struct store *store,
                                      bool (*row)(void *context, const struct store_generation *generation),
                                      void *context, struct err *err);
/* Asynchronous, on a connection beside the writer; rows are borrowed for the call. Those of a client account (or, with
 * `earned`, those that its devices earned from), newest first by time of creation, then number, beginning behind the
 * generation `after` (empty: at the newest). `more`: a further page exists. An `after` of somebody else's is
 * ERR_NOT_FOUND like one that does not exist. With `earned`, account_id, key_id and label are empty: they are the
 * client's. */
void store_generations_page(struct store *store, const char *account_id, bool earned, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_generation *generations, size_t count,
                                              bool more, const struct err *err),
                            void *context);

/* One step of rolling up: rows of generations that were created before `before_ms` are deleted, a bounded number at a
 * time. What they were charged, earned and counted stays in the ledger, in usage and earnings (usage.h), and in the
 * jobs that they were of; the newest row always stays, and so does what an unfinished job or workflow may still ask
 * for. */
struct store_roll_up {
    int64_t before_ms, now_ms; /* wall clock */
    int64_t after;             /* where the step before has ended; 0: at the oldest */
};
/* `next`: `after` of the next step; 0: nothing more is old enough. Asynchronous. With an error nothing was done. */
void store_generations_roll_up(struct store *store, const struct store_roll_up *step,
                               void (*told)(void *context, int64_t next, const struct err *err), void *context);

/* --- Of a backend --- */

struct store_generation_page {
    const char *account_id, *after;
    bool earned;
    size_t limit;
};

struct store_generation_rows {
    bool (*each)(struct store_connection *connection,
                 bool (*row)(void *context, const struct store_generation *generation), void *context, struct err *err);
    bool (*page)(struct store_connection *connection, const struct store_generation_page *page,
                 struct store_generation *rows, size_t *count, struct err *err);
    /* Looks at `limit` rows at most. */
    bool (*roll_up)(struct store_connection *connection, const struct store_roll_up *step, size_t limit, int64_t *next,
                    struct err *err);
};

#endif
