#include "workflow/think.h"

#include "base/compiler.h"
#include "text/graphemes.h"
#include "text/words.h"
#include "workflow/brackets.h"
#include "workflow/call_text.h"
#include "workflow/labels.h"
#include "workflow/tools.h"

enum {
    CALL_BYTES_MAX = 4 * 1024,       /* of an output: behind them nobody calls a tool without a label */
    INLINE_BYTES_MAX = 2 * 1024,     /* of a line in whose middle a label is looked for, */
    INLINE_WITHIN_BYTES = 16 * 1024, /* within so much of an output */
    SCANNED_BYTES = 64 * 1024,       /* of an output, for labels */
    BARE_LINES_MAX = 64,             /* without a call, one after the other */
    ACTIONS_MAX = 8,                 /* "Action:" that names nothing: so many are looked at */
};

static struct str line_of(struct str text) {
    struct str line, rest;
    (void)str_split(text, '\n', &line, &rest);
    return line;
}

/* Without what stands around an argument: blanks, a trailing mark, one pair of quotes; at most
 * WORKFLOW_ARGUMENT_BYTES. */
static struct str argument_trim(struct str text) {
    text = words_trim(text);
    while (text.len > 1 && (text.data[text.len - 1] == '`' || text.data[text.len - 1] == '*') &&
           text.data[0] != text.data[text.len - 1]) {
        text.len--;
    }
    return graphemes_prefix(quotes_trim(text), WORKFLOW_ARGUMENT_BYTES);
}

/* What is in the bracket at the front of `text`, braces included; unclosed: the rest of the line. */
static struct str bracket_read(struct str text) {
    size_t length = 0;
    struct str inside;
    const bool braces = bracket_open(text, &length) == BRACKET_BRACE;
    const size_t end = bracket_end(text, &inside);
    if (end == 0) {
        return argument_trim(braces ? line_of(text) : words_rest(line_of(text), length));
    }
    return argument_trim(braces ? (struct str){text.data, end} : inside);
}

/* The bytes of a part of a tool's name at the front; 0: it ends here. */
static size_t name_byte(struct str text) {
    static const struct str marks[] = {STR("。"), STR("，"), STR("、"), STR("；"), STR("\u3000"), STR("\u00a0")};
    struct str closes;
    size_t length = 0;
    if (text.len == 0 || text.data[0] == '-') {
        return text.len > 0 ? 1 : 0;
    }
    if (!words_is_byte(text.data[0]) || label_colon(text) > 0 || bracket_open(text, &length) != BRACKET_NONE ||
        bracket_close(text, &length) != BRACKET_NONE || quote_open(text, &closes) > 0) {
        return 0;
    }
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        if (str_starts_with(text, marks[i])) {
            return 0;
        }
    }
    return 1;
}

/* Behind a name, as far as it goes, from `at`. */
static size_t name_end(struct str text, size_t at) {
    while (at < text.len && name_byte(words_rest(text, at)) > 0) {
        at++;
    }
    return at;
}

/* "I use the calculator[2+2]": a name that has its bracket, in this line. */
static bool bracketed_find(struct str line, size_t *start, size_t *end) {
    size_t length;
    for (size_t at = 0; at < line.len;) {
        if (name_byte(words_rest(line, at)) == 0) {
            at++;
            continue;
        }
        *start = at;
        at = *end = name_end(line, at);
        if (bracket_open(words_rest(line, at), &length) != BRACKET_NONE) {
            return true;
        }
    }
    return false;
}

/* "Action Input: ..." in one of the lines that follow, before any other label. */
static struct str input_find(struct str text) {
    struct str line, rest, value;
    const char *const end = text.data + SCANNED_BYTES;
    while (text.len > 0 && text.data < end) {
        (void)str_split(text, '\n', &line, &rest);
        const enum label label = label_read(line, &value);
        if (label == LABEL_INPUT) {
            size_t length;
            value = words_trim((struct str){value.data, (size_t)(text.data + text.len - value.data)});
            return bracket_open(value, &length) == BRACKET_BRACE ? bracket_read(value) : argument_trim(line_of(value));
        }
        if (label != LABEL_NONE) {
            break;
        }
        text = rest;
    }
    return STR("");
}

