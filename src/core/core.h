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
#include "core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

/* Money is int64 nano-dollars (10^-9 USD). The core holds the worst case before a generation is dispatched and ends
 * every hold exactly once: settled (COMMITTED, also for what was produced when the client had gone) or voided (FAIL, or
 * CANCELLED before a device took the generation). A charge is prompt tokens x price + completion tokens x price, never
 * more than the hold. The provider's part is 85% of the charge, rounded down; the network keeps the rest, so no
 * nano-dollar is lost or made (docs/LEDGER.md). */
enum { CORE_PROVIDER_SHARE_PERCENT = 85 };

/* Handles of generations and providers: an index and how often it was used, never 0, below 2^53; a stale one is
 * recognised. */
#define CORE_NO_HANDLE UINT64_C(0)

enum {
    CORE_ATTEMPTS_MAX = 8,    /* bound on core_config.max_attempts */
    CORE_PARTS_MAX = 64,      /* devices that one answer can be made by, one after the other */
    CORE_CANDIDATES_MAX = 48, /* devices that one placement weighs, however many there are */
    CORE_REGION_SIZE = 3,     /* two letters and a NUL; empty: none */
    CORE_MODEL_ID_MAX = 128,  /* longer ids are refused */
    CORE_OFFERS_MAX = 64,     /* models on one provider; the rest of a longer status is ignored */
    CORE_AUDITS_FIRST = 10,   /* a device that has passed so many is a new one no more */
};

/* COLD: the file is there; a generation for it makes the device load it first. */
enum core_model_state {
    CORE_MODEL_DOWNLOADING,
    CORE_MODEL_LOADING,
    CORE_MODEL_WARM,
    CORE_MODEL_FAILED,
    CORE_MODEL_COLD,
};
enum { CORE_MODEL_STATE_COUNT = CORE_MODEL_COLD + 1 };

/* What not every device can do with a model. */
enum core_ability {
    CORE_ABILITY_GRAMMAR = 1, /* it keeps answers to a grammar */
    CORE_ABILITY_SAMPLE = 2,  /* it heeds what a request says of single tokens */
};
enum { CORE_ABILITY_COUNT = 2 };

/* Which devices a generation may go to. */
struct core_demand {
    char region[CORE_REGION_SIZE]; /* empty: any */
    bool verified;                 /* only those that the operator has verified */
    uint8_t abilities;             /* those with all of these: a sum of enum core_ability */
};

struct core_offer { /* one model on one provider */
    struct str model;
    enum core_model_state state;
    uint32_t slots; /* of a cold one: as far as known; 0 counts as 1 */
    uint32_t context_length;
    uint32_t load_ms;                 /* as seen on that device; 0: not known */
    bool too_large;                   /* cold, and does not fit its memory now */
    uint64_t bytes_left, bytes_per_s; /* of a download; 0: not known */
    uint64_t bytes_total;             /* likewise */
    uint8_t abilities;                /* a sum of enum core_ability */
};

enum core_heat { CORE_HEAT_NOMINAL, CORE_HEAT_FAIR, CORE_HEAT_SERIOUS, CORE_HEAT_CRITICAL };

struct core_device_state { /* comes with each status */
    enum core_heat heat;
    int32_t battery_percent; /* -1: none */
    bool charging;
    bool paused;      /* by a limit of its owner */
    bool takes_wants; /* WANT effects may ask it to fetch models */
    uint64_t storage_free_bytes;
};

/* A device's reliability, from its first generation on. The shell keeps it while the device is away
 * (core_provider_view), and hands it in again when it joins. Shares are decayed: a thousandth, of 1000. */
struct core_record {
    /* Its speeds against the average of the devices with the same model, thousandths; 0: not known. By these it is
     * known at once when it joins again, and for models that it has not served yet. */
    uint32_t prefill_factor, decode_factor;
    uint64_t generations, failures; /* attempts that said something about the device; a buyer's cancel says nothing */
    uint32_t success;               /* decayed share of attempts that succeeded */
    uint32_t uptime;                /* decayed share of time that it was connected */
    uint64_t reviews;               /* honesty gates that it tripped */
    uint32_t audits;                /* passed, since it last failed one */
    uint32_t earned;                /* good generations less what bad ones cost: slots are believed by it (belief.c) */
};
void core_record_init(struct core_record *record); /* of a device never seen before: the benefit of the doubt */

