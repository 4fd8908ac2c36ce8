/* What is owed to the owners of devices, and when it can be paid out: earnings ripen (docs/LEDGER.md "Ripening"). */
#ifndef NATARIS_STORE_OWED_H
#define NATARIS_STORE_OWED_H

#include "store/limits.h"

/* What is owed to an account for what its devices earned of paid credit, as it is now. */
enum { STORE_RIPENING_DAYS = 32 };
struct store_owed {
    int64_t earnings_nano; /* in all; without what is in escrow */
    int64_t ripening_nano; /* of it, what cannot be paid out yet */
    int64_t payable_nano;  /* the rest */
    int64_t escrow_nano, given_escrow_nano;
    bool suspended; /* nothing is paid out, whatever is payable */
    /* What ripens, by the day at whose end all of it will have; the first ones. */
    struct store_ripening {
        int64_t ripe_ms, amount_nano;
    } days[STORE_RIPENING_DAYS];
    size_t day_count;
};
void store_owed_read(struct store *store, const char *account_id,
                     void (*on_result)(void *context, const struct store_owed *owed, const struct err *err),
                     void *context);
/* How long after a generation's request what it earned ripens: at any time, for all of it. Default: a week. */
enum { STORE_HOLD_DAYS = 7, STORE_HOLD_DAYS_MAX = 366 };
void store_set_hold_days(struct store *store, uint32_t days);
uint32_t store_hold_days(const struct store *store);
/* What was earned of requests until then is ripe at `now_ms`. */
int64_t store_ripe_ms(const struct store *store, int64_t now_ms);

/* --- Of a backend --- */

struct store_owed_rows {
    /* Its days end when their generations' day does; the caller adds what they need to ripen. */
    bool (*read)(struct store_connection *connection, const char *account_id, int64_t ripe_ms, struct store_owed *out,
                 struct err *err);
};

#endif
