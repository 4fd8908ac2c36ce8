/* Refusals as Anthropic's API has them: {"type":"error","error":{"type","message"},"request_id"}. */
#ifndef NATARIS_FORMAT_ANTHROPIC_ENVELOPE_H
#define NATARIS_FORMAT_ANTHROPIC_ENVELOPE_H

#include "format/envelope.h"

/* Its own status for "nobody can take it now", in place of 503. */
enum { ANTHROPIC_OVERLOADED = 529 };

/* The field of a conversation that the server keeps. Clients that learn, in words for programs, that there is none send
 * all of it instead. */
#define ANTHROPIC_THREAD "thread"

extern const struct envelope ENVELOPE_ANTHROPIC;
/* The same inside a stream: "event: error". */
void anthropic_envelope_write_event(const struct fault *fault, struct buf *out);

#endif