/* Why a device is not a candidate for a generation. */
enum core_gate {
    CORE_GATE_NONE,        /* it is one */
    CORE_GATE_MODEL,       /* it does not have the model, or only downloads it */
    CORE_GATE_LOADING,     /* it loads the model at this moment */
    CORE_GATE_FAILED,      /* the model cannot be loaded there */
    CORE_GATE_MEMORY,      /* the model does not fit there now */
    CORE_GATE_CONTEXT,     /* prompt and answer do not fit the context that it offers */
    CORE_GATE_SLOTS,       /* all of them are taken */
    CORE_GATE_HEAT,        /* serious or worse */
    CORE_GATE_PAUSED,      /* a limit of its owner */
    CORE_GATE_QUARANTINED, /* it gets nothing that is paid: only what is for this one device (a canary) */
    CORE_GATE_DRAINING,
    CORE_GATE_COOLDOWN, /* it failed or was silent a moment ago */
    CORE_GATE_SILENT,   /* it does not answer at this moment */
    CORE_GATE_REGION,
    CORE_GATE_PRIVACY,     /* a verified device was asked for */
    CORE_GATE_ABILITY,     /* it cannot do what was asked for */
    CORE_GATE_TRIED,       /* this generation has failed there already */
    CORE_GATE_PINNED,      /* the generation is for one certain device (a canary) */
    CORE_GATE_RAMP,        /* it is new: it has its one generation; or its share is used up (core_candidate.yields) */
    CORE_GATE_OWNER_SHARE, /* its owner has had its share (core_candidate.yields) */
    CORE_GATE_NOT_OWN,     /* the generation is free: it is for devices of the account that asks alone */
};
enum { CORE_GATE_COUNT = CORE_GATE_NOT_OWN + 1 };
const char *core_gate_name(enum core_gate gate); /* "none", "model", ... */

/* One device weighed for one generation: the expected time until the answer is complete, and what it is made of. */
struct core_candidate {
    uint64_t provider, user;
    enum core_gate gate; /* not NONE: the rest is 0 */
    /* RAMP or OWNER_SHARE: it can take the generation, but those that do not have to yield go before it, however long
     * they take. */
    enum core_gate yields;
    bool chosen, cached; /* cached: it holds the beginning of this conversation */
    uint32_t load_ms, prefill_ms, decode_ms;
    uint32_t weight; /* of heat, battery and reliability together, of 1000; divides the computing times */
    uint64_t finish_ms;
};

/* Why a generation ended without an answer. */
enum core_failure {
    CORE_FAILURE_QUEUE_FULL,     /* 429 */
    CORE_FAILURE_WARMING,        /* 503: a device fetches or loads the model, or may fetch it */
    CORE_FAILURE_TIMEOUT,        /* 408: assigned or queued, nobody answered in time */
    CORE_FAILURE_BAD_REQUEST,    /* 400: devices refuse the request itself (core/refusal.c) */
    CORE_FAILURE_CONTEXT_LENGTH, /* 400 */
    CORE_FAILURE_LOST,           /* text had come, and nobody could go on with it: 503, or an error event */
    CORE_FAILURE_CREDITS,        /* 402: the worst case does not fit balance minus holds */
    CORE_FAILURE_KEY_CAP,        /* 402: nor the key's spending cap */
    CORE_FAILURE_RATE,           /* 429: requests per minute; retry_after_ms is exact */
    CORE_FAILURE_CONCURRENCY,    /* 429: as many requests under way as the tier allows */
    CORE_FAILURE_SUSPENDED,      /* 403: the operator has suspended the account */
    CORE_FAILURE_STORE,          /* 503: the settlement could not be made durable; nothing is charged */
    CORE_FAILURE_ATTEMPTS,       /* 503: every allowed attempt failed before the first token */
    CORE_FAILURE_TOO_LONG,       /* 503, by ABORT: the answer is longer than the shell can hold for its client */
    CORE_FAILURE_STOPPED,        /* 503, by ABORT: the gateway stops and cannot wait any longer */
    CORE_FAILURE_UNPLACEABLE,    /* 503: devices have the model, but none in the region or of the privacy asked for */
    CORE_FAILURE_UNSERVED,       /* 503: nobody has the model, and nobody will as things are */
    CORE_FAILURE_RESTING,        /* 503: likewise, but for devices that are paused, too hot, or short of memory */
};

