#include "admin/admin.h"

#include "base/mem.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ADMIN_BODY_BYTES = 64 * 1024,
    ADMIN_TEXT_BYTES = 4 * 1024 * 1024, /* a page of the longest rows */
};

struct admin *admin_new(struct loop *loop, struct store *store, const struct admin_backend *backend) {
    struct admin *admin = MEM_NEW(struct admin);
    admin->loop = loop;
    admin->store = store;
    admin->backend = *backend;
    admin->parser = json_parser_new(ADMIN_BODY_BYTES, LIMIT_JSON_DEPTH);
    buf_init(&admin->text, ADMIN_TEXT_BYTES);
    return admin;
}

void admin_free(struct admin *admin) {
    if (admin == NULL) {
        return;
    }
    assert(admin->operations == 0);
    json_parser_free(admin->parser);
    buf_clear(&admin->text);
    free(admin);
}

struct buf *admin_text(struct admin *admin) {
    buf_clear(&admin->text); /* it is used seldom, and its memory better elsewhere */
    return &admin->text;
}
