/* Which steps a workflow takes, also when max_steps cuts it. */
#include "unit/core/workflow_fixture.h"

/* ---- each kind ---- */

static void research_takes_three_steps(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, 10);
    assert_false(core_workflow_is_last(w, 0));
    take(w, CORE_OUTCOME_TEXT);
    assert_false(core_workflow_is_last(w, 1));
    take(w, CORE_OUTCOME_TEXT);
    assert_true(core_workflow_is_last(w, 2));
    uint32_t step = begin(w);
    assert_int_equal(core_workflow_next(w), CORE_NO_STEP);
    assert_int_equal(core_workflow_status(w), CORE_WORKFLOW_RUNNING);
    done(w, step, CORE_OUTCOME_TEXT, 0);
    assert_int_equal(w->executed, 3);
    assert_int_equal(w->spent_nano, 3 * COST);
    ends(w, CORE_WORKFLOW_COMPLETED, "research analyze<0 write<0-1", 2, 1);
}

static void an_approved_implementation_is_the_answer(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_CODE, 10);
    take(w, CORE_OUTCOME_TEXT);
    assert_false(core_workflow_is_last(w, 1));
    take(w, CORE_OUTCOME_TEXT);
    assert_false(core_workflow_is_last(w, 2));
    take(w, CORE_OUTCOME_APPROVED);
    ends(w, CORE_WORKFLOW_COMPLETED, "plan implement<0 review<1", 1, 1);
}

static void faults_send_it_back_once(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_CODE, 10);
    take(w, CORE_OUTCOME_TEXT);
    take(w, CORE_OUTCOME_TEXT);
    take(w, CORE_OUTCOME_FAULTS);
    assert_true(core_workflow_is_last(w, 3));
    take(w, CORE_OUTCOME_TEXT);
    ends(w, CORE_WORKFLOW_COMPLETED, "plan implement<0 review<1 implement2<1-2", 3, 1);
}

static void an_agent_thinks_and_acts_until_it_answers(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_AGENT, 10);
    for (int i = 0; i < 2; i++) {
        assert_false(core_workflow_is_last(w, core_workflow_next(w)));
        take(w, CORE_OUTCOME_ACTION);
        assert_true(w->steps[core_workflow_next(w)].local);
        take(w, CORE_OUTCOME_TEXT);
    }
    take(w, CORE_OUTCOME_ANSWER);
    assert_int_equal(w->executed, 3);
    assert_int_equal(w->spent_nano, 3 * COST);
    ends(w, CORE_WORKFLOW_COMPLETED, "think act<0 think2<0-1 act2<2 think3<0-3", 4, 1);
}

static void a_call_of_the_callers_tool_ends_an_agent(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_AGENT, 10);
    take(w, CORE_OUTCOME_CALL);
    ends(w, CORE_WORKFLOW_COMPLETED, "think", 0, 1);
}

static void maps_run_in_parallel_and_their_order_does_not_matter(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 10);
    take_chunk(w, 4);
    for (uint32_t part = 0; part < 4; part++) {
        assert_int_equal(begin(w), 1 + part);
    }
    assert_int_equal(w->held_nano, 4 * HOLD);
    done(w, 4, CORE_OUTCOME_TEXT, 10);
    done(w, 1, CORE_OUTCOME_TEXT, 10);
    done(w, 3, CORE_OUTCOME_TEXT, 10);
    assert_int_equal(core_workflow_next(w), CORE_NO_STEP);
    done(w, 2, CORE_OUTCOME_TEXT, 10);
    assert_int_equal(core_workflow_next(w), 5);
    assert_true(core_workflow_is_last(w, 5));
    assert_false(core_workflow_is_last(w, 1));
    take(w, CORE_OUTCOME_TEXT);
    assert_int_equal(w->executed, 5);
    ends(w, CORE_WORKFLOW_COMPLETED, "chunk map<0 map:1<0 map:2<0 map:3<0 reduce<1-4", 5, 1);
}

static void one_chunk_is_mapped_and_reduced(void **state UNUSED) {
    for (uint32_t parts = 0; parts <= 1; parts++) {
        struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 10);
        take_chunk(w, parts);
        assert_int_equal(w->parts, 1);
        take(w, CORE_OUTCOME_TEXT);
        assert_true(core_workflow_is_last(w, 2));
        take(w, CORE_OUTCOME_TEXT);
        ends(w, CORE_WORKFLOW_COMPLETED, "chunk map<0 reduce<1", 2, 1);
    }
}

