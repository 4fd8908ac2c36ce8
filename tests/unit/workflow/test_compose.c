#include "workflow/budget.h"
#include "workflow/choose.h"
#include "workflow/compose.h"
#include "workflow/fit.h"
#include "workflow/meaning.h"
#include "workflow/task.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS_MAX = 16, LONG_BYTES = 20000, ARENA_BYTES = 64 * 1024 * 1024 };

struct fixture {
    struct arena arena;
    struct gen_message messages[4];
    struct gen_request request;
    struct orchestration asked;
    struct core_step steps[STEPS_MAX];
    struct core_workflow workflow;
    struct str outputs[STEPS_MAX];
    struct workflow_scene scene;
    struct gen_request made;
    struct buf text;
};

/* Those of a model that nobody knows, so many times. */
static struct tokens_rates rates_of(uint32_t scale) {
    struct tokens_rates rates = tokens_prior_of(STR("demo"))->rates;
    tokens_rates_scale(&rates, 100 * (uint64_t)scale);
    return rates;
}

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    arena_init(&fixture->arena, ARENA_BYTES);
    buf_init(&fixture->text, 1024 * 1024);
    gen_request_init(&fixture->request);
    fixture->request.model = STR("demo");
    fixture->request.messages = fixture->messages;
    fixture->messages[0] = (struct gen_message){GEN_ROLE_SYSTEM, STR("Speak like a pirate."), STR(""), NULL, 0};
    fixture->messages[1] = (struct gen_message){GEN_ROLE_USER, STR("What is solar power?"), STR(""), NULL, 0};
    fixture->request.message_count = 2;
    fixture->request.max_tokens = 300;
    fixture->request.stop[0] = STR("END");
    fixture->request.stop[1] = STR("\n");
    fixture->request.stop_count = 2;
    orchestration_init(&fixture->asked);
    fixture->workflow = (struct core_workflow){.steps = fixture->steps, .config = {.max_steps = 10}};
    fixture->scene = (struct workflow_scene){.request = &fixture->request,
                                             .asked = &fixture->asked,
                                             .workflow = &fixture->workflow,
                                             .outputs = fixture->outputs,
                                             .context_length = 4096,
                                             .rates = rates_of(1)};
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    arena_clear(&fixture->arena);
    buf_clear(&fixture->text);
    free(fixture);
    return 0;
}

static uint32_t add(struct fixture *fixture, enum core_step_name name, uint32_t round, const char *output) {
    const uint32_t number = fixture->workflow.step_count++;
    fixture->steps[number] =
        (struct core_step){.name = name, .round = round, .state = output != NULL ? CORE_STEP_DONE : CORE_STEP_READY};
    fixture->outputs[number] = str_from(output);
    return number;
}

static struct str made(struct fixture *fixture, uint32_t step, bool system) {
    assert_true(workflow_step_compose(&fixture->scene, step, &fixture->arena, &fixture->made));
    assert_int_equal(fixture->made.message_count, 2);
    assert_int_equal(fixture->made.messages[0].role, GEN_ROLE_SYSTEM);
    return fixture->made.messages[system ? 0 : 1].content;
}

