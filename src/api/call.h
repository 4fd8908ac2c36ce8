/* The calls that are alive: from a good request to the end of its answer. */
#ifndef NATARIS_API_CALL_H
#define NATARIS_API_CALL_H

#include "api/request.h"

/* How often late headers and keep-alives are looked for. */
enum { CALL_TICK_MS = 250 };

void call_tick(struct api *api, uint64_t now_ms);

#endif
