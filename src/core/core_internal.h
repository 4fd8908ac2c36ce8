/* What the files of the core share; nobody else includes it but the core's tests.
 *
 * Who owns what: the handle tables own jobs and providers, a provider owns its offerings and attempts, a model lives
 * while an offering or a job refers to it. Objects point at each other freely inside one step; outside only handles go.
 */
#ifndef NATARIS_CORE_CORE_INTERNAL_H
#define NATARIS_CORE_CORE_INTERNAL_H

#include "base/random.h"
#include "core/core.h"
#include "core/list.h"

/* uthash allocates one bucket table; running out of memory ends the process like everywhere (base/mem.h). */
#include "base/mem.h"
#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) free(block)
#include <stdlib.h>
#include <uthash.h>

enum {
    CORE_HANDLE_INDEX_BITS = 20,
    CORE_HANDLE_LIMIT = (1 << CORE_HANDLE_INDEX_BITS) - 1, /* objects in one table */
};

/* Handle: index + 1 in the low 20 bits, above it the generation of that index (32 bits: below 2^52 in all). */
struct core_handle_entry {
    void *object;        /* NULL: free */
    uint32_t generation; /* grows when the index is given back, so that old handles are seen to be stale */
    uint32_t next_free;  /* index + 1; 0 ends the chain */
};

struct core_handles {
    struct core_handle_entry *entries;
    size_t used, capacity; /* indexes ever given out; room */
    size_t count, limit;   /* live objects; how many there may be */
    uint32_t first_free;
};

enum core_deadline_kind {
    CORE_DEADLINE_JOB,      /* of the phase that the job is in, or its whole deadline if that is nearer */
    CORE_DEADLINE_GHOST,    /* an abandoned attempt's slot counts as free again */
    CORE_DEADLINE_COOLDOWN, /* the provider is fit again */
};

struct core_deadline {
    enum core_deadline_kind kind;
    uint32_t position; /* in the heap + 1; 0: not set */
    uint64_t due_ms;
};

/* Binary heap. `at_ms` may be earlier than the deadline's own due_ms, never later: postponing a deadline (each delta
 * does it) leaves the heap alone, and what comes up too early is put back. */
struct core_deadlines {
    struct core_deadline_entry {
        uint64_t at_ms;
        struct core_deadline *deadline;
    } * entries;
    size_t count, capacity;
    uint64_t armed_ms; /* the shell's timer; UINT64_MAX: not armed */
};

struct core_model {
    UT_hash_handle hh;
    struct core_list queue;                 /* jobs waiting, first come first served */
    struct core_list ready;                 /* offerings that can take a job now */
    struct core_list busy;                  /* the others */
    struct core_link pending_link;          /* in core->pending: its queue may move */
    size_t references;                      /* offerings and jobs */
    uint32_t counts[CORE_MODEL_FAILED + 1]; /* what providers offer, by state; draining ones do not count */
    uint32_t context_length, context_count; /* the largest among these, and how many have it */
    size_t offered_position;                /* in core->offered + 1; 0: nobody offers it */
    size_t id_len;
    char id[];
};

struct core_provider {
    uint64_t handle, user;
    struct core_list offerings;
    struct core_list attempts; /* held by a job */
    struct core_list ghosts;   /* given up, the device has not confirmed yet */
    struct core_deadline cooldown;
    uint32_t status_serial;
    bool draining;
};

/* One model on one provider. It outlives its place in the provider's status while attempts run on it. */
struct core_offering {
    struct core_link provider_link, model_link;
    struct core_provider *provider;
    struct core_model *model;
    enum core_model_state state;
    uint32_t slots, context_length;
    uint32_t active; /* attempts and ghosts; more than slots when a status took slots away */
    uint32_t status_serial;
    bool listed;  /* in the provider's latest status */
    bool ready;   /* in its model's list `ready`, else in `busy` */
    bool counted; /* in its model's counts, with the two values below */
    enum core_model_state counted_state;
    uint32_t counted_context;
};

