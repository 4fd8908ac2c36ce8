/* The JSON that `nataris provider status` shows. */
#ifndef NATARIS_PROVIDER_CONTROL_STATUS_H
#define NATARIS_PROVIDER_CONTROL_STATUS_H

#include "base/buf.h"
#include "provider/control.h"

void control_write_status(struct buf *out, const struct control_view *view, const struct owner_guard *guard);

#endif
