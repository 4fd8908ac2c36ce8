/* Workflows by hand, for the tests of their files. Every call is followed by core_workflow_check. */
#ifndef NATARIS_TESTS_UNIT_CORE_WORKFLOW_FIXTURE_H
#define NATARIS_TESTS_UNIT_CORE_WORKFLOW_FIXTURE_H

#include "core/workflow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { COST = 10, HOLD = 15, TEXT_SIZE = 1024 };

static inline struct core_workflow *start(enum core_workflow_kind kind, uint32_t max_steps) {
    const struct core_workflow_config config = {
        .kind = kind, .max_steps = max_steps, .max_cost_nano = -1, .reduce_tokens = 100};
    return core_workflow_new(&config);
}

static inline void holds(const struct core_workflow *w) {
    const char *wrong = core_workflow_check(w);
    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
}

static inline uint32_t begin(struct core_workflow *w) {
    uint32_t step = core_workflow_next(w);
    assert_int_not_equal(step, CORE_NO_STEP);
    assert_true(core_workflow_begin(w, step, w->steps[step].local ? 0 : HOLD));
    holds(w);
    return step;
}

static inline void done(struct core_workflow *w, uint32_t step, enum core_step_outcome outcome, uint32_t tokens) {
    struct core_step_result result = {.outcome = outcome, .tokens = tokens};
    result.cost_nano = w->steps[step].local ? 0 : COST;
    core_workflow_done(w, step, &result);
    holds(w);
}

static inline void take(struct core_workflow *w, enum core_step_outcome outcome) {
    done(w, begin(w), outcome, 0);
}

static inline void take_chunk(struct core_workflow *w, uint32_t parts) {
    const struct core_step_result result = {.parts = parts};
    core_workflow_done(w, begin(w), &result);
    holds(w);
}

static inline void take_all(struct core_workflow *w, uint32_t tokens) {
    while (core_workflow_next(w) != CORE_NO_STEP) {
        done(w, begin(w), CORE_OUTCOME_TEXT, tokens);
    }
}

/* "chunk map:0<0 map:1<0 reduce<1-2": name, round unless 1, part unless 0, inputs. */
static inline const char *told(const struct core_workflow *w) {
    static char text[TEXT_SIZE];
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < w->step_count && length < sizeof(text) - 64; i++) {
        const struct core_step *s = &w->steps[i];
        length += (size_t)snprintf(text + length, 32, "%s%s", i > 0 ? " " : "", core_step_name_text(s->name));
        if (s->round != 1) {
            length += (size_t)snprintf(text + length, 8, "%u", s->round);
        }
        if (s->part != 0) {
            length += (size_t)snprintf(text + length, 8, ":%u", s->part);
        }
        if (s->input_count > 0) {
            length += (size_t)snprintf(text + length, 8, "<%u", s->first_input);
        }
        if (s->input_count > 1) {
            length += (size_t)snprintf(text + length, 8, "-%u", s->first_input + s->input_count - 1);
        }
    }
    return text;
}

static inline void ends(struct core_workflow *w, enum core_workflow_status status, const char *steps, uint32_t first,
                        uint32_t count) {
    assert_string_equal(told(w), steps);
    assert_string_equal(core_workflow_status_name(core_workflow_status(w)), core_workflow_status_name(status));
    assert_int_equal(core_workflow_next(w), CORE_NO_STEP);
    uint32_t answer_first = 0;
    uint32_t answer_count = 0;
    core_workflow_answer(w, &answer_first, &answer_count);
    assert_int_equal(answer_count, count);
    assert_int_equal(answer_first, first);
    holds(w);
    core_workflow_free(w);
}

#endif
