/* The pure core: decides everything and does nothing. A state machine
 *
 *     core_step(core, now, event)  ->  effects
 *
 * without sockets, threads, clock, randomness of its own, database, or allocation without a bound. Three shells run it
 * unchanged: the gateway, the simulator, and the unit and replay tests. Same seed, same events: same effects. */
#ifndef NATARIS_CORE_CORE_H
#define NATARIS_CORE_CORE_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

/* Money is int64 nano-dollars (10^-9 USD). The core holds the worst case before a job is dispatched and ends every hold
 * exactly once: settled (COMMITTED, also for what was produced when the client had gone) or voided (FAIL, or CANCELLED
 * before a device took the job). A charge is prompt tokens x price + completion tokens x price, never more than the hold.
 * The provider's part is 85% of the charge, rounded down; the network keeps the rest, so no nano-dollar is lost or made
 * (docs/LEDGER.md). */
enum { CORE_PROVIDER_SHARE_PERCENT = 85 };

/* Handles of jobs and providers: an index and a generation, never 0, below 2^53; a stale one is recognised. */
#define CORE_NO_HANDLE UINT64_C(0)

enum {
    CORE_ATTEMPTS_MAX = 8,   /* bound on core_config.max_attempts */
    CORE_MODEL_ID_MAX = 128, /* longer ids are refused */
    CORE_OFFERS_MAX = 64,    /* models on one provider; the rest of a longer status is ignored */
};

struct core_config {    /* times in milliseconds */
    uint32_t max_jobs;  /* alive at once, queued or running */
    uint32_t max_queue; /* of these, waiting for a provider; a job that waits again for a retry may exceed it */
    uint32_t max_providers;
    uint32_t max_accounts;                    /* accounts and keys known at once */
    uint32_t max_attempts;                    /* 2: one automatic retry */
    uint32_t queue_ms;                        /* phase deadlines: waiting for a provider, each time anew */
    uint32_t accept_ms;                       /* job sent until accepted */
    uint32_t first_token_ms;                  /* accepted until the first delta ... */
    uint32_t first_token_per_prompt_token_us; /* ... plus this for each token of the prompt (microseconds) */
    uint32_t silence_ms;                      /* between deltas */
    uint32_t whole_ms;                        /* admission until the end ... */
    uint32_t whole_per_token_ms;              /* ... plus this per token of max_tokens */
    uint32_t cancel_ms;       /* cancel sent until the device's word; then its slot counts as free again */
    uint32_t cooldown_ms;     /* a silent or failing provider gets no new jobs for so long */
    uint32_t warming_retry_s; /* Retry-After when no provider has the model */
    bool trace;               /* emit CORE_EFFECT_TRACE for every change of state */
    uint64_t seed;            /* of the random source that breaks ties */
};
/* The documented defaults (docs/REQUEST.md has the table). */
void core_config_init(struct core_config *config);

enum core_model_state { CORE_MODEL_DOWNLOADING, CORE_MODEL_LOADING, CORE_MODEL_WARM, CORE_MODEL_FAILED };

struct core_offer { /* one model on one provider */
    struct str model;
    enum core_model_state state;
    uint32_t slots;
    uint32_t context_length;
};

/* Why a job ended without an answer. */
enum core_failure {
    CORE_FAILURE_QUEUE_FULL,     /* 429 */
    CORE_FAILURE_WARMING,        /* 503: no provider has the model ready */
    CORE_FAILURE_TIMEOUT,        /* 408: assigned or queued, nobody answered in time */
    CORE_FAILURE_BAD_REQUEST,    /* 400: the device refused the request itself; message and param are its words */
    CORE_FAILURE_CONTEXT_LENGTH, /* 400 */
    CORE_FAILURE_LOST,           /* the stream had begun and its device is gone, silent or in error */
    CORE_FAILURE_CREDITS,        /* 402: the worst case does not fit balance minus holds */
    CORE_FAILURE_KEY_CAP,        /* 402: nor the key's spending cap */
    CORE_FAILURE_RATE,           /* 429: requests per minute; retry_after_ms is exact */
    CORE_FAILURE_CONCURRENCY,    /* 429: as many requests under way as the tier allows */
    CORE_FAILURE_SUSPENDED,      /* 403: the operator has suspended the account */
    CORE_FAILURE_STORE,          /* 503: the settlement could not be made durable; nothing is charged */
    CORE_FAILURE_ATTEMPTS,       /* 503: every allowed attempt failed before the first token */
    CORE_FAILURE_TOO_LONG,       /* 503, by ABORT: the answer is longer than the shell can hold for its client */
    CORE_FAILURE_STOPPED,        /* 503, by ABORT: the gateway stops and cannot wait any longer */
};

