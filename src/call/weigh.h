/* What a call's prompt really has, where its account has less than it could have at most: the stage of a draft before
 * it is a call. */
#ifndef NATARIS_CALL_WEIGH_H
#define NATARIS_CALL_WEIGH_H

#include "call/draft.h"

/* Waits for a count of the prompt (draft->counted) when the money is short and there is somebody to count. */
enum draft_step draft_weigh(struct draft *draft);

#endif
