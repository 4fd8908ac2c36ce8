#include "gateway/operator/story.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct job_story *begin(struct job_log *log, unsigned number) {
    struct store_generation record = {.model = "m"};
    snprintf(record.id, sizeof record.id, "job_%u", number);
    return job_story_begin(log, &record, 100);
}

static void test_steps_and_candidates(void **state) {
    const struct core_candidate candidates[] = {{.provider = 1}, {.provider = 2}, {.provider = 3}};
    const struct core_effect first = {.provider = 2, .dispatch = {.attempt = 1, .candidate_count = 2}};
    const struct core_effect second = {
        .provider = 3, .dispatch = {.attempt = 2, .continues = true, .first_candidate = 2, .candidate_count = 1}};
    struct job_log *log = job_log_new();
    struct job_story *story = begin(log, 1);
    (void)state;
    job_story_add_placement(story, 101, &first, candidates);
    job_story_add_state(story, 102, "queued", "sent", "dispatched");
    job_story_add_placement(story, 103, &second, candidates);
    assert_int_equal(story->step_count, 3);
    assert_null(story->steps[0].to);
    assert_string_equal(story->steps[1].to, "sent");
    assert_int_equal(story->steps[2].first_candidate, 2);
    assert_int_equal(story->steps[2].candidate_count, 1);
    assert_true(story->steps[2].continues);
    assert_int_equal(story->candidates[2].provider, 3);
    job_story_drop(log, story);
    job_log_free(log);
}

/* A job that changes its state for ever takes bounded memory. */
static void test_a_story_is_bounded(void **state) {
    struct job_log *log = job_log_new();
    struct job_story *story = begin(log, 1);
    struct core_candidate candidates[CORE_CANDIDATES_MAX] = {0};
    const struct core_effect effect = {.dispatch = {.candidate_count = CORE_CANDIDATES_MAX}};
    (void)state;
    for (int i = 0; i < 100; i++) {
        job_story_add_placement(story, 1, &effect, candidates);
    }
    for (int i = 0; i < 1000; i++) {
        job_story_add_state(story, 1, "a", "b", i == 30 ? "the 30th" : "c");
    }
    assert_int_equal(story->step_count, JOB_STORY_STEPS_MAX);
    assert_int_equal(story->candidate_count, JOB_STORY_CANDIDATES_MAX);
    assert_string_equal(story->steps[130].why, "the 30th"); /* behind 100 placements, whatever memory they moved to */
    job_story_drop(log, story);
    job_log_free(log);
}

static void test_the_last_that_ended_are_kept(void **state) {
    struct job_log *log = job_log_new();
    (void)state;
    assert_null(job_log_find(log, ""));
    for (unsigned i = 0; i < JOB_LOG_KEPT + 5; i++) {
        struct job_story *story = begin(log, i);
        job_story_add_state(story, 1, "a", "b", "c");
        job_log_keep(log, story, "completed");
    }
    assert_null(job_log_find(log, "job_4"));
    assert_non_null(job_log_find(log, "job_5"));
    assert_string_equal(job_log_find(log, "job_1028")->outcome, "completed");
    job_log_free(log);
}

/* A story that is used again tells nothing of the job before. */
static void test_memory_is_used_again(void **state) {
    struct job_log *log = job_log_new();
    struct job_story *story = begin(log, 1);
    struct core_candidate candidates[CORE_CANDIDATES_MAX] = {{.provider = 9}};
    const struct core_effect effect = {.dispatch = {.candidate_count = CORE_CANDIDATES_MAX}};
    (void)state;
    for (int i = 0; i < 20; i++) {
        job_story_add_placement(story, 1, &effect, candidates);
    }
    job_story_drop(log, story);
    assert_ptr_equal(begin(log, 2), story);
    assert_string_equal(story->id, "job_2");
    assert_int_equal(story->step_count, 0);
    assert_int_equal(story->candidate_count, 0);
    assert_false(story->ended);
    assert_null(story->outcome);
    job_story_add_placement(story, 1, &effect, candidates);
    assert_int_equal(story->steps[0].first_candidate, 0);
    job_log_keep(log, story, "failed");
    assert_string_equal(job_log_find(log, "job_2")->outcome, "failed");
    job_log_free(log);
}

static void test_devices_that_left_keep_their_names(void **state) {
    struct job_log *log = job_log_new();
    const struct store_device device = {.id = "prov_1", .name = "laptop"};
    (void)state;
    job_log_device_gone(log, 77, &device);
    assert_string_equal(job_log_find_device(log, 77)->name, "laptop");
    assert_null(job_log_find_device(log, 78));
    job_log_free(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_and_candidates),
        cmocka_unit_test(test_a_story_is_bounded),
        cmocka_unit_test(test_the_last_that_ended_are_kept),
        cmocka_unit_test(test_memory_is_used_again),
        cmocka_unit_test(test_devices_that_left_keep_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
