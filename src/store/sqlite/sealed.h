/* Texts of clients in columns: sealed under the key of their conversation or of their account (base/seal.h). */
#ifndef NATARIS_STORE_SQLITE_SEALED_H
#define NATARIS_STORE_SQLITE_SEALED_H

#include "base/buf.h"
#include "base/seal.h"
#include "store/sqlite/db.h"

/* Where a text goes. */
struct turn_place {
    int64_t number; /* of the conversation, or of its account's key; 0: there is none, or it is gone */
    bool late;      /* its title or summary has been made meanwhile */
    uint8_t secret[SEAL_KEY_SIZE];
};

/* Binds a text that is sealed under the place's key, or plain when there is none; an empty one stays empty only then.
 * `room` keeps it until the statement has run. */
void sqlite_bind_sealed(struct sqlite_binder *binder, const struct turn_place *place, struct str text,
                        struct buf *room);
/* Opens what sqlite_bind_sealed has sealed; ERR_INTERNAL when it cannot be. */
MUST_CHECK bool sqlite_open_sealed(const uint8_t secret[SEAL_KEY_SIZE], struct str sealed, char *out, size_t *length,
                                   struct err *err);

/* The number of a key and the key itself, as the next two columns have them; the statement finds one row. */
MUST_CHECK bool sqlite_seal_find(struct sqlite_db *db, enum sql sql, struct turn_place *out, struct err *err);
/* Reads a key, NULL where there is none; *sealed says whether there is. */
void sqlite_read_secret(struct sqlite_reader *reader, uint8_t secret[SEAL_KEY_SIZE], bool *sealed);
/* A copy of a text, opened if it is sealed, with a NUL behind it; to be freed. Empty for one that is not there. */
MUST_CHECK bool sqlite_copy_sealed(const uint8_t secret[SEAL_KEY_SIZE], bool sealed, struct str stored, struct str *out,
                                   struct err *err);

#endif