/* Why an attempt failed on its device, as the shell reports it. */
enum core_attempt_failure {
    CORE_ATTEMPT_BAD_REQUEST,    /* the client's fault, as it says: others are asked before it is told */
    CORE_ATTEMPT_CONTEXT_LENGTH, /* likewise */
    CORE_ATTEMPT_OVERLOADED,     /* retried elsewhere, no cooldown */
    CORE_ATTEMPT_MODEL_MISSING,  /* retried elsewhere; the offer counts as not ready until the next status */
    CORE_ATTEMPT_ENGINE,         /* retried elsewhere, cooldown */
    CORE_ATTEMPT_DRAINING,       /* retried elsewhere; the provider counts as draining */
};

enum core_finish { CORE_FINISH_STOP, CORE_FINISH_LENGTH, CORE_FINISH_CANCELLED };

/* Why a device is put on the operator's review list. Nothing else follows but a cooldown. */
enum core_review {
    CORE_REVIEW_TOO_FAST,   /* far more tokens a second than it ever made */
    CORE_REVIEW_TOO_MANY,   /* more tokens than bytes of text */
    CORE_REVIEW_OVER_LIMIT, /* more tokens than max_tokens */
    CORE_REVIEW_EMPTY,      /* an answer without text, ended as complete */
    CORE_REVIEW_LOOPING,    /* the same piece again and again */
    CORE_REVIEW_PROMPT,     /* far more prompt tokens than the prompt can have */
    CORE_REVIEW_CANARY,     /* told by the shell: a wrong answer to a known question */
    CORE_REVIEW_REFUSAL,    /* it called requests bad that others answered */
    CORE_REVIEW_AUDIT,      /* likewise: its answers are not those of the model (core/audit.h) */
};
const char *core_review_name(enum core_review review); /* "too_fast", ... */
/* Not one attempt: nobody knows what else was wrong, so what the device earns waits in escrow. */
bool core_review_is_of_device(enum core_review review);

enum core_event_kind {
    CORE_EVENT_REQUEST,     /* -> ADMITTED, then DISPATCH or nothing (queued); or FAIL alone */
    CORE_EVENT_CLIENT_GONE, /* the client closed: cancel, never a penalty for the device */
    CORE_EVENT_ABORT, /* the client is there, but the shell cannot give it the answer -> CANCEL for a device that has
                       * the generation, FAIL; nothing is charged. Too late once the client has gone or SETTLE was
                       * told */
    CORE_EVENT_PROVIDER_JOINED,      /* -> PROVIDER_ADMITTED or PROVIDER_REFUSED */
    CORE_EVENT_PROVIDER_STATUS,      /* the whole list of its offers, replacing the former one */
    CORE_EVENT_PROVIDER_DRAINING,    /* no new generations; running ones go on */
    CORE_EVENT_PROVIDER_LEFT,        /* link closed: its attempts are lost */
    CORE_EVENT_PROVIDER_SILENT,      /* it does not answer, its link is open: its generations go on elsewhere */
    CORE_EVENT_PROVIDER_ALIVE,       /* it answers again */
    CORE_EVENT_PROVIDER_QUARANTINED, /* no new generations but those for it alone; running ones go on */
    CORE_EVENT_PROVIDER_RELEASED,    /* that is over */
    CORE_EVENT_REVIEW,               /* the shell found a device at fault (a canary): REVIEW, and it cools down */
    CORE_EVENT_AUDITED,              /* the shell has audited an answer of a device */
    CORE_EVENT_ESCROW,               /* what a device earns from now on waits in escrow, or does so no more */
    CORE_EVENT_MODEL,                /* what the catalog knows of a model, so that WANT can find a device for it */
    CORE_EVENT_ACCEPT,               /* a device took the generation */
    CORE_EVENT_PROGRESS,             /* it has read so much of the prompt, as it says */
    CORE_EVENT_DELTA,
    CORE_EVENT_DONE,
    CORE_EVENT_ERROR,     /* the attempt failed on its device */
    CORE_EVENT_TIMER,     /* the time asked for by WAKE has come (earlier or later does no harm) */
    CORE_EVENT_DRAIN,     /* the gateway drains: new requests fail, running generations go on */
    CORE_EVENT_ACCOUNT,   /* an account is made known, without money, or its limits change; past max_accounts ignored */
    CORE_EVENT_CREDIT,    /* the balance of a known account moves; past +-2^62 nano-dollars ignored */
    CORE_EVENT_KEY,       /* a key is made known, or its cap changes; past max_accounts ignored */
    CORE_EVENT_COUNTED,   /* the answer to COUNT, once and soon -> SETTLE */
    CORE_EVENT_COMMITTED, /* the settlement of `generation` is durable, or never will be -> FINISH, CANCELLED or FAIL */
};

