/* The JSON of the admin API's answers. admin_write_result is in admin.h. */
#ifndef NATARIS_ADMIN_WRITE_H
#define NATARIS_ADMIN_WRITE_H

#include "base/json_write.h"
#include "core/core.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/devices.h"
#include "store/usage.h"

/* `view`: live figures; NULL: no request is under way. */
void admin_write_account(struct json_writer *writer, const struct store_account *account,
                         const struct core_account_view *view);
void admin_write_key(struct json_writer *writer, const struct store_key *key);
/* Its stored members, into an open object. */
void admin_write_device(struct json_writer *writer, const struct store_device *device);
void admin_write_review(struct json_writer *writer, const struct store_review *review);
void admin_write_audit(struct json_writer *writer, const struct store_audit *line);
void admin_write_earnings(struct json_writer *writer, const char *account_id, const struct store_earnings *earnings);

#endif
