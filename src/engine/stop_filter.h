/* Turns the raw bytes of generated tokens into text that may be shown: whole UTF-8 characters (invalid bytes become
 * U+FFFD) and never any part of a stop string. What could still become a stop string, or is an incomplete character, is
 * held back until later bytes decide. Where the tokens begin and end makes no difference to the result. */
#ifndef NATARIS_ENGINE_STOP_FILTER_H
#define NATARIS_ENGINE_STOP_FILTER_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>

struct stop_filter {
    struct str stops[LIMIT_STOP_STRINGS]; /* owned copies */
    uint32_t numbers[LIMIT_STOP_STRINGS]; /* of each among those that were given, from 1 */
    size_t stop_count;
    uint32_t stopped_by; /* the number of the one that is complete; 0: none is */
    struct buf held;     /* whole characters that begin a stop string so far */
    char partial[4];     /* the first bytes of a character that is still incomplete */
    size_t partial_len;
};

/* Copies the stop strings; empty ones never match. */
void stop_filter_init(struct stop_filter *filter, const struct str *stops, size_t stop_count);
void stop_filter_clear(struct stop_filter *filter);
/* Appends to `out` what may be shown now. True when a stop string is complete: everything from its start on is dropped,
 * and the filter must not be fed again. Of several stop strings the one that ends first counts. */
bool stop_filter_feed(struct stop_filter *filter, struct str bytes, struct buf *out);
/* Something is held back: the text shown so far may end inside a token. */
bool stop_filter_holds(const struct stop_filter *filter);
/* The generation ended without a stop string: what was held back is text after all. An incomplete last character is
 * dropped. */
void stop_filter_finish(struct stop_filter *filter, struct buf *out);

#endif
