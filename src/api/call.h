/* The calls that are alive: from a good request to the end of its answer. */
#ifndef NATARIS_API_CALL_H
#define NATARIS_API_CALL_H

#include "api/generation_fields.h"
#include "api/idempotency.h"

/* A good request before it is a call: it may have to wait for the store. In the exchange's arena. */
struct call_draft {
    enum api_call_kind kind;
    struct generation_input input; /* its model is the resolved id */
    struct idempotency idempotency;
    struct api_claim *claim; /* NULL: none */
};

/* Makes request->draft a call, which takes its claim, and submits it. */
void call_start(struct api_request *request);

/* How often late headers and keep-alives are looked for. */
enum { CALL_TICK_MS = 250 };

void call_tick(struct api *api, uint64_t now_ms);

#endif