static bool has(struct str text, const char *part) {
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

static void test_inner_and_last_steps(void **state) {
    struct fixture *fixture = *state;
    add(fixture, CORE_STEP_RESEARCH, 1, "Panels make power.");
    add(fixture, CORE_STEP_ANALYZE, 1, "It gets cheap.");
    const uint32_t last = add(fixture, CORE_STEP_WRITE, 1, NULL);
    struct str text = made(fixture, 0, false);
    assert_true(has(text, "What is solar power?") && !has(text, "Panels"));
    assert_false(has(made(fixture, 0, true), "pirate"));
    assert_int_equal(fixture->made.max_tokens, WORKFLOW_STEP_TOKENS);
    assert_int_equal(fixture->made.stop_count, 0);
    text = made(fixture, last, false);
    assert_true(has(text, "What is solar power?") && has(text, "Panels make") && has(text, "gets cheap"));
    assert_true(has(made(fixture, last, true), "pirate"));
    assert_int_equal(fixture->made.max_tokens, 300);
    assert_int_equal(fixture->made.stop_count, 2);
    assert_true(str_equal(fixture->made.model, STR("demo")) && fixture->made.prompt.len == 0);
}

static void test_code_again_has_code_and_faults(void **state) {
    struct fixture *fixture = *state;
    add(fixture, CORE_STEP_PLAN, 1, "1. read");
    add(fixture, CORE_STEP_IMPLEMENT, 1, "int main");
    const uint32_t review = add(fixture, CORE_STEP_REVIEW, 1, "FAULTS: leaks");
    const uint32_t again = add(fixture, CORE_STEP_IMPLEMENT, 2, NULL);
    assert_true(has(made(fixture, 1, false), "1. read"));
    assert_true(has(made(fixture, review, false), "int main"));
    const struct str text = made(fixture, again, false);
    assert_true(has(text, "int main") && has(text, "leaks") && !has(text, "1. read"));
}

static struct str turn(const struct fixture *fixture, size_t index) {
    assert_true(index < fixture->made.message_count);
    return fixture->made.messages[index].content;
}

static void compose(struct fixture *fixture, uint32_t step) {
    assert_true(workflow_step_compose(&fixture->scene, step, &fixture->arena, &fixture->made));
    for (size_t i = 0; i < fixture->made.message_count; i++) {
        const enum gen_role wanted = i == 0 ? GEN_ROLE_SYSTEM : i % 2 == 1 ? GEN_ROLE_USER : GEN_ROLE_ASSISTANT;
        assert_int_equal(fixture->made.messages[i].role, wanted); /* templates want them so */
    }
}

static void test_agent_chooses_by_examples(void **state) {
    static const struct orchestration_tool tools[] = {{STR("search"), STR("The web"), STR("query"), STR("query")}};
    struct fixture *fixture = *state;
    fixture->asked.tools = tools;
    fixture->asked.tool_count = 1;
    fixture->messages[2] = (struct gen_message){GEN_ROLE_ASSISTANT, STR("Power of the sun."), STR(""), NULL, 0};
    fixture->messages[3] = (struct gen_message){GEN_ROLE_USER, STR("And its price?"), STR(""), NULL, 0};
    fixture->request.message_count = 4;
    fixture->request.temperature = 0.7;
    fixture->scene.now_ms = INT64_C(1769335200000);
    compose(fixture, add(fixture, CORE_STEP_THINK, 1, NULL));
    const struct str system = turn(fixture, 0);
    assert_true(has(system, "Speak like a pirate.") && has(system, "Sunday, 25 January 2026, 10:00 UTC."));
    assert_true(has(system, "- calculator") && has(system, "- search[query]: The web"));
    assert_false(has(system, "earlier messages")); /* the caller's search hides ours */
    const size_t last = fixture->made.message_count - 1;
    assert_true(str_equal(turn(fixture, last), STR("And its price?")));
    assert_true(str_equal(turn(fixture, last - 1), STR("Power of the sun.")));
    assert_true(str_equal(turn(fixture, last - 2), STR("What is solar power?")));
    assert_true(str_starts_with(turn(fixture, 2), STR("Action: calculator[")));
    assert_true(fixture->made.temperature == 0);
    assert_int_equal(fixture->made.stop_count, 2);
    assert_true(str_equal(fixture->made.stop[0], STR("END")) &&
                str_equal(fixture->made.stop[1], STR("\nObservation:")));
}

static void test_agent_answers_with_what_tools_said(void **state) {
    static const struct gen_tool_call call = {STR("call_1"), STR("look"), STR("{\"at\":1}")};
    struct fixture *fixture = *state;
    fixture->messages[2] = (struct gen_message){GEN_ROLE_ASSISTANT, STR(""), STR(""), &call, 1};
    fixture->messages[3] = (struct gen_message){GEN_ROLE_TOOL, STR("seen"), STR("call_1"), NULL, 0};
    fixture->request.message_count = 4;
    fixture->request.temperature = 0.7;
    add(fixture, CORE_STEP_THINK, 1, "Thought: x\nAction: calculator[2*3]\nObservation: 7");
    const uint32_t act = add(fixture, CORE_STEP_ACT, 1, "6");
    fixture->steps[act].first_input = act - 1;
    compose(fixture, add(fixture, CORE_STEP_THINK, 2, NULL));
    assert_int_equal(fixture->made.message_count, 2); /* a plain chat */
    assert_true(str_starts_with(turn(fixture, 1), STR("What is solar power?\n(look says: seen\n")));
    assert_true(has(turn(fixture, 1), "The calculator says: 2*3 = 6. Tell the user the result.)"));
    assert_false(has(turn(fixture, 0), "- calculator"));
    assert_true(fixture->made.temperature > 0.6);
}

static void test_agent_mends_what_a_tool_refuses_once(void **state) {
    struct fixture *fixture = *state;
    for (uint32_t round = 1; round <= 2; round++) {
        add(fixture, CORE_STEP_THINK, round, round == 1 ? "Action: calculator[two]" : "Action: calculator[three]");
        const uint32_t act = add(fixture, CORE_STEP_ACT, round, "Error: no.");
        fixture->steps[act].first_input = act - 1;
        compose(fixture, add(fixture, CORE_STEP_THINK, round + 1, NULL));
        const size_t last = fixture->made.message_count - 1;
        if (round == 1) {
            assert_true(str_equal(turn(fixture, last - 1), STR("Action: calculator[two]")));
            assert_true(str_equal(turn(fixture, last), STR("Observation: Error: no.")));
        } else {
            assert_int_equal(last, 1);
        }
        fixture->workflow.step_count--;
    }
}

static void test_agent_is_told_that_it_repeats(void **state) {
    struct fixture *fixture = *state;
    for (uint32_t round = 1; round <= 2; round++) {
        add(fixture, CORE_STEP_THINK, round, "Action: calculator[1+1]");
        const uint32_t act = add(fixture, CORE_STEP_ACT, round, round == 1 ? "2" : "This was called already");
        fixture->steps[act].first_input = act - 1;
    }
    const uint32_t think = add(fixture, CORE_STEP_THINK, 3, NULL);
    compose(fixture, think);
    assert_true(has(turn(fixture, 1), "1+1 = 2") && has(turn(fixture, 1), "already"));
    assert_int_equal(workflow_step_meaning(&fixture->scene, think, STR("Action: calculator[ 1 + 1 ]")).outcome,
                     CORE_OUTCOME_LOOP);
    assert_int_equal(workflow_step_meaning(&fixture->scene, think, STR("Action: calculator[1+2]")).outcome,
                     CORE_OUTCOME_ACTION);
}

static void test_history_comes_before_the_task(void **state) {
    struct fixture *fixture = *state;
    fixture->messages[2] = (struct gen_message){GEN_ROLE_ASSISTANT, STR("Power of the sun."), STR(""), NULL, 0};
    fixture->messages[3] = (struct gen_message){GEN_ROLE_USER, STR("And its price?"), STR(""), NULL, 0};
    fixture->request.message_count = 4;
    const struct str text = made(fixture, add(fixture, CORE_STEP_RESEARCH, 1, NULL), false);
    assert_true(has(text, "User: What is solar power?\nAssistant: Power of the sun.\n") &&
                has(text, "Task:\nAnd its price?"));
}

static void test_long_inputs_are_cut_in_the_middle(void **state) {
    struct fixture *fixture = *state;
    buf_append_cstr(&fixture->text, "BEGIN ");
    for (int i = 0; i < 9000; i++) {
        buf_append_cstr(&fixture->text, "fact ");
    }
    buf_append_cstr(&fixture->text, "FINISH");
    add(fixture, CORE_STEP_RESEARCH, 1, buf_cstr(&fixture->text));
    const struct str text = made(fixture, add(fixture, CORE_STEP_ANALYZE, 1, NULL), false);
    assert_true(has(text, "BEGIN") && has(text, " ... ") && has(text, "FINISH") && has(text, "What is solar power?"));
    assert_true(has(text, "What do these facts mean"));
}

static void fill(struct fixture *fixture, bool ascii) {
    buf_reset(&fixture->text);
    while (fixture->text.len < LONG_BYTES) {
        buf_append_cstr(&fixture->text, ascii ? "Some words and more. " : "Größe und 漢字. ");
    }
}

/* Whatever the texts, the context and the scale. */
static void test_always_fits(void **state) {
    static const enum core_step_name names[] = {
        CORE_STEP_RESEARCH,  CORE_STEP_ANALYZE,   CORE_STEP_WRITE, CORE_STEP_PLAN, CORE_STEP_REVIEW,
        CORE_STEP_IMPLEMENT, CORE_STEP_IMPLEMENT, CORE_STEP_THINK, CORE_STEP_MAP,  CORE_STEP_REDUCE};
    static const uint32_t contexts[] = {16, 64, 128, 200, 512, 1024, 4096, 32768};
    static struct orchestration_tool tools[ORCHESTRATION_TOOLS_MAX];
    struct fixture *fixture = *state;
    for (int round = 0; round < 4; round++) {
        fill(fixture, round & 1);
        const struct str text = round & 2 ? buf_str(&fixture->text) : STR("short");
        fixture->messages[0].content = fixture->messages[1].content = text;
        for (size_t i = 0; i < COUNT_OF(tools); i++) {
            tools[i] = (struct orchestration_tool){
                STR("some_long_name_of_a_tool"), {text.data, text.len / 10}, STR("a"), STR("a")};
        }
        fixture->asked.tools = tools;
        fixture->asked.tool_count = COUNT_OF(tools);
        fixture->workflow.step_count = 0;
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            const uint32_t step = add(fixture, names[i], i == 6 ? 2 : 1, "");
            fixture->outputs[step] = text;
            fixture->steps[step].input_count = step;
        }
        for (size_t c = 0; c < COUNT_OF(contexts); c++) {
            for (uint32_t scale = 1; scale <= 4; scale *= 2) {
                fixture->scene.context_length = contexts[c];
                const struct tokens_rates rates = rates_of(scale);
                fixture->scene.rates = rates;
                fixture->scene.chunks = workflow_chunks_plan(&fixture->request, contexts[c], &rates);
                for (uint32_t step = 0; step < fixture->workflow.step_count; step++) {
                    struct gen_request *made = &fixture->made;
                    assert_true(workflow_step_compose(&fixture->scene, step, &fixture->arena, made));
                    int64_t tokens = made->max_tokens;
                    for (size_t i = 0; i < made->message_count; i++) {
                        tokens += fit_text_tokens(made->messages[i].content, &rates);
                        assert_true(utf8_valid(made->messages[i].content.data, made->messages[i].content.len));
                    }
                    assert_true(made->message_count >= 1 && made->max_tokens >= 1);
                    assert_true(tokens <= contexts[c]);
                }
                arena_clear(&fixture->arena);
            }
        }
    }
}

