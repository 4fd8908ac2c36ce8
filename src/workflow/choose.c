#include "workflow/choose.h"

#include "text/words.h"
#include "workflow/fit.h"
#include "workflow/task.h"
#include "workflow/tool_question.h"

enum { EXPRESSION_DIGITS_MIN = 2 };

static const struct str code_words[] = {
    STR("function"),    STR("functions"), STR("script"),     STR("bug"),        STR("bugs"),        STR("implement"),
    STR("python"),      STR("sql"),       STR("javascript"), STR("typescript"), STR("java"),        STR("c++"),
    STR("rust"),        STR("golang"),    STR("bash"),       STR("html"),       STR("css"),         STR("regex"),
    STR("code"),        STR("program"),   STR("refactor"),   STR("debug"),      STR("compile"),     STR("compiler"),
    STR("programming"), STR("algorithm"), STR("unit test"),  STR("unit tests"), STR("stack trace"),
};

static const struct str agent_words[] = {
    STR("calculate"),    STR("compute"),   STR("what time"),    STR("current time"), STR("time is it"),
    STR("current date"), STR("what date"), STR("today's date"), STR("what day"),     STR("the date today"),
};

static const struct str research_words[] = {
    STR("research"),      STR("compare"),  STR("comparison"),
    STR("analyze"),       STR("analyse"),  STR("analysis"),
    STR("report"),        STR("trend"),    STR("trends"),
    STR("pros and cons"), STR("overview"), STR("survey"),
    STR("investigate"),   STR("in depth"), STR("in-depth"),
    STR("impact"),        STR("market"),   STR("advantages and disadvantages"),
};

static bool is_operator(char c) {
    return c == '+' || c == '-' || c == '*' || c == '/' || c == '^' || c == '%' || c == '=';
}

/* "What is 17 * 23?": a third of it or more, blanks apart, are digits, operators and brackets. */
static bool is_expression(struct str text) {
    size_t digits = 0, operators = 0, marks = 0, all = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        digits += c >= '0' && c <= '9';
        operators += is_operator(c);
        marks += c == '(' || c == ')' || c == '.' || c == ',';
        all += !words_is_blank(c);
    }
    return digits >= EXPRESSION_DIGITS_MIN && operators > 0 && 3 * (digits + operators + marks) >= all;
}

static bool has_code_block(struct str text) {
    for (size_t at = 0; at + 3 <= text.len; at++) {
        if (text.data[at] == '`' && text.data[at + 1] == '`' && text.data[at + 2] == '`') {
            return true;
        }
    }
    return false;
}

enum core_workflow_kind workflow_choose(const struct gen_request *request, const struct orchestration *asked,
                                        uint32_t context_length, const struct tokens_rates *rates) {
    const struct str task = task_text(request);
    if (fit_text_tokens(task_document(request), rates) > fit_context(context_length) / 2) {
        return CORE_WORKFLOW_MAP_REDUCE;
    }
    if (asked->tool_count > 0) {
        return CORE_WORKFLOW_AGENT;
    }
    if (tool_question_read(task).kind != TOOL_QUESTION_OTHER) {
        return CORE_WORKFLOW_AGENT;
    }
    if (has_code_block(task) || words_find_any(task, code_words, COUNT_OF(code_words))) {
        return CORE_WORKFLOW_CODE;
    }
    if (words_find_any(task, agent_words, COUNT_OF(agent_words)) || is_expression(task)) {
        return CORE_WORKFLOW_AGENT;
    }
    return words_find_any(task, research_words, COUNT_OF(research_words)) ? CORE_WORKFLOW_RESEARCH
                                                                          : CORE_WORKFLOW_AGENT;
}
