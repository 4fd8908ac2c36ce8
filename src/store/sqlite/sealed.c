#include "store/sqlite/sealed.h"

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
           err_set(err, ERR_INTERNAL, "A text of a conversation cannot be opened: the database was changed");
}
