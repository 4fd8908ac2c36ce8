/* Budget, failure, stop, restore: how a workflow ends before its time, and what its answer is then. */
#include "unit/core/workflow_fixture.h"

/* ---- budget ---- */

static void a_hold_never_exceeds_the_budget(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, 10);
    assert_true(core_workflow_left_nano(w) == INT64_MAX);
    w->config.max_cost_nano = 20;
    assert_false(core_workflow_begin(w, 0, 21));
    assert_int_equal(w->steps[0].state, CORE_STEP_READY);
    assert_true(core_workflow_begin(w, 0, 20));
    assert_int_equal(core_workflow_left_nano(w), 0);
    done(w, 0, CORE_OUTCOME_TEXT, 0); /* gives back what it did not cost */
    assert_int_equal(core_workflow_left_nano(w), 10);
    assert_false(core_workflow_begin(w, 1, 11));
    assert_true(core_workflow_begin(w, 1, 10));
    done(w, 1, CORE_OUTCOME_TEXT, 0);
    assert_int_equal(core_workflow_left_nano(w), 0);
    assert_false(core_workflow_begin(w, 2, 1));
    core_workflow_stop(w, CORE_WORKFLOW_BUDGET_EXCEEDED);
    assert_int_equal(w->spent_nano, 20);
    ends(w, CORE_WORKFLOW_BUDGET_EXCEEDED, "research analyze<0 write<0-1", 1, 1);
}

static void what_costs_nothing_fits_into_no_budget(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, 10);
    w->config.max_cost_nano = 0;
    assert_false(core_workflow_begin(w, 0, 1));
    assert_true(core_workflow_begin(w, 0, 0));
    holds(w);
    core_workflow_free(w);
}

static void what_costs_more_than_its_hold_is_counted(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, 10);
    w->config.max_cost_nano = 20;
    assert_true(core_workflow_begin(w, 0, 5));
    const struct core_step_result result = {.cost_nano = INT64_MAX};
    core_workflow_done(w, 0, &result);
    assert_true(w->spent_nano == INT64_MAX && w->held_nano == 0);
    assert_int_equal(core_workflow_left_nano(w), 0);
    assert_string_equal(core_workflow_check(w), "the budget is exceeded");
    core_workflow_free(w);
}

static void holds_without_a_cap_do_not_overflow(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 10);
    take_chunk(w, 2);
    assert_true(core_workflow_begin(w, 1, INT64_MAX));
    assert_true(core_workflow_begin(w, 2, INT64_MAX));
    holds(w);
    done(w, 1, CORE_OUTCOME_TEXT, 1);
    done(w, 2, CORE_OUTCOME_TEXT, 1);
    assert_int_equal(w->held_nano, 0);
    core_workflow_free(w);
}

/* The budget ends before each step of a kind in turn; what is there then is the answer. */
static struct core_workflow *out_of_budget(enum core_workflow_kind kind, uint32_t steps,
                                           enum core_step_outcome outcome) {
    struct core_workflow *w = start(kind, 10);
    w->config.max_cost_nano = (int64_t)steps * COST + HOLD - COST;
    for (;;) {
        uint32_t step = core_workflow_next(w);
        assert_int_not_equal(step, CORE_NO_STEP);
        if (!core_workflow_begin(w, step, w->steps[step].local ? 0 : HOLD)) {
            break;
        }
        const struct core_step_result result = {
            .outcome = outcome, .tokens = 40, .cost_nano = w->steps[step].local ? 0 : COST, .parts = 4};
        core_workflow_done(w, step, &result);
        holds(w);
    }
    assert_int_equal(w->executed, steps);
    core_workflow_stop(w, CORE_WORKFLOW_BUDGET_EXCEEDED);
    return w;
}

