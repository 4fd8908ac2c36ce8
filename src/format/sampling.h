/* What a request says of single tokens: logit_bias. */
#ifndef NATARIS_FORMAT_SAMPLING_H
#define NATARIS_FORMAT_SAMPLING_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/json_read.h"
#include "wire/generation.h"

/* Reads "logit_bias", an object of tokens' numbers and biases, into the request; those of 0 change nothing and are left
 * out. Whether the model has these tokens its devices say. ERR_INVALID, or ERR_TOO_LARGE when the arena is full. */
MUST_CHECK bool sampling_read_biases(struct json_value value, struct arena *arena, struct gen_request *request,
                                     struct err *err);

#endif
