/* Devices beside their links: the reliability that a gateway keeps of them, the operator's review list, and pages of both. */
#ifndef NATARIS_STORE_DEVICES_H
#define NATARIS_STORE_DEVICES_H

#include "store/store.h"

enum {
    STORE_REASON_MAX = 24,
    STORE_REVIEWS_KEPT = 32, /* of each device, the newest */
};

/* What the device's record is now, in place of the former. An unknown device changes nothing. A failure that is not the
 * store's end is no matter: the next one comes soon. */
void store_record_keep(struct store *store, const char *device_id, const struct store_record *record);

struct store_review {
    int64_t number, created_ms;
    char device_id[STORE_ID_MAX], device_name[STORE_NAME_MAX]; /* the name is filled in by reads */
    char reason[STORE_REASON_MAX];
    char job_id[STORE_ID_MAX]; /* empty: of no job */
};
/* An unknown device adds nothing. */
void store_review_add(struct store *store, const struct store_review *review);

/* Reads, as those of store_money.h. The device `id`; or, when that is empty, all (of the account `account_id`, when that is
 * not empty) in order of creation, behind the device `after`. */
void store_devices_read(struct store *store, const char *id, const char *account_id, const char *after, unsigned limit,
                        void (*on_result)(void *context, const struct store_device *devices, size_t count, bool more,
                                          const struct err *err),
                        void *context);
/* The review list, newest first, of the device `id` or (empty) of all; before the line `before` (0: from the newest). */
void store_reviews_read(struct store *store, const char *id, int64_t before, unsigned limit,
                        void (*on_result)(void *context, const struct store_review *reviews, size_t count, bool more,
                                          const struct err *err),
                        void *context);

#endif