static void the_budget_ends_before_any_step(void **state UNUSED) {
    static const uint32_t research[][2] = {{0, 0}, {0, 1}, {1, 1}};
    static const uint32_t code[][2] = {{0, 0}, {0, 1}, {1, 1}, {1, 1}};
    static const uint32_t agent[][2] = {{0, 0}, {0, 1}, {2, 1}, {4, 1}};
    static const uint32_t maps[][2] = {{0, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 4}, {5, 2}};
    static const struct {
        enum core_workflow_kind kind;
        enum core_step_outcome outcome;
        const uint32_t (*answers)[2];
        uint32_t count;
        const char *steps;
    } cases[] = {
        {CORE_WORKFLOW_RESEARCH, CORE_OUTCOME_TEXT, research, COUNT_OF(research), "research analyze<0 write<0-1"},
        {CORE_WORKFLOW_CODE, CORE_OUTCOME_FAULTS, code, COUNT_OF(code), "plan implement<0 review<1 implement2<1-2"},
        {CORE_WORKFLOW_AGENT, CORE_OUTCOME_ACTION, agent, COUNT_OF(agent),
         "think act<0 think2<0-1 act2<2 think3<0-3 act3<4 think4<0-5"},
        {CORE_WORKFLOW_MAP_REDUCE, CORE_OUTCOME_TEXT, maps, COUNT_OF(maps),
         "chunk map<0 map:1<0 map:2<0 map:3<0 reduce<1-2 reduce:1<3-4 reduce2<5-6"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (uint32_t steps = 0; steps < cases[i].count; steps++) {
            struct core_workflow *w = out_of_budget(cases[i].kind, steps, cases[i].outcome);
            char all[TEXT_SIZE];
            const char *so_far = told(w);
            assert_memory_equal(so_far, cases[i].steps, strlen(so_far));
            snprintf(all, sizeof(all), "%s", so_far);
            ends(w, CORE_WORKFLOW_BUDGET_EXCEEDED, all, cases[i].answers[steps][0], cases[i].answers[steps][1]);
        }
    }
}

/* ---- failure, stop ---- */

static void a_failed_step_ends_it_once_nothing_runs(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 10);
    take_chunk(w, 4);
    for (int i = 0; i < 3; i++) {
        begin(w);
    }
    done(w, 3, CORE_OUTCOME_TEXT, 10);
    core_workflow_failed(w, 1, 7);
    holds(w);
    assert_int_equal(core_workflow_next(w), CORE_NO_STEP);
    assert_false(core_workflow_begin(w, 4, 0));
    assert_int_equal(core_workflow_status(w), CORE_WORKFLOW_RUNNING);
    core_workflow_stop(w, CORE_WORKFLOW_CANCELLED); /* comes too late */
    done(w, 2, CORE_OUTCOME_TEXT, 10);
    assert_int_equal(w->spent_nano, 2 * COST + 7);
    assert_int_equal(w->executed, 3);
    ends(w, CORE_WORKFLOW_FAILED, "chunk map<0 map:1<0 map:2<0 map:3<0", 2, 2);
}

static void a_failure_while_it_is_ending_changes_nothing(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 10);
    take_chunk(w, 5);
    for (int i = 0; i < 5; i++) {
        begin(w);
    }
    core_workflow_stop(w, CORE_WORKFLOW_BUDGET_EXCEEDED);
    assert_int_equal(core_workflow_status(w), CORE_WORKFLOW_RUNNING);
    done(w, 5, CORE_OUTCOME_TEXT, 10);
    core_workflow_failed(w, 3, 0);
    done(w, 4, CORE_OUTCOME_TEXT, 10);
    done(w, 1, CORE_OUTCOME_TEXT, 10);
    done(w, 2, CORE_OUTCOME_TEXT, 10); /* 1 and 2 are as many as 4 and 5 */
    ends(w, CORE_WORKFLOW_BUDGET_EXCEEDED, "chunk map<0 map:1<0 map:2<0 map:3<0 map:4<0", 1, 2);
}

static void a_level_that_is_not_whole_is_not_the_answer(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 10);
    take_chunk(w, 4);
    for (int i = 0; i < 4; i++) {
        done(w, begin(w), CORE_OUTCOME_TEXT, 40);
    }
    begin(w);
    begin(w);
    done(w, 5, CORE_OUTCOME_TEXT, 40);
    core_workflow_failed(w, 6, 0);
    ends(w, CORE_WORKFLOW_FAILED, "chunk map<0 map:1<0 map:2<0 map:3<0 reduce<1-2 reduce:1<3-4", 1, 4);
}

static void a_stop_waits_for_what_runs(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, 10);
    take(w, CORE_OUTCOME_TEXT);
    uint32_t step = begin(w);
    core_workflow_stop(w, CORE_WORKFLOW_CANCELLED);
    core_workflow_stop(w, CORE_WORKFLOW_BUDGET_EXCEEDED);
    assert_int_equal(core_workflow_status(w), CORE_WORKFLOW_RUNNING);
    done(w, step, CORE_OUTCOME_TEXT, 0); /* no further step is planned */
    ends(w, CORE_WORKFLOW_CANCELLED, "research analyze<0", 1, 1);
    w = start(CORE_WORKFLOW_AGENT, 10);
    core_workflow_stop(w, CORE_WORKFLOW_CANCELLED);
    ends(w, CORE_WORKFLOW_CANCELLED, "think", 0, 0);
}

static void the_end_stays(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_AGENT, 10);
    take(w, CORE_OUTCOME_ANSWER);
    core_workflow_stop(w, CORE_WORKFLOW_CANCELLED);
    ends(w, CORE_WORKFLOW_COMPLETED, "think", 0, 1);
}

/* ---- restore, outline, check ---- */

static void what_had_begun_is_restored_over_the_budget_and_behind_a_failure(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 10);
    w->config.max_cost_nano = 3 * HOLD;
    take_chunk(w, 3);
    core_workflow_restore(w, 1, HOLD);
    core_workflow_failed(w, 1, COST);
    core_workflow_restore(w, 2, HOLD);
    done(w, 2, CORE_OUTCOME_TEXT, 10);
    core_workflow_restore(w, 3, HOLD);
    assert_int_equal(core_workflow_status(w), CORE_WORKFLOW_RUNNING);
    assert_int_equal(core_workflow_left_nano(w), 3 * HOLD - 2 * COST - HOLD);
    done(w, 3, CORE_OUTCOME_TEXT, 10);
    ends(w, CORE_WORKFLOW_FAILED, "chunk map<0 map:1<0 map:2<0", 2, 2);
}