/* One try of a job on one provider; a ghost when its job has given it up. It takes a slot either way. */
struct core_attempt {
    struct core_link link; /* in the provider's list `attempts` or `ghosts` */
    uint64_t job_handle, provider_handle;
    struct core_job *job; /* NULL: ghost */
    struct core_offering *offering;
    struct core_deadline deadline; /* of a ghost */
};

/* job.c tells the story. */
enum core_job_state {
    CORE_JOB_NONE, /* not yet, or no more: in no list */
    CORE_JOB_QUEUED,
    CORE_JOB_SENT,
    CORE_JOB_PREFILL,
    CORE_JOB_STREAMING,
    CORE_JOB_CANCELLING,
    CORE_JOB_SETTLING,
};
enum { CORE_JOB_STATE_COUNT = CORE_JOB_SETTLING + 1 };

/* Requests per minute, as a bucket that leaks (rate.c). */
struct core_rate {
    uint32_t limit; /* 0: none */
    uint64_t
        used; /* at `at_ms`, in parts: CORE_RATE_REQUEST is one request, and `limit` of them leak in a millisecond */
    uint64_t at_ms;
};
#define CORE_RATE_REQUEST UINT64_C(60000)

/* Amounts lie within +-CORE_MONEY_MAX, so that any two of them add up within int64. */
#define CORE_MONEY_MAX (INT64_C(1) << 62)

struct core_account {
    UT_hash_handle hh;
    uint64_t number;
    int64_t balance_nano;
    int64_t held_nano; /* of all its jobs */
    uint32_t active;   /* its jobs */
    uint32_t concurrent;
    struct core_rate rate;
    bool suspended;
    bool overdrawn; /* a negative credit has left less than is held */
};

struct core_key {
    UT_hash_handle hh;
    uint64_t number;
    int64_t cap_nano; /* negative: none */
    int64_t spent_nano, held_nano;
};

/* What a job may cost and what is held for it (hold.c). */
struct core_hold {
    bool open;                    /* from admission until it is settled or voided, once */
    struct core_account *account; /* NULL: none, and all amounts are 0 */
    struct core_key *key;         /* NULL: none */
    uint32_t prompt_tokens_max, completion_tokens_max;
    int64_t prompt_price_nano, completion_price_nano;
    int64_t nano;
};

struct core_job {
    struct core_link link; /* in its model's queue while QUEUED, then in core->stages[state] */
    uint64_t handle, user;
    enum core_job_state state;
    uint32_t attempts;
    struct core_model *model;
    struct core_attempt *attempt; /* NULL while QUEUED or SETTLING */
    struct core_deadline deadline;
    struct core_hold hold;
    uint64_t admitted_ms, whole_due_ms;
    uint32_t ttft_ms;                  /* once STREAMING */
    uint32_t prompt_tokens;            /* as the device said on accepting */
    uint32_t delta_tokens;             /* counted from deltas */
    bool accepted;                     /* ACCEPTED has been told */
    bool started;                      /* text has been delivered */
    struct core_outcome outcome;       /* once SETTLING */
    uint64_t tried[CORE_ATTEMPTS_MAX]; /* providers, one for each attempt */
};

struct core {
    struct core_config config;
    struct random_source random;
    uint64_t now_ms;
    bool draining;
    struct core_effect *effects;
    size_t effect_count, effect_capacity;
    struct core_handles jobs, providers;
    struct core_deadlines deadlines;
    struct core_account *accounts; /* uthash, by number */
    struct core_key *keys;         /* likewise */
    struct core_model *models;     /* uthash, by id */
    struct core_model **offered;   /* those that somebody offers, dense */
    size_t offered_count, offered_capacity;
    struct core_list stages[CORE_JOB_STATE_COUNT]; /* running jobs by state */
    size_t queued;                                 /* in all models' queues */
    size_t ghosts;
    struct core_list pending; /* models to look at before the step ends */
};

