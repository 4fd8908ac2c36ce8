/* What the operator does with devices and join tokens, as actions of the store. */
#ifndef NATARIS_ADMIN_DEVICE_ACTION_H
#define NATARIS_ADMIN_DEVICE_ACTION_H

#include "admin/action.h"

enum { ADMIN_TOKEN_HOURS_MAX = 24 * 365 };

/* `id` is the device's; of admin_read_token_revoke the token's. The body of admin_read_device_remove may be left
 * out. */
admin_action_read admin_read_device_change, admin_read_reviews_clear, admin_read_finding, admin_read_device_remove,
    admin_read_device_key, admin_read_token_revoke;

#endif
