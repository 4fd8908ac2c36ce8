/* The rows of store/devices.h, and what the operator does with them. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_DEVICES_H
#define NATARIS_STORE_SQLITE_DEVICES_H

#include "store/devices.h"
#include "store/sqlite/db.h"

extern const struct store_device_rows sqlite_device_rows;

MUST_CHECK bool sqlite_device_by_id(struct sqlite_db *db, const char *id, struct store_device *out,
                                    struct err *err); /* ERR_NOT_FOUND */
/* Of the row that the statement is at: DEVICE_COLUMNS. */
void sqlite_device_read(struct sqlite_db *db, enum sql sql, struct store_device *out);
/* These change nothing when the device is unknown. */
MUST_CHECK bool sqlite_device_verify(struct sqlite_db *db, const char *id, bool verified, struct err *err);
/* Its standing, with reason and time. */
MUST_CHECK bool sqlite_device_stand(struct sqlite_db *db, const struct store_device *device, struct err *err);
MUST_CHECK bool sqlite_reviews_count(struct sqlite_db *db, const char *device_id, int64_t *out, struct err *err);
MUST_CHECK bool sqlite_device_set_in_review(struct sqlite_db *db, const char *id, bool in_review, struct err *err);
MUST_CHECK bool sqlite_reviews_clear(struct sqlite_db *db, const char *device_id, struct err *err);

#endif
