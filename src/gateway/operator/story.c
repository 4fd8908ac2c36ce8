#include "gateway/operator/story.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct stories *stories_new(void) {
    return MEM_NEW(struct stories);
}

static void story_clear(struct story *story) {
    if (story->lines != story->few_lines) {
        free(story->lines);
    }
    if (story->candidates != story->few_candidates) {
        free(story->candidates);
    }
}

void stories_free(struct stories *stories) {
    if (stories == NULL) {
        return;
    }
    for (size_t i = 0; i < STORIES_KEPT; i++) {
        if (stories->ended[i] != NULL) {
            story_clear(stories->ended[i]);
            free(stories->ended[i]);
        }
    }
    while (stories->spare != NULL) {
        struct story *story = stories->spare;
        stories->spare = story->next;
        free(story);
    }
    free(stories);
}

/* Of what is not in use nothing but the lists that grew has to be given back. */
struct story *story_begin(struct stories *stories, const struct store_generation *record, uint64_t now_ms) {
    struct story *story = stories->spare;
    if (story != NULL) {
        stories->spare = story->next;
        stories->spare_count--;
    } else {
        story = mem_alloc(sizeof(*story));
    }
    memcpy(story->id, record->id, sizeof(story->id));
    memcpy(story->model, record->model, sizeof(story->model));
    story->started_ms = now_ms;
    story->ended = false;
    story->outcome = NULL;
    story->lines = story->few_lines;
    story->line_count = 0;
    story->line_capacity = STORY_LINES_FEW;
    story->candidates = story->few_candidates;
    story->candidate_count = 0;
    story->candidate_capacity = STORY_CANDIDATES_FEW;
    return story;
}

void story_drop(struct stories *stories, struct story *story) {
    story_clear(story);
    if (stories->spare_count == STORIES_KEPT) {
        free(story);
        return;
    }
    story->next = stories->spare;
    stories->spare = story;
    stories->spare_count++;
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

static struct story_line *add_line(struct story *story) {
    if (story->line_count == STORY_LINES_MAX) {
        return NULL;
    }
    if (story->line_count == story->line_capacity) {
        story->line_capacity *= 2;
        story->lines =
            grow(story->lines, story->few_lines, story->line_count, story->line_capacity, sizeof(*story->lines));
    }
    return &story->lines[story->line_count++];
}

void story_add_state(struct story *story, uint64_t now_ms, const char *from, const char *to, const char *why) {
    struct story_line *line = add_line(story);
    if (line != NULL) {
        *line = (struct story_line){.at_ms = now_ms, .from = from, .to = to, .why = why};
    }
}

static uint32_t add_candidates(struct story *story, const struct core_candidate *candidates, size_t count) {
    const size_t room = STORY_CANDIDATES_MAX - story->candidate_count;
    const size_t added = count < room ? count : room;
    if (story->candidate_count + added > story->candidate_capacity) {
        story->candidate_capacity = story->candidate_count + added; /* most are placed once */
        story->candidates = grow(story->candidates, story->few_candidates, story->candidate_count,
                                 story->candidate_capacity, sizeof(*story->candidates));
    }
    if (added > 0) {
        memcpy(story->candidates + story->candidate_count, candidates, added * sizeof(*candidates));
    }
    story->candidate_count += added;
    return (uint32_t)added;
}

void story_add_placement(struct story *story, uint64_t now_ms, const struct core_effect *effect,
                         const struct core_candidate *candidates) {
    struct story_line *line = add_line(story);
    if (line == NULL) {
        return;
    }
    *line = (struct story_line){.at_ms = now_ms,
                                .provider = effect->provider,
                                .attempt = effect->dispatch.attempt,
                                .continues = effect->dispatch.continues,
                                .first_candidate = (uint32_t)story->candidate_count};
    line->candidate_count =
        add_candidates(story, candidates == NULL ? NULL : candidates + effect->dispatch.first_candidate,
                       candidates == NULL ? 0 : effect->dispatch.candidate_count);
}

void story_keep(struct stories *stories, struct story *story, const char *outcome) {
    struct story **place = &stories->ended[stories->ended_next];
    if (*place != NULL) {
        story_drop(stories, *place);
    }
    story->ended = true;
    story->outcome = outcome;
    *place = story;
    stories->ended_next = (stories->ended_next + 1) % STORIES_KEPT;
}

void stories_device_gone(struct stories *stories, uint64_t handle, const struct store_device *device) {
    struct story_device *place = &stories->gone[stories->gone_next];
    place->handle = handle;
    memcpy(place->id, device->id, sizeof(place->id));
    memcpy(place->name, device->name, sizeof(place->name));
    stories->gone_next = (stories->gone_next + 1) % STORIES_KEPT;
}

const struct story *stories_find(const struct stories *stories, const char *id) {
    for (size_t i = 1; i <= STORIES_KEPT; i++) {
        const struct story *story = stories->ended[(stories->ended_next + STORIES_KEPT - i) % STORIES_KEPT];
        if (story != NULL && strcmp(story->id, id) == 0) {
            return story;
        }
    }
    return NULL;
}

const struct story_device *stories_find_device(const struct stories *stories, uint64_t handle) {
    for (size_t i = 0; i < STORIES_KEPT; i++) {
        if (stories->gone[i].handle == handle) {
            return &stories->gone[i];
        }
    }
    return NULL;
}