/* effect.c */
/* A zeroed effect at the end of the list; the pointer is good until the next one is added. */
struct core_effect *core_effect_add(struct core *core, enum core_effect_kind kind);
/* With the job's handle, user and present provider. */
struct core_effect *core_effect_add_job(struct core *core, enum core_effect_kind kind, const struct core_job *job);
void core_effect_wake(struct core *core); /* tells the shell when the earliest deadline is, if it must know */

/* handle.c */
void core_handles_init(struct core_handles *handles, size_t limit);
void core_handles_clear(struct core_handles *handles);
/* CORE_NO_HANDLE when `limit` objects are there. */
uint64_t core_handles_add(struct core_handles *handles, void *object);
void core_handles_remove(struct core_handles *handles, uint64_t handle);
/* Objects by index, for walks over all; NULL where none is. */
static inline void *core_handles_at(const struct core_handles *handles, size_t index) {
    return handles->entries[index].object;
}
/* NULL when the handle is stale or was never one. */
static inline void *core_handles_get(const struct core_handles *handles, uint64_t handle) {
    uint64_t index = (handle & CORE_HANDLE_LIMIT) - 1; /* 0 wraps and is out of range */
    if (index >= handles->used || handles->entries[index].generation != handle >> CORE_HANDLE_INDEX_BITS) {
        return NULL;
    }
    return handles->entries[index].object;
}

/* deadline.c */
void core_deadline_set(struct core *core, struct core_deadline *deadline, uint64_t due_ms);
void core_deadline_unset(struct core *core, struct core_deadline *deadline);
static inline bool core_deadline_is_set(const struct core_deadline *deadline) {
    return deadline->position != 0;
}
void core_deadlines_run(struct core *core); /* carries out what is due */
bool core_deadlines_check(const struct core *core);

/* model.c */
bool core_model_id_is_valid(struct str id);
struct core_model *core_model_find(const struct core *core, struct str id);
struct core_model *core_model_acquire(struct core *core, struct str id); /* finds or makes it; adds a reference */
void core_model_release(struct core *core, struct core_model *model);
void core_model_count(struct core *core, struct core_offering *offering);   /* adds it to its model's counts */
void core_model_uncount(struct core *core, struct core_offering *offering); /* takes it out again */
bool core_model_is_servable(const struct core_model *model);                /* somebody has it warm or is loading it */
void core_model_mark_pending(struct core *core, struct core_model *model);

/* provider.c */
void core_provider_join(struct core *core, uint64_t user);
void core_provider_status(struct core *core, struct core_provider *provider, const struct core_offer *offers,
                          size_t count);
void core_provider_drain(struct core *core, struct core_provider *provider);
void core_provider_leave(struct core *core, struct core_provider *provider);
void core_provider_cool_down(struct core *core, struct core_provider *provider);
void core_provider_recovered(struct core *core, struct core_provider *provider); /* its cooldown is over */
/* What a device's error says about the device. `penalty`: an engine failure starts a cooldown. */
void core_provider_blame(struct core *core, struct core_offering *offering, enum core_attempt_failure failure,
                         bool penalty);

/* offering.c */
struct core_offering *core_offering_new(struct core *core, struct core_provider *provider, struct str model);
struct core_offering *core_offering_find(const struct core_provider *provider, const struct core_model *model);
bool core_offering_is_ready(const struct core_offering *offering);
void core_offering_refresh(struct core *core, struct core_offering *offering); /* after a change of anything it shows */
void core_offering_sort(struct core *core, struct core_offering *offering);    /* after a change of `active` alone */
/* The provider no longer lists it: it goes when no attempt runs on it. */
void core_offering_unlist(struct core *core, struct core_offering *offering);
void core_offering_free_slot(struct core *core, struct core_offering *offering);

