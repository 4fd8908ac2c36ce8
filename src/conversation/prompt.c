#include "conversation/prompt.h"

#include "conversation/facts.h"
#include "conversation/prompts.h"
#include "conversation/stored.h"

#include <string.h>

static int64_t min_of(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t conversation_tokens(struct str text, const struct tokens_rates *rates) {
    return tokens_rates_count_str(rates, text) + TOKENS_PER_MESSAGE;
}

int64_t conversation_message_tokens(const struct conversation_prompt *prompt, const struct store_message *message) {
    return prompt->counted ? message->tokens : conversation_tokens(message->content, &prompt->most);
}

/* The request's own messages, its system texts apart. */
static bool own_split(struct conversation_prompt *prompt, struct arena *arena, const struct gen_request *request,
                      struct gen_message *own) {
    size_t system_bytes = 0, at = 0;
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        if (message->role == GEN_ROLE_SYSTEM) {
            system_bytes += message->content.len + 1;
            prompt->system_given = true;
        } else {
            const uint32_t counted = prompt->own_counts != NULL ? prompt->own_counts[i] + TOKENS_PER_MESSAGE : 0;
            prompt->own += counted > 0 ? counted : conversation_tokens(message->content, &prompt->most);
            prompt->own_counted[prompt->own_count] = counted;
            own[prompt->own_count++] = *message;
        }
    }
    prompt->own_messages = own;
    if (!prompt->system_given) {
        prompt->system = prompt->conversation->system;
        return true;
    }
    char *system = arena_alloc(arena, system_bytes);
    if (system == NULL) {
        return false;
    }
    for (size_t i = 0; i < request->message_count; i++) {
        const struct str text = request->messages[i].content;
        if (request->messages[i].role == GEN_ROLE_SYSTEM && text.len > 0) {
            if (at > 0) {
                system[at++] = '\n';
            }
            memcpy(system + at, text.data, text.len);
            at += text.len;
        }
    }
    prompt->system = (struct str){system, at};
    return true;
}

/* The system text, and behind it the summary. False: the arena is full. */
static bool head_make(const struct conversation_prompt *prompt, struct arena *arena, struct str summary,
                      struct gen_message *out) {
    static const struct str gap = STR("\n\n");
    const struct str parts[] = {prompt->system, prompt->system.len > 0 ? gap : STR(""), PROMPT_SUMMARY_HEAD, summary};
    const size_t count = summary.len > 0 ? 4 : 1;
    size_t bytes = 1, at = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += parts[i].len;
    }
    char *text = arena_alloc(arena, bytes);
    if (text == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0) {
            memcpy(text + at, parts[i].data, parts[i].len);
            at += parts[i].len;
        }
    }
    *out = (struct gen_message){.role = GEN_ROLE_SYSTEM, .content = {text, at}, .tool_call_id = STR("")};
    return true;
}

/* The summary, or as much of it as there is room for: what a user has told rather than what a model made of it. */
static struct str summary_fit(const struct conversation_prompt *prompt) {
    const struct str summary = prompt->conversation->summary;
    const int64_t room = prompt->budget - prompt->known - prompt->own;
    struct str prose;
    const struct str facts = conversation_facts_split(summary, &prose);
    if (conversation_tokens(summary, &prompt->most) <= room) {
        return summary;
    }
    return conversation_tokens(facts, &prompt->most) <= room ? facts : STR("");
}

/* From the latest back as far as there is room; then forward to where the user speaks, as templates want it. */
static void history_choose(struct conversation_prompt *prompt, int64_t left) {
    size_t first = prompt->message_count;
    const size_t count_max = LIMIT_MESSAGES - 1 > prompt->own_count ? LIMIT_MESSAGES - 1 - prompt->own_count : 0;
    while (first > 0 && prompt->message_count - first < count_max) {
        const int64_t tokens = conversation_message_tokens(prompt, &prompt->messages[first - 1]);
        if (tokens > left) {
            break;
        }
        left -= tokens;
        first--;
    }
    while (first < prompt->message_count && prompt->messages[first].role != STORE_ROLE_USER) {
        first++;
    }
    prompt->first = first;
    prompt->cut = prompt->more || first > 0;
    for (size_t i = first; i < prompt->message_count; i++) {
        prompt->known += conversation_message_tokens(prompt, &prompt->messages[i]);
    }
}

static void budget_set(struct conversation_prompt *prompt, const struct gen_request *request) {
    const int64_t context = prompt->context_length;
    const int64_t room = request->max_tokens_given ? request->max_tokens : min_of(request->max_tokens, context / 4);
    const int64_t budget = context - room - min_of(CONVERSATION_TEMPLATE_TOKENS, context / 16);
    prompt->budget = budget > 0 ? budget : 0;
}

bool conversation_prompt_make(struct conversation_prompt *prompt, struct arena *arena, struct gen_request *request) {
    const struct store_conversation *conversation = prompt->conversation;
    const size_t count = 1 + prompt->message_count + request->message_count;
    struct gen_message *all = ARENA_ARRAY(arena, struct gen_message, count);
    struct gen_message *own = ARENA_ARRAY(arena, struct gen_message, request->message_count + 1);
    prompt->own_counted = ARENA_ARRAY(arena, uint32_t, request->message_count + 1);
    if (all == NULL || own == NULL || prompt->own_counted == NULL) {
        return false;
    }
    prompt->counted = conversation->density > 0 && str_equal_cstr(request->model, conversation->counted_by);
    budget_set(prompt, request);
    if (!own_split(prompt, arena, request, own)) {
        return false;
    }
    prompt->known = prompt->system.len > 0 ? conversation_tokens(prompt->system, &prompt->most) : 0;
    const struct str summary = summary_fit(prompt);
    prompt->known += summary.len > 0 ? conversation_tokens(summary, &prompt->most) : 0;
    history_choose(prompt, prompt->budget - prompt->known - prompt->own);
    size_t at = 0;
    if (prompt->system.len + summary.len > 0) {
        if (!head_make(prompt, arena, summary, &all[at])) {
            return false;
        }
        at++;
    }
    for (size_t i = prompt->first; i < prompt->message_count; i++) {
        const struct str content = arena_copy(arena, prompt->messages[i].content);
        all[at++] = (struct gen_message){
            .role = conversation_gen_role(prompt->messages[i].role), .content = content, .tool_call_id = STR("")};
        if (content.data == NULL) {
            return false;
        }
    }
    memcpy(&all[at], own, prompt->own_count * sizeof(*own));
    prompt->own_messages = &all[at];
    request->messages = all;
    request->message_count = at + prompt->own_count;
    for (size_t i = 0; i < request->message_count; i++) {
        prompt->bytes += (int64_t)all[i].content.len;
        prompt->tokens += conversation_tokens(all[i].content, &prompt->likely);
    }
    return true;
}
