/* Questions with known answers: what the gateway asks devices now and then, to see that they serve the model they
 * say. */
#ifndef NATARIS_CATALOG_CANARY_H
#define NATARIS_CATALOG_CANARY_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct catalog_canary {
    const char *model, *question;
    /* Somewhere in the greedy answer, whatever the case. One word: processors differ in the last bits, so that a long
     * answer may differ in its wording. */
    const char *answer;
};

/* The questions for a model: index from 0 until NULL. */
const struct catalog_canary *catalog_canary_at(struct str model, size_t index);
bool catalog_canary_is_right(const struct catalog_canary *canary, struct str text);

#endif
