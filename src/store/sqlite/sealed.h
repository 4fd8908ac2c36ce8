/* Texts that belong to a conversation, in columns: sealed under its key (base/seal.h). */
#ifndef NATARIS_STORE_SQLITE_SEALED_H
#define NATARIS_STORE_SQLITE_SEALED_H

#include "base/buf.h"
#include "base/seal.h"
#include "store/sqlite/db.h"

/* Where a text goes. */
struct turn_place {
    int64_t number; /* of the conversation; 0: there is none, or it is gone */
    bool late;      /* its title or summary has been made meanwhile */
    uint8_t secret[SEAL_KEY_SIZE];
};

/* Binds a text that is sealed under the place's key, or plain when there is no conversation. `room` keeps it until the
 * statement has run. */
void sqlite_bind_sealed(struct sqlite_binder *binder, const struct turn_place *place, struct str text,
                        struct buf *room);
/* Opens what sqlite_bind_sealed has sealed; ERR_INTERNAL when it cannot be. */
MUST_CHECK bool sqlite_open_sealed(const uint8_t secret[SEAL_KEY_SIZE], struct str sealed, char *out, size_t *length,
                                   struct err *err);

#endif