static bool object_take(struct str text, bool sure, struct think_parts *parts) {
    struct call_text call;
    size_t length;
    if (bracket_open(text, &length) != BRACKET_BRACE || !call_text_read(text, sure, &call)) {
        return false;
    }
    parts->name = call.name;
    parts->argument =
        call.escaped ? graphemes_prefix(call.argument, WORKFLOW_ARGUMENT_BYTES) : argument_trim(call.argument);
    parts->escaped = call.escaped;
    return true;
}

/* Fences, tags ("<tool_call>") and the bracket of a list of calls, before a call. */
static struct str wrappers_skip(struct str text) {
    for (size_t before = text.len + 1; before > text.len;) {
        before = text.len;
        text = words_trim(text);
        if (str_starts_with(text, STR("```"))) {
            const struct str line = line_of(text);
            text = words_rest(text, line.len < text.len ? line.len : 3);
        } else if (str_starts_with(text, STR("<")) && !words_begin(text, STR("<function="))) {
            const struct str line = line_of(text);
            struct str tag, rest;
            text = str_split(line, '>', &tag, &rest) ? words_rest(text, tag.len + 1) : text;
        } else if (words_begin(text, STR("[tool_calls]"))) {
            text = words_rest(text, sizeof("[tool_calls]") - 1);
        } else if (str_starts_with(text, STR("[{")) || str_starts_with(text, STR("[ {"))) {
            text = words_rest(text, 1);
        }
    }
    return text;
}

/* `text`: what is behind "Action:", to the end of the output. False: it names nothing. */
static bool action_take(struct str text, struct think_parts *parts) {
    const struct str object = wrappers_skip(text);
    if (object_take(object, true, parts)) {
        return true;
    }
    struct str line = line_of(text);
    size_t start = 0, end = 0, length = 0;
    if (!bracketed_find(line, &start, &end)) {
        for (start = 0; start < line.len && name_byte(words_rest(line, start)) == 0;) {
            start++;
        }
        end = name_end(line, start);
    }
    parts->name = (struct str){line.data + start, end - start};
    struct str rest = words_rest(text, end);
    line = words_rest(line, end);
    for (size_t skipped = line.len + 1; skipped > line.len;) {
        skipped = line.len;
        const struct str marks = label_marks_skip(line);
        const size_t taken = line.len - marks.len + label_colon(marks);
        line = words_rest(line, taken);
        rest = words_rest(rest, taken);
    }
    if (bracket_open(line, &length) != BRACKET_NONE) {
        parts->argument = bracket_read(rest);
    } else {
        parts->argument = line.len > 0 ? argument_trim(line) : input_find(words_rest(rest, 1));
    }
    return parts->name.len > 0;
}

/* "</answer>" */
static struct str tag_cut(struct str text) {
    text = words_trim(text);
    for (size_t i = text.len; i > 1 && text.len > 0 && text.data[text.len - 1] == '>'; i--) {
        if (text.data[i - 2] == '<' && text.data[i - 1] == '/') {
            return words_trim((struct str){text.data, i - 2});
        }
        if (text.data[i - 1] == '\n') {
            break;
        }
    }
    return text;
}

/* An answer ends where the model goes on with things that it makes up. */
static struct str answer_cut(struct str text) {
    struct str line, rest = text, value;
    while (rest.len > 0 && rest.data < text.data + SCANNED_BYTES) {
        const char *start = rest.data;
        (void)str_split(rest, '\n', &line, &rest);
        const enum label label = label_read(line, &value);
        if (start != text.data && (label == LABEL_ACTION || label == LABEL_MADE_UP || label == LABEL_INPUT)) {
            return words_trim((struct str){text.data, (size_t)(start - text.data)});
        }
    }
    return tag_cut(text);
}

