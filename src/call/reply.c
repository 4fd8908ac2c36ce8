#include "call/reply.h"

#include "base/json_read.h"
#include "wire/limits.h"

#include <string.h>

enum { BLANKS_HELD = 256 };

static const struct str OPEN = {"<tool_call>", sizeof("<tool_call>") - 1};
static const struct str CLOSE = {"</tool_call>", sizeof("</tool_call>") - 1};
static const struct str FENCE = {"```", 3};

void reply_init(struct reply *reply, struct reply_names names, bool one_call) {
    *reply = (struct reply){.names = names, .one_call = one_call};
    buf_init(&reply->held, 2 * LIMIT_ANSWER_BYTES);
}

void reply_clear(struct reply *reply) {
    buf_clear(&reply->held);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct str skip_blanks(struct str text) {
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    return text;
}

/* Those between two parts of a call. Nobody writes more of them, and while more may come they are looked at again with
 * each piece: a device that sent nothing else would hold up everybody. */
static struct str skip_some_blanks(struct str text) {
    for (size_t i = 0; i < BLANKS_HELD && text.len > 0 && is_blank(text.data[0]); i++) {
        text.data++;
        text.len--;
    }
    return text;
}

static struct str drop_blanks(struct str text) {
    text = skip_blanks(text);
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static struct str behind(struct str text, size_t count) {
    return (struct str){.data = text.data + count, .len = text.len - count};
}

static const struct str *find_name(const struct reply *reply, struct str name) {
    for (size_t i = 0; i < reply->names.count; i++) {
        if (str_equal(reply->names.items[i], name)) {
            return &reply->names.items[i];
        }
    }
    return NULL;
}

static bool may_call(const struct reply *reply) {
    return reply->call_count < REPLY_CALLS_MAX && (!reply->one_call || reply->call_count == 0);
}

static void tell_text(const struct reply_events *events, struct str text) {
    if (text.len > 0) {
        events->text(events->context, text);
    }
}

/* --- The beginning of a call, as it is written while it comes --- */

enum match { MATCHES, MAY_MATCH, DIFFERS };

/* Takes a token of JSON off the front, behind blanks. */
static enum match take_token(struct str *text, struct str token) {
    const struct str rest = skip_some_blanks(*text);
    const size_t common = rest.len < token.len ? rest.len : token.len;
    if (memcmp(rest.data, token.data, common) != 0) {
        return DIFFERS;
    }
    if (common < token.len) {
        return MAY_MATCH;
    }
    *text = behind(rest, token.len);
    return MATCHES;
}

/* {"name": "<name>", "arguments": and, up to where the arguments begin. Names have nothing to escape. */
static enum match match_head(const struct reply *reply, struct str *text, const struct str **name) {
    static const struct str front[] = {{"{", 1}, {"\"name\"", 6}, {":", 1}, {"\"", 1}};
    static const struct str back[] = {{",", 1}, {"\"arguments\"", 11}, {":", 1}};
    struct str written, rest;
    for (size_t i = 0; i < sizeof(front) / sizeof(front[0]); i++) {
        const enum match match = take_token(text, front[i]);
        if (match != MATCHES) {
            return match;
        }
    }
    if (!str_split(*text, '"', &written, &rest)) {
        return written.len > LIMIT_NAME_BYTES ? DIFFERS : MAY_MATCH;
    }
    *name = find_name(reply, written);
    if (*name == NULL) {
        return DIFFERS;
    }
    for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
        const enum match match = take_token(&rest, back[i]);
        if (match != MATCHES) {
            return match;
        }
    }
    *text = skip_some_blanks(rest);
    return text->len == 0 ? MAY_MATCH : text->data[0] == '{' ? MATCHES : DIFFERS;
}

/* --- A call as a whole --- */

/* Arguments may also be called parameters, and be JSON within a string. */
static bool find_arguments(struct json_value call, struct buf *out) {
    struct json_value arguments;
    struct str text;
    if (!json_get(call, "arguments", &arguments) && !json_get(call, "parameters", &arguments)) {
        return false;
    }
    if (json_as_str(arguments, &text)) {
        return drop_blanks(text).len > 0 && drop_blanks(text).data[0] == '{' && buf_append_str(out, text);
    }
    if (json_type_of(arguments) == JSON_OBJECT) {
        json_serialize(arguments, out);
    }
    return json_type_of(arguments) == JSON_OBJECT && !out->overflow;
}

static const struct str *call_name(const struct reply *reply, struct json_value call) {
    struct json_value name;
    struct str text;
    if (json_get(call, "function", &name) && json_type_of(name) == JSON_OBJECT) {
        call = name;
    }
    return json_get(call, "name", &name) && json_as_str(name, &text) ? find_name(reply, text) : NULL;
}

static struct json_value call_body(struct json_value call) {
    struct json_value function;
    return json_get(call, "function", &function) && json_type_of(function) == JSON_OBJECT ? function : call;
}

static bool is_call(const struct reply *reply, struct json_value call) {
    struct buf arguments;
    buf_init(&arguments, LIMIT_ANSWER_BYTES);
    const bool good = json_type_of(call) == JSON_OBJECT && call_name(reply, call) != NULL &&
                      find_arguments(call_body(call), &arguments);
    buf_clear(&arguments);
    return good;
}

static void tell_call(struct reply *reply, struct json_value call, const struct reply_events *events) {
    struct buf arguments;
    if (!may_call(reply)) {
        return;
    }
    buf_init(&arguments, LIMIT_ANSWER_BYTES);
    (void)find_arguments(call_body(call), &arguments);
    const size_t index = reply->call_count++;
    events->call(events->context, index, *call_name(reply, call));
    events->arguments(events->context, index, buf_str(&arguments));
    buf_clear(&arguments);
}

/* One call, or an array of nothing else. */
static bool tell_json(struct reply *reply, struct json_value root, const struct reply_events *events) {
    struct json_iterator iterator;
    struct json_value item;
    if (json_type_of(root) != JSON_ARRAY) {
        if (is_call(reply, root)) {
            tell_call(reply, root, events);
            return true;
        }
        return false;
    }
    for (json_iterate(root, &iterator); json_next(&iterator, NULL, &item);) {
        if (!is_call(reply, item)) {
            return false;
        }
    }
    for (json_iterate(root, &iterator); json_next(&iterator, NULL, &item);) {
        tell_call(reply, item, events);
    }
    return json_count(root) > 0;
}

static bool tell_object(struct reply *reply, struct str text, const struct reply_events *events) {
    struct json_parser *parser = json_parser_new(LIMIT_ANSWER_BYTES, LIMIT_JSON_DEPTH);
    struct json_value root;
    const bool good = json_parse(parser, text, &root, NULL) && tell_json(reply, root, events);
    json_parser_free(parser);
    return good;
}

/* What stands in a fence, when the text is one: "```json\n...\n```". */
static struct str without_fence(struct str text) {
    struct str first, rest;
    text = drop_blanks(text);
    if (!str_starts_with(text, FENCE) || !str_split(text, '\n', &first, &rest)) {
        return text;
    }
    rest = drop_blanks(rest);
    if (rest.len < FENCE.len || memcmp(rest.data + rest.len - FENCE.len, FENCE.data, FENCE.len) != 0) {
        return text;
    }
    rest.len -= FENCE.len;
    return drop_blanks(rest);
}

/* --- States --- */

/* How much at the end of the text may be the beginning of <tool_call>, with the blanks before it: they belong to the
 * call. */
static size_t held_end(struct str text) {
    size_t held = 0;
    for (size_t length = OPEN.len - 1; length > 0 && held == 0; length--) {
        if (length <= text.len && memcmp(text.data + text.len - length, OPEN.data, length) == 0) {
            held = length;
        }
    }
    for (size_t blanks = 0; held < text.len && is_blank(text.data[text.len - held - 1]); held++) {
        if (++blanks > BLANKS_HELD) {
            return 0; /* nobody writes so many before a call, and looking at them again and again would cost */
        }
    }
    return held;
}

/* At the start, what may be a call as a whole: an object, an array, or a fence that is not of another language. */
static enum match may_be_whole(struct str text) {
    struct str line, rest;
    if (text.data[0] == '{' || text.data[0] == '[') {
        return MATCHES;
    }
    const size_t common = text.len < FENCE.len ? text.len : FENCE.len;
    if (memcmp(text.data, FENCE.data, common) != 0) {
        return DIFFERS;
    }
    if (!str_split(text, '\n', &line, &rest)) {
        return text.len > 64 ? DIFFERS : MAY_MATCH;
    }
    line = drop_blanks(behind(line, FENCE.len));
    if (line.len > 0 && !str_equal_nocase(line, STR("json")) && !str_equal_nocase(line, STR("tool_call"))) {
        return DIFFERS;
    }
    rest = skip_some_blanks(rest);
    return rest.len == 0 ? MAY_MATCH : rest.data[0] == '{' || rest.data[0] == '[' ? MATCHES : DIFFERS;
}

/* Each step takes some of what is held and goes to the next state; false when more must come first. */
static bool step_start(struct reply *reply) {
    const struct str text = skip_blanks(buf_str(&reply->held));
    if (text.len == 0) {
        reply->state = reply->held.len > BLANKS_HELD ? REPLY_IN_TEXT : REPLY_AT_START;
        return reply->held.len > BLANKS_HELD;
    }
    const enum match whole = reply->call_count == 0 ? may_be_whole(text) : DIFFERS;
    if (whole == MAY_MATCH) {
        return false;
    }
    reply->state = whole == MATCHES ? REPLY_WHOLE : REPLY_IN_TEXT;
    return true;
}

static bool step_text(struct reply *reply, const struct reply_events *events) {
    const struct str text = buf_str(&reply->held);
    const char *found = text.len > 0 ? memmem(text.data, text.len, OPEN.data, OPEN.len) : NULL;
    if (found == NULL) {
        const size_t held = held_end(text);
        tell_text(events, (struct str){.data = text.data, .len = text.len - held});
        buf_consume(&reply->held, text.len - held);
        return false;
    }
    struct str before = {.data = text.data, .len = (size_t)(found - text.data)};
    reply->blanks = 0;
    while (before.len > 0 && is_blank(before.data[before.len - 1])) {
        before.len--;
        reply->blanks++;
    }
    tell_text(events, before);
    buf_consume(&reply->held, before.len);
    reply->state = REPLY_IN_CALL;
    reply->looked = 0;
    return true;
}

/* Behind <tool_call>, with which, and blanks before it, what is held begins. */
static struct str call_text(const struct reply *reply) {
    return behind(buf_str(&reply->held), reply->blanks + OPEN.len);
}

static bool step_call(struct reply *reply, const struct reply_events *events) {
    const struct str all = buf_str(&reply->held);
    const struct str *name = NULL;
    struct str text = call_text(reply);
    if (may_call(reply)) {
        const struct str inside = text;
        const enum match match = match_head(reply, &text, &name);
        if (match == MATCHES) {
            const size_t index = reply->call_count++;
            events->call(events->context, index, *name);
            buf_consume(&reply->held, (size_t)(text.data - all.data));
            reply->state = REPLY_IN_ARGUMENTS;
            reply->depth = 0;
            reply->in_string = reply->escaped = false;
            return true;
        }
        text = inside;
    }
    const struct str unseen = behind(text, reply->looked < text.len ? reply->looked : text.len);
    const char *end = unseen.len > 0 ? memmem(unseen.data, unseen.len, CLOSE.data, CLOSE.len) : NULL;
    if (end == NULL) {
        reply->looked = text.len > CLOSE.len ? text.len - CLOSE.len : 0;
        return false;
    }
    const struct str object = drop_blanks((struct str){.data = text.data, .len = (size_t)(end - text.data)});
    const size_t used = (size_t)(end - all.data) + CLOSE.len;
    if (!tell_object(reply, object, events) && may_call(reply)) {
        tell_text(events, (struct str){.data = all.data, .len = used});
    }
    buf_consume(&reply->held, used);
    reply->state = REPLY_IN_TEXT;
    return true;
}

/* Follows JSON up to where the object that it began with ends. */
static bool step_arguments(struct reply *reply, const struct reply_events *events) {
    const struct str text = buf_str(&reply->held);
    size_t used = 0;
    bool ended = false;
    while (used < text.len && !ended) {
        const char c = text.data[used++];
        if (reply->in_string) {
            reply->in_string = reply->escaped || c != '"';
            reply->escaped = !reply->escaped && c == '\\';
        } else if (c == '"') {
            reply->in_string = true;
        } else if (c == '{' || c == '[') {
            reply->depth++;
        } else if (c == '}' || c == ']') {
            ended = --reply->depth == 0;
        }
    }
    if (used > 0) {
        events->arguments(events->context, reply->call_count - 1, (struct str){.data = text.data, .len = used});
    }
    buf_consume(&reply->held, used);
    reply->state = ended ? REPLY_BEHIND_ARGUMENTS : reply->state;
    return ended;
}

/* "}" and </tool_call>. A model that forgets one of them goes on with text. */
static bool step_behind(struct reply *reply) {
    struct str text = buf_str(&reply->held);
    const struct str all = text;
    const enum match brace = take_token(&text, (struct str){"}", 1});
    const enum match close = brace == MAY_MATCH ? MAY_MATCH : take_token(&text, CLOSE);
    if (close == MAY_MATCH) {
        return false;
    }
    buf_consume(&reply->held, (size_t)(text.data - all.data));
    reply->state = REPLY_IN_TEXT;
    return true;
}

static bool step(struct reply *reply, const struct reply_events *events) {
    switch (reply->state) {
    case REPLY_AT_START:
        return step_start(reply);
    case REPLY_IN_TEXT:
        return step_text(reply, events);
    case REPLY_WHOLE:
        return false;
    case REPLY_IN_CALL:
        return step_call(reply, events);
    case REPLY_IN_ARGUMENTS:
        return step_arguments(reply, events);
    case REPLY_BEHIND_ARGUMENTS:
        return step_behind(reply);
    }
    return false;
}

void reply_feed(struct reply *reply, struct str raw, const struct reply_events *events) {
    if (reply->names.count == 0) {
        tell_text(events, raw);
        return;
    }
    buf_append_str(&reply->held, raw);
    while (step(reply, events)) {
    }
}

void reply_end(struct reply *reply, const struct reply_events *events) {
    const struct str held = buf_str(&reply->held);
    switch (reply->state) {
    case REPLY_WHOLE:
        if (!tell_object(reply, without_fence(held), events)) {
            tell_text(events, held);
        }
        break;
    case REPLY_IN_CALL:
        if (!tell_object(reply, drop_blanks(call_text(reply)), events) && may_call(reply)) {
            tell_text(events, held);
        }
        break;
    case REPLY_AT_START:
    case REPLY_IN_TEXT:
        if (reply->call_count == 0 || drop_blanks(held).len > 0) {
            tell_text(events, held);
        }
        break;
    case REPLY_IN_ARGUMENTS:
    case REPLY_BEHIND_ARGUMENTS:
        break;
    }
    buf_reset(&reply->held);
}
