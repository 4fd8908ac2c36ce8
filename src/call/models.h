/* Which models there are: the catalog's, and those that only some provider offers. */
#ifndef NATARIS_CALL_MODELS_H
#define NATARIS_CALL_MODELS_H

#include "call/calls.h"
#include "call/fault.h"
#include "call/input.h"

enum { MODELS_CONTEXT_DEFAULT = 2048 }; /* of a model of which nobody knows it */

/* The id that an id or alias stands for; false when there is no such model. */
bool models_resolve(const struct calls *calls, struct str asked, struct str *id);
/* Whether a key with this list (struct auth_identity; NULL: all) may use the model of this id. */
bool models_allowed(const char *models, struct str id);
/* The id that a model's name in a request stands for, if this key may use it; else `fault` says why not. */
MUST_CHECK bool models_find_allowed(const struct calls *calls, const struct auth_identity *identity, struct str asked,
                                    struct str *id, struct fault *fault);
/* What the request leaves to the model, whose id is resolved: how strongly it keeps from repeating itself. */
void models_set_defaults(struct call_input *input);
/* A 404 about the field "model". */
void models_set_unknown(struct fault *fault, struct str asked);
/* Tokens of prompt and answer together: of the devices that offer it. While there are none, no more than
 * MODELS_CONTEXT_DEFAULT: what is planned for now must fit the device that comes. */
uint32_t models_context_length(const struct calls *calls, struct str model);

#endif