struct core_event {
    enum core_event_kind kind;
    uint64_t generation; /* CLIENT_GONE, ABORT, ACCEPT, PROGRESS, DELTA, DONE, ERROR, COMMITTED */
    /* PROVIDER_* but JOINED; ACCEPT, PROGRESS, DELTA, DONE, ERROR: events of a generation that this provider does not
     * hold (any more) are ignored. */
    uint64_t provider;
    union {
        struct {
            uint64_t user; /* the shell's own id of the request; comes back with every effect of the generation */
            struct str model;
            uint32_t max_tokens;
            /* The shell's own numbers, made known before. Account 0: no money, no limits, no key. One that is not known
             * has nothing to spend. */
            uint64_t account, key;
            /* What the prompt can have at most; held until the device has counted it. A device cannot claim more, of
             * this and of max_tokens. */
            uint32_t prompt_tokens_max;
            /* What an account that has not so much may hold instead, if that is less: the prompt has more tokens than
             * this hardly ever, and then costs no more. 0: as prompt_tokens_max. */
            uint32_t prompt_tokens_enough;
            uint32_t prompt_tokens_likely; /* for placement; 0: a part of prompt_tokens_max */
            /* A device that counts more is not believed at once: COUNT asks the shell before the bill. 0: never. */
            uint32_t prompt_tokens_sure;
            bool max_tokens_given;                            /* by the client: all of them have to fit the context */
            int64_t prompt_price_nano, completion_price_nano; /* per token */
            char region[CORE_REGION_SIZE];                    /* empty: any */
            bool verified;                                    /* only devices that passed attestation */
            uint8_t abilities; /* that its device must have: a sum of enum core_ability */
            bool logprobs;     /* deltas with tokens have their log-probabilities, or are worth nothing */
            bool steered;      /* the client chose tokens: that they repeat, or that there are none, is its doing */
            uint64_t only_provider; /* a canary: there or nowhere, never retried; CORE_NO_HANDLE: any */
            /* Names of the conversation so far, hashes that the shell makes: the beginning that an earlier generation
             * ended with, and what this generation will leave behind in a device's cache. 0: none. */
            uint64_t prefix, leaves_prefix;
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
            int64_t given_nano;  /* of it, given credit; the rest is paid credit */
        } credit;
        struct {
            uint64_t key;
            int64_t cap_nano;   /* what it may spend in all; negative: no cap */
            int64_t spent_nano; /* so far; of a key that is known already the core's own count stays */
        } key;
        struct {
            bool durable;
            bool in_doubt; /* durable, but perhaps not: charged, and nobody is credited */
        } committed;
        struct {
            uint32_t prompt_tokens; /* by the model's own vocabulary; 0: nobody could count */
        } counted;
        struct {
            enum core_failure failure; /* what FAIL says: TOO_LONG or STOPPED */
        } abort;
        struct {
            uint64_t user; /* the shell's own id of the provider */
            char region[CORE_REGION_SIZE];
            bool verified, quarantined;
            /* The operator's own, or one that the operator stands for: what it says is believed from the start. A
             * verified one is, too. */
            bool trusted;
            bool escrow;    /* as by ESCROW */
            bool operated;  /* of the operator's account: what that asks of it is no deceit (core/own.h) */
            uint64_t owner; /* the number of the account that it belongs to, as in `request`; 0: an owner of its own */
            uint64_t ram_bytes;
            struct core_record record;
            uint64_t away_ms; /* since the record was kept; 0 for one that is new */
        } joined;
        struct {
            const struct core_offer *offers; /* borrowed for the step */
            size_t offer_count;
            struct core_device_state device;
        } status;
        struct {
            struct str model;
            uint64_t file_bytes, ram_bytes;
            uint32_t context_length; /* that it was made for; 0: not known */
        } model;
        struct {
            enum core_review review;
        } review;
        struct {
            bool passed;
        } audited;
        struct {
            bool on;
        } escrow;
        struct {
            uint32_t prompt_tokens; /* 0: not counted, the hold stays as it is */
        } accept;
        struct {
            uint32_t done_tokens; /* of the prompt and of the text to continue; cached ones too */
        } progress;
        struct {
            struct str text; /* handed through; may be empty */
            uint32_t tokens;
            struct str logprobs; /* passed on with the text as it is */
        } delta;
        struct {
            enum core_finish finish;
            uint32_t prompt_tokens, completion_tokens, cached_tokens;
        } done;
        struct {
            enum core_attempt_failure failure;
            struct str param; /* of BAD_REQUEST: the member at fault, as the device says */
            bool by_gateway;  /* the shell itself could not send the request: nothing of it is a device's word */
        } error;
    };
};

