/* One event of an upstream's stream: a piece of its answer, and what it counts. */
#ifndef NATARIS_ENGINE_UPSTREAM_CHUNK_H
#define NATARIS_ENGINE_UPSTREAM_CHUNK_H

#include "base/json_read.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct upstream_chunk { /* texts are borrowed from the document */
    struct str text, thought;
    struct str finish; /* its word for how the answer ended; empty: it goes on */
    bool counted;      /* these are known, of all of the answer so far: */
    uint32_t completion_tokens;
    uint32_t prompt_tokens, cached_tokens; /* 0: not told */
    uint32_t read_tokens;                  /* of the prompt, that it has read by now; 0: not told */
    bool failed;                           /* it says that it cannot go on */
};

/* False: it is no event of a stream. */
bool upstream_chunk_read(struct json_value root, struct upstream_chunk *out);

#endif
