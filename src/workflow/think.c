#include "workflow/think.h"

#include "base/compiler.h"
#include "text/graphemes.h"
#include "text/words.h"
#include "workflow/tools.h"

/* What comes first in a line of a think counts, behind marks such as "**", "#", ">" or "1.". */
enum label { LABEL_NONE, LABEL_ACTION, LABEL_INPUT, LABEL_ANSWER, LABEL_THOUGHT, LABEL_MADE_UP };

static const struct {
    struct str text;
    enum label label;
} labels[] = {
    {STR("action input"), LABEL_INPUT}, {STR("input"), LABEL_INPUT},         {STR("argument"), LABEL_INPUT},
    {STR("action"), LABEL_ACTION},      {STR("final answer"), LABEL_ANSWER}, {STR("the answer"), LABEL_ANSWER},
    {STR("answer"), LABEL_ANSWER},      {STR("thought"), LABEL_THOUGHT},     {STR("observation"), LABEL_MADE_UP},
    {STR("task"), LABEL_MADE_UP},       {STR("question"), LABEL_MADE_UP},    {STR("done so far"), LABEL_MADE_UP},
};

static bool is_mark(char c) {
    return c == ' ' || c == '\t' || c == '*' || c == '#' || c == '>' || c == '`' || c == '_' || c == '-' || c == '\r';
}

static struct str marks_skip(struct str text) {
    while (text.len > 0 && is_mark(text.data[0])) {
        text = words_rest(text, 1);
    }
    return text;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static struct str digits_skip(struct str text) {
    while (text.len > 0 && is_digit(text.data[0])) {
        text = words_rest(text, 1);
    }
    return text;
}

/* "1." and "2)" before a label. */
static struct str number_skip(struct str line) {
    const struct str behind = digits_skip(line);
    const bool numbered = behind.len > 0 && behind.len < line.len && (behind.data[0] == '.' || behind.data[0] == ')');
    return numbered ? marks_skip(words_rest(behind, 1)) : line;
}

/* The label at the front of a line: *rest is what is behind it and its marks. "Action 2:" is one, too. */
static enum label label_read(struct str line, struct str *rest) {
    line = number_skip(marks_skip(line));
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        if (!words_begin(line, labels[i].text)) {
            continue;
        }
        struct str behind = marks_skip(digits_skip(marks_skip(words_rest(line, labels[i].text.len))));
        if (behind.len == 0 || behind.data[0] != ':') {
            continue;
        }
        do {
            behind = words_rest(behind, 1);
        } while (behind.len > 0 && (behind.data[0] == '*' || behind.data[0] == '_'));
        *rest = behind;
        return labels[i].label;
    }
    return LABEL_NONE;
}

static char closing_of(char open) {
    switch (open) {
    case '[':
        return ']';
    case '(':
        return ')';
    case '{':
        return '}';
    default:
        return '\0';
    }
}

