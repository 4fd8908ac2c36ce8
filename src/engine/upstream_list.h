/* The models that an upstream lists, asked for once, for commands that wait for the answer. */
#ifndef NATARIS_ENGINE_UPSTREAM_LIST_H
#define NATARIS_ENGINE_UPSTREAM_LIST_H

#include "base/err.h"
#include "engine/upstream_server.h"
#include "engine/upstream_watch.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>

struct upstream_list {
    char names[LIMIT_LINK_MODELS][LIMIT_MODEL_ID_BYTES + 1]; /* the first ones that are ids */
    size_t count;
    size_t others; /* left out: too many, or no ids */
};

/* Blocks for UPSTREAM_LOOK_MS at most, on a loop of its own. ERR_UNAVAILABLE, or ERR_DENIED when the key is not known
 * there. */
MUST_CHECK bool upstream_list_read(struct upstream_list *list, const struct upstream_address *address, struct err *err);
/* Whether the list has a model by this name; Ollama's "NAME:latest" is "NAME", too. */
bool upstream_list_has(const struct upstream_list *list, const char *name);

#endif
