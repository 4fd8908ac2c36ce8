#include "workflow/call_text.h"

#include "base/compiler.h"
#include "text/words.h"
#include "workflow/brackets.h"
#include "workflow/labels.h"

#include <string.h>

enum {
    DEPTH_MAX = 4,
    MEMBERS_MAX = 32,
    UNCLOSED_MAX = 2, /* brackets of a value that do not end: a text of nothing but brackets must not take long */
};

static const struct str names[] = {STR("name"),   STR("tool"),          STR("tool_name"), STR("function"),
                                   STR("action"), STR("function_name"), STR("toolname"),  STR("recipient_name")};
static const struct str arguments[] = {
    STR("arguments"), STR("parameters"), STR("args"),   STR("input"),      STR("tool_input"), STR("action_input"),
    STR("argument"),  STR("params"),     STR("kwargs"), STR("expression"), STR("query"),      STR("function_args"),
};

static bool is_one_of(struct str key, const struct str *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(key, list[i])) {
            return true;
        }
    }
    return false;
}

static size_t blanks_at(struct str text, size_t at) {
    const struct str rest = words_rest(text, at);
    size_t skipped = 0;
    while (skipped < rest.len && (words_is_blank(rest.data[skipped]) || rest.data[skipped] == ',')) {
        skipped++;
    }
    return at + skipped;
}

/* The end of a value without quotation marks: before a comma that is in no bracket, or where a bracket ends. */
static size_t bare_end(struct str text, size_t at) {
    struct str inside;
    size_t length = 0;
    int unclosed = 0;
    while (at < text.len && text.data[at] != ',' && text.data[at] != '\n' &&
           !str_starts_with(words_rest(text, at), STR("，"))) {
        const bool opens = unclosed < UNCLOSED_MAX && bracket_open(words_rest(text, at), &length) != BRACKET_NONE;
        const size_t whole = opens ? bracket_end(words_rest(text, at), &inside) : 0;
        unclosed += opens && whole == 0;
        at += whole > 0 ? whole : 1;
    }
    return at;
}

/* A key, in quotation marks or not, up to its colon (or "="). */
static bool key_read(struct str text, size_t *at, struct str *key) {
    size_t length = 0;
    struct str rest = words_rest(text, *at);
    if (quote_read(rest, key, &length)) {
        *at += length;
    } else {
        while (length < rest.len && (words_is_byte(rest.data[length]) || rest.data[length] == '-') &&
               label_colon(words_rest(rest, length)) == 0) {
            length++;
        }
        *key = (struct str){rest.data, length};
        *at += length;
    }
    while (*at < text.len && words_is_blank(text.data[*at])) {
        (*at)++;
    }
    rest = words_rest(text, *at);
    const size_t colon = str_starts_with(rest, STR("=")) ? 1 : label_colon(rest);
    *at += colon;
    return key->len > 0 && colon > 0;
}

static void value_read(struct str inside, size_t *at, struct str *value, bool *quoted) {
    size_t length = 0;
    const struct str rest = words_rest(inside, *at);
    *quoted = quote_read(rest, value, &length);
    if (!*quoted) {
        length = bare_end(inside, *at) - *at;
        *value = words_trim((struct str){rest.data, length});
    }
    *at += length;
}

bool call_value_next(struct str inside, size_t *at, struct str *value, bool *quoted) {
    *at = blanks_at(inside, *at);
    if (*at >= inside.len) {
        return false;
    }
    value_read(inside, at, value, quoted);
    return true;
}

bool call_member_next(struct str inside, size_t *at, struct call_member *out) {
    size_t from = blanks_at(inside, *at);
    *at = from;
    if (from >= inside.len || !key_read(inside, &from, &out->key)) {
        return false;
    }
    while (from < inside.len && words_is_blank(inside.data[from])) {
        from++;
    }
    value_read(inside, &from, &out->value, &out->quoted);
    *at = from;
    return true;
}

static bool object_read(struct str object, bool sure, struct call_text *out, int depth);

/* "tool_calls": [{...}], "function": {"name": ...} */
static bool nested_read(struct str value, bool sure, struct call_text *out, int depth) {
    const char *brace = value.len > 0 ? memchr(value.data, '{', value.len) : NULL;
    return brace != NULL && depth < DEPTH_MAX &&
           object_read(words_rest(value, (size_t)(brace - value.data)), sure, out, depth + 1);
}

/* True: these are the arguments. */
static bool member_take(const struct call_member *member, struct call_text *out) {
    size_t length;
    if (is_one_of(member->key, names, COUNT_OF(names)) && bracket_open(member->value, &length) == BRACKET_NONE) {
        out->name = out->name.len > 0 ? out->name : member->value;
        return false;
    }
    if (!is_one_of(member->key, arguments, COUNT_OF(arguments))) {
        return false;
    }
    out->argument = member->value;
    out->escaped = member->quoted;
    return true;
}

static bool object_read(struct str object, bool sure, struct call_text *out, int depth) {
    struct str inside;
    struct call_member member, first = {.key = STR("")};
    size_t at = 0, count = 0;
    bool given = sure;
    if (bracket_end(object, &inside) == 0) {
        inside = words_rest(object, 1); /* its end was cut */
    }
    *out = (struct call_text){.name = STR(""), .argument = STR("")};
    while (count < MEMBERS_MAX && call_member_next(inside, &at, &member)) {
        const bool nests = str_equal_nocase(member.key, STR("tool_calls")) ||
                           (!member.quoted && is_one_of(member.key, names, COUNT_OF(names)));
        first = count++ == 0 ? member : first;
        if (nests && nested_read(member.value, sure, out, depth)) {
            return true;
        }
        given = member_take(&member, out) || given;
    }
    if (sure && out->name.len == 0 && count == 1) { /* {"calculator": "6*7"} */
        *out = (struct call_text){.name = first.key, .argument = first.value, .escaped = first.quoted};
    }
    return out->name.len > 0 && given;
}

bool call_text_read(struct str object, bool sure, struct call_text *out) {
    return object_read(object, sure, out, 0);
}
