#include "gateway/operator/story.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct story *begin(struct stories *stories, unsigned number) {
    struct store_generation record = {.model = "m"};
    snprintf(record.id, sizeof(record.id), "job_%u", number);
    return story_begin(stories, &record, 100);
}

static void test_lines_and_candidates(void **state) {
    const struct core_candidate candidates[] = {{.provider = 1}, {.provider = 2}, {.provider = 3}};
    const struct core_effect first = {.provider = 2, .dispatch = {.attempt = 1, .candidate_count = 2}};
    const struct core_effect second = {
        .provider = 3, .dispatch = {.attempt = 2, .continues = true, .first_candidate = 2, .candidate_count = 1}};
    struct stories *stories = stories_new();
    struct story *story = begin(stories, 1);
    (void)state;
    story_add_placement(story, 101, &first, candidates);
    story_add_state(story, 102, "queued", "sent", "dispatched");
    story_add_placement(story, 103, &second, candidates);
    assert_int_equal(story->line_count, 3);
    assert_null(story->lines[0].to);
    assert_string_equal(story->lines[1].to, "sent");
    assert_int_equal(story->lines[2].first_candidate, 2);
    assert_int_equal(story->lines[2].candidate_count, 1);
    assert_true(story->lines[2].continues);
    assert_int_equal(story->candidates[2].provider, 3);
    story_drop(stories, story);
    stories_free(stories);
}

/* A generation that changes its state for ever takes bounded memory. */
static void test_a_story_is_bounded(void **state) {
    struct stories *stories = stories_new();
    struct story *story = begin(stories, 1);
    struct core_candidate candidates[CORE_CANDIDATES_MAX] = {0};
    const struct core_effect effect = {.dispatch = {.candidate_count = CORE_CANDIDATES_MAX}};
    (void)state;
    for (int i = 0; i < 100; i++) {
        story_add_placement(story, 1, &effect, candidates);
    }
    for (int i = 0; i < 1000; i++) {
        story_add_state(story, 1, "a", "b", i == 30 ? "the 30th" : "c");
    }
    assert_int_equal(story->line_count, STORY_LINES_MAX);
    assert_int_equal(story->candidate_count, STORY_CANDIDATES_MAX);
    assert_string_equal(story->lines[130].why, "the 30th"); /* behind 100 placements, whatever memory they moved to */
    story_drop(stories, story);
    stories_free(stories);
}

static void test_the_last_that_ended_are_kept(void **state) {
    struct stories *stories = stories_new();
    (void)state;
    assert_null(stories_find(stories, ""));
    for (unsigned i = 0; i < STORIES_KEPT + 5; i++) {
        struct story *story = begin(stories, i);
        story_add_state(story, 1, "a", "b", "c");
        story_keep(stories, story, "completed");
    }
    assert_null(stories_find(stories, "job_4"));
    assert_non_null(stories_find(stories, "job_5"));
    assert_string_equal(stories_find(stories, "job_1028")->outcome, "completed");
    stories_free(stories);
}

/* A story that is used again tells nothing of the one before. */
static void test_memory_is_used_again(void **state) {
    struct stories *stories = stories_new();
    struct story *story = begin(stories, 1);
    struct core_candidate candidates[CORE_CANDIDATES_MAX] = {{.provider = 9}};
    const struct core_effect effect = {.dispatch = {.candidate_count = CORE_CANDIDATES_MAX}};
    (void)state;
    for (int i = 0; i < 20; i++) {
        story_add_placement(story, 1, &effect, candidates);
    }
    story_drop(stories, story);
    assert_ptr_equal(begin(stories, 2), story);
    assert_string_equal(story->id, "job_2");
    assert_int_equal(story->line_count, 0);
    assert_int_equal(story->candidate_count, 0);
    assert_false(story->ended);
    assert_null(story->outcome);
    story_add_placement(story, 1, &effect, candidates);
    assert_int_equal(story->lines[0].first_candidate, 0);
    story_keep(stories, story, "failed");
    assert_string_equal(stories_find(stories, "job_2")->outcome, "failed");
    stories_free(stories);
}

static void test_devices_that_left_keep_their_names(void **state) {
    struct stories *stories = stories_new();
    const struct store_device device = {.id = "prov_1", .name = "laptop"}, other = {.id = "prov_2", .name = "phone"};
    (void)state;
    stories_device_gone(stories, 77, &device);
    stories_device_gone(stories, 79, &other);
    assert_string_equal(stories_find_device(stories, 77)->name, "laptop");
    assert_string_equal(stories_find_device(stories, 79)->id, "prov_2");
    assert_null(stories_find_device(stories, 78));
    stories_free(stories);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_and_candidates),
        cmocka_unit_test(test_a_story_is_bounded),
        cmocka_unit_test(test_the_last_that_ended_are_kept),
        cmocka_unit_test(test_memory_is_used_again),
        cmocka_unit_test(test_devices_that_left_keep_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
