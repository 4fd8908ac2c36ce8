/* Sums of what accounts used and what their devices earned, read from totals that are kept by month and go on when the
 * generations' own rows are rolled up (generations.h). Asynchronous, on a connection beside the writer; rows are
 * borrowed for the call. A period is of whole calendar months in UTC: those that from_ms and to_ms - 1 lie in, and
 * those between. */
#ifndef NATARIS_STORE_USAGE_H
#define NATARIS_STORE_USAGE_H

#include "store/kept.h"

struct store_model_usage {
    char model[STORE_MODEL_MAX];
    int64_t requests, prompt_tokens, completion_tokens, charge_nano;
    int64_t given_nano; /* of the charge, from given credit */
};
struct store_usage {
    int64_t balance_nano, requests, prompt_tokens, completion_tokens, charge_nano;
    int64_t given_nano, balance_given_nano; /* of the charge, and of the balance: given credit */
    struct store_kept_report kept;          /* now, and what may be */
    const struct store_model_usage *models;
    size_t model_count;
};
/* Completed and cancelled-but-charged generations whose request came in the period; balance_nano is that of now.
 * `key_id` empty: all keys. A key of somebody else's is ERR_NOT_FOUND like one that does not exist. */
void store_usage_read(struct store *store, const char *account_id, const char *key_id, int64_t from_ms, int64_t to_ms,
                      void (*on_result)(void *context, const struct store_usage *usage, const struct err *err),
                      void *context);

struct store_earnings { /* of generations whose request came, and payouts that were made, in the period */
    int64_t earned_nano, paid_nano, generations, tokens;
    int64_t given_nano; /* of earned_nano, from given credit: it can be spent, and is never paid out */
};
void store_earnings_read(struct store *store, const char *account_id, int64_t from_ms, int64_t to_ms,
                         void (*on_result)(void *context, const struct store_earnings *earnings, const struct err *err),
                         void *context);

/* --- Of a backend --- */

struct store_period {
    const char *account_id, *key_id; /* key_id empty: all */
    int64_t from_ms, to_ms;          /* to_ms is more than from_ms */
};

struct store_usage_rows {
    /* The models are on the heap. */
    bool (*usage)(struct store_connection *connection, const struct store_period *period, struct store_usage *out,
                  struct err *err);
    bool (*earnings)(struct store_connection *connection, const struct store_period *period, struct store_earnings *out,
                     struct err *err);
};

#endif
