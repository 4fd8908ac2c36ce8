/* The JSON of the admin API's answers. */
#ifndef NATARIS_ADMIN_WRITE_H
#define NATARIS_ADMIN_WRITE_H

#include "admin/admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "core/core.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/devices.h"
#include "store/escrow.h"
#include "store/kept.h"
#include "store/owed.h"
#include "store/usage.h"

/* `view`: live figures; NULL: no request is under way. `kept` NULL: without it. */
void admin_write_account(struct json_writer *writer, const struct store_account *account,
                         const struct core_account_view *view, const struct store_kept_report *kept);
void admin_write_key(struct json_writer *writer, const struct store_key *key);
/* Its stored members, into an open object. */
void admin_write_device(struct json_writer *writer, const struct store_device *device);
/* `now_ms`: by which its state is told. */
void admin_write_token(struct json_writer *writer, const struct store_join_token *token, int64_t now_ms);
/* With what the running gateway knows of it. */
void admin_write_review(struct json_writer *writer, const struct store_review *review,
                        const struct admin_backend *backend);
void admin_write_audit(struct json_writer *writer, const struct store_audit *line);
void admin_write_earnings(struct json_writer *writer, const char *account_id, const struct store_earnings *earnings,
                          const struct store_owed *owed);
void admin_write_escrow(struct json_writer *writer, const struct store_escrow *row);

/* The JSON of a result, the same whether it came over the socket or from a store opened directly. Keys made by the
 * action are given in clear by `secrets` (live, test; NULL: none). `unknown_models`: of a new key, those that nobody
 * has heard of, separated by commas; they become "warnings". */
void admin_write_result(const struct store_admin *result, const char *const secrets[2], struct str unknown_models,
                        struct buf *out);
/* Appends the envelope of an error; returns the status. ERR_CONFLICT is 409, ERR_UNSUPPORTED 405. */
int admin_write_error(const struct err *err, struct buf *out);
/* A key may be meant for a model that is yet to come, so one that nobody knows is no error; but mostly it is a typing
 * mistake, and the key would be refused everywhere: gives the names, with commas between them. */
void admin_find_unknown_models(const struct admin_backend *backend, const struct store_key *key, struct buf *out);

#endif
