/* One try at having a catalog model's file: it is looked for on this machine and checked, else fetched from the model's
 * sources, in their order. All of it happens on a thread of its own, since hashing, writing files and pip block. */
#ifndef NATARIS_PROVIDER_MODEL_FETCH_H
#define NATARIS_PROVIDER_MODEL_FETCH_H

#include "base/err.h"
#include "catalog/catalog.h"
#include "net/loop.h"
#include "provider/model_store_room.h"

#include <stdbool.h>
#include <stdint.h>

struct model_fetch;

/* On the loop: `path` is a checked file, or NULL and `err` says why there is none (ERR_CLOSED: it was cancelled). Both
 * are borrowed. The fetch is freed after this returns. */
typedef void model_fetch_end(void *context, const char *path, const struct err *err);

/* `model` must be pinned (have a SHA-256). It and the strings are borrowed until the end. `room` says what a download
 * may take and what may go for it; NULL: no quota, nothing goes (see model_store_make_room). `held`: as by
 * model_fetch_hold. */
MUST_CHECK bool model_fetch_start(struct model_fetch **out, struct loop *loop, const struct catalog_model *model,
                                  const char *model_folder, const struct model_store_room *room, bool held,
                                  model_fetch_end *on_end, void *context, struct err *err);
/* Whether bytes are coming from elsewhere, and how many of how many (0: unknown). */
bool model_fetch_progress(const struct model_fetch *fetch, uint64_t *done, uint64_t *total);
/* In on_end: whether the file came from elsewhere just now, rather than having been here. */
bool model_fetch_came(const struct model_fetch *fetch);
/* While held, what is here is found and checked, but no transfer begins. One that runs goes on. */
void model_fetch_hold(struct model_fetch *fetch, bool held);
/* The end comes soon. */
void model_fetch_cancel(struct model_fetch *fetch);

#endif
