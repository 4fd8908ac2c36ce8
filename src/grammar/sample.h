/* A short text that keeps to a grammar, the same each time: for engines that only play a model. */
#ifndef NATARIS_GRAMMAR_SAMPLE_H
#define NATARIS_GRAMMAR_SAMPLE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum { SAMPLE_BYTES_MAX = 8192 };

/* Appends it to `out`; it begins with `begun`, unless no text of the grammar does. ERR_INVALID or ERR_TOO_LARGE: the
 * grammar cannot be read within NETWORK_STEPS_FEW (grammar/network.h), or no text of it was found within the limit, and
 * within some 10 ms: the sandbox does this on the gateway's thread. */
MUST_CHECK bool sample_append(struct str gbnf, struct str begun, struct buf *out, struct err *err);

#endif
