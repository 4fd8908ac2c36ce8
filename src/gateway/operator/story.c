#include "gateway/operator/story.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct job_log *job_log_new(void) {
    return MEM_NEW(struct job_log);
}

static void story_clear(struct job_story *story) {
    if (story->steps != story->few_steps) {
        free(story->steps);
    }
    if (story->candidates != story->few_candidates) {
        free(story->candidates);
    }
}

void job_log_free(struct job_log *log) {
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < JOB_LOG_KEPT; i++) {
        if (log->ended[i] != NULL) {
            story_clear(log->ended[i]);
            free(log->ended[i]);
        }
    }
    while (log->spare != NULL) {
        struct job_story *story = log->spare;
        log->spare = story->next;
        free(story);
    }
    free(log);
}

/* Of what is not in use nothing but the lists that grew has to be given back. */
struct job_story *job_story_begin(struct job_log *log, const struct store_generation *record, uint64_t now_ms) {
    struct job_story *story = log->spare;
    if (story != NULL) {
        log->spare = story->next;
        log->spare_count--;
    } else {
        story = mem_alloc(sizeof *story);
    }
    memcpy(story->id, record->id, sizeof story->id);
    memcpy(story->model, record->model, sizeof story->model);
    story->started_ms = now_ms;
    story->ended = false;
    story->outcome = NULL;
    story->steps = story->few_steps;
    story->step_count = 0;
    story->step_capacity = JOB_STORY_STEPS_FEW;
    story->candidates = story->few_candidates;
    story->candidate_count = 0;
    story->candidate_capacity = JOB_STORY_CANDIDATES_FEW;
    return story;
}

void job_story_drop(struct job_log *log, struct job_story *story) {
    story_clear(story);
    if (log->spare_count == JOB_LOG_KEPT) {
        free(story);
        return;
    }
    story->next = log->spare;
    log->spare = story;
    log->spare_count++;
}

/* Room for `count` elements of a list that begins in its story. */
static void *grow(void *list, const void *few, size_t used, size_t count, size_t size) {
    if (list != few) {
        return mem_realloc(list, count * size);
    }
    void *larger = mem_alloc(count * size);
    memcpy(larger, few, used * size);
    return larger;
}

static struct job_step *add_step(struct job_story *story) {
    if (story->step_count == JOB_STORY_STEPS_MAX) {
        return NULL;
    }
    if (story->step_count == story->step_capacity) {
        story->step_capacity *= 2;
        story->steps =
            grow(story->steps, story->few_steps, story->step_count, story->step_capacity, sizeof *story->steps);
    }
    return &story->steps[story->step_count++];
}

void job_story_add_state(struct job_story *story, uint64_t now_ms, const char *from, const char *to, const char *why) {
    struct job_step *step = add_step(story);
    if (step != NULL) {
        *step = (struct job_step){.at_ms = now_ms, .from = from, .to = to, .why = why};
    }
}

static uint32_t add_candidates(struct job_story *story, const struct core_candidate *candidates, size_t count) {
    const size_t room = JOB_STORY_CANDIDATES_MAX - story->candidate_count;
    const size_t added = count < room ? count : room;
    if (story->candidate_count + added > story->candidate_capacity) {
        story->candidate_capacity = story->candidate_count + added; /* most jobs are placed once */
        story->candidates = grow(story->candidates, story->few_candidates, story->candidate_count,
                                 story->candidate_capacity, sizeof *story->candidates);
    }
    if (added > 0) {
        memcpy(story->candidates + story->candidate_count, candidates, added * sizeof *candidates);
    }
    story->candidate_count += added;
    return (uint32_t)added;
}

void job_story_add_placement(struct job_story *story, uint64_t now_ms, const struct core_effect *effect,
                             const struct core_candidate *candidates) {
    struct job_step *step = add_step(story);
    if (step == NULL) {
        return;
    }
    *step = (struct job_step){.at_ms = now_ms,
                              .provider = effect->provider,
                              .attempt = effect->dispatch.attempt,
                              .continues = effect->dispatch.continues,
                              .first_candidate = (uint32_t)story->candidate_count};
    step->candidate_count =
        add_candidates(story, candidates == NULL ? NULL : candidates + effect->dispatch.first_candidate,
                       candidates == NULL ? 0 : effect->dispatch.candidate_count);
}

void job_log_keep(struct job_log *log, struct job_story *story, const char *outcome) {
    struct job_story **place = &log->ended[log->ended_next];
    if (*place != NULL) {
        job_story_drop(log, *place);
    }
    story->ended = true;
    story->outcome = outcome;
    *place = story;
    log->ended_next = (log->ended_next + 1) % JOB_LOG_KEPT;
}

void job_log_device_gone(struct job_log *log, uint64_t handle, const struct store_device *device) {
    struct job_log_device *place = &log->gone[log->gone_next];
    place->handle = handle;
    memcpy(place->id, device->id, sizeof place->id);
    memcpy(place->name, device->name, sizeof place->name);
    log->gone_next = (log->gone_next + 1) % JOB_LOG_KEPT;
}

const struct job_story *job_log_find(const struct job_log *log, const char *id) {
    for (size_t i = 1; i <= JOB_LOG_KEPT; i++) {
        const struct job_story *story = log->ended[(log->ended_next + JOB_LOG_KEPT - i) % JOB_LOG_KEPT];
        if (story != NULL && strcmp(story->id, id) == 0) {
            return story;
        }
    }
    return NULL;
}

const struct job_log_device *job_log_find_device(const struct job_log *log, uint64_t handle) {
    for (size_t i = 0; i < JOB_LOG_KEPT; i++) {
        if (log->gone[i].handle == handle) {
            return &log->gone[i];
        }
    }
    return NULL;
}
