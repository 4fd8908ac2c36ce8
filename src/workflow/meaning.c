#include "workflow/meaning.h"

#include "text/words.h"
#include "workflow/think.h"

static bool is_quoted(struct str text) {
    return text.len >= 2 && (text.data[0] == '"' || text.data[0] == '\'') && text.data[text.len - 1] == text.data[0];
}

/* Behind the name of a value: of "expression" in "expression=2", of "\"expression\" " in "\"expression\" : 2". */
static size_t key_end(struct str text, bool quoted) {
    size_t at = 0;
    while (at < text.len &&
           (words_is_byte(text.data[at]) || (quoted && (text.data[at] == '"' || text.data[at] == ' ')))) {
        at++;
    }
    return text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9' ? 0 : at;
}

/* "expression=2+2" and {"expression": "2+2"}, where there can be one argument only: the value. */
static struct str value_of(struct str argument) {
    const bool braces = argument.len > 2 && argument.data[0] == '{' && argument.data[argument.len - 1] == '}';
    struct str text = braces ? words_trim((struct str){argument.data + 1, argument.len - 2}) : argument;
    const size_t at = key_end(text, braces);
    if (at == 0 || at == text.len || text.data[at] != (braces ? ':' : '=')) {
        return argument;
    }
    text = words_trim(words_rest(text, at + 1));
    return is_quoted(text) ? (struct str){text.data + 1, text.len - 2} : text;
}

static struct workflow_meaning think_meaning(const struct orchestration *asked, struct str output) {
    struct think_parts parts = think_read(output), bare;
    if (!parts.action && think_read_bare(output, &bare) && toolbox_find(asked, bare.name).known) {
        parts = bare;
    }
    struct workflow_meaning meaning = {
        .outcome = CORE_OUTCOME_ANSWER, .text = parts.text, .tool_name = STR(""), .argument = STR("")};
    if (!parts.action) {
        return meaning;
    }
    const struct toolbox_tool tool = toolbox_find(asked, parts.name);
    meaning.outcome = tool.called != NULL ? CORE_OUTCOME_CALL : CORE_OUTCOME_ACTION;
    meaning.unknown_tool = !tool.known;
    meaning.tool = tool.tool;
    meaning.called = tool.called;
    meaning.tool_name = parts.name;
    meaning.argument = tool.known && tool.called == NULL ? value_of(parts.argument) : parts.argument;
    return meaning;
}

/* A line without the marks before it; *listed: it is a point of a list. */
static struct str point_read(struct str line, bool *listed) {
    size_t digits = 0;
    line = words_trim(line);
    while (digits < line.len && line.data[digits] >= '0' && line.data[digits] <= '9') {
        digits++;
    }
    const bool numbered = digits > 0 && digits + 1 < line.len && (line.data[digits] == '.' || line.data[digits] == ')');
    const bool dashed = line.len > 1 && (line.data[0] == '-' || line.data[0] == '*') && line.data[1] == ' ';
    *listed = numbered || dashed;
    line = words_rest(line, numbered ? digits + 1 : 0);
    while (line.len > 0 && !words_is_byte(line.data[0])) {
        line = words_rest(line, 1);
    }
    return line;
}

static const struct str approvals[] = {
    STR("approved"),  STR("no faults"),  STR("no fault"),   STR("no issues"), STR("no bugs"),
    STR("no errors"), STR("looks good"), STR("looks fine"), STR("correct"),   STR("lgtm"),
};

static const struct str refusals[] = {
    STR("not approved"),      STR("not correct"),          STR("isn't correct"),     STR("incorrect"),
    STR("not fully correct"), STR("not entirely correct"), STR("not quite correct"),
};

static enum core_step_outcome review_outcome(struct str output) {
    struct str line, rest = words_trim(output);
    bool listed = false, list = false, code = false;
    for (bool first = true; rest.len > 0;) {
        (void)str_split(rest, '\n', &line, &rest);
        if (words_begin(words_trim(line), STR("```"))) {
            code = !code; /* what a program says is no verdict */
            continue;
        }
        const struct str point = code ? STR("") : point_read(line, &listed);
        if (point.len == 0) {
            continue;
        }
        if (first && words_find_any(point, refusals, COUNT_OF(refusals))) {
            return CORE_OUTCOME_FAULTS;
        }
        if ((first && words_find_any(point, approvals, COUNT_OF(approvals))) || words_begin(point, STR("approved"))) {
            return CORE_OUTCOME_APPROVED;
        }
        if (words_find(point, STR("faults")) == 0) {
            const struct str behind = words_rest(point, sizeof("faults") - 1);
            static const struct str none[] = {STR("none"), STR("no"), STR("0"), STR("nothing")};
            return words_find_any(behind, none, COUNT_OF(none)) && words_trim(rest).len == 0 ? CORE_OUTCOME_APPROVED
                                                                                             : CORE_OUTCOME_FAULTS;
        }
        list = list || listed;
        first = false;
    }
    return list ? CORE_OUTCOME_FAULTS : CORE_OUTCOME_APPROVED;
}

struct workflow_meaning workflow_step_meaning(const struct workflow_scene *scene, uint32_t step, struct str output) {
    const enum core_step_name name = scene->workflow->steps[step].name;
    struct workflow_meaning meaning = {
        .outcome = CORE_OUTCOME_TEXT, .text = output, .tool_name = STR(""), .argument = STR("")};
    if (name == CORE_STEP_THINK) {
        return think_meaning(scene->asked, output);
    }
    if (name == CORE_STEP_REVIEW) {
        meaning.outcome = review_outcome(output);
    }
    return meaning;
}

struct str workflow_answer_text(enum core_step_name name, struct str output) {
    static const struct str names[] = {STR("final answer:"), STR("answer:")};
    if (name == CORE_STEP_THINK) {
        return think_read(output).text;
    }
    output = words_trim(output);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (words_begin(output, names[i])) {
            return words_trim(words_rest(output, names[i].len));
        }
    }
    return output;
}

void workflow_call_arguments(struct json_parser *parser, const struct workflow_meaning *meaning, struct buf *out) {
    struct json_value root;
    struct json_writer writer;
    const struct orchestration_tool *called = meaning->called;
    struct str value = meaning->argument;
    if (json_parse(parser, value, &root, NULL) && json_type_of(root) == JSON_OBJECT) {
        json_serialize(root, out);
        return;
    }
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (value.len > 0) {
        const bool only = called != NULL && called->only.len > 0;
        if (only && words_begin(value, called->only) && words_rest(value, called->only.len).len > 0 &&
            words_rest(value, called->only.len).data[0] == '=') {
            value = value_of(value);
        }
        json_write_key_str(&writer, only ? called->only : STR("input"));
        json_write_str(&writer, value);
    }
    json_end_object(&writer);
}
