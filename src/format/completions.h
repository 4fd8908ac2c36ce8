/* POST /v1/completions, as OpenAI documents it: a text that the model goes on with, not put into its chat template. */
#ifndef NATARIS_FORMAT_COMPLETIONS_H
#define NATARIS_FORMAT_COMPLETIONS_H

#include "format/format.h"

extern const struct format FORMAT_COMPLETIONS;

#endif
