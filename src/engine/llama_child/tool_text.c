#include "engine/llama_child/tool_text.h"

#include <stdio.h>
#include <string.h>

enum { WORD_BYTES = 80 };

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
