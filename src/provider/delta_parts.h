/* What a delta carries beside its text: the ids of its tokens, and how likely they were if that was asked for. */
#ifndef NATARIS_PROVIDER_DELTA_PARTS_H
#define NATARIS_PROVIDER_DELTA_PARTS_H

#include "base/buf.h"
#include "link/answer.h"

struct delta_parts {
    struct buf parts;    /* of the delta that is being sent */
    struct buf logprobs; /* of the one that comes next; empty: none */
};

void delta_parts_init(struct delta_parts *parts);
void delta_parts_clear(struct delta_parts *parts);
/* Those of the next delta (wire/logprobs.h). */
void delta_parts_keep(struct delta_parts *parts, struct str logprobs);
/* Gives the delta its parts, borrowed until the next one; what does not fit a message is left out. `ids`: as many as it
 * counts; NULL: they are not known. */
void delta_parts_fill(struct delta_parts *parts, const uint32_t *ids, struct link_delta *delta);

#endif
