/* Whether devices keep to the grammars that they were given: what they send is read along, before anybody else sees it.
 * An answer that breaks its grammar, or ends in the middle of it, is as if the device had failed: another one goes on
 * from what was right. */
#ifndef NATARIS_GATEWAY_GRAMMAR_WATCH_H
#define NATARIS_GATEWAY_GRAMMAR_WATCH_H

#include "base/compiler.h"
#include "link/answer.h"
#include "link/finish.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched_answer;

struct grammar_watch {           /* zeroed: none */
    struct watched_answer *open; /* uthash, by generation */
    size_t bytes;                /* that they take */
};

/* The request was just sent to a device; any other attempt of the generation is over. Handles of the core. Nothing
 * happens when it has no grammar, when that is so large that to read it would hold up others (NETWORK_STEPS_FEW of
 * grammar/network.h), and when there are so many that they would take too much memory. */
void grammar_watch_begin(struct grammar_watch *watch, uint64_t generation, uint64_t provider,
                         const struct gen_request *request);
/* False: what the device says breaks the grammar. It is true of what is not watched. */
MUST_CHECK bool grammar_watch_delta(struct grammar_watch *watch, uint64_t provider, const struct link_delta *delta);
MUST_CHECK bool grammar_watch_done(struct grammar_watch *watch, uint64_t provider, uint64_t generation,
                                   enum link_finish finish);
/* The generation is over, or its attempt is. */
void grammar_watch_end(struct grammar_watch *watch, uint64_t generation);
void grammar_watch_clear(struct grammar_watch *watch);

#endif