static void an_outline_has_the_generations_only(void **state UNUSED) {
    struct core_workflow_config config = {.kind = CORE_WORKFLOW_RESEARCH, .max_steps = 1, .reduce_tokens = 100};
    struct core_step steps[8];
    assert_int_equal(core_workflow_outline(&config, 1, 40, steps, 8), 3);
    assert_int_equal(steps[2].name, CORE_STEP_WRITE);
    assert_int_equal(steps[2].input_count, 2);
    config.kind = CORE_WORKFLOW_CODE;
    assert_int_equal(core_workflow_outline(&config, 1, 40, steps, 8), 3);
    assert_int_equal(steps[2].name, CORE_STEP_REVIEW);
    config.kind = CORE_WORKFLOW_AGENT;
    assert_int_equal(core_workflow_outline(&config, 1, 40, steps, 8), 1);
    assert_int_equal(steps[0].name, CORE_STEP_THINK);
    config.kind = CORE_WORKFLOW_MAP_REDUCE;
    assert_int_equal(core_workflow_outline(&config, 4, 40, steps, 8), 7);
    assert_int_equal(steps[0].name, CORE_STEP_MAP);
    assert_int_equal(steps[6].round, 2);
    assert_int_equal(steps[6].state, CORE_STEP_READY);
    memset(steps, 0xff, sizeof(steps));
    assert_int_equal(core_workflow_outline(&config, CORE_WORKFLOW_PARTS_MAX, 40, steps, 1),
                     4000 + 2000 + 1000 + 500 + 250 + 125 + 62 + 31 + 15 + 7 + 3 + 1);
    assert_int_equal(steps[0].name, CORE_STEP_MAP);
    assert_int_equal(steps[1].round, UINT32_MAX); /* was not touched */
    assert_int_equal(core_workflow_outline(&config, 0, 40, NULL, 0), 2);
}

static void every_value_has_its_name(void **state UNUSED) {
    assert_string_equal(core_workflow_kind_name(CORE_WORKFLOW_MAP_REDUCE), "map_reduce");
    assert_string_equal(core_workflow_kind_name(CORE_WORKFLOW_RESEARCH), "research");
    assert_string_equal(core_workflow_kind_name(CORE_WORKFLOW_CODE), "code");
    assert_string_equal(core_workflow_kind_name(CORE_WORKFLOW_AGENT), "agent");
    static const char *const statuses[] = {"RUNNING",         "COMPLETED", "FAILED",   "CANCELLED",
                                           "BUDGET_EXCEEDED", "MAX_STEPS", "NO_ANSWER"};
    for (unsigned i = 0; i < CORE_WORKFLOW_STATUSES; i++) {
        assert_string_equal(core_workflow_status_name((enum core_workflow_status)i), statuses[i]);
    }
}

static void the_check_finds_what_is_wrong(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, 2);
    take(w, CORE_OUTCOME_TEXT);
    begin(w);
    holds(w);
    w->executed++;
    assert_string_equal(core_workflow_check(w), "executed steps are miscounted");
    w->executed--;
    w->held_nano++;
    assert_string_equal(core_workflow_check(w), "money is miscounted");
    w->held_nano--;
    w->running--;
    assert_string_equal(core_workflow_check(w), "steps by state are miscounted");
    w->running++;
    w->config.max_cost_nano = COST + HOLD - 1;
    assert_string_equal(core_workflow_check(w), "the budget is exceeded");
    w->config.max_cost_nano++;
    holds(w);
    w->config.max_steps = 1;
    assert_string_equal(core_workflow_check(w), "more steps than may be");
    w->config.max_steps = 2;
    w->steps[1].input_count = 2;
    assert_string_equal(core_workflow_check(w), "a step reads a later one");
    w->steps[1].input_count = 1;
    w->steps[0].hold_nano = 1;
    assert_string_equal(core_workflow_check(w), "a hold for a step that does not run");
    w->steps[0].hold_nano = 0;
    w->steps[0].state = CORE_STEP_FAILED;
    assert_string_equal(core_workflow_check(w), "a step reads one that is not done");
    core_workflow_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_never_exceeds_the_budget),
        cmocka_unit_test(what_costs_nothing_fits_into_no_budget),
        cmocka_unit_test(what_costs_more_than_its_hold_is_counted),
        cmocka_unit_test(holds_without_a_cap_do_not_overflow),
        cmocka_unit_test(the_budget_ends_before_any_step),
        cmocka_unit_test(a_failed_step_ends_it_once_nothing_runs),
        cmocka_unit_test(a_failure_while_it_is_ending_changes_nothing),
        cmocka_unit_test(a_level_that_is_not_whole_is_not_the_answer),
        cmocka_unit_test(a_stop_waits_for_what_runs),
        cmocka_unit_test(the_end_stays),
        cmocka_unit_test(what_had_begun_is_restored_over_the_budget_and_behind_a_failure),
        cmocka_unit_test(an_outline_has_the_generations_only),
        cmocka_unit_test(every_value_has_its_name),
        cmocka_unit_test(the_check_finds_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