enum core_effect_kind {
    CORE_EFFECT_ADMITTED,          /* the request is generation `generation` now */
    CORE_EFFECT_DISPATCH,          /* send it to `provider` */
    CORE_EFFECT_CANCEL,            /* tell `provider` to stop it */
    CORE_EFFECT_ACCEPTED,          /* a device has it: an answer is on its way (headers may leave) */
    CORE_EFFECT_DELIVER,           /* write this text to the client */
    CORE_EFFECT_COUNT,             /* count its prompt, and tell by COUNTED; SETTLE follows */
    CORE_EFFECT_SETTLE,            /* make this durable, then tell by COMMITTED; FINISH or CANCELLED follows */
    CORE_EFFECT_FINISH,            /* the answer is complete and settled (also when its client has gone since); gone */
    CORE_EFFECT_FAIL,              /* it failed; the generation is gone */
    CORE_EFFECT_CANCELLED,         /* the client had gone and the device has confirmed (or its time is over); gone */
    CORE_EFFECT_PROVIDER_ADMITTED, /* `provider` is its handle */
    CORE_EFFECT_PROVIDER_REFUSED,  /* too many */
    CORE_EFFECT_PROVIDER_BUSY,     /* it has its first generation now: watch its link */
    CORE_EFFECT_PROVIDER_IDLE,     /* its last generation is over */
    CORE_EFFECT_WANT,              /* ask `provider` to fetch or load this model */
    CORE_EFFECT_REVIEW,            /* `provider` claimed or did what cannot be: for the operator's list */
    CORE_EFFECT_WAKE,              /* arm the one timer for `wake_at_ms` (absolute; replaces the former) */
    /* generation `generation` moved between states, for the log and `generation explain` */
    CORE_EFFECT_TRACE,
};

/* What one device did of an answer. */
struct core_part {
    uint64_t provider;        /* handle; its link may have closed since */
    uint64_t account;         /* its owner's; the client's own: this part is free */
    uint32_t attempt;         /* the number that DISPATCH gave */
    uint32_t tokens;          /* completion tokens of the answer */
    int64_t nano, given_nano; /* of provider_nano; and of that, from given credit (core/purse.h) */
    bool escrow;              /* it is under review: what it earned waits */
};

/* What a generation came to. Tokens are those that the charge counts, so never more than the request allowed. The two
 * parts add up to the charge; without an account, a price or anything produced all three are 0, and there is a record
 * all the same. */
struct core_outcome {
    enum core_finish finish;
    bool cancelled; /* its client had gone: CANCELLED ends it, else FINISH */
    uint32_t prompt_tokens, completion_tokens, cached_tokens;
    uint32_t attempts;
    uint32_t ttft_ms, latency_ms; /* admission until the first token (0: none came), until the device's last word */
    int64_t charge_nano, provider_nano, network_nano;
    int64_t given_nano; /* of the charge, from given credit */
    /* Who made it, in order; their tokens and amounts add up to completion_tokens and provider_nano. The prompt's share
     * goes to the last one, who finished it. Borrowed: good until the step after the generation's last effect. */
    const struct core_part *parts;
    size_t part_count;
};