/* Why an attempt failed on its device, as the shell reports it. */
enum core_attempt_failure {
    CORE_ATTEMPT_BAD_REQUEST,    /* the client's fault: never retried, never held against the device */
    CORE_ATTEMPT_CONTEXT_LENGTH, /* likewise */
    CORE_ATTEMPT_OVERLOADED,     /* retried elsewhere, no cooldown */
    CORE_ATTEMPT_MODEL_MISSING,  /* retried elsewhere; the offer counts as not ready until the next status */
    CORE_ATTEMPT_ENGINE,         /* retried elsewhere, cooldown */
    CORE_ATTEMPT_DRAINING,       /* retried elsewhere; the provider counts as draining */
};

enum core_finish { CORE_FINISH_STOP, CORE_FINISH_LENGTH, CORE_FINISH_CANCELLED };

enum core_event_kind {
    CORE_EVENT_REQUEST,     /* -> ADMITTED, then DISPATCH or nothing (queued); or FAIL alone */
    CORE_EVENT_CLIENT_GONE, /* the client closed: cancel, never a penalty for the device */
    CORE_EVENT_ABORT, /* the client is there, but the shell cannot give it the answer -> CANCEL for a device that has
                       * the job, FAIL; nothing is charged. Too late once the client has gone or SETTLE was told */
    CORE_EVENT_PROVIDER_JOINED,   /* -> PROVIDER_ADMITTED or PROVIDER_REFUSED */
    CORE_EVENT_PROVIDER_STATUS,   /* the whole list of its offers, replacing the former one */
    CORE_EVENT_PROVIDER_DRAINING, /* no new jobs; running ones go on */
    CORE_EVENT_PROVIDER_LEFT,     /* link closed: its attempts are lost */
    CORE_EVENT_ACCEPT,            /* a device took the job */
    CORE_EVENT_DELTA,
    CORE_EVENT_DONE,
    CORE_EVENT_ERROR,     /* the attempt failed on its device */
    CORE_EVENT_TIMER,     /* the time asked for by WAKE has come (earlier or later does no harm) */
    CORE_EVENT_DRAIN,     /* the gateway drains: new requests fail, running jobs go on */
    CORE_EVENT_ACCOUNT,   /* an account is made known, without money, or its limits change; past max_accounts ignored */
    CORE_EVENT_CREDIT,    /* the balance of a known account moves; past +-2^62 nano-dollars ignored */
    CORE_EVENT_KEY,       /* a key is made known, or its cap changes; past max_accounts ignored */
    CORE_EVENT_COMMITTED, /* the settlement of `job` is durable, or never will be -> FINISH, CANCELLED or FAIL */
};

struct core_event {
    enum core_event_kind kind;
    uint64_t job;      /* CLIENT_GONE, ABORT, ACCEPT, DELTA, DONE, ERROR, COMMITTED */
    uint64_t provider; /* PROVIDER_* but JOINED; ACCEPT, DELTA, DONE, ERROR: events of a job that this provider does not
                        * hold (any more) are ignored */
    union {
        struct {
            uint64_t user; /* the shell's own id of the request; comes back with every effect of the job */
            struct str model;
            uint32_t max_tokens;
            /* The shell's own numbers, made known before. Account 0: no money, no limits, no key. One that is not known
             * has nothing to spend. */
            uint64_t account, key;
            /* What the prompt can cost at most; held until the device has counted it. A device cannot claim more, of this
             * and of max_tokens. */
            uint32_t prompt_tokens_max;
            int64_t prompt_price_nano, completion_price_nano; /* per token */
        } request;
        struct {
            uint64_t account;
            /* 0: no limit. So many requests at once, and as they age so many more a minute. Only admitted ones count:
             * a refused request, for whatever reason, uses up nothing. */
            uint32_t requests_per_minute;
            uint32_t concurrent;
            bool suspended;
        } account;
        struct {
            uint64_t account;
            int64_t amount_nano; /* may be negative (a payout, a correction) */
        } credit;
        struct {
            uint64_t key;
            int64_t cap_nano;   /* what it may spend in all; negative: no cap */
            int64_t spent_nano; /* so far; of a key that is known already the core's own count stays */
        } key;
        struct {
            bool durable;
        } committed;
        struct {
            enum core_failure failure; /* what FAIL says: TOO_LONG or STOPPED */
        } abort;
        struct {
            uint64_t user; /* the shell's own id of the provider */
        } joined;
        struct {
            const struct core_offer *offers; /* borrowed for the step */
            size_t offer_count;
        } status;
        struct {
            uint32_t prompt_tokens; /* 0: not counted, the hold stays as it is */
        } accept;
        struct {
            struct str text; /* handed through; may be empty */
            uint32_t tokens;
        } delta;
        struct {
            enum core_finish finish;
            uint32_t prompt_tokens, completion_tokens, cached_tokens;
        } done;
        struct {
            enum core_attempt_failure failure;
            struct str message, param; /* handed through for BAD_REQUEST and CONTEXT_LENGTH */
        } error;
    };
};

