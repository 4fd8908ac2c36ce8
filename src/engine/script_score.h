/* What the scripted engine says of an answer: whether it is the one that its script makes of the request. */
#ifndef NATARIS_ENGINE_SCRIPT_SCORE_H
#define NATARIS_ENGINE_SCRIPT_SCORE_H

#include "wire/generation.h"
#include "wire/score.h"

/* The right words are a little less likely under each alternative than under what was asked for, wrong ones come from
 * elsewhere. What the owner of the device has it say does not matter. False: the request's directive is not
 * understood. */
MUST_CHECK bool script_score(const struct gen_request *request, const struct gen_answer *answer,
                             struct gen_score *score);

#endif
