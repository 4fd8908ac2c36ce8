/* The bodies of admin requests as actions of the store. */
#ifndef NATARIS_ADMIN_ACTION_H
#define NATARIS_ADMIN_ACTION_H

#include "auth/key.h"
#include "base/json_read.h"
#include "store/admin.h"
#include "wire/field.h"

enum { ADMIN_KEY_DAYS_MAX = 3650 };

struct admin_action {
    struct store_admin admin;  /* its actor is the caller's business */
    char secrets[2][KEY_SIZE]; /* of the keys that it makes, by kind; or, the first, its join token; empty: none */
};

/* A body as an object of JSON; ERR_INVALID. */
MUST_CHECK bool admin_read_body(struct json_parser *parser, struct str body, struct json_value *out, struct err *err);
/* Each fills a zeroed action. `id` is the account's, or the key's for the last; `body` a JSON object. ERR_INVALID with
 * the field. */
typedef bool admin_action_read(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                               struct err *err);
admin_action_read admin_read_account_create, admin_read_account_change, admin_read_key_create, admin_read_credit,
    admin_read_payout, admin_read_account_erase, admin_read_key_revoke, admin_read_escrow_end;

/* A field: one line of text into char[STORE_NAME_MAX]. */
bool admin_read_line(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
const char *admin_key_kind_name(enum store_key_kind kind);

#endif
