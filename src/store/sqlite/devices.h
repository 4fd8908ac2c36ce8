/* The rows of store_devices.h; as in sqlite_rows.h. */
#ifndef NATARIS_STORE_SQLITE_DEVICES_H
#define NATARIS_STORE_SQLITE_DEVICES_H

#include "store/devices.h"
#include "store/sqlite/db.h"

/* One row of a statement whose columns are those of a device or of a review. */
void sqlite_device_read(struct sqlite_db *db, enum sql sql, struct store_device *out);
void sqlite_review_read(struct sqlite_db *db, enum sql sql, struct store_review *out);
MUST_CHECK bool sqlite_device_by_id(struct sqlite_db *db, const char *id, struct store_device *out,
                                    struct err *err); /* ERR_NOT_FOUND */
MUST_CHECK bool sqlite_device_verify(struct sqlite_db *db, const char *id, bool verified, struct err *err);
MUST_CHECK bool sqlite_record_keep(struct sqlite_db *db, const char *device_id, const struct store_record *record,
                                   struct err *err);
MUST_CHECK bool sqlite_review_add(struct sqlite_db *db, const struct store_review *review, struct err *err);
MUST_CHECK bool sqlite_reviews_clear(struct sqlite_db *db, const char *device_id, struct err *err);

#endif
