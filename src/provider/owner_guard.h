/* Watches the device for its owner: looks at it every two seconds, and knows which of the owner's limits holds. */
#ifndef NATARIS_PROVIDER_OWNER_GUARD_H
#define NATARIS_PROVIDER_OWNER_GUARD_H

#include "net/loop.h"
#include "provider/limits.h"
#include "provider/pause_file.h"

struct owner_guard;

struct owner_guard_config {
    const struct owner_limits *limits; /* copied */
    const char *data_folder;           /* where the pause by hand is kept; borrowed */
    const char *root;                  /* where device_state_read looks; borrowed */
    /* The pause or the heat has changed. Never called inside a call of ours. May be NULL. */
    void (*on_change)(void *context);
    void *context;
};

MUST_CHECK bool owner_guard_new(struct owner_guard **out, struct loop *loop, const struct owner_guard_config *config,
                                struct err *err);
void owner_guard_free(struct owner_guard *guard); /* NULL is fine */
/* Reads the device anew. on_change follows if that shows a change. */
enum link_pause owner_guard_look(struct owner_guard *guard);
/* As of the last look. */
enum link_pause owner_guard_pause(const struct owner_guard *guard);
const struct device_state *owner_guard_state(const struct owner_guard *guard);
const struct owner_limits *owner_guard_limits(const struct owner_guard *guard);
const struct owner_pause *owner_guard_by_hand(const struct owner_guard *guard);
void owner_guard_explain(const struct owner_guard *guard, char *out, size_t out_size);
/* The owner pauses or resumes; kept in the data folder before it holds. */
MUST_CHECK bool owner_guard_set(struct owner_guard *guard, const struct owner_pause *pause, struct err *err);

#endif
