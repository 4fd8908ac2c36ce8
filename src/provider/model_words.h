/* What an engine says, passed on to whoever hosts the model, as long as that is not being closed. */
#ifndef NATARIS_PROVIDER_MODEL_WORDS_H
#define NATARIS_PROVIDER_MODEL_WORDS_H

#include "engine/engine.h"

/* The context is the struct hosted_model. */
extern const struct engine_events MODEL_WORDS;

#endif
