/* The JSON that `nataris provider status` shows. */
#ifndef NATARIS_PROVIDER_CONTROL_STATUS_H
#define NATARIS_PROVIDER_CONTROL_STATUS_H

#include "base/buf.h"
#include "provider/owner_guard.h"
#include "provider/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_view { /* filled by the provider; borrowed for the call */
    const char *gateway, *name;
    const struct tally *tally;
    bool draining;
    uint32_t running;
    const struct link_model *models;
    size_t model_count;
};

void control_write_status(struct buf *out, const struct control_view *view, const struct owner_guard *guard);

#endif
