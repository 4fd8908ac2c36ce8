#include "format/history.h"

bool history_is_open(const struct history *history) {
    return history->previous.len > 0 || history->references > 0;
}

static bool is_call(const struct gen_message *message) {
    return message->role == GEN_ROLE_ASSISTANT && message->tool_call_count > 0;
}

/* How many items behind `first` are calls that belong to its message. */
static size_t calls_behind(const struct history_item *items, size_t count, size_t first) {
    size_t calls = 0;
    if (items[first].message.role == GEN_ROLE_ASSISTANT) {
        while (first + 1 + calls < count && is_call(&items[first + 1 + calls].message)) {
            calls++;
        }
    }
    return calls;
}

/* The message of `first` with the calls of the items behind it. */
static bool calls_join(const struct history_item *first, size_t behind, struct arena *arena, struct gen_message *out) {
    const size_t own = first->message.tool_call_count;
    struct gen_tool_call *calls = ARENA_ARRAY(arena, struct gen_tool_call, own + behind);
    *out = first->message;
    if (calls == NULL) {
        return false;
    }
    for (size_t i = 0; i < own + behind; i++) {
        calls[i] = i < own ? first->message.tool_calls[i] : first[1 + i - own].message.tool_calls[0];
    }
    out->tool_calls = calls;
    out->tool_call_count = own + behind;
    return true;
}

bool history_join(struct str instructions, const struct history_item *items, size_t count, struct arena *arena,
                  struct gen_request *request, struct err *err) {
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, count + 1);
    size_t made = 0;
    bool fits = messages != NULL;
    if (fits && instructions.len > 0) {
        messages[made++] =
            (struct gen_message){.role = GEN_ROLE_SYSTEM, .content = instructions, .tool_call_id = STR("")};
    }
    for (size_t i = 0; fits && i < count;) {
        const size_t behind = calls_behind(items, count, i);
        if (behind > 0) {
            fits = calls_join(&items[i], behind, arena, &messages[made++]);
        } else {
            messages[made++] = items[i].message;
        }
        i += 1 + behind;
    }
    request->messages = messages;
    request->message_count = made;
    return fits || err_set(err, ERR_TOO_LARGE, "The request is too large.");
}
