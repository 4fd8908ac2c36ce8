/* What the routes of webhooks read and write (docs/WEBHOOKS.md). */
#ifndef NATARIS_WEBHOOK_FIELDS_H
#define NATARIS_WEBHOOK_FIELDS_H

#include "base/json_read.h"
#include "base/json_write.h"
#include "store/webhooks.h"

#define WEBHOOK_BALANCE_DEFAULT_NANO INT64_C(1000000000)

/* The members of a body that are there, into change->webhook and its set_... flags. `lax`: net/web_url.h. */
MUST_CHECK bool webhook_fields_read(struct json_value body, bool lax, struct store_webhook_change *change,
                                    struct err *err);
/* "whsec_..." beside the rest with `show_secret`. */
void webhook_write(struct json_writer *writer, const struct store_webhook *webhook, bool show_secret);
void webhook_write_delivery(struct json_writer *writer, const struct store_delivery *delivery);

#endif
