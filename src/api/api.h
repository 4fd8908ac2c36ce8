/* What HTTP means: routes, keys, request structs, answers, the error envelope. The API parses a request into a
 * struct call and hands it to its backend (the gateway), which calls back with what happens to it. */
#ifndef NATARIS_API_API_H
#define NATARIS_API_API_H

#include "auth/auth.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "call/prefix.h"
#include "core/core.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "store/answers.h"
#include "store/conversations.h"
#include "store/devices.h"
#include "store/generations.h"
#include "store/usage.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct api_request; /* api/request.h */
struct claim;       /* call/claim.h */

enum api_call_kind { API_CALL_CHAT, API_CALL_INFERENCE };

enum { CALL_REQUEST_ID_SIZE = 32, ID_SIZE = 40 };

struct orchestration;   /* format/orchestration.h */
struct workflow;        /* workflow/workflows.h */
struct workflow_answer; /* likewise */
struct call_sink;       /* call/call.h: where its answer goes, an exchange or a run (call/run.h) */

/* One generation asked for by a client, or by the network itself for one. Allocated by the API, freed by it after
 * api_call_finish / api_call_fail, or after the client has gone (then backend->abandon is called first). */
struct call {
    struct api *api;
    const struct call_sink *sink;
    struct arena *arena;                   /* lives as long as the call */
    bool repeatable;                       /* its id is used again when it did not end: a failure leaves no record */
    char request_id[CALL_REQUEST_ID_SIZE]; /* x-request-id */
    char id[ID_SIZE];                      /* "chatcmpl-..." or "inf_..." */
    enum api_call_kind kind;
    enum store_purpose purpose;
    struct auth_identity identity; /* a copy */
    struct gen_request generation; /* strings live in the arena; model is the resolved id */
    uint32_t prompt_tokens_max;    /* more than the prompt can ever be (call/price.h): for the hold */
    int64_t prompt_price_nano, completion_price_nano; /* nano-dollars per token */
    struct str label;                                 /* conversation_id; empty when none */
    char region[CORE_REGION_SIZE];                    /* asked for; empty: any */
    bool verified;                                    /* only verified devices */
    struct prefix_names names;                        /* of the conversation (call/prefix.h) */
    bool stream, include_usage;
    int64_t created_ms;  /* wall clock */
    uint64_t started_ms; /* loop clock */
    void *backend_data;  /* the backend's own; NULL at submit */

    /* The API's: the answer so far (src/api/stream.c, src/format/answer.c). */
    struct http_exchange *exchange; /* NULL of a run */
    struct api_request *request;    /* in the exchange's arena; NULL of a run */
    bool headers_sent;
    uint64_t last_write_ms, progress_ms;    /* progress_ms: when to look for progress of the model again */
    struct str chunk_head, delta_prefix;    /* what every chunk, and every chunk with text, starts with; in the arena */
    struct buf answer;                      /* its text so far, for the answer, the store, or a device that goes on */
    struct claim *claim;                    /* on an idempotency key; NULL without one */
    struct conversation_call *conversation; /* conversation/conversations.h; owned, NULL: none */
    const struct orchestration *orchestration;     /* a workflow answers it, not the backend; NULL: an ordinary call */
    struct workflow *workflow;                     /* that workflow, as long as it has to be left */
    const struct workflow_answer *workflow_answer; /* while its answer is written */
    size_t workflow_sent;                          /* bytes of its text that have gone out as they came */
    bool repeated;                                 /* its answer was stored before */
    struct buf stored;                             /* what api_call_answer built; empty before */
    struct call *next, *previous;                  /* all live calls, for keep-alives */
};

struct api_backend {
    void *context;
    bool webhooks_lax; /* webhooks may go to http: and into private networks (net/web_url.h) */
    /* Take the call; api_call_* may be called from inside. */
    void (*submit)(void *context, struct call *call);
    /* The client went away (or was cut): the call is freed when this returns. */
    void (*abandon)(void *context, struct call *call);
    enum core_availability (*availability)(void *context, struct str model, uint32_t *context_length);
    /* How soon the model can serve: 0 now, UINT64_MAX unknown; `percent` of what is under way. NULL: never known. */
    uint64_t (*ready_in_ms)(void *context, struct str model, uint32_t *percent);
    /* Every model some provider offers, catalogued or not; false past the end. */
    bool (*model_at)(void *context, size_t index, struct str *model);
    /* Whether some model can serve now and the gateway is not draining. */
    bool (*ready)(void *context);
    /* Money and limits of an account now, for the rate headers; false: nothing to tell. */
    bool (*account_view)(void *context, const struct auth_identity *identity, struct core_account_view *view);
    /* GET /v1/usage of a test key: the sandbox keeps its own count. NULL models: none yet. */
    void (*sandbox_usage)(void *context, const struct auth_identity *identity, struct store_usage *usage);
    /* Members of what is known of a device at this moment, into an open object. */
    void (*provider_write)(void *context, const struct store_device *device, struct json_writer *writer);
    /* A provider's link: takes over the exchange (GET /link). */
    void (*link)(void *context, struct http_exchange *exchange);
    bool titles_off, summaries_off; /* no conversation gets them written by a model */
};

