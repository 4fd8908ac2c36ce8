/* A generation on its devices: what each attempt sends, and what a settlement says of those that made the answer. */
#ifndef NATARIS_GATEWAY_ATTEMPTS_H
#define NATARIS_GATEWAY_ATTEMPTS_H

#include "core/core.h"
#include "gateway/generation.h"

/* DISPATCH: sends it to the device, and remembers that. */
void attempts_dispatch(struct generation *generation, const struct core_effect *effect);
/* COUNT: the prompt by the model's own vocabulary, where its file is here. */
void attempts_count(struct generation *generation, const struct core_effect *effect);
/* SETTLE: the answer leaves only when its settlement is durable; what a retry will be given is stored in the same
 * transaction. */
void attempts_settle(struct generation *generation, const struct core_effect *effect);

#endif