struct core_effect {
    enum core_effect_kind kind;
    uint64_t generation;
    uint64_t provider; /* of SETTLE and what follows it: who did the work, even if its link has closed since */
    uint64_t user;     /* of the request, or of the provider for PROVIDER_*, WANT and REVIEW */
    union {
        struct {
            uint32_t attempt;    /* 1, 2, ... of this generation */
            bool continues;      /* behind the text delivered so far ... */
            uint32_t max_tokens; /* ... with so many tokens left */
            /* Who was weighed, in core_effects.candidates; and how many devices with the model each gate kept out, as
             * far as they were looked at. */
            uint32_t first_candidate, candidate_count;
        } dispatch;
        struct {
            struct str model; /* good until the next step */
        } want;
        struct {
            enum core_review review;
            uint64_t generation_user; /* of the request, when it is about generation `generation` */
        } review;
        struct {
            struct str text; /* borrowed from the event */
            uint32_t tokens;
            struct str logprobs;
        } deliver;
        struct core_outcome finish; /* of SETTLE, then the same of FINISH or CANCELLED */
        struct {
            enum core_failure failure;
            bool started;  /* text had been delivered */
            bool own_only; /* it was for devices of its account alone: the account's money did not cover others */
            uint32_t attempts;
            uint64_t retry_after_ms; /* 0: no advice */
            /* Of BAD_REQUEST and CONTEXT_LENGTH. param is a device's word, borrowed from the event; by_gateway: no
             * device was asked; context_length: the largest of those that refused. */
            struct str param;
            bool by_gateway;
            uint32_t prompt_tokens, max_tokens, context_length;
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
    const struct core_candidate *candidates; /* likewise; DISPATCH points into it */
};

struct core *core_new(const struct core_config *config);
void core_free(struct core *core);
/* `now_ms` never goes back. WAKE comes when the timer must be set earlier, or anew after it was due. The effects are to
 * be carried out in order. */
MUST_CHECK struct core_effects core_step(struct core *core, uint64_t now_ms, const struct core_event *event);

/* Views for the API and the operator. What a draining provider has does not count; what only resting ones have has no
 * context length. */
enum core_availability {
    CORE_MODEL_ABSENT,
    CORE_MODEL_RESTING, /* only devices have it that are paused, too hot, or short of memory */
    /* some device fetches or loads it, loads it for the first request, or may be asked to fetch it */
    CORE_MODEL_COMING,
    CORE_MODEL_AVAILABLE,
};
/* `context_length` (may be NULL) becomes the largest one offered, 0 when none is known. */
enum core_availability core_model_availability(const struct core *core, struct str model, uint32_t *context_length);
/* Every model that some provider offers, in no order: index from 0 until false. Each out pointer may be NULL. */
bool core_model_at(const struct core *core, size_t index, struct str *model, enum core_availability *availability,
                   uint32_t *context_length);
/* Money and limits of one account at `now_ms`, for the rate headers and the admin surface. False when it is unknown. */
struct core_account_view {
    int64_t balance_nano, held_nano; /* spendable is the difference; never negative */
    int64_t given_nano;              /* of the balance */
    uint32_t active;                 /* requests under way */
    uint32_t concurrent;             /* so many may be; 0: no limit */
    uint32_t requests_per_minute;    /* 0: no limit, and the rest is 0 too */
    uint32_t remaining;              /* requests that would be admitted right now */
    uint64_t reset_ms;               /* until `remaining` is back at the limit */
    uint64_t wait_ms;                /* until the next would be admitted by it */
    bool suspended;
};
MUST_CHECK bool core_account_view(const struct core *core, uint64_t account, uint64_t now_ms,
                                  struct core_account_view *out);
/* How soon a model can serve, as far as seen: 0 now, UINT64_MAX unknown. `percent` (may be NULL): of the loading or the
 * download that is furthest. */
uint64_t core_model_ready_in_ms(const struct core *core, struct str model, uint32_t *percent);
struct core_counts {
    size_t generations, queued, running, cancelling, settling, providers, models;
};
struct core_counts core_counts(const struct core *core);
/* Checks every internal invariant (for tests and the simulator); false with the broken rule's name. */
MUST_CHECK bool core_check(const struct core *core, const char **broken);

#endif
