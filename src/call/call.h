/* A call: one generation asked for by a client, or by the network itself for one, from the good request to the durable
 * end. No HTTP and no public JSON: who waits for the answer is its sink, who makes it its executor. */
#ifndef NATARIS_CALL_CALL_H
#define NATARIS_CALL_CALL_H

#include "base/arena.h"
#include "base/buf.h"
#include "call/answer.h"
#include "call/calls.h"
#include "call/fault.h"
#include "call/hook.h"
#include "call/logprobs.h"
#include "call/said.h"
#include "call/tools.h"
#include "store/answers.h"
#include "store/generations.h"
#include "store/turns.h"
#include "tokens/text.h"
#include "wire/generation.h"
#include "wire/id.h"

#include <stdbool.h>
#include <stdint.h>

enum call_delivery {
    CALL_DELIVERED,
    CALL_DELIVER_CUT,      /* who waited is gone, and the call with it: the executor's abandon was called in there */
    CALL_DELIVER_TOO_LONG, /* more than LIMIT_ANSWER_BYTES: the executor is to end the call by `failed` */
};

/* What an executor that takes several steps tells in between. */
struct call_note {
    struct str comment; /* a line for people who watch the stream */
    struct str nataris; /* the same as one JSON object */
};

/* Where a call's answer goes. An executor tells it, in this order: accepted and notes, deliveries, answer and turn, and
 * one of finished and failed, after which the call is gone. */
struct call_sink {
    /* A device has it: a stream's headers leave now (they leave by themselves 1 s after submit at the latest, so that a
     * refusal by the device is still a plain error answer; docs/decisions/0003-stream-headers.md). */
    void (*accepted)(struct call *call);
    void (*note)(struct call *call, const struct call_note *note);
    /* Text for who waits; whole characters. */
    enum call_delivery (*deliver)(struct call *call, struct str text);
    /* Before the settlement: what to store with it for a retry that asks for the same answer; false: nothing. `answer`
     * borrows from the call until finished, which sends exactly this. */
    bool (*answer)(struct call *call, const struct call_result *result, struct store_answer *answer);
    /* Likewise what it does to a conversation. */
    bool (*turn)(struct call *call, const struct call_result *result, struct store_turn *turn);
    void (*finished)(struct call *call, const struct call_result *result);
    void (*failed)(struct call *call, const struct fault *fault);
};

/* Who makes the answer: devices, the sandbox, a workflow. The call is alive from submit until its sink's finished or
 * failed, or until abandon, which takes it away: it is freed when abandon returns. The sink may be told from inside
 * submit. */
struct executor {
    void *context;
    void (*submit)(void *context, struct call *call);
    void (*abandon)(void *context, struct call *call);
};

struct call {
    struct calls *calls;
    const struct call_sink *sink;
    const struct executor *executor;
    void *executor_data;        /* the executor's own */
    struct call_hook *hook;     /* into its conversation; owned; NULL: it has none */
    struct arena *arena;        /* lives as long as the call */
    bool kept;                  /* its answer is, under its id, where its form has that (call/answer.h) */
    bool repeatable;            /* its id is used again when it did not end: a failure leaves no record */
    char request_id[ID_SIZE];   /* x-request-id; empty of a run */
    char id[ID_SIZE];           /* "chatcmpl-...", "inf_...", "job_...", ... */
    enum store_purpose purpose; /* both for its record */
    enum store_generation_kind kind;
    struct auth_identity identity; /* a copy */
    struct gen_request generation; /* strings live in the arena; model is the resolved id */
    uint32_t prompt_tokens_max;    /* the most that a device may count of it (call/counting.h): for the hold */
    uint32_t prompt_tokens_enough; /* for the hold of an account that has less (call/counting.h) */
    uint32_t prompt_tokens_likely; /* for placement */
    uint32_t prompt_tokens_sure;   /* a device that counts more is looked at (call/counting.h); 0: none is */
    struct tokens_text prompt_text;
    int64_t prompt_price_nano, completion_price_nano; /* nano-dollars per token */
    struct str label;                                 /* conversation_id; empty when none */
    char region[CORE_REGION_SIZE];                    /* asked for; empty: any */
    bool verified;                                    /* only verified devices */
    const struct call_tools *tools;                   /* in the arena; NULL: none */
    const struct call_prompts *prompts;               /* as in its input */
    size_t choice;                                    /* that the text it is told next is of; 0: there is but one */
    struct said *said;                                /* once it was asked for as a whole; owned */
    struct str ignored, echo;                         /* call/input.h; in the arena */
    struct str asked;                                 /* the body of its request as it came; empty: it had none */
    struct prefix_names names;                        /* of the conversation (call/prefix.h) */
    int64_t created_ms;                               /* wall clock */
    uint64_t started_ms;                              /* loop clock */
    struct call_logprobs *logprobs;                   /* of the answer so far; owned; NULL: nobody asks */
    struct buf text;              /* the answer so far, for the answer, the store, or a device that goes on */
    struct call *next, *previous; /* in calls->list */
};

/* Hands it to its executor: the call may be gone when this returns. */
void call_submit(struct call *call);
/* Takes it from its executor. */
void call_abandon(struct call *call);

/* The part of a new call that follows from `generation` and `identity`, which must be set. */
void call_init(struct call *call, struct calls *calls, const struct call_sink *sink, struct arena *arena);
/* Live calls are listed: a drain counts them and a stop ends them. */
void call_link(struct call *call);
void call_unlink(struct call *call);
/* Calls `visit` for each call alive; it must not end one. */
void call_each(const struct calls *calls, void (*visit)(void *context, struct call *call), void *context);
/* What it holds by itself; not the call, which is part of its owner's struct. */
void call_clear(struct call *call);
/* All text so far, for a device that is to go on with it. Borrowed until the call is told anything. False: it is a
 * stream of more than LIMIT_ANSWER_BYTES, which reaches its client but cannot be kept. */
MUST_CHECK bool call_text(const struct call *call, struct str *out);
/* Its answer as formats take it; borrows from both. All of it must have come. */
struct answer call_answer(struct call *call, const struct call_result *result);

#endif
