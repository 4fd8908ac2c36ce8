#include "workflow/agent.h"

#include "base/compiler.h"
#include "text/words.h"
#include "workflow/calculate.h"
#include "workflow/echo.h"
#include "workflow/number_text.h"
#include "workflow/prompts.h"
#include "workflow/task.h"
#include "workflow/tool_question.h"

#include <string.h>

enum { FACT_BYTES = 1024, ANSWER_READ_BYTES = 1000 };

/* --- The rule --- */

bool agent_rule(const struct gen_request *request, const struct orchestration *asked, struct buf *out) {
    const bool asks = request->message_count > 0 && request->messages[request->message_count - 1].role == GEN_ROLE_USER;
    const struct tool_question question = tool_question_read(asks ? task_text(request) : STR(""));
    switch (question.kind) {
    case TOOL_QUESTION_ARITHMETIC:
        if (toolbox_hides(asked, STR("calculator"))) {
            return false;
        }
        buf_append_cstr(out, "Action: calculator[");
        buf_append_str(out, question.expression);
        buf_append_cstr(out, "]");
        return true;
    case TOOL_QUESTION_TIME:
        if (toolbox_hides(asked, STR("time"))) {
            return false;
        }
        buf_append_cstr(out, "Action: time[]");
        return true;
    case TOOL_QUESTION_OTHER:
        break;
    }
    return false;
}

/* --- What was done --- */

static bool is_done(const struct workflow_scene *scene, uint32_t step, enum core_step_name name) {
    const struct core_step *it = &scene->workflow->steps[step];
    return it->name == name && it->state == CORE_STEP_DONE;
}

static bool is_error(struct str output) {
    return str_starts_with(output, STR("Error"));
}

/* An act before `step` with what it was asked. False: this step is none. */
static bool act_at(const struct workflow_scene *scene, uint32_t number, struct workflow_meaning *call,
                   struct str *output) {
    if (!is_done(scene, number, CORE_STEP_ACT)) {
        return false;
    }
    const uint32_t think = scene->workflow->steps[number].first_input;
    *call = action_read(scene->asked, scene->outputs[think]);
    *output = scene->outputs[number];
    return true;
}

static bool same_argument(const struct workflow_meaning *a, const struct workflow_meaning *b) {
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a->argument.len && words_is_blank(a->argument.data[i])) {
            i++;
        }
        while (k < b->argument.len && words_is_blank(b->argument.data[k])) {
            k++;
        }
        if (i == a->argument.len || k == b->argument.len) {
            return i == a->argument.len && k == b->argument.len;
        }
        if (!str_equal_nocase((struct str){a->argument.data + i++, 1}, (struct str){b->argument.data + k++, 1})) {
            return false;
        }
    }
}

static bool same_call(const struct workflow_meaning *a, const struct workflow_meaning *b) {
    const bool same_tool = a->unknown_tool || b->unknown_tool || a->called != NULL || b->called != NULL
                               ? str_equal_nocase(a->tool_name, b->tool_name)
                               : a->tool == b->tool;
    return same_tool && same_argument(a, b);
}

/* The same value, whether it stands in JSON or not: its letters and digits, without the parameters' names. */
static bool same_values(struct str json, const struct workflow_meaning *call) {
    struct buf known, made;
    buf_init(&known, FACT_BYTES);
    buf_init(&made, FACT_BYTES);
    echo_fold(json, &known);
    echo_fold(call->called != NULL ? call->called->only : STR(""), &made);
    const size_t name = memmem(buf_str(&known).data, known.len, buf_str(&made).data, made.len) != NULL ? made.len : 0;
    buf_reset(&made);
    echo_fold(call->argument, &made);
    const bool same = str_equal(buf_str(&known), buf_str(&made)) ||
                      (name > 0 && str_equal(words_rest(buf_str(&known), name), buf_str(&made)));
    buf_clear(&known);
    buf_clear(&made);
    return same;
}

static size_t request_called(const struct gen_request *request, const struct workflow_meaning *call,
                             struct str *earlier) {
    size_t count = 0, task = request->message_count;
    while (task > 0 && request->messages[task - 1].role != GEN_ROLE_USER) {
        task--;
    }
    for (size_t i = task; call->called != NULL && i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        bool same = false;
        for (size_t k = 0; k < message->tool_call_count; k++) {
            same = same || (str_equal_nocase(message->tool_calls[k].name, call->called->name) &&
                            same_values(message->tool_calls[k].arguments, call));
        }
        if (same) {
            count++;
            *earlier = i + 1 < request->message_count ? request->messages[i + 1].content : STR("");
        }
    }
    return count;
}

