/* `nataris job explain`: what a generation went through and which devices were weighed for it, in words. */
#ifndef NATARIS_GATEWAY_OPERATOR_EXPLAIN_H
#define NATARIS_GATEWAY_OPERATOR_EXPLAIN_H

#include "base/json_write.h"
#include "core/core.h"
#include "gateway/operator/story.h"
#include "store/store.h"

#include <stdint.h>

/* Where the words come from. */
struct explain {
    const struct core *core;
    const struct stories *stories;
    /* The connected device of a handle; NULL: it has left, or never was. */
    const struct store_device *(*find_device)(void *context, uint64_t handle);
    void *context;
};

/* One object. `handle` is the core's, of a generation that lives: then it also tells who could take it now. */
void explain_write(const struct explain *explain, const struct story *story, uint64_t handle,
                   struct json_writer *writer);

#endif
