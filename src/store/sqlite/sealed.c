#include "store/sqlite/sealed.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void sqlite_bind_sealed(struct sqlite_binder *binder, const struct turn_place *place, struct str text,
                        struct buf *room) {
    if (place->number == 0) {
        sqlite_bind_blob(binder, text.data, text.len);
        return;
    }
    uint8_t *sealed = (uint8_t *)buf_reserve(room, text.len + SEAL_EXTRA);
    if (sealed == NULL) { /* no caller's text comes near the limit: an empty one says that it was lost */
        sqlite_bind_blob(binder, NULL, 0);
        return;
    }
    seal_text(place->secret, text, sealed);
    sqlite_bind_blob(binder, sealed, text.len + SEAL_EXTRA);
}

bool sqlite_open_sealed(const uint8_t secret[SEAL_KEY_SIZE], struct str sealed, char *out, size_t *length,
                        struct err *err) {
    return seal_open(secret, sealed, out, length) ||
           err_set(err, ERR_INTERNAL, "A sealed text cannot be opened: the database was changed");
}

bool sqlite_seal_find(struct sqlite_db *db, enum sql sql, struct turn_place *out, struct err *err) {
    bool found;
    *out = (struct turn_place){0};
    if (!sqlite_next(db, sql, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, sql);
        out->number = sqlite_read_int(&reader);
        sqlite_read_blob(&reader, out->secret, sizeof(out->secret));
        sqlite_reset(db, sql);
    }
    return true;
}

void sqlite_read_secret(struct sqlite_reader *reader, uint8_t secret[SEAL_KEY_SIZE], bool *sealed) {
    const struct str key = sqlite_read_bytes(reader);
    *sealed = key.len == SEAL_KEY_SIZE;
    memset(secret, 0, SEAL_KEY_SIZE);
    if (*sealed) {
        memcpy(secret, key.data, SEAL_KEY_SIZE);
    }
}

bool sqlite_copy_sealed(const uint8_t secret[SEAL_KEY_SIZE], bool sealed, struct str stored, struct str *out,
                        struct err *err) {
    char *copy = mem_alloc(stored.len + 1);
    size_t length = stored.len;
    bool ok = true;
    if (sealed && stored.len > 0) {
        ok = sqlite_open_sealed(secret, stored, copy, &length, err);
    } else if (stored.len > 0) {
        memcpy(copy, stored.data, stored.len);
    }
    copy[length] = '\0';
    *out = (struct str){.data = copy, .len = length};
    if (!ok) {
        free(copy);
        *out = (struct str){0};
    }
    return ok;
}
