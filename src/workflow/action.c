#include "workflow/action.h"

#include "text/words.h"
#include "workflow/arguments.h"
#include "workflow/brackets.h"
#include "workflow/call_text.h"
#include "workflow/think.h"

#include <string.h>

/* With "=", which is no colon: "city: Paris" is what somebody looks for. */
static bool is_assigned(struct str text, const struct call_member *member) {
    const struct str behind = words_trim(words_rest(text, (size_t)(member->key.data + member->key.len - text.data)));
    return str_starts_with(behind, STR("="));
}

/* "expression=2+2" and {"expression": "2+2"}, where there can be one argument only: the value. */
static struct str value_of(struct str argument, bool *escaped) {
    size_t length, at = 0;
    struct str inside = argument;
    struct call_member member, more;
    const bool braces = bracket_open(argument, &length) == BRACKET_BRACE;
    if (braces && bracket_end(argument, &inside) != argument.len) {
        return argument;
    }
    const bool digit = inside.len > 0 && inside.data[0] >= '0' && inside.data[0] <= '9';
    if (digit || !call_member_next(inside, &at, &member) || call_member_next(inside, &at, &more) ||
        words_trim(words_rest(inside, at)).len > 0 || (!braces && !is_assigned(inside, &member))) {
        return argument;
    }
    *escaped = member.quoted;
    return member.value;
}

/* A call without a label of a tool that there is. */
static bool bare_find(const struct orchestration *asked, struct str output, struct think_parts *parts) {
    size_t at = 0;
    while (think_read_bare(output, &at, parts)) {
        if (toolbox_find(asked, parts->name).known) {
            return true;
        }
    }
    return false;
}

struct workflow_meaning action_read(const struct orchestration *asked, struct str output) {
    struct think_parts parts = think_read(output), bare;
    if (!parts.action && bare_find(asked, output, &bare)) {
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
    meaning.escaped = parts.escaped;
    meaning.argument = tool.known && tool.called == NULL ? value_of(parts.argument, &meaning.escaped) : parts.argument;
    return meaning;
}

static int hex_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits behind "\\u"; -1: they are none. */
static int32_t unit_read(struct str text, size_t at) {
    int32_t unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        const int digit = i < text.len ? hex_of(text.data[i]) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static void utf8_append(uint32_t c, struct buf *out) {
    char bytes[4];
    size_t len = 1;
    if (c < 0x80) {
        bytes[0] = (char)c;
    } else if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3f));
        len = 2;
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xe0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (c & 0x3f));
        len = 3;
    } else {
        bytes[0] = (char)(0xf0 | c >> 18);
        bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[3] = (char)(0x80 | (c & 0x3f));
        len = 4;
    }
    buf_append(out, bytes, len);
}

/* An escape at `at` (RFC 8259 7); its length. */
static size_t escape_append(struct str text, size_t at, struct buf *out) {
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char c = at + 1 < text.len ? text.data[at + 1] : '\\';
    int32_t unit = c == 'u' ? unit_read(text, at + 2) : -1;
    const char *name = strchr(names, c);
    if (unit < 0) {
        buf_append(out, name != NULL && c != '\0' ? &values[name - names] : &c, 1);
        return 2;
    }
    const bool high = unit >= 0xd800 && unit < 0xdc00 && str_starts_with(words_rest(text, at + 6), STR("\\u"));
    const int32_t low = high ? unit_read(text, at + 8) : -1;
    if (low >= 0xdc00 && low < 0xe000) {
        utf8_append(0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00), out);
        return 12;
    }
    utf8_append(unit >= 0xd800 && unit < 0xe000 ? 0xfffd : (uint32_t)unit, out);
    return 6;
}

void action_argument(const struct workflow_meaning *meaning, struct buf *out) {
    const struct str text = meaning->argument;
    const size_t start = out->len;
    for (size_t at = 0; at < text.len;) {
        if (meaning->escaped && text.data[at] == '\\') {
            at += escape_append(text, at, out);
        } else {
            buf_append(out, text.data + at++, 1);
        }
    }
    if (meaning->escaped && meaning->called == NULL && out->len > start) { /* an object within the string */
        bool escaped = false;
        const struct str plain = words_rest(buf_str(out), start), value = value_of(plain, &escaped);
        memmove(out->data + start, value.data, value.len);
        out->len = start + value.len;
    }
}

void workflow_call_arguments(struct json_parser *parser, const struct workflow_meaning *meaning, struct buf *out) {
    struct buf text;
    buf_init(&text, 4 * meaning->argument.len + 1);
    action_argument(meaning, &text);
    arguments_write(parser, meaning->called, buf_str(&text), out);
    buf_clear(&text);
}