/* Outputs of 40 tokens of which 100 may be read at once: two for each reduce. */
static void reduces_make_a_tree(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 100);
    take_chunk(w, 8);
    take_all(w, 40);
    assert_int_equal(w->executed, 15);
    for (uint32_t i = 9; i < 15; i++) {
        assert_false(core_workflow_is_last(w, i));
    }
    assert_true(core_workflow_is_last(w, 15));
    ends(w, CORE_WORKFLOW_COMPLETED,
         "chunk map<0 map:1<0 map:2<0 map:3<0 map:4<0 map:5<0 map:6<0 map:7<0 "
         "reduce<1-2 reduce:1<3-4 reduce:2<5-6 reduce:3<7-8 reduce2<9-10 reduce2:1<11-12 reduce3<13-14",
         15, 1);
}

static void no_output_is_reduced_alone(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 100); /* three fit: 3 + 1 becomes 2 + 2 */
    take_chunk(w, 4);
    take_all(w, 33);
    ends(w, CORE_WORKFLOW_COMPLETED, "chunk map<0 map:1<0 map:2<0 map:3<0 reduce<1-2 reduce:1<3-4 reduce2<5-6", 7, 1);
    w = start(CORE_WORKFLOW_MAP_REDUCE, 100); /* none fits: 2 + 1 becomes 3 */
    take_chunk(w, 5);
    take_all(w, UINT32_MAX);
    ends(w, CORE_WORKFLOW_COMPLETED, "chunk map<0 map:1<0 map:2<0 map:3<0 map:4<0 reduce<1-2 reduce:1<3-5 reduce2<6-7",
         8, 1);
}

static void a_group_is_full_at_the_limit_and_not_before(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 100);
    take_chunk(w, 5);
    take_all(w, 20);
    assert_int_equal(w->executed, 6);
    core_workflow_free(w);
    w = start(CORE_WORKFLOW_MAP_REDUCE, 100);
    take_chunk(w, 5);
    take_all(w, 21);
    ends(w, CORE_WORKFLOW_COMPLETED, "chunk map<0 map:1<0 map:2<0 map:3<0 map:4<0 reduce<1-3 reduce:1<4-5 reduce2<6-7",
         8, 1);
}

/* ---- max_steps ---- */

static void max_steps_cuts_research_and_code(void **state UNUSED) {
    static const char *const research[] = {"research", "research analyze<0"};
    static const char *const code[] = {"plan", "plan implement<0", "plan implement<0 review<1"};
    for (uint32_t steps = 1; steps <= 2; steps++) {
        struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, steps);
        take_all(w, 0);
        assert_true(core_workflow_is_last(w, steps - 1));
        assert_true(steps == 1 || !core_workflow_is_last(w, 0));
        ends(w, CORE_WORKFLOW_MAX_STEPS, research[steps - 1], steps - 1, 1);
    }
    for (uint32_t steps = 1; steps <= 3; steps++) {
        struct core_workflow *w = start(CORE_WORKFLOW_CODE, steps);
        while (core_workflow_next(w) != CORE_NO_STEP) {
            take(w, CORE_OUTCOME_FAULTS);
        }
        assert_int_equal(core_workflow_is_last(w, steps - 1), steps < 3);
        ends(w, CORE_WORKFLOW_MAX_STEPS, code[steps - 1], steps > 1 ? 1 : 0, 1);
    }
    struct core_workflow *w = start(CORE_WORKFLOW_CODE, 3);
    take_all(w, 0);
    ends(w, CORE_WORKFLOW_COMPLETED, code[2], 1, 1);
}

/* An act whose result nobody could look at is not done. */
static void max_steps_cuts_an_agent(void **state UNUSED) {
    static const char *const steps[] = {"think", "think act<0 think2<0-1", "think act<0 think2<0-1 act2<2 think3<0-3"};
    for (uint32_t max = 1; max <= 3; max++) {
        struct core_workflow *w = start(CORE_WORKFLOW_AGENT, max);
        while (core_workflow_next(w) != CORE_NO_STEP) {
            take(w, CORE_OUTCOME_ACTION);
        }
        assert_int_equal(w->executed, max);
        ends(w, CORE_WORKFLOW_MAX_STEPS, steps[max - 1], 2 * (max - 1), 1);
    }
}

