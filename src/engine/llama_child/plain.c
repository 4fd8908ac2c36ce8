#include "engine/llama_child/plain.h"

#include "base/buf.h"
#include "wire/limits.h"

#include <string.h>

enum { PLAIN_BYTES = 2 * LIMIT_LINK_MESSAGE_BYTES };

static bool has_calls(const struct gen_message *message) {
    return message->role == GEN_ROLE_ASSISTANT && message->tool_call_count > 0;
}

/* The messages that are made; the last one is still open, and its text in `text`. */
struct plain {
    enum plain_shape shape;
    struct arena *arena;
    struct gen_message *made;
    size_t count;
    struct buf text;
    bool open, good, started; /* started: something but system texts at the front was said */
};

static void plain_close(struct plain *plain) {
    if (plain->open) {
        struct str *content = &plain->made[plain->count - 1].content;
        *content = arena_copy(plain->arena, buf_str(&plain->text));
        plain->good = plain->good && content->data != NULL && !plain->text.overflow;
        plain->open = false;
    }
}

static void plain_begin(struct plain *plain, enum gen_role role) {
    plain_close(plain);
    plain->made[plain->count++] = (struct gen_message){.role = role, .content = STR(""), .tool_call_id = STR("")};
    buf_reset(&plain->text);
    plain->open = true;
}

/* A paragraph behind what the open message has. */
static void plain_paragraph(struct plain *plain, struct str text) {
    if (plain->text.len > 0 && text.len > 0) {
        buf_append_cstr(&plain->text, "\n\n");
    }
    buf_append_str(&plain->text, text);
}

static bool speaks(const struct plain *plain, enum gen_role role) {
    return plain->open && plain->made[plain->count - 1].role == role;
}

static void plain_calls(struct plain *plain, const struct gen_message *message) {
    for (size_t i = 0; i < message->tool_call_count; i++) {
        const struct gen_tool_call *call = &message->tool_calls[i];
        plain_paragraph(plain, STR("Called "));
        buf_append_str(&plain->text, call->name);
        buf_append_cstr(&plain->text, " with ");
        buf_append_str(&plain->text, call->arguments);
    }
}

/* The call that a message answers, of those right before the results, and when it is the first to do so: a name that is
 * said twice for a call stays within what a call may cost (call/price.h). */
static const struct gen_tool_call *call_of(const struct gen_message *messages, size_t index) {
    const struct str id = messages[index].tool_call_id;
    size_t i = index;
    while (i > 0 && messages[i - 1].role == GEN_ROLE_TOOL) {
        if (str_equal(messages[--i].tool_call_id, id)) {
            return NULL;
        }
    }
    for (size_t k = 0; i > 0 && has_calls(&messages[i - 1]) && k < messages[i - 1].tool_call_count; k++) {
        if (str_equal(messages[i - 1].tool_calls[k].id, id)) {
            return &messages[i - 1].tool_calls[k];
        }
    }
    return NULL;
}

static void plain_result(struct plain *plain, const struct gen_message *messages, size_t index) {
    const struct gen_tool_call *call = call_of(messages, index);
    plain_paragraph(plain, STR("Result"));
    if (call != NULL) {
        buf_append_cstr(&plain->text, " of ");
        buf_append_str(&plain->text, call->name);
    }
    buf_append_cstr(&plain->text, ": ");
    buf_append_str(&plain->text, messages[index].content);
}

static enum gen_role role_in(const struct plain *plain, const struct gen_message *message) {
    switch (message->role) {
    case GEN_ROLE_TOOL:
    case GEN_ROLE_USER:
        return GEN_ROLE_USER;
    case GEN_ROLE_ASSISTANT:
        return GEN_ROLE_ASSISTANT;
    case GEN_ROLE_SYSTEM:
        break;
    }
    return plain->shape == PLAIN_TOOLS || (plain->shape == PLAIN_ONE_SYSTEM && !plain->started) ? GEN_ROLE_SYSTEM
                                                                                                : GEN_ROLE_USER;
}

/* Whether it goes on in the open message, which has its role. */
static bool joins(const struct plain *plain, const struct gen_message *messages, size_t index) {
    return plain->shape != PLAIN_TOOLS || messages[index].role == GEN_ROLE_TOOL ||
           (messages[index].role == GEN_ROLE_USER && index > 0 && messages[index - 1].role == GEN_ROLE_TOOL);
}

static void plain_message(struct plain *plain, const struct gen_message *messages, size_t index) {
    const struct gen_message *message = &messages[index];
    const enum gen_role role = role_in(plain, message);
    if (plain->shape != PLAIN_TOOLS && role == GEN_ROLE_ASSISTANT && !plain->started) {
        plain_begin(plain, GEN_ROLE_USER); /* the user speaks first, if only to say nothing */
    }
    plain->started = plain->started || role != GEN_ROLE_SYSTEM;
    if (!speaks(plain, role) || !joins(plain, messages, index)) {
        plain_begin(plain, role);
    }
    if (message->role == GEN_ROLE_TOOL) {
        plain_result(plain, messages, index);
        return;
    }
    plain_paragraph(plain, message->content);
    if (has_calls(message)) {
        plain_calls(plain, message);
    }
}

const struct gen_message *plain_make(enum plain_shape shape, const struct gen_message *messages, size_t count,
                                     struct arena *arena, size_t *plain_count) {
    struct plain plain = {
        .shape = shape, .arena = arena, .made = ARENA_ARRAY(arena, struct gen_message, count + 1), .good = true};
    *plain_count = 0;
    if (plain.made == NULL) {
        return NULL;
    }
    buf_init(&plain.text, PLAIN_BYTES);
    for (size_t i = 0; i < count; i++) {
        plain_message(&plain, messages, i);
    }
    plain_close(&plain);
    buf_clear(&plain.text);
    *plain_count = plain.count;
    return plain.good ? plain.made : NULL;
}

/* --- What is lost --- */

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str trim(struct str text) {
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

bool plain_is_whole(const struct gen_message *messages, size_t count, struct str rendered) {
    enum { WRAPS_MAX = 16 }; /* each may read all of the text; templates move a system text or two */
    size_t from = 0, wraps = 0;
    for (size_t i = 0; i < count; i++) {
        const struct str text = trim(messages[i].content);
        const bool counts = messages[i].role == GEN_ROLE_SYSTEM || messages[i].role == GEN_ROLE_USER;
        if (!counts || text.len == 0) {
            continue;
        }
        const char *found =
            rendered.len > from ? memmem(rendered.data + from, rendered.len - from, text.data, text.len) : NULL;
        if (found != NULL) {
            from = (size_t)(found - rendered.data) + text.len;
        } else if (from == 0 || ++wraps > WRAPS_MAX || memmem(rendered.data, from, text.data, text.len) == NULL) {
            return false;
        }
    }
    return true;
}