static bool is_one_of(struct str name, const struct str *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static struct str thought_of(struct str text) {
    struct str rest;
    text = words_trim(text);
    return label_read(line_of(text), &rest) == LABEL_THOUGHT
               ? words_trim((struct str){rest.data, (size_t)(text.data + text.len - rest.data)})
               : text;
}

/* A label in the middle of a line counts for an action whose argument is in brackets there, and for an answer behind a
 * thought: other sentences have colons, too. */
static enum label inline_find(struct str line, enum label first, struct str *value, const char **start) {
    size_t at = 0, from = 0, to = 0;
    if (line.len > INLINE_BYTES_MAX || (first != LABEL_NONE && first != LABEL_THOUGHT)) {
        return first;
    }
    struct str behind = *value;
    const enum label label = label_find(line, &behind, &at);
    const bool counts = label == LABEL_ACTION
                            ? bracketed_find(behind, &from, &to) || str_starts_with(words_trim(behind), STR("{"))
                            : label == LABEL_ANSWER && first == LABEL_THOUGHT;
    if (!counts) {
        return first;
    }
    *value = behind;
    *start = line.data + at;
    return label;
}

struct think_parts think_read(struct str output) {
    static const struct str finishing[] = {STR("finish"), STR("answer"), STR("final"), STR("respond"),
                                           STR("final_answer")};
    static const struct str nothing[] = {STR("none"), STR("no"), STR("n"), STR("nothing")};
    struct think_parts parts = {.name = STR(""), .argument = STR("")};
    struct str line, rest = output, value = STR("");
    int actions = 0;
    while (rest.len > 0 && actions < ACTIONS_MAX && rest.data < output.data + SCANNED_BYTES) {
        const char *start = rest.data;
        (void)str_split(rest, '\n', &line, &rest);
        enum label label = label_read(line, &value);
        if ((size_t)(start - output.data) < INLINE_WITHIN_BYTES) {
            label = inline_find(line, label, &value, &start);
        }
        const struct str behind = {value.data, (size_t)(output.data + output.len - value.data)};
        if (label == LABEL_ANSWER) {
            parts.text = answer_cut(behind);
            return parts;
        }
        actions += label == LABEL_ACTION;
        if (label != LABEL_ACTION || !action_take(behind, &parts) ||
            is_one_of(parts.name, nothing, COUNT_OF(nothing))) {
            continue;
        }
        parts.action = !is_one_of(parts.name, finishing, COUNT_OF(finishing)) || parts.argument.len == 0;
        parts.text =
            parts.action ? thought_of((struct str){output.data, (size_t)(start - output.data)}) : parts.argument;
        return parts;
    }
    parts.name = parts.argument = STR("");
    parts.text = thought_of(output.len > 0 ? answer_cut(output) : STR(""));
    return parts;
}

/* "calculator[6*7]" and nothing behind it in its line. */
static bool bracketed_take(struct str text, struct think_parts *parts) {
    const size_t end = name_end(text, 0);
    const struct str rest = words_rest(text, end);
    struct str inside;
    size_t length = 0;
    const enum bracket kind = end > 0 ? bracket_open(rest, &length) : BRACKET_NONE;
    const size_t closed = kind != BRACKET_NONE ? bracket_end(rest, &inside) : 0;
    if (closed == 0 || label_marks_skip(line_of(words_rest(rest, closed))).len > 0) {
        return false;
    }
    parts->name = (struct str){text.data, end};
    parts->argument = bracket_read(rest);
    return true;
}

/* <function=calculator>{"expression": "6*7"}</function> */
static bool tag_take(struct str text, struct think_parts *parts) {
    static const struct str tag = STR("<function=");
    struct str name, rest;
    if (!words_begin(text, tag) || !str_split(words_rest(text, tag.len), '>', &name, &rest)) {
        return false;
    }
    rest = words_trim(rest);
    size_t length;
    parts->name = quotes_trim(name);
    parts->argument = bracket_open(rest, &length) == BRACKET_BRACE ? bracket_read(rest) : STR("");
    return true;
}

bool think_read_bare(struct str output, size_t *at, struct think_parts *parts) {
    output.len = output.len < CALL_BYTES_MAX ? output.len : CALL_BYTES_MAX;
    for (int lines = 0; *at < output.len && lines < BARE_LINES_MAX; lines++) {
        const struct str rest = words_rest(output, *at);
        const struct str call = wrappers_skip(rest);
        const bool first = *at == 0, tagged = call.data > rest.data && call.data[-1] == '>';
        *at += line_of(rest).len + 1;
        *parts = (struct think_parts){.action = true, .text = STR(""), .name = STR(""), .argument = STR("")};
        if (call.len > 0 &&
            (object_take(call, tagged, parts) || tag_take(call, parts) ||
             (first && (bracketed_take(call, parts) || bracketed_take(label_marks_skip(call), parts))))) {
            return true;
        }
    }
    return false;
}
