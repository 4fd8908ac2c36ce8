/* POST /v1/responses, as OpenAI documents it. */
#ifndef NATARIS_FORMAT_RESPONSES_H
#define NATARIS_FORMAT_RESPONSES_H

#include "format/format.h"

extern const struct format FORMAT_RESPONSES;

#endif
