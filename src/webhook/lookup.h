/* Names to addresses, each checked: what webhook_http connects to, and nothing else. */
#ifndef NATARIS_WEBHOOK_LOOKUP_H
#define NATARIS_WEBHOOK_LOOKUP_H

#include "base/err.h"
#include "net/loop.h"
#include "net/web_url.h"

enum { WEBHOOK_ADDRESSES_MAX = 512 };

struct webhook_lookup;
/* `addresses` is "ADDRESS,ADDRESS"; or NULL with the reason. One bad address refuses the name: it is not to be trusted.
 * The answer comes later, never from inside. */
struct webhook_lookup *
webhook_lookup_start(struct loop *loop, const struct web_url *url, bool lax,
                     void (*on_result)(void *context, const char *addresses, const struct err *err), void *context);
/* No answer comes any more. */
void webhook_lookup_cancel(struct webhook_lookup *lookup);

#endif