/* `store` serves usage, earnings and stored answers. Borrowed. */
struct api *api_new(struct loop *loop, struct auth *auth, struct store *store, const struct api_backend *backend);
void api_free(struct api *api); /* no call may be alive */
/* The handlers for struct http_server_events; their context is the struct api. */
void api_on_request(void *context, struct http_exchange *exchange);
void api_on_refused(void *context, struct http_exchange *exchange, int status, const char *why);
/* Goes on with the jobs and workflows that were open when the gateway before this one ended. */
void api_resume(struct api *api);
/* From now on runs fail instead of beginning (call/run.h); those that run go on. */
void api_drain(struct api *api);
/* Calls alive, and requests that wait for the store: what a drain waits for. */
size_t api_call_count(const struct api *api);
/* Calls `visit` for each call alive; it must not end one. */
void api_call_each(const struct api *api, void (*visit)(void *context, struct call *call), void *context);

/* What the backend reports. A call is gone after finish and fail. */
/* A device has the job: a stream's headers leave now (they leave by themselves 1 s after submit at the latest, so that
 * a refusal by the device is still a plain error answer; docs/decisions/0003-stream-headers.md). */
void api_call_accepted(struct call *call);
enum call_delivery {
    CALL_DELIVERED,
    CALL_DELIVER_CUT,      /* the client read too slowly: backend->abandon has been called, and the call is gone */
    CALL_DELIVER_TOO_LONG, /* a plain answer over LIMIT_ANSWER_BYTES: the backend is to end the call by api_call_fail */
};
/* Text for the client. */
MUST_CHECK enum call_delivery api_call_deliver(struct call *call, struct str text);
/* All text delivered so far, for a device that is to go on with it. Borrowed until the next call of a function here.
 * False: it is a stream of more than LIMIT_ANSWER_BYTES, which reaches its client but cannot be kept. */
MUST_CHECK bool api_call_text(const struct call *call, struct str *out);

struct call_result {
    enum gen_finish finish;
    struct gen_usage usage;
    const char *provider_id;     /* NULL in the sandbox */
    const char *provider_region; /* two letters; NULL or "" when unknown */
    const char *inference_type;  /* "p2p", "cloud" or "sandbox" */
    uint32_t attempts, ttft_ms, latency_ms;
    uint32_t continued; /* so many times another device went on with the answer */
    int64_t cost_nano;  /* nano-dollars that it was charged */
};
void api_call_finish(struct call *call, const struct call_result *result);
/* Before the settlement: the answer to store with it, when the request has an idempotency key (or is an SDK's retriable
 * call, see api.md): false when there is none to keep. `answer` borrows from the call until api_call_finish. The call
 * remembers what it built: finish sends exactly this. */
MUST_CHECK bool api_call_answer(struct call *call, const struct call_result *result, struct store_answer *answer);

/* Likewise what the call does to a conversation; `turn` borrows from the call until api_call_finish or api_call_fail. */
MUST_CHECK bool api_call_turn(struct call *call, const struct call_result *result, struct store_turn *turn);

/* The error codes of the reference and ours. */
enum fault_code {
    FAULT_INVALID_REQUEST,      /* 400 */
    FAULT_CONTEXT_LENGTH,       /* 400 context_length_exceeded */
    FAULT_INVALID_API_KEY,      /* 401 */
    FAULT_INSUFFICIENT_CREDITS, /* 402 */
    FAULT_FORBIDDEN,            /* 403 */
    FAULT_NOT_FOUND,            /* 404 route, or an object that is not there or somebody else's */
    FAULT_MODEL_NOT_FOUND,      /* 404 */
    FAULT_METHOD_NOT_ALLOWED,   /* 405 */
    FAULT_REQUEST_TIMEOUT,      /* 408 */
    FAULT_CONVERSATION_BUSY,    /* 409: another call on this conversation is running */
    FAULT_CONFLICT,             /* 409 IDEMPOTENCY_CONFLICT; with a wait: the same call is still running */
    FAULT_TOO_LARGE,            /* 413 */
    FAULT_RATE_LIMIT_EXCEEDED,  /* 429 */
    FAULT_INTERNAL,             /* 500 */
    FAULT_MODEL_WARMING,        /* 503 model_warming */
    FAULT_UNAVAILABLE,          /* 503: draining or no attempt left */
};
struct fault {
    enum fault_code code;
    int status; /* 0: the code's own */
    char message[ERR_MESSAGE_MAX];
    char param[ERR_FIELD_MAX]; /* empty: null */
    uint64_t retry_after_ms;   /* 0: none; Retry-After is rounded up to seconds, retry-after-ms is exact */
};
void api_call_fail(struct call *call, const struct fault *error);

#endif
