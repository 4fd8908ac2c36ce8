#include "engine/llama_child/tool_text.h"

#include "base/buf.h"
#include "wire/limits.h"

#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 80, PLAIN_BYTES = 2 * LIMIT_LINK_MESSAGE_BYTES };

static bool has_calls(const struct gen_message *message) {
    return message->role == GEN_ROLE_ASSISTANT && message->tool_call_count > 0;
}

static bool is_of_tools(const struct gen_message *message) {
    return message->role == GEN_ROLE_TOOL || has_calls(message);
}

bool tool_text_is_needed(const struct gen_message *messages, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (is_of_tools(&messages[i])) {
            return true;
        }
    }
    return false;
}

/* --- The trial --- */

/* The words are numbered in the order in which the messages have them: the mark, the number, and a letter that ends
 * it. */
static bool word_set(struct arena *arena, struct str mark, size_t *number, bool as_json, struct str *out) {
    char text[WORD_BYTES];
    snprintf(text, sizeof(text), "%s%.*s%zuz%s", as_json ? "{\"a\": \"" : "", STR_ARG(mark), *number,
             as_json ? "\"}" : "");
    *number += 1;
    *out = arena_copy(arena, str_from(text));
    return out->data != NULL;
}

/* Some templates read arguments as JSON. */
static bool trial_calls(struct gen_message *message, struct str mark, size_t *number, struct arena *arena) {
    struct gen_tool_call *calls = ARENA_ARRAY(arena, struct gen_tool_call, message->tool_call_count);
    for (size_t i = 0; calls != NULL && i < message->tool_call_count; i++) {
        calls[i].id = message->tool_calls[i].id;
        if (!word_set(arena, mark, number, false, &calls[i].name) ||
            !word_set(arena, mark, number, true, &calls[i].arguments)) {
            return false;
        }
    }
    message->tool_calls = calls;
    return calls != NULL;
}

const struct gen_message *tool_text_trial(const struct gen_message *messages, size_t count, struct str mark,
                                          struct arena *arena, size_t *words) {
    struct gen_message *copies = ARENA_ARRAY(arena, struct gen_message, count);
    *words = 0;
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = messages[i];
        if (!is_of_tools(&messages[i])) {
            continue;
        }
        if (messages[i].content.len > 0 && !word_set(arena, mark, words, false, &copies[i].content)) {
            return NULL;
        }
        if (has_calls(&messages[i]) && !trial_calls(&copies[i], mark, words, arena)) {
            return NULL;
        }
    }
    return copies;
}

/* The number of a word whose mark ends where `rest` begins; SIZE_MAX: it is none. */
static size_t word_number(struct str rest) {
    struct str digits, behind;
    uint64_t number;
    rest.len = rest.len < WORD_BYTES ? rest.len : WORD_BYTES;
    return str_split(rest, 'z', &digits, &behind) && str_parse_u64(digits, UINT32_MAX, &number) ? (size_t)number
                                                                                                : SIZE_MAX;
}

bool tool_text_is_whole(struct str rendered, struct str mark, size_t words, struct arena *arena) {
    bool *seen = ARENA_ARRAY(arena, bool, words + 1);
    size_t found = 0;
    const char *at = rendered.data, *end = rendered.data + rendered.len;
    while (seen != NULL && at != NULL && found < words) {
        at = memmem(at, (size_t)(end - at), mark.data, mark.len);
        if (at != NULL) {
            at += mark.len;
            const size_t number = word_number((struct str){.data = at, .len = (size_t)(end - at)});
            if (number < words && !seen[number]) {
                seen[number] = true;
                found++;
            }
        }
    }
    return seen != NULL && found == words;
}

/* --- In plain words --- */

/* The messages that are made; the last one is still open, and its text in `text`. */
struct plain {
    struct arena *arena;
    struct gen_message *made;
    size_t count;
    struct buf text;
    bool open, good;
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

static bool user_speaks(const struct plain *plain) {
    return plain->open && plain->made[plain->count - 1].role == GEN_ROLE_USER;
}

static void plain_calls(struct plain *plain, const struct gen_message *message) {
    plain_begin(plain, GEN_ROLE_ASSISTANT);
    plain_paragraph(plain, message->content);
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
    if (!user_speaks(plain)) {
        plain_begin(plain, GEN_ROLE_USER);
    }
    plain_paragraph(plain, STR("Result"));
    if (call != NULL) {
        buf_append_cstr(&plain->text, " of ");
        buf_append_str(&plain->text, call->name);
    }
    buf_append_cstr(&plain->text, ": ");
    buf_append_str(&plain->text, messages[index].content);
}

const struct gen_message *tool_text_plain(const struct gen_message *messages, size_t count, struct arena *arena,
                                          size_t *plain_count) {
    struct plain plain = {.arena = arena, .made = ARENA_ARRAY(arena, struct gen_message, count), .good = true};
    bool after_result = false;
    *plain_count = 0;
    if (plain.made == NULL) {
        return NULL;
    }
    buf_init(&plain.text, PLAIN_BYTES);
    for (size_t i = 0; i < count; i++) {
        const struct gen_message *message = &messages[i];
        const bool user = message->role == GEN_ROLE_USER;
        if (message->role == GEN_ROLE_TOOL) {
            plain_result(&plain, messages, i);
        } else if (has_calls(message)) {
            plain_calls(&plain, message);
        } else if (user && after_result && user_speaks(&plain)) {
            plain_paragraph(&plain, message->content);
        } else {
            plain_begin(&plain, message->role);
            plain_paragraph(&plain, message->content);
        }
        after_result = message->role == GEN_ROLE_TOOL;
    }
    plain_close(&plain);
    buf_clear(&plain.text);
    *plain_count = plain.count;
    return plain.good ? plain.made : NULL;
}
