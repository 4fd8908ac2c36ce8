/* Names of conversations, so that their next turn finds the device that holds the beginning in its cache. */
#ifndef NATARIS_CALL_PREFIX_H
#define NATARIS_CALL_PREFIX_H

#include "wire/generation.h"

#include <stdint.h>

/* Secret of one gateway process: nobody outside can find two conversations with one name. */
struct prefix_key {
    uint64_t words[2];
};
void prefix_key_init(struct prefix_key *key);

struct prefix_names {
    uint64_t begins, leaves; /* 0: none */
};
/* `leaves` names all messages. `begins` names all but the last two: what the turn before left behind, when the last two
 * are the answer it got and the next question. Only the same account, model and messages have the same name. */
struct prefix_names prefix_names(const struct prefix_key *key, uint64_t account_number,
                                 const struct gen_request *request);

#endif
