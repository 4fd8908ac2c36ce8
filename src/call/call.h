/* The calls that are alive: from a good request to the end of its answer. */
#ifndef NATARIS_CALL_CALL_H
#define NATARIS_CALL_CALL_H

#include "call/claim.h"
#include "format/input.h"

/* A good request before it is a call: it may have to wait for the store. In the exchange's arena. */
struct call_draft {
    enum api_call_kind kind;
    struct generation_input input; /* its model is the resolved id */
    struct idempotency idempotency;
    struct claim *claim;                    /* NULL: none */
    struct conversation_call *conversation; /* likewise */
};

/* What happens to a call, by the kind of who waits for it; api_call_* of api/api.h go here. */
struct call_sink {
    void (*accepted)(struct call *call);
    enum call_delivery (*deliver)(struct call *call, struct str text);
    bool (*answer)(struct call *call, const struct call_result *result, struct store_answer *answer);
    bool (*turn)(struct call *call, const struct call_result *result, struct store_turn *turn);
    void (*finish)(struct call *call, const struct call_result *result);
    void (*fail)(struct call *call, const struct fault *error);
};

/* The part of a new call that follows from generation and identity, which must be set. */
void call_init(struct call *call, struct api *api, const struct call_sink *sink, struct arena *arena);
/* base62: the time, then random digits; sorts by time. `out` has room for CALL_ID_TAIL characters and a NUL. */
enum { CALL_ID_TAIL = 24 };
void call_id_tail(int64_t created_ms, char out[CALL_ID_TAIL + 1]);
/* Live calls are linked: they are ticked, counted by a drain, and ended by a stop. */
void call_link(struct call *call);
void call_unlink(struct call *call);

/* The request's body; and what it asks for, its model resolved and allowed for this key. In the exchange's arena. */
MUST_CHECK bool call_body_parse(struct api_request *request, struct json_value *body, struct fault *error);
MUST_CHECK bool call_input_read(struct api_request *request, enum api_call_kind kind, struct json_value body,
                                struct generation_input *input, struct fault *error);
/* The id that a model's name in a request stands for, if this key may use it. */
MUST_CHECK bool call_model_read(struct api_request *request, struct str asked, struct str *id, struct fault *error);

/* Ends what a draft holds; and with a refusal. */
void draft_drop(struct api_request *request);
void draft_refuse(struct api_request *request, const struct fault *error);

/* Makes request->draft a call, which takes its claim, and submits it. */
void call_start(struct api_request *request);

/* How often late headers and keep-alives are looked for. */
enum { CALL_TICK_MS = 250 };

void call_tick(struct api *api, uint64_t now_ms);

#endif