static void max_steps_leaves_one_step_to_reduce(void **state UNUSED) {
    static const char *const steps[] = {
        "chunk map<0",
        "chunk map<0 reduce<1",
        "chunk map<0 map:1<0 reduce<1-2",
        "chunk map<0 map:1<0 map:2<0 reduce<1-3",
    };
    for (uint32_t max = 1; max <= 4; max++) {
        struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, max);
        take_chunk(w, 4);
        assert_int_equal(w->parts, 4);
        assert_true(w->part_cut);
        assert_int_equal(core_workflow_is_last(w, 1), max == 1);
        take_all(w, 60);
        assert_int_equal(w->executed, max);
        ends(w, CORE_WORKFLOW_MAX_STEPS, steps[max - 1], max, 1);
    }
}

/* Four outputs of 40: a tree takes 3 reduces, and with fewer left one reads all. */
static void a_tree_that_has_too_few_steps_is_one_reduce(void **state UNUSED) {
    for (uint32_t max = 5; max <= 6; max++) {
        struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, max);
        take_chunk(w, 4);
        assert_false(w->part_cut);
        take_all(w, 40);
        ends(w, CORE_WORKFLOW_MAX_STEPS, "chunk map<0 map:1<0 map:2<0 map:3<0 reduce<1-4", 5, 1);
    }
    struct core_workflow *w = start(CORE_WORKFLOW_MAP_REDUCE, 7);
    take_chunk(w, 4);
    take_all(w, 40);
    ends(w, CORE_WORKFLOW_COMPLETED, "chunk map<0 map:1<0 map:2<0 map:3<0 reduce<1-2 reduce:1<3-4 reduce2<5-6", 7, 1);
    w = start(CORE_WORKFLOW_MAP_REDUCE, 5);
    take_chunk(w, 4);
    take_all(w, 25);
    ends(w, CORE_WORKFLOW_COMPLETED, "chunk map<0 map:1<0 map:2<0 map:3<0 reduce<1-4", 5, 1);
    /* The first level has its steps, the second has not: 8 + 4 are taken, and 2 + 1 would be needed. */
    w = start(CORE_WORKFLOW_MAP_REDUCE, 13);
    take_chunk(w, 8);
    take_all(w, 40);
    ends(w, CORE_WORKFLOW_MAX_STEPS,
         "chunk map<0 map:1<0 map:2<0 map:3<0 map:4<0 map:5<0 map:6<0 map:7<0 "
         "reduce<1-2 reduce:1<3-4 reduce:2<5-6 reduce:3<7-8 reduce2<9-12",
         13, 1);
}

static void limits_are_bounded(void **state UNUSED) {
    struct core_workflow *w = start(CORE_WORKFLOW_RESEARCH, 0);
    assert_int_equal(w->config.max_steps, 1);
    core_workflow_free(w);
    w = start(CORE_WORKFLOW_MAP_REDUCE, UINT32_MAX);
    take_chunk(w, UINT32_MAX);
    assert_int_equal(w->parts, CORE_WORKFLOW_PARTS_MAX);
    assert_int_equal(w->step_count, CORE_WORKFLOW_STEPS_MAX);
    core_workflow_free(w);
    core_workflow_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(research_takes_three_steps),
        cmocka_unit_test(an_approved_implementation_is_the_answer),
        cmocka_unit_test(faults_send_it_back_once),
        cmocka_unit_test(an_agent_thinks_and_acts_until_it_answers),
        cmocka_unit_test(a_call_of_the_callers_tool_ends_an_agent),
        cmocka_unit_test(maps_run_in_parallel_and_their_order_does_not_matter),
        cmocka_unit_test(one_chunk_is_mapped_and_reduced),
        cmocka_unit_test(reduces_make_a_tree),
        cmocka_unit_test(no_output_is_reduced_alone),
        cmocka_unit_test(a_group_is_full_at_the_limit_and_not_before),
        cmocka_unit_test(max_steps_cuts_research_and_code),
        cmocka_unit_test(max_steps_cuts_an_agent),
        cmocka_unit_test(max_steps_leaves_one_step_to_reduce),
        cmocka_unit_test(a_tree_that_has_too_few_steps_is_one_reduce),
        cmocka_unit_test(limits_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