enum core_effect_kind {
    CORE_EFFECT_ADMITTED,          /* the request is job `job` now */
    CORE_EFFECT_DISPATCH,          /* send it to `provider` */
    CORE_EFFECT_CANCEL,            /* tell `provider` to stop it */
    CORE_EFFECT_ACCEPTED,          /* a device has it: an answer is on its way (headers may leave) */
    CORE_EFFECT_DELIVER,           /* write this text to the client */
    CORE_EFFECT_SETTLE,            /* make this durable, then tell by COMMITTED; FINISH or CANCELLED follows */
    CORE_EFFECT_FINISH,            /* the answer is complete and settled (also when its client has gone since); gone */
    CORE_EFFECT_FAIL,              /* it failed; the job is gone */
    CORE_EFFECT_CANCELLED,         /* the client had gone and the device has confirmed (or its time is over); gone */
    CORE_EFFECT_PROVIDER_ADMITTED, /* `provider` is its handle */
    CORE_EFFECT_PROVIDER_REFUSED,  /* too many */
    CORE_EFFECT_WAKE,              /* arm the one timer for `wake_at_ms` (absolute; replaces the former) */
    CORE_EFFECT_TRACE,             /* job `job` moved between states, for the log and `job explain` */
};

/* What a job came to. Tokens are those that the charge counts, so never more than the request allowed. The two parts add
 * up to the charge; without an account, a price or anything produced all three are 0, and there is a record all the same. */
struct core_outcome {
    enum core_finish finish;
    bool cancelled; /* its client had gone: CANCELLED ends it, else FINISH */
    uint32_t prompt_tokens, completion_tokens, cached_tokens;
    uint32_t attempts;
    uint32_t ttft_ms, latency_ms; /* admission until the first token (0: none came), until the device's last word */
    int64_t charge_nano, provider_nano, network_nano;
};

struct core_effect {
    enum core_effect_kind kind;
    uint64_t job;
    uint64_t provider; /* of SETTLE and what follows it: who did the work, even if its link has closed since */
    uint64_t user;     /* of the request, or of the provider for PROVIDER_* */
    union {
        struct {
            struct str text; /* borrowed from the event */
            uint32_t tokens;
        } deliver;
        struct core_outcome finish; /* of SETTLE, then the same of FINISH or CANCELLED */
        struct {
            enum core_failure failure;
            bool started; /* text had been delivered */
            uint32_t attempts;
            uint64_t retry_after_ms;   /* 0: no advice */
            struct str message, param; /* the device's words for client faults, else empty; borrowed from the event */
        } fail;
        uint64_t wake_at_ms;
        struct {
            const char *from, *to, *why; /* constant names */
        } trace;
    };
};

struct core_effects {
    const struct core_effect *items; /* the core's; valid until the next step */
    size_t count;
};

struct core *core_new(const struct core_config *config);
void core_free(struct core *core);
/* `now_ms` never goes back. WAKE comes when the timer must be set earlier, or anew after it was due. The effects are to
 * be carried out in order. */
MUST_CHECK struct core_effects core_step(struct core *core, uint64_t now_ms, const struct core_event *event);

/* Views for the API and the operator. What a draining provider has does not count. */
enum core_availability { CORE_MODEL_ABSENT, CORE_MODEL_COMING /* downloading or loading */, CORE_MODEL_AVAILABLE };
/* `context_length` (may be NULL) becomes the largest one offered, 0 when none is known. */
enum core_availability core_model_availability(const struct core *core, struct str model, uint32_t *context_length);
/* Every model that some provider offers, in no order: index from 0 until false. Each out pointer may be NULL. */
bool core_model_at(const struct core *core, size_t index, struct str *model, enum core_availability *availability,
                   uint32_t *context_length);
/* Money and limits of one account at `now_ms`, for the rate headers and the admin surface. False when it is unknown. */
struct core_account_view {
    int64_t balance_nano, held_nano; /* spendable is the difference; never negative */
    uint32_t active;                 /* requests under way */
    uint32_t requests_per_minute;    /* 0: no limit, and the rest is 0 too */
    uint32_t remaining;              /* requests that would be admitted right now */
    uint64_t reset_ms;               /* until `remaining` is back at the limit */
    bool suspended;
};
MUST_CHECK bool core_account_view(const struct core *core, uint64_t account, uint64_t now_ms,
                                  struct core_account_view *out);
struct core_counts {
    size_t jobs, queued, running, cancelling, settling, providers, models;
};
struct core_counts core_counts(const struct core *core);
/* Checks every internal invariant (for tests and the simulator); false with the broken rule's name. */
MUST_CHECK bool core_check(const struct core *core, const char **broken);

#endif
