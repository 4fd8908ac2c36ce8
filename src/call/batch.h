/* Calls whose answer is several texts, one for each prompt of the request: the executor that makes each by a run.
 *
 * A part is a generation with a record, a receipt and a bill of its own. Under an idempotency key each part is kept
 * under a name of its own, so a client that tries again is not charged again for those that had ended. */
#ifndef NATARIS_CALL_BATCH_H
#define NATARIS_CALL_BATCH_H

#include "call/draft.h"

extern const struct executor BATCH_EXECUTOR;
/* The executor_data of the call that the draft becomes, in its arena. NULL: that is full. `id_prefix` is that of the
 * parts' ids and lives as long as the program. */
void *batch_executor_data(const struct draft *draft, const char *id_prefix);

#endif