static void test_same_again(void **state) {
    struct fixture *fixture = *state;
    uint8_t first[32], second[32], other[32];
    fill(fixture, false);
    fixture->messages[1].content = buf_str(&fixture->text);
    const uint32_t step = add(fixture, CORE_STEP_PLAN, 1, NULL);
    (void)made(fixture, step, true);
    workflow_prompt_digest(&fixture->made, first);
    fixture->steps[step].state = CORE_STEP_RUNNING;
    fixture->workflow.executed = 1;
    (void)made(fixture, step, true);
    workflow_prompt_digest(&fixture->made, second);
    assert_memory_equal(first, second, 32);
    fixture->scene.rates = rates_of(2);
    (void)made(fixture, step, true);
    workflow_prompt_digest(&fixture->made, other);
    assert_memory_not_equal(first, other, 32);
}

static void test_full_arena(void **state) {
    struct fixture *fixture = *state;
    const uint32_t step = add(fixture, CORE_STEP_PLAN, 1, NULL);
    bool made = false;
    for (size_t limit = 0; !made && limit < 64 * 1024; limit += 16) {
        struct arena small;
        arena_init(&small, limit);
        made = workflow_step_compose(&fixture->scene, step, &small, &fixture->made);
        assert_true(limit > 0 || !made);
        arena_clear(&small);
    }
    assert_true(made);
}