size_t agent_called_before(const struct workflow_scene *scene, uint32_t step, const struct workflow_meaning *call,
                           struct str *earlier) {
    *earlier = STR("");
    size_t count = request_called(scene->request, call, earlier);
    for (uint32_t i = 0; i < step; i++) {
        struct workflow_meaning made;
        struct str output;
        if (act_at(scene, i, &made, &output) && same_call(&made, call)) {
            *earlier = count == 0 ? output : *earlier;
            count++;
        }
    }
    return count;
}

/* --- What follows --- */

bool agent_has_echoed(const struct workflow_scene *scene, uint32_t step) {
    for (uint32_t i = 0; i < step; i++) {
        if (scene->workflow->steps[i].outcome == CORE_OUTCOME_ECHO) {
            return true;
        }
    }
    return false;
}

bool agent_is_last(const struct workflow_scene *scene, uint32_t step) {
    uint32_t generations = 1;
    for (uint32_t i = 0; i < step; i++) {
        generations += scene->workflow->steps[i].local ? 0 : 1;
    }
    return generations >= scene->workflow->config.max_steps;
}

static bool has_results(const struct gen_request *request) {
    return request->message_count > 0 && request->messages[request->message_count - 1].role == GEN_ROLE_TOOL;
}

enum agent_mode agent_mode(const struct workflow_scene *scene, uint32_t step) {
    size_t errors = 0;
    struct str earlier;
    if (agent_is_last(scene, step) || has_results(scene->request) || agent_has_echoed(scene, step)) {
        return AGENT_ANSWERS;
    }
    for (uint32_t i = 0; i < step; i++) {
        struct workflow_meaning call;
        struct str output;
        if (!act_at(scene, i, &call, &output)) {
            continue;
        }
        errors++;
        if (call.unknown_tool || !is_error(output) || errors > 1 ||
            agent_called_before(scene, i, &call, &earlier) > 0) {
            return AGENT_ANSWERS;
        }
    }
    return AGENT_CHOOSES;
}

/* --- What the tools have said --- */

static void fact_append(const struct workflow_meaning *call, struct str output, struct buf *out) {
    switch (call->tool) {
    case WORKFLOW_TOOL_CALCULATOR:
        buf_append_cstr(out, "The calculator says: ");
        action_argument(call, out);
        buf_append_cstr(out, " = ");
        buf_append_str(out, output);
        buf_append_str(out, PROMPT_AGENT_RESULT);
        break;
    case WORKFLOW_TOOL_TIME:
        buf_append_cstr(out, "The clock says: ");
        buf_append_str(out, output);
        buf_append_str(out, PROMPT_AGENT_CLOCK);
        break;
    case WORKFLOW_TOOL_SEARCH:
        buf_append_cstr(out, "Earlier in this conversation:\n");
        buf_append_str(out, output);
        break;
    case WORKFLOW_TOOL_CALLER:
        buf_append_str(out, call->tool_name);
        buf_append_cstr(out, " says: ");
        buf_append_str(out, output);
        break;
    }
    buf_append_cstr(out, "\n");
}

static struct str call_name(const struct gen_request *request, size_t result) {
    for (size_t i = result; i > 0; i--) {
        const struct gen_message *message = &request->messages[i - 1];
        for (size_t k = 0; k < message->tool_call_count; k++) {
            if (str_equal(message->tool_calls[k].id, request->messages[result].tool_call_id)) {
                return message->tool_calls[k].name;
            }
        }
    }
    return STR("The tool");
}

static void request_facts_append(const struct gen_request *request, struct buf *out) {
    size_t task = request->message_count;
    while (task > 0 && request->messages[task - 1].role != GEN_ROLE_USER) {
        task--;
    }
    for (size_t i = task; i < request->message_count; i++) {
        if (request->messages[i].role == GEN_ROLE_TOOL) {
            buf_append_str(out, call_name(request, i));
            buf_append_cstr(out, " says: ");
            buf_append_str(out, request->messages[i].content);
            buf_append_cstr(out, "\n");
        }
    }
}