/* Behind the bracket that closes the one at the front; 0: none does. Brackets in double quotes do not count. */
static size_t bracket_end(struct str text) {
    const char open = text.data[0], closing = closing_of(open);
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        if (quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && c == open) {
            depth++;
        } else if (!quoted && c == closing && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static struct str line_of(struct str text) {
    struct str line, rest;
    (void)str_split(text, '\n', &line, &rest);
    return line;
}

static bool is_pair(struct str text, char open, char close) {
    return text.len >= 2 && text.data[0] == open && text.data[text.len - 1] == close;
}

/* Without what stands around an argument: blanks, a trailing mark, one pair of quotes; at most
 * WORKFLOW_ARGUMENT_BYTES. */
static struct str argument_trim(struct str text) {
    text = words_trim(text);
    while (text.len > 0 && (text.data[text.len - 1] == '`' || text.data[text.len - 1] == '*') &&
           !is_pair(text, '`', '`')) {
        text.len--;
    }
    if (is_pair(text, '"', '"') || is_pair(text, '\'', '\'') || is_pair(text, '`', '`')) {
        text = words_trim((struct str){text.data + 1, text.len - 2});
    }
    if (text.len > WORKFLOW_ARGUMENT_BYTES) {
        text = graphemes_prefix(text, WORKFLOW_ARGUMENT_BYTES);
    }
    return text;
}

/* What is in the bracket at the front of `text`, braces included; unclosed: the rest of the line. */
static struct str bracket_read(struct str text) {
    const bool braces = text.data[0] == '{';
    const size_t end = bracket_end(text);
    if (end == 0) {
        return argument_trim(braces ? line_of(text) : words_rest(line_of(text), 1));
    }
    return argument_trim(braces ? (struct str){text.data, end} : (struct str){text.data + 1, end - 2});
}

static bool is_name_byte(char c) {
    return (words_is_byte(c) && (unsigned char)c < 0x80) || c == '-';
}

/* Behind a name, as far as it goes, from `at`. */
static size_t name_end(struct str text, size_t at) {
    while (at < text.len && is_name_byte(text.data[at])) {
        at++;
    }
    return at;
}

/* "I use the calculator[2+2]": a name that has its bracket, in this line. */
static bool bracketed_find(struct str line, size_t *start, size_t *end) {
    for (size_t at = 0; at < line.len;) {
        if (!is_name_byte(line.data[at])) {
            at++;
            continue;
        }
        *start = at;
        at = *end = name_end(line, at);
        if (at < line.len && (line.data[at] == '[' || line.data[at] == '(' || line.data[at] == '{')) {
            return true;
        }
    }
    return false;
}

/* "Action Input: ..." in one of the lines that follow, before any other label. */
static struct str input_find(struct str text) {
    struct str line, rest, value;
    while (text.len > 0) {
        (void)str_split(text, '\n', &line, &rest);
        const enum label label = label_read(line, &value);
        if (label == LABEL_INPUT) {
            value = words_trim((struct str){value.data, (size_t)(text.data + text.len - value.data)});
            return value.len > 0 && value.data[0] == '{' ? bracket_read(value) : argument_trim(line_of(value));
        }
        if (label != LABEL_NONE) {
            break;
        }
        text = rest;
    }
    return STR("");
}

/* `text`: what is behind "Action:", to the end of the output. False: it names nothing. */
static bool action_read(struct str text, struct think_parts *parts) {
    struct str line = line_of(text);
    size_t start = 0, end = 0;
    if (!bracketed_find(line, &start, &end)) {
        for (start = 0; start < line.len && !is_name_byte(line.data[start]);) {
            start++;
        }
        end = name_end(line, start);
    }
    parts->name = (struct str){line.data + start, end - start};
    struct str rest = words_rest(text, end);
    line = words_rest(line, end);
    while (line.len > 0 && (is_mark(line.data[0]) || line.data[0] == ':')) {
        line = words_rest(line, 1);
        rest = words_rest(rest, 1);
    }
    if (line.len > 0 && closing_of(line.data[0]) != '\0') {
        parts->argument = bracket_read(rest);
    } else {
        parts->argument = line.len > 0 ? argument_trim(line) : input_find(words_rest(rest, 1));
    }
    return parts->name.len > 0;
}

/* An answer ends where the model goes on with things that it makes up. */
static struct str answer_cut(struct str text) {
    struct str line, rest = text, value;
    while (rest.len > 0) {
        const char *start = rest.data;
        (void)str_split(rest, '\n', &line, &rest);
        const enum label label = label_read(line, &value);
        if (start != text.data && (label == LABEL_ACTION || label == LABEL_MADE_UP || label == LABEL_INPUT)) {
            return words_trim((struct str){text.data, (size_t)(start - text.data)});
        }
    }
    return words_trim(text);
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

struct think_parts think_read(struct str output) {
    static const struct str finishing[] = {STR("finish"), STR("answer"), STR("final"), STR("respond")};
    static const struct str nothing[] = {STR("none"), STR("no"), STR("n"), STR("nothing")};
    struct think_parts parts = {.name = STR(""), .argument = STR("")};
    struct str line, rest = output, value;
    while (rest.len > 0) {
        const char *start = rest.data;
        (void)str_split(rest, '\n', &line, &rest);
        const enum label label = label_read(line, &value);
        if (label == LABEL_ANSWER) {
            parts.text = answer_cut((struct str){value.data, (size_t)(output.data + output.len - value.data)});
            return parts;
        }
        if (label != LABEL_ACTION ||
            !action_read((struct str){value.data, (size_t)(output.data + output.len - value.data)}, &parts) ||
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

bool think_read_bare(struct str output, struct think_parts *parts) {
    output = marks_skip(words_trim(output));
    const size_t end = name_end(output, 0);
    if (end == 0 || end == output.len || (output.data[end] != '[' && output.data[end] != '(')) {
        return false;
    }
    const size_t closed = bracket_end(words_rest(output, end));
    if (closed == 0 || marks_skip(line_of(words_rest(output, end + closed))).len > 0) {
        return false;
    }
    *parts = (struct think_parts){
        .action = true, .text = STR(""), .name = {output.data, end}, .argument = bracket_read(words_rest(output, end))};
    return true;
}