/* place.c */
bool core_place_was_tried(const struct core_job *job, const struct core_provider *provider);
/* Where this job would best go now; NULL: nowhere. */
struct core_offering *core_place(struct core *core, const struct core_model *model, const struct core_job *job);

/* queue.c */
void core_queue_enter(struct core *core, struct core_job *job);
void core_queue_leave(struct core *core, struct core_job *job);
void core_queues_run(struct core *core); /* dispatches what can go from the pending models' queues */

/* attempt.c */
void core_attempt_start(struct core *core, struct core_job *job, struct core_offering *offering);
void core_attempt_release(struct core *core, struct core_attempt *attempt); /* its slot is free, the record gone */
/* The job gives it up: the device is told to cancel, and the slot stays taken until it has confirmed. */
void core_attempt_abandon(struct core *core, struct core_job *job);
/* DONE or ERROR of an attempt that its job has given up; anything else is ignored. */
void core_attempt_ghost_word(struct core *core, const struct core_event *event);

/* rate.c */
void core_rate_set_limit(struct core_rate *rate, uint32_t limit, uint64_t now_ms);
uint64_t core_rate_wait_ms(const struct core_rate *rate, uint64_t now_ms); /* 0: a request may come now */
void core_rate_take(struct core_rate *rate, uint64_t now_ms);              /* one that may */
uint32_t core_rate_remaining(const struct core_rate *rate, uint64_t now_ms);
uint64_t core_rate_reset_ms(const struct core_rate *rate, uint64_t now_ms);

/* account.c */
struct core_account *core_account_find(const struct core *core, uint64_t number);
struct core_key *core_key_find(const struct core *core, uint64_t number);
void core_account_set(struct core *core, const struct core_event *event);
void core_account_credit(struct core *core, const struct core_event *event);
void core_key_set(struct core *core, const struct core_event *event);
void core_accounts_clear(struct core *core);

/* hold.c */
/* The hold that this request would need; false when it has no meaning: a negative price, or past all bounds. */
MUST_CHECK bool core_hold_init(const struct core *core, const struct core_event *event, struct core_hold *hold);
bool core_hold_fits_account(const struct core_hold *hold);
bool core_hold_fits_key(const struct core_hold *hold);
void core_hold_open(struct core_hold *hold); /* one that fits */
/* The device has counted the prompt: the rest is spendable again. */
void core_hold_lower(struct core_hold *hold, uint32_t prompt_tokens);
/* Cuts the tokens to what the request allowed, and fills in the charge and its parts. */
void core_hold_price(const struct core_hold *hold, struct core_outcome *outcome);
void core_hold_close(struct core_hold *hold, int64_t charge_nano); /* settles it; with 0 it is voided */

/* admit.c */
void core_admit(struct core *core, const struct core_event *event);

/* check_money.c */
const char *core_check_money(const struct core *core); /* NULL, or the broken rule's name */

/* job.c */
void core_job_start(struct core *core, const struct core_event *event, const struct core_hold *hold);
void core_job_client_gone(struct core *core, struct core_job *job);
void core_job_abort(struct core *core, struct core_job *job, enum core_failure failure);
void core_job_accept(struct core *core, struct core_job *job, uint32_t prompt_tokens);
void core_job_delta(struct core *core, struct core_job *job, struct str text, uint32_t tokens);
void core_job_done(struct core *core, struct core_job *job, const struct core_event *event);
void core_job_error(struct core *core, struct core_job *job, const struct core_event *event);
void core_job_lost(struct core *core, struct core_job *job); /* its provider has left */
void core_job_committed(struct core *core, struct core_job *job, bool durable);
void core_job_overdue(struct core *core, struct core_job *job);
void core_job_drop(struct core *core, struct core_job *job); /* without a word, when the core is freed */
/* The one function that changes a job's state. `why` is a constant. */
void core_job_move(struct core *core, struct core_job *job, enum core_job_state state, const char *why);

#endif
