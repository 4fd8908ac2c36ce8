/* What of a call's messages its conversation has already: clients that were made without conversations send the whole
 * history with each call. Pure. */
#ifndef NATARIS_CONVERSATION_REPEATED_H
#define NATARIS_CONVERSATION_REPEATED_H

#include "base/arena.h"
#include "store/conversations.h"
#include "wire/generation.h"

/* How many of the request's first messages (system texts apart) are in the conversation. `messages` are the latest
 * `count` of the `total` that it has. Texts are compared without the blanks at their ends, and with line ends of either
 * kind. Two shapes are known:
 * - the end of the conversation, or all of it, stands at the front of what is sent, with new messages behind;
 * - the front of it does, and then the client went another way than the conversation (an answer made anew, an edited
 *   message): what both have counts once, up to an answer, so that the last word of the user is always new.
 * Older messages than `messages` are taken for the same when those that are there are. */
size_t repeated_count(const struct store_message *messages, size_t count, int64_t total,
                      const struct gen_request *request);
/* Takes the first `repeated` messages that are no system texts out of the request. False: the arena is full. */
MUST_CHECK bool repeated_drop(struct gen_request *request, size_t repeated, struct arena *arena);

#endif