/* An act that said something, and not for the second time. */
static bool is_result(const struct workflow_scene *scene, uint32_t number, struct workflow_meaning *call,
                      struct str *output) {
    struct str earlier;
    return act_at(scene, number, call, output) && !call->unknown_tool && !is_error(*output) &&
           agent_called_before(scene, number, call, &earlier) == 0;
}

void agent_facts_append(const struct workflow_scene *scene, uint32_t step, struct buf *out, bool *again) {
    struct workflow_meaning call;
    struct str output, earlier;
    *again = false;
    request_facts_append(scene->request, out);
    for (uint32_t i = 0; i < step; i++) {
        if (is_result(scene, i, &call, &output)) {
            fact_append(&call, output, out);
        } else if (act_at(scene, i, &call, &output)) {
            *again = agent_called_before(scene, i, &call, &earlier) > 0;
        }
    }
}

void agent_results_append(const struct workflow_scene *scene, struct buf *out) {
    struct workflow_meaning call;
    struct str output;
    for (uint32_t i = 0; i < scene->workflow->step_count; i++) {
        if (!is_result(scene, i, &call, &output)) {
            continue;
        }
        buf_append_cstr(out, out->len > 0 ? "\n" : "");
        if (call.tool == WORKFLOW_TOOL_CALCULATOR) {
            action_argument(&call, out);
            buf_append_cstr(out, " = ");
        }
        buf_append_str(out, output);
    }
}

/* --- Answers that are none --- */

/* The answer's number is the result, or what the result is when it is rounded to so many digits. */
static bool is_result_number(const struct number *result, struct str digits) {
    struct number said, distance, half;
    struct err err;
    struct str whole, decimals;
    number_init(&said);
    number_init(&distance);
    number_init(&half);
    const bool point = str_split(digits, '.', &whole, &decimals);
    bool same = number_read(&said, digits, &err);
    number_set(&distance, result);
    number_set_long(&half, 10);
    struct number places;
    number_init(&places);
    number_set_long(&places, point ? -(long)decimals.len : 0);
    same = same && number_operate(NUMBER_POWER, &half, &places, &err);
    number_set_long(&places, 2);
    same = same && number_operate(NUMBER_DIVIDE, &half, &places, &err) && number_apply(NUMBER_ABS, &distance, &err) &&
           number_apply(NUMBER_ABS, &said, &err) && number_operate(NUMBER_SUBTRACT, &distance, &said, &err) &&
           number_apply(NUMBER_ABS, &distance, &err);
    const bool exact = number_is_whole(result);
    if (same && exact) {
        number_set_long(&half, 0);
    }
    same = same && number_compare(&distance, &half) <= 0;
    number_clear(&said);
    number_clear(&distance);
    number_clear(&half);
    number_clear(&places);
    return same;
}

static bool says_number(struct str answer, struct str result) {
    struct formula formula;
    struct number number;
    struct err err;
    bool said = memmem(answer.data, answer.len, result.data, result.len) != NULL;
    if (said) {
        return true;
    }
    answer.len = answer.len < ANSWER_READ_BYTES ? answer.len : ANSWER_READ_BYTES;
    result = str_starts_with(result, STR("-")) ? words_rest(result, 1) : result;
    number_init(&number);
    if (number_read(&number, result, &err) &&
        formula_read(answer, calculate_is_name, calculate_has_arguments, &formula)) {
        for (size_t i = 0; !said && i < formula.count; i++) {
            said = formula.tokens[i].kind == FORMULA_NUMBER && is_result_number(&number, formula.tokens[i].text);
        }
    } else {
        said = true; /* "about 5e+20": it may be said in many ways */
    }
    number_clear(&number);
    return said;
}

/* What a plain sum came to is not in its answer, or nothing of what the clock said can be. */
static bool misses_result(const struct workflow_scene *scene, uint32_t step, struct str answer) {
    struct workflow_meaning call;
    struct str output;
    if (!scene->workflow->config.by_rule || step < 2 || !act_at(scene, 1, &call, &output) || is_error(output)) {
        return false;
    }
    return (call.tool == WORKFLOW_TOOL_CALCULATOR && !says_number(answer, output)) ||
           (call.tool == WORKFLOW_TOOL_TIME && !echo_says_more(answer, task_text(scene->request)));
}

bool agent_echoes(const struct workflow_scene *scene, uint32_t step, struct str answer) {
    return echo_is(answer, task_text(scene->request)) || misses_result(scene, step, answer);
}
