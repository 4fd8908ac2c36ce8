#include "engine/upstream_job.h"

#include "base/mem.h"
#include "net/web_url.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ARENA_MAX = 2 * LIMIT_LINK_MESSAGE_BYTES,
    URL_MAX = WEB_URL_MAX + 32,
    REFUSAL_MAX = 64 * 1024,
    ANSWER_MAX = 512 * 1024 * 1024, /* of all events: LIMIT_MAX_TOKENS of the most talkative server */
    BEHIND_MAX = 4096,              /* behind the end, in one piece: what frames the body */
    SILENCE_S = 15 * 60,            /* of an upstream that reads a prompt; the gateway loses patience long before */
};

struct upstream_job *upstream_job_new(uint64_t id, const struct gen_request *request, struct json_parser *json,
                                      const struct upstream_job_events *events, void *context) {
    struct upstream_job *job = MEM_NEW(struct upstream_job);
    job->id = id;
    job->json = json;
    job->events = events;
    job->context = context;
    job->request = *request;
    job->chat = request->message_count > 0;
    arena_init(&job->arena, ARENA_MAX);
    buf_init(&job->body, UPSTREAM_BODY_MAX);
    buf_init(&job->refusal, REFUSAL_MAX);
    if (!gen_request_copy(&job->arena, &job->request)) {
        job->request = (struct gen_request){0};
        upstream_job_fail(job, GEN_FAILURE_BAD_REQUEST, "the request is too long");
    }
    upstream_answer_init(&job->answer, &job->request, false);
    return job;
}

void upstream_job_free(struct upstream_job *job) {
    upstream_answer_clear(&job->answer);
    upstream_sse_clear(&job->sse);
    arena_clear(&job->arena);
    buf_clear(&job->body);
    buf_clear(&job->refusal);
    free(job);
}

static void run_release(struct loop_deferred *deferred) {
    upstream_job_free((struct upstream_job *)((char *)deferred - offsetof(struct upstream_job, release)));
}

void upstream_job_release(struct upstream_job *job, struct loop *loop) {
    upstream_job_stop(job);
    job->release.run = run_release;
    loop_defer_last(loop, &job->release); /* behind the transfer, which reads the body until then */
}

void upstream_job_stop(struct upstream_job *job) {
    if (job->transfer != NULL) {
        http_transfer_cancel(job->transfer);
        job->transfer = NULL;
    }
}

void upstream_job_fail(struct upstream_job *job, enum gen_failure failure, const char *message) {
    job->fault = (struct upstream_fault){.failure = failure, .message = message};
    job->state = UPSTREAM_JOB_FAILED;
}

/* --- What comes --- */

static void finish(struct upstream_job *job) {
    upstream_answer_finish(&job->answer);
    job->state = UPSTREAM_JOB_DONE;
}

/* False: nothing more is wanted. */
static bool on_event(void *context, struct str data) {
    struct upstream_job *job = context;
    struct json_value root;
    struct upstream_chunk chunk;
    if (str_equal_cstr(str_trim(data), "[DONE]")) {
        if (job->answer.ended) {
            job->complete = true;
            finish(job);
        }
        return false;
    }
    if (!json_parse(job->json, data, &root, NULL) || !upstream_chunk_read(root, &chunk)) {
        upstream_job_fail(job, GEN_FAILURE_ENGINE, "the upstream's answer is none that is understood");
        return false;
    }
    if (chunk.failed) {
        upstream_job_fail(job, GEN_FAILURE_ENGINE, "the upstream gave up its answer");
        return false;
    }
    const bool ended = job->answer.ended;
    upstream_answer_take(&job->answer, &chunk);
    job->read_tokens = chunk.read_tokens > 0 ? chunk.read_tokens : job->read_tokens;
    if (!ended && job->answer.ended && chunk.finish.len == 0) {
        finish(job); /* a stop string, or max_tokens: the upstream would go on */
        return false;
    }
    job->events->on_news(job->context, job);
    return job->state == UPSTREAM_JOB_RUNNING;
}

