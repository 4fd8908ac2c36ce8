/* Devices: what is known of them, how reliable they were, and the operator's review list. How they come in is
 * store/enrolment.h. */
#ifndef NATARIS_STORE_DEVICES_H
#define NATARIS_STORE_DEVICES_H

#include "store/limits.h"
#include "store/standing.h"

enum {
    STORE_REASON_MAX = 24,
    STORE_REVIEWS_KEPT = 32, /* of each device, the newest */
};

struct store_record { /* how reliable a device was; shares are thousandths */
    uint64_t generations, failures, reviews;
    uint32_t success, uptime;
    uint32_t prefill_factor, decode_factor; /* its speeds against the average; 0: not known */
    uint32_t audits, earned;                /* passed in a row; good generations by which slots are believed */
    int64_t kept_ms;                        /* wall clock; 0: nothing is known of it yet */
};

struct store_device {
    char id[STORE_ID_MAX]; /* "prov_..." */
    char account_id[STORE_ID_MAX];
    uint8_t public_key[ED25519_KEY_SIZE];
    char name[STORE_NAME_MAX];
    char region[8];
    int64_t created_ms;
    bool verified; /* by the operator */
    enum store_standing standing;
    char standing_reason[STORE_NAME_MAX]; /* empty: none was given */
    int64_t standing_ms;                  /* since when; 0: since it joined */
    bool suspended;                       /* its account is; filled in by reads */
    uint64_t account_number;              /* filled in by reads, and by store_device_enrol */
    bool in_review;                       /* likewise: what it earns goes into escrow */
    struct store_record record;           /* filled in by reads */
};

struct store_review {
    int64_t number, created_ms;
    char device_id[STORE_ID_MAX], device_name[STORE_NAME_MAX]; /* the name is filled in by reads */
    char reason[STORE_REASON_MAX];
    char generation_id[STORE_ID_MAX]; /* of a generation; empty: of none */
    bool whole_device;                /* nobody knows what else was wrong: it is in review from now on */
};

/* --- Asynchronous --- */
/* What the device's record is now, in place of the former. An unknown device changes nothing. A failure that is not the
 * store's end is no matter: the next one comes soon. */
void store_record_keep(struct store *store, const char *device_id, const struct store_record *record);
/* An unknown device adds nothing. */
void store_review_add(struct store *store, const struct store_review *review);

/* Reads, as those of accounts.h. The device `id`; or, when that is empty, all (of the account `account_id`, when that
 * is not empty) in order of creation, behind the device `after`. */
void store_devices_read(struct store *store, const char *id, const char *account_id, const char *after, unsigned limit,
                        void (*on_result)(void *context, const struct store_device *devices, size_t count, bool more,
                                          const struct err *err),
                        void *context);
/* The review list, newest first, of the device `id` or (empty) of all; before the line `before` (0: the newest). */
void store_reviews_read(struct store *store, const char *id, int64_t before, unsigned limit,
                        void (*on_result)(void *context, const struct store_review *reviews, size_t count, bool more,
                                          const struct err *err),
                        void *context);

/* --- Of a backend --- */

struct store_device_rows {
    bool (*record_keep)(struct store_connection *connection, const char *device_id, const struct store_record *record,
                        struct err *err);
    bool (*review_add)(struct store_connection *connection, const struct store_review *review, struct err *err);
    /* The one `id`; or (empty) all (of the account, when that is not empty) behind `after`, at most `limit`. */
    bool (*page)(struct store_connection *connection, const char *id, const char *account_id, const char *after,
                 size_t limit, struct store_device *rows, size_t *count, struct err *err);
    bool (*review_page)(struct store_connection *connection, const char *device_id, int64_t before, size_t limit,
                        struct store_review *rows, size_t *count, struct err *err);
};

#endif
