/* One job at an upstream: its request, the transfer, and what has come. Only upstream.c uses it. */
#ifndef NATARIS_ENGINE_UPSTREAM_JOB_H
#define NATARIS_ENGINE_UPSTREAM_JOB_H

#include "base/arena.h"
#include "engine/upstream_answer.h"
#include "engine/upstream_body.h"
#include "engine/upstream_fault.h"
#include "engine/upstream_sse.h"
#include "engine/upstream_watch.h"

enum upstream_job_state {
    UPSTREAM_JOB_QUEUED,
    UPSTREAM_JOB_RUNNING,   /* it has a transfer */
    UPSTREAM_JOB_AGAIN,     /* the upstream has refused a field: it is asked once more without it */
    UPSTREAM_JOB_CANCELLED, /* these three end it when the iteration does */
    UPSTREAM_JOB_FAILED,
    UPSTREAM_JOB_DONE,
};

struct upstream_job;
struct upstream_job_events {
    /* There is text to take, or the state has changed: the job is to be looked at. It may be ended from inside. */
    void (*on_news)(void *context, struct upstream_job *job);
};

struct upstream_job {
    uint64_t id;
    enum upstream_job_state state;
    struct arena arena;
    struct gen_request request; /* in the arena */
    struct upstream_answer answer;
    struct upstream_sse sse;
    struct json_parser *json; /* the engine's */
    struct http_transfer *transfer;
    struct buf body;    /* that is sent; lives as long as the transfer */
    struct buf refusal; /* the beginning of what came with another status than 200 */
    struct upstream_fault fault;
    bool chat, has_slot, accepted;
    bool complete; /* the stream has said that it is over; what is left of the transfer is waited for */
    bool no_maximum, tried_again;
    uint64_t submitted_ms, started_ms, first_ms, sent_ms;
    uint32_t read_tokens, told_read; /* of the prompt: news, and what was told last */
    const struct upstream_job_events *events;
    void *context;
    struct loop_deferred release;
    struct upstream_job *prev, *next;
};

/* Copies the request. One that is too long has failed already. */
struct upstream_job *upstream_job_new(uint64_t id, const struct gen_request *request, struct json_parser *json,
                                      const struct upstream_job_events *events, void *context);
/* Sends it. `ask` is about the job's own request. False: it is too long. */
MUST_CHECK bool upstream_job_start(struct upstream_job *job, struct http_client *client,
                                   const struct upstream_address *address, const struct upstream_ask *ask,
                                   bool cache_apart);
/* Closes its connection, if it has one. */
void upstream_job_stop(struct upstream_job *job);
/* Its state; `message` is static. */
void upstream_job_fail(struct upstream_job *job, enum gen_failure failure, const char *message);
/* Frees it when the iteration has ended. */
void upstream_job_release(struct upstream_job *job, struct loop *loop);
/* At once: the client of its transfer is gone. */
void upstream_job_free(struct upstream_job *job);

#endif
