/* Random workflows with random outcomes, under many seeds. After each call core_workflow_check must hold, the caps too;
 * each ends; and one rebuilt from the steps that were stored, at any time and in any order, is the same. A failing seed
 * is printed: WORKFLOW_SEED=<seed> runs it alone. */
#include "base/mem.h"
#include "base/random_source.h"
#include "base/str.h"
#include "core/workflow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 20000, STORED_MAX = 3000 };

/* A step as a store keeps it: from its beginning on. */
struct stored {
    enum core_step_state state;
    int64_t hold_nano;
    struct core_step_result result;
};

struct run {
    uint64_t seed;
    struct random_source random;
    struct core_workflow *workflow;
    bool stopped; /* by a word from outside, which no step tells */
    uint32_t parts, fail_percent;
    struct stored stored[STORED_MAX];
};

static uint32_t pick(struct run *r, uint64_t bound) {
    return (uint32_t)random_below(&r->random, bound);
}

#define REQUIRE(run, condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fail_msg("seed %llu: %s", (unsigned long long)(run)->seed, #condition);                                    \
        }                                                                                                              \
    } while (0)

static void check(struct run *r, const struct core_workflow *w) {
    const char *wrong = core_workflow_check(w);
    if (wrong != NULL) {
        fail_msg("seed %llu: %s", (unsigned long long)r->seed, wrong);
    }
    REQUIRE(r, w->config.max_cost_nano < 0 || w->spent_nano + w->held_nano <= w->config.max_cost_nano);
    REQUIRE(r, w->executed <= w->config.max_steps && w->step_count <= STORED_MAX);
}

static void random_start(struct run *r, uint64_t seed) {
    memset(r, 0, sizeof(*r));
    r->seed = seed;
    r->random.state = seed;
    bool long_one = pick(r, 200) == 0;
    const struct core_workflow_config config = {
        .kind = long_one ? CORE_WORKFLOW_MAP_REDUCE : (enum core_workflow_kind)pick(r, CORE_WORKFLOW_KINDS),
        .max_steps = 1 + pick(r, long_one ? 400 : 30),
        .max_cost_nano = pick(r, 3) == 0 ? -1 : (int64_t)pick(r, 2000),
        .reduce_tokens = pick(r, 400),
    };
    r->parts = pick(r, long_one ? 500 : 25);
    r->fail_percent = pick(r, 3) == 0 ? pick(r, 20) : 0;
    r->workflow = core_workflow_new(&config);
    check(r, r->workflow);
}

/* ---- rebuilding ---- */

static void end_as_stored(struct run *r, struct core_workflow *w, uint32_t step) {
    if (r->stored[step].state == CORE_STEP_DONE) {
        core_workflow_done(w, step, &r->stored[step].result);
    } else {
        core_workflow_failed(w, step, r->stored[step].result.cost_nano);
    }
    check(r, w);
}

static bool is_same_plan(const struct core_step *a, const struct core_step *b) {
    return a->name == b->name && a->local == b->local && a->round == b->round && a->part == b->part &&
           a->first_input == b->first_input && a->input_count == b->input_count;
}

static bool is_same_step(const struct core_step *a, const struct core_step *b) {
    return is_same_plan(a, b) && a->state == b->state && a->hold_nano == b->hold_nano && a->cost_nano == b->cost_nano &&
           a->tokens == b->tokens && a->outcome == b->outcome;
}

static void require_same(struct run *r, const struct core_workflow *a, const struct core_workflow *b) {
    /* What was stopped from outside plans no more; the rebuilt one does not know of it, and may have more steps. */
    REQUIRE(r, a->step_count == b->step_count || (r->stopped && a->step_count < b->step_count));
    for (uint32_t i = 0; i < a->step_count; i++) {
        REQUIRE(r, is_same_step(&a->steps[i], &b->steps[i]));
    }
    REQUIRE(r, a->running == b->running && a->executed == b->executed);
    REQUIRE(r, a->spent_nano == b->spent_nano && a->held_nano == b->held_nano);
    REQUIRE(r, r->stopped || (a->parts == b->parts && a->ready == b->ready));
    REQUIRE(r, r->stopped || (a->ending == b->ending && a->part_cut == b->part_cut));
}

/* After a crash: by number. */
static void rebuild(struct run *r) {
    struct core_workflow *w = core_workflow_new(&r->workflow->config);
    for (uint32_t i = 0; i < w->step_count && i < STORED_MAX; i++) {
        if (r->stored[i].state != CORE_STEP_READY) {
            core_workflow_restore(w, i, r->stored[i].hold_nano);
            if (r->stored[i].state != CORE_STEP_RUNNING) {
                end_as_stored(r, w, i);
            }
        }
    }
    check(r, w);
    require_same(r, r->workflow, w);
    core_workflow_free(w);
}

static uint32_t pick_in_state(struct run *r, const struct core_workflow *w, enum core_step_state state, bool stored) {
    uint32_t found = CORE_NO_STEP;
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->step_count; i++) {
        if (w->steps[i].state == state && (!stored || r->stored[i].state != CORE_STEP_READY) && pick(r, ++count) == 0) {
            found = i;
        }
    }
    return found;
}

