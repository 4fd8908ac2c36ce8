/* Shared by admin.c and admin_routes.c only. */
#ifndef NATARIS_ADMIN_INTERNAL_H
#define NATARIS_ADMIN_INTERNAL_H

#include "admin/admin.h"
#include "base/json_read.h"
#include "call/calls.h"

struct admin {
    struct loop *loop;
    struct store *store;
    struct admin_backend backend;
    struct json_parser *parser;
    struct buf text;   /* the answer being written; good until the next */
    size_t operations; /* asked and not answered */
};

/* An empty buffer for an answer. */
struct buf *admin_text(struct admin *admin);
/* Appends the envelope; returns the status. ERR_CONFLICT is 409, ERR_UNSUPPORTED 405. */
int admin_write_error(const struct err *err, struct buf *out);

#endif
