/* What happened to a generation, for `nataris job explain`: its states with their times, and at each placement which
 * devices were weighed. Kept while it lives, then among the last STORIES_KEPT that ended; in memory only. It is written
 * on the way of every request, so names are looked up when somebody asks. */
#ifndef NATARIS_GATEWAY_OPERATOR_STORY_H
#define NATARIS_GATEWAY_OPERATOR_STORY_H

#include "base/compiler.h"
#include "core/core.h"
#include "store/devices.h"
#include "store/generations.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STORIES_KEPT = 1024,
    STORY_LINES_FEW = 8, /* a generation that goes well has seven */
    STORY_CANDIDATES_FEW = 4,
    STORY_LINES_MAX = 256,       /* what comes on top is not kept */
    STORY_CANDIDATES_MAX = 1024, /* of all placements of a generation together */
};

struct story_line {
    uint64_t at_ms;              /* the loop's clock */
    const char *from, *to, *why; /* a change of state; NULL: a placement */
    uint64_t provider;           /* who got it: handle */
    uint32_t attempt, first_candidate, candidate_count;
    bool continues;
};

struct story {
    char id[STORE_ID_MAX];
    char model[STORE_MODEL_MAX];
    uint64_t started_ms;
    bool ended;
    const char *outcome;      /* constant; NULL while it lives */
    struct story_line *lines; /* the first few lie in the story itself, so that most need no memory for them */
    size_t line_count, line_capacity;
    struct core_candidate *candidates; /* as they were weighed; likewise */
    size_t candidate_count, candidate_capacity;
    struct story *next; /* of the spare ones */
    struct story_line few_lines[STORY_LINES_FEW];
    struct core_candidate few_candidates[STORY_CANDIDATES_FEW];
};

/* A device that has left: its handle means nothing to the core any more. */
struct story_device {
    uint64_t handle;
    char id[STORE_ID_MAX], name[STORE_NAME_MAX];
};

struct stories {
    struct story *ended[STORIES_KEPT]; /* rings; NULL: not used yet */
    size_t ended_next;
    struct story_device gone[STORIES_KEPT];
    size_t gone_next;
    struct story *spare; /* at most STORIES_KEPT */
    size_t spare_count;
};

struct stories *stories_new(void);
void stories_free(struct stories *stories); /* NULL is fine */

/* Of this record's id and model. The story is the caller's until it is kept or dropped. */
struct story *story_begin(struct stories *stories, const struct store_generation *record, uint64_t now_ms);
void story_drop(struct stories *stories, struct story *story);
/* The story of a generation that has ended; it belongs to the stories from now on. */
void story_keep(struct stories *stories, struct story *story, const char *outcome);
void story_add_state(struct story *story, uint64_t now_ms, const char *from, const char *to, const char *why);
/* A DISPATCH, with `candidates` of the same step. */
void story_add_placement(struct story *story, uint64_t now_ms, const struct core_effect *effect,
                         const struct core_candidate *candidates);
/* The newest one that has ended; NULL: none. */
const struct story *stories_find(const struct stories *stories, const char *id);
void stories_device_gone(struct stories *stories, uint64_t handle, const struct store_device *device);
const struct story_device *stories_find_device(const struct stories *stories, uint64_t handle);

#endif