static void test_tokens(void **state) {
    const struct tokens_rates rates = rates_of(1), twice = rates_of(2);
    (void)state;
    assert_int_equal(fit_text_tokens(STR(""), &rates), 0);
    assert_int_equal(fit_text_tokens(STR("abc"), &rates), 1);
    assert_int_equal(fit_text_tokens(STR("abc"), &twice), 2);
    assert_int_equal(fit_text_tokens(STR("漢字"), &rates), 5);
}

static void test_choose(void **state) {
    static const struct {
        const char *text;
        enum core_workflow_kind kind;
    } cases[] = {
        {"Write a Python script that sorts a file", CORE_WORKFLOW_CODE},
        {"What is wrong?\n```\nx = 1\n```", CORE_WORKFLOW_CODE},
        {"Explain pointers in C++ please", CORE_WORKFLOW_CODE},
        {"Calculate the area of a circle", CORE_WORKFLOW_AGENT},
        {"What is 17 * 23?", CORE_WORKFLOW_AGENT},
        {"What time is it?", CORE_WORKFLOW_AGENT},
        {"Research renewable energy trends", CORE_WORKFLOW_RESEARCH},
        {"Compare tea and coffee", CORE_WORKFLOW_RESEARCH},
        {"What are the Pros and Cons of cars?", CORE_WORKFLOW_RESEARCH},
        {"Who wrote Hamlet?", CORE_WORKFLOW_AGENT},
        {"He is a codependent researcher", CORE_WORKFLOW_AGENT},
    };
    static const struct orchestration_tool tool = {STR("x"), STR(""), STR(""), STR("")};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fixture->messages[1].content = str_from(cases[i].text);
        assert_int_equal(workflow_choose(&fixture->request, &fixture->asked, 4096, &fixture->scene.rates),
                         cases[i].kind);
    }
    fixture->asked.tools = &tool;
    fixture->asked.tool_count = 1;
    fixture->messages[1].content = STR("Compare tea and coffee");
    assert_int_equal(workflow_choose(&fixture->request, &fixture->asked, 4096, &fixture->scene.rates),
                     CORE_WORKFLOW_AGENT);
    fill(fixture, true);
    fixture->messages[1].content = buf_str(&fixture->text);
    assert_int_equal(workflow_choose(&fixture->request, &fixture->asked, 4096, &fixture->scene.rates),
                     CORE_WORKFLOW_MAP_REDUCE);
}

static void test_task(void **state) {
    struct fixture *fixture = *state;
    char task[9];
    fixture->messages[1].content = STR("\n Größe ü");
    task_copy(&fixture->request, task, sizeof(task));
    assert_string_equal(task, "Größe ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_inner_and_last_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_code_again_has_code_and_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_agent_chooses_by_examples, setup, teardown),
        cmocka_unit_test_setup_teardown(test_agent_answers_with_what_tools_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_agent_mends_what_a_tool_refuses_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_agent_is_told_that_it_repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history_comes_before_the_task, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_inputs_are_cut_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_always_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_arena, setup, teardown),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test_setup_teardown(test_choose, setup, teardown),
        cmocka_unit_test_setup_teardown(test_task, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
