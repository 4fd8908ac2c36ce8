/* What happened to a job, for `nataris job explain`: its states with their times, and at each placement which devices were
 * weighed. Kept while the job lives, then among the last JOB_LOG_KEPT that ended; in memory only. It is written on the way
 * of every request, so names are looked up when somebody asks. */
#ifndef NATARIS_GATEWAY_OPERATOR_STORY_H
#define NATARIS_GATEWAY_OPERATOR_STORY_H

#include "base/compiler.h"
#include "core/core.h"
#include "store/devices.h"
#include "store/generations.h"

enum {
    JOB_LOG_KEPT = 1024,
    JOB_STORY_STEPS_FEW = 8, /* a job that goes well has seven */
    JOB_STORY_CANDIDATES_FEW = 4,
    JOB_STORY_STEPS_MAX = 256,       /* what comes on top is not kept */
    JOB_STORY_CANDIDATES_MAX = 1024, /* of all placements of a job together */
};

struct job_step {
    uint64_t at_ms;              /* the loop's clock */
    const char *from, *to, *why; /* a change of state; NULL: a placement */
    uint64_t provider;           /* who got it: handle */
    uint32_t attempt, first_candidate, candidate_count;
    bool continues;
};

struct job_story {
    char id[STORE_ID_MAX];
    char model[STORE_MODEL_MAX];
    uint64_t started_ms;
    bool ended;
    const char *outcome;    /* constant; NULL while it lives */
    struct job_step *steps; /* the first few lie in the story itself, so that a job needs no memory for them */
    size_t step_count, step_capacity;
    struct core_candidate *candidates; /* as they were weighed; likewise */
    size_t candidate_count, candidate_capacity;
    struct job_story *next; /* of the spare ones */
    struct job_step few_steps[JOB_STORY_STEPS_FEW];
    struct core_candidate few_candidates[JOB_STORY_CANDIDATES_FEW];
};

/* A device that has left: its handle means nothing to the core any more. */
struct job_log_device {
    uint64_t handle;
    char id[STORE_ID_MAX], name[STORE_NAME_MAX];
};

struct job_log {
    struct job_story *ended[JOB_LOG_KEPT]; /* rings; NULL: not used yet */
    size_t ended_next;
    struct job_log_device gone[JOB_LOG_KEPT];
    size_t gone_next;
    struct job_story *spare; /* at most JOB_LOG_KEPT */
    size_t spare_count;
};

struct job_log *job_log_new(void);
void job_log_free(struct job_log *log);

/* Of this record's id and model. The story is the caller's until it is kept or dropped. */
struct job_story *job_story_begin(struct job_log *log, const struct store_generation *record, uint64_t now_ms);
void job_story_drop(struct job_log *log, struct job_story *story);
void job_story_add_state(struct job_story *story, uint64_t now_ms, const char *from, const char *to, const char *why);
/* A DISPATCH, with `candidates` of the same step. */
void job_story_add_placement(struct job_story *story, uint64_t now_ms, const struct core_effect *effect,
                             const struct core_candidate *candidates);
/* The story of a job that has ended; it is the log's from now on. */
void job_log_keep(struct job_log *log, struct job_story *story, const char *outcome);
void job_log_device_gone(struct job_log *log, uint64_t handle, const struct store_device *device);
/* The newest one; NULL: none. */
const struct job_story *job_log_find(const struct job_log *log, const char *id);
const struct job_log_device *job_log_find_device(const struct job_log *log, uint64_t handle);

#endif