static enum http_verdict on_body(void *context, const struct http_answer *answer, struct str piece) {
    struct upstream_job *job = context;
    if (answer->status != 200) {
        const size_t room = REFUSAL_MAX - job->refusal.len;
        buf_append(&job->refusal, piece.data, piece.len < room ? piece.len : room);
        return HTTP_BODY_TAKEN;
    }
    if (job->state != UPSTREAM_JOB_RUNNING) {
        return job->complete && piece.len < BEHIND_MAX ? HTTP_BODY_TAKEN : HTTP_BODY_STOP;
    }
    if (!upstream_sse_feed(&job->sse, piece) && job->state == UPSTREAM_JOB_RUNNING) {
        upstream_job_fail(job, GEN_FAILURE_ENGINE, "the upstream's answer is none that is understood");
    }
    if (job->state == UPSTREAM_JOB_RUNNING) {
        return HTTP_BODY_TAKEN;
    }
    job->events->on_news(job->context, job);
    return job->complete ? HTTP_BODY_TAKEN : HTTP_BODY_STOP; /* its connection is good for the next job */
}

/* The maximum that nobody asked for is left out, so that the upstream makes it fit. */
static bool may_ask_again(const struct upstream_job *job) {
    const bool lower = job->fault.failure == GEN_FAILURE_CONTEXT_LENGTH && !job->no_maximum &&
                       (!job->request.max_tokens_given || job->request.continue_text.len > 0);
    return job->answer.counted == 0 &&
           (lower || (!job->tried_again && (job->fault.about_sampling || job->fault.about_options)));
}

static void refuse(struct upstream_job *job, struct upstream_fault fault) {
    const bool continues = job->request.continue_text.len > 0;
    job->fault = fault;
    if (may_ask_again(job)) {
        job->no_maximum = job->no_maximum || fault.failure == GEN_FAILURE_CONTEXT_LENGTH;
        job->tried_again = job->tried_again || fault.failure == GEN_FAILURE_BAD_REQUEST;
        job->state = UPSTREAM_JOB_AGAIN;
        return;
    }
    if (continues && fault.failure == GEN_FAILURE_BAD_REQUEST) {
        job->fault.failure = GEN_FAILURE_OVERLOADED; /* it is the text behind the chat that it does not want */
    }
    job->state = UPSTREAM_JOB_FAILED;
}

static void on_end(void *context, const struct http_result *result) {
    struct upstream_job *job = context;
    job->transfer = NULL;
    if (job->state != UPSTREAM_JOB_RUNNING) {
        job->events->on_news(job->context, job); /* its end is told already, or will be */
        return;
    }
    if (result->answer.status != 0 && result->answer.status != 200) {
        refuse(job, upstream_fault_of_status(result->answer.status, buf_str(&job->refusal)));
    } else if (result->failure != HTTP_FAILURE_NONE && !job->answer.ended) {
        refuse(job, upstream_fault_of_transfer(result->failure));
    } else {
        (void)!upstream_sse_end(&job->sse);
        if (job->state == UPSTREAM_JOB_RUNNING && job->answer.ended) {
            finish(job);
        } else if (job->state == UPSTREAM_JOB_RUNNING) {
            refuse(job, upstream_fault_of_transfer(HTTP_FAILURE_NONE));
        }
    }
    job->events->on_news(job->context, job);
}

/* --- What goes --- */

bool upstream_job_start(struct upstream_job *job, struct http_client *client, const struct upstream_address *address,
                        const struct upstream_ask *ask, bool cache_apart) {
    static const struct http_transfer_events EVENTS = {.on_body = on_body, .on_end = on_end};
    char url[URL_MAX];
    buf_reset(&job->body);
    buf_reset(&job->refusal);
    if (!upstream_body_write(&job->body, ask)) {
        return false;
    }
    upstream_sse_clear(&job->sse);
    upstream_sse_init(&job->sse, on_event, job);
    job->answer.cache_apart = cache_apart;
    (void)snprintf(url, sizeof(url), "%s%s", address->url, upstream_body_path(&job->request));
    const struct http_transfer_options options = {.method = "POST",
                                                  .url = url,
                                                  .headers = address->headers,
                                                  .ca_file = address->ca_file,
                                                  .body = buf_str(&job->body),
                                                  .body_max = ANSWER_MAX,
                                                  .connect_ms = UPSTREAM_CONNECT_MS,
                                                  .slow_s = SILENCE_S,
                                                  .slow_bytes_per_s = 1,
                                                  .plain = true,
                                                  .proxy = address->tls};
    job->state = UPSTREAM_JOB_RUNNING;
    job->transfer = http_transfer_start(client, &options, &EVENTS, job);
    return true;
}
