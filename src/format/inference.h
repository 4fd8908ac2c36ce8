/* POST /v1/inference: one prompt, one output. */
#ifndef NATARIS_FORMAT_INFERENCE_H
#define NATARIS_FORMAT_INFERENCE_H

#include "format/format.h"

extern const struct format FORMAT_INFERENCE;

#endif