/* The same ends of steps in another order. Without the cap: other steps run at once, so more may be held. */
static void replay_in_any_order(struct run *r) {
    struct core_workflow_config config = r->workflow->config;
    config.max_cost_nano = -1;
    struct core_workflow *w = core_workflow_new(&config);
    for (;;) {
        uint32_t ready = pick_in_state(r, w, CORE_STEP_READY, true);
        uint32_t running = pick_in_state(r, w, CORE_STEP_RUNNING, false);
        if (ready == CORE_NO_STEP && running == CORE_NO_STEP) {
            break;
        }
        if (running == CORE_NO_STEP || (ready != CORE_NO_STEP && pick(r, 2) == 0)) {
            core_workflow_restore(w, ready, r->stored[ready].hold_nano);
            check(r, w);
        } else {
            end_as_stored(r, w, running);
        }
    }
    require_same(r, r->workflow, w);
    core_workflow_free(w);
}

/* ---- running ---- */

static void stop(struct run *r, enum core_workflow_status status) {
    r->stopped = r->stopped || r->workflow->ending == CORE_WORKFLOW_RUNNING;
    core_workflow_stop(r->workflow, status);
}

static void random_begin(struct run *r, uint32_t step) {
    struct core_workflow *w = r->workflow;
    int64_t left = core_workflow_left_nano(w);
    int64_t hold = w->steps[step].local ? 0 : (int64_t)pick(r, 300);
    bool begun = core_workflow_begin(w, step, hold);
    REQUIRE(r, begun == (hold <= left));
    if (!begun && left > 20) {
        hold = left;
        begun = core_workflow_begin(w, step, hold);
        REQUIRE(r, begun);
    }
    if (begun) {
        r->stored[step].state = CORE_STEP_RUNNING;
        r->stored[step].hold_nano = hold;
    } else if (w->running == 0) {
        stop(r, CORE_WORKFLOW_BUDGET_EXCEEDED);
    }
}

static void random_end(struct run *r, uint32_t step) {
    struct stored *s = &r->stored[step];
    s->state = pick(r, 100) < r->fail_percent ? CORE_STEP_FAILED : CORE_STEP_DONE;
    s->result.outcome = (enum core_step_outcome)pick(r, CORE_OUTCOMES);
    s->result.cost_nano = s->hold_nano == 0 ? 0 : (int64_t)pick(r, (uint64_t)s->hold_nano + 1);
    s->result.tokens = pick(r, 200);
    s->result.parts = r->parts;
    if (r->workflow->steps[step].name == CORE_STEP_THINK && pick(r, 4) != 0) {
        s->result.outcome = CORE_OUTCOME_ACTION;
    }
    end_as_stored(r, r->workflow, step);
}

static void require_answer(struct run *r) {
    const struct core_workflow *w = r->workflow;
    uint32_t first = 0;
    uint32_t count = 0;
    core_workflow_answer(w, &first, &count);
    REQUIRE(r, first + count <= w->step_count);
    bool any = false;
    for (uint32_t i = 0; i < w->step_count; i++) {
        bool in = i >= first && i < first + count;
        REQUIRE(r, !in || (w->steps[i].state == CORE_STEP_DONE && !w->steps[i].local));
        REQUIRE(r, !in || is_same_plan(&w->steps[i], &w->steps[first]) || w->steps[i].name == CORE_STEP_MAP ||
                       w->steps[i].name == CORE_STEP_REDUCE);
        any = any || (w->steps[i].state == CORE_STEP_DONE && !w->steps[i].local);
        /* What may be streamed is the whole answer. */
        REQUIRE(r, w->steps[i].state != CORE_STEP_DONE || !core_workflow_is_last(w, i) || (count == 1 && first == i));
    }
    REQUIRE(r, any == (count > 0));
    REQUIRE(r, w->ending != CORE_WORKFLOW_COMPLETED || count == 1);
}

static void run_seed(struct run *r, uint64_t seed) {
    random_start(r, seed);
    struct core_workflow *w = r->workflow;
    while (core_workflow_status(w) == CORE_WORKFLOW_RUNNING) {
        uint32_t ready = core_workflow_next(w);
        REQUIRE(r, ready != CORE_NO_STEP || w->running > 0);
        if (ready != CORE_NO_STEP && (w->running == 0 || pick(r, 2) == 0)) {
            random_begin(r, ready);
        } else {
            random_end(r, pick_in_state(r, w, CORE_STEP_RUNNING, false));
        }
        if (pick(r, 100) == 0) {
            stop(r, CORE_WORKFLOW_CANCELLED);
        }
        check(r, w);
        if (pick(r, 10) == 0) {
            rebuild(r);
        }
    }
    REQUIRE(r, w->held_nano == 0 && core_workflow_next(w) == CORE_NO_STEP);
    require_answer(r);
    rebuild(r);
    for (int i = 0; i < 3; i++) {
        replay_in_any_order(r);
    }
    core_workflow_free(w);
}

static void every_seed_keeps_the_rules(void **state UNUSED) {
    struct run *run = MEM_NEW(struct run);
    const char *one = getenv("WORKFLOW_SEED");
    uint64_t seed = 0;
    if (one != NULL && str_parse_u64(str_from(one), UINT64_MAX, &seed)) {
        run_seed(run, seed);
    }
    for (seed = 1; one == NULL && seed <= SEEDS; seed++) {
        run_seed(run, seed);
    }
    free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_seed_keeps_the_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
