/* A call that an HTTP exchange waits for: its answer as one JSON object or as a stream of events, in the form of its
 * format. */
#ifndef NATARIS_API_HTTP_CALL_H
#define NATARIS_API_HTTP_CALL_H

#include "api/request.h"
#include "call/draft.h"

struct http_call {
    struct call call; /* first: a sink's call is its http_call */
    struct http_exchange *exchange;
    struct api_request *request; /* in the exchange's arena, like the call's texts */
    const struct format *format;
    struct format_stream stream; /* of a streamed call */
    bool streamed, headers_sent, repeated;
    uint64_t last_write_ms, progress_ms; /* loop clock; progress_ms: when to look for progress of the model again */
    size_t sent;                         /* bytes of its text that have gone out as events */
    struct reply reply;                  /* of a streamed call with tools */
    struct claim *claim;                 /* on an idempotency key; NULL without one */
    const struct history *history;       /* of a form with kept answers (format/history.h) */
    struct buf kept;                     /* what is kept under its id, ... */
    struct store_answer kept_answer;     /* ... which this is */
    struct buf stored;                   /* what `answer` built, and finish sends; empty before */
    struct http_call *prev, *next;       /* in api->http_calls */
};

/* A call of the API as its http_call. */
struct http_call *http_call_of(struct call *call);
/* Makes the draft of `request` a call, which takes its claim and its hook, and submits it to `executor`. The request
 * may be answered when this returns. */
void http_call_start(struct api_request *request, struct draft *draft, const struct format *format,
                     const struct executor *executor, void *executor_data);
/* Answers with what was stored of a call that ran before. */
void http_call_replay(struct api_request *request, const struct store_answer *answer);
/* What the live ones do with the time (loop clock): late headers, progress of models that load, keep-alives. */
void http_calls_tick(struct api *api, uint64_t now_ms);
void http_calls_tick_due(void *context); /* the timer's; the struct api */

#endif
