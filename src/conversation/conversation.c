#include "conversation/conversation.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/counting.h"
#include "call/models.h"
#include "conversation/repeated.h"
#include "conversation/stored.h"
#include "conversation/upkeep.h"

#include <stdlib.h>
#include <string.h>

enum {
    KIB = 1024,
    CONVERSATION_BYTES_PER_TOKEN = 16,
    COUNTED_PART = 8,            /* of a context: own messages that may take more are counted */
    BELIEVED_LEAST_PERCENT = 50, /* of what is likely */
    BELIEVED_MOST_PERCENT = 160,
};

static const struct call_hook_kind conversation_hook;

struct conversation *conversation_of(struct call_hook *hook) {
    return (struct conversation *)hook;
}

/* --- A call comes --- */

/* While the store reads; in the draft's arena. */
struct entering {
    struct conversation_desk *desk;
    uint64_t calls; /* of the desk, when the store was asked */
    uint32_t context_length;
    uint32_t *own_counts; /* NULL: nobody has counted the call's messages */
};

static enum draft_step refuse_busy(struct draft *draft) {
    struct fault fault;
    fault_set_param(&fault, FAULT_CONVERSATION_BUSY, "conversation_id",
                    "Another call on this conversation is running. Retry when it is over.");
    fault.retry_after_ms = CONVERSATION_BUSY_RETRY_MS;
    return draft_refuse(draft, &fault);
}

void conversation_enter_gone(struct draft *draft) {
    const struct entering *entering = draft->stage_data;
    entering->desk->reads--;
    conversation_desk_release(entering->desk);
}

static bool tools_refuse(const struct gen_request *generation, struct fault *fault) {
    for (size_t i = 0; i < generation->message_count; i++) {
        if (generation->messages[i].role == GEN_ROLE_TOOL || generation->messages[i].tool_call_count > 0) {
            fault_set_param(fault, FAULT_INVALID_REQUEST, "messages",
                            "A conversation does not keep tool calls yet. Send them without conversation_id.");
            return true;
        }
    }
    return false;
}

static void own_message(struct store_message *out, int64_t position, const struct gen_message *message,
                        int64_t created_ms) {
    *out = (struct store_message){.position = position,
                                  .role = conversation_stored_role(message->role),
                                  .created_ms = created_ms,
                                  .content = message->content};
}

/* What must be known of it when its answer is there. */
static struct conversation *conversation_new(const struct draft *draft, struct conversation_desk *desk,
                                             const struct conversation_prompt *prompt) {
    struct conversation *own = MEM_NEW(struct conversation);
    const size_t stored = prompt->message_count - prompt->first;
    const int64_t from = prompt->conversation->message_count;
    own->hook.kind = &conversation_hook;
    own->desk = desk;
    own->identity = *draft->identity;
    own->stored = *prompt->conversation;
    own->stored.system = own->stored.summary = STR("");
    own->prompt = *prompt;
    own->prompt.conversation = NULL;
    own->prompt.messages = NULL;
    own->prompt.own_counts = NULL;
    own->system = prompt->system_given ? prompt->system : STR("");
    (void)str_copy(own->model, sizeof(own->model), draft->input.request.model);
    own->all = mem_calloc(stored + prompt->own_count + 1, sizeof(*own->all));
    own->stored_count = stored;
    own->own_count = prompt->own_count;
    for (size_t i = 0; i < stored; i++) {
        own->all[i] = prompt->messages[prompt->first + i];
        own->all[i].tokens = (uint32_t)conversation_message_tokens(prompt, &own->all[i]);
        own->all[i].content = STR("");
    }
    for (size_t i = 0; i < prompt->own_count; i++) {
        own_message(&own->all[stored + i], from + (int64_t)i, &prompt->own_messages[i], clock_wall_ms());
        own->all[stored + i].tokens = prompt->own_counted[i];
    }
    desk->busy = true;
    desk->calls++;
    return own;
}

static enum draft_step enter(struct draft *draft, const struct store_conversation *conversation,
                             const struct store_message *messages, size_t count, bool more) {
    const struct entering *entering = draft->stage_data;
    struct gen_request *generation = &draft->input.request;
    struct conversation_prompt prompt = {.conversation = conversation,
                                         .messages = messages,
                                         .message_count = count,
                                         .more = more,
                                         .context_length = entering->context_length,
                                         .own_counts = entering->own_counts,
                                         .most = counting_rates(draft->calls, generation->model, TOKENS_MOST),
                                         .likely = counting_rates(draft->calls, generation->model, TOKENS_LIKELY)};
    struct fault fault;
    if (tools_refuse(generation, &fault)) {
        return draft_refuse(draft, &fault);
    }
    const size_t repeated = repeated_count(messages, count, conversation->message_count, generation);
    if (repeated > 0) { /* the counts were of all that was sent */
        prompt.own_counts = NULL;
    }
    if (!repeated_drop(generation, repeated, draft->arena) ||
        !conversation_prompt_make(&prompt, draft->arena, generation)) {
        fault_set_too_large(&fault);
        return draft_refuse(draft, &fault);
    }
    draft->hook = &conversation_new(draft, entering->desk, &prompt)->hook;
    return DRAFT_ON;
}

static void on_read(void *context, const struct store_conversation *conversation, const struct store_message *messages,
                    size_t count, bool more, const struct err *err) {
    struct draft *draft = draft_wait_end(context);
    struct fault fault;
    if (draft == NULL) {
        return;
    }
    const struct entering *entering = draft->stage_data;
    struct conversation_desk *desk = entering->desk;
    enum draft_step step;
    if (err != NULL && err->code == ERR_NOT_FOUND) {
        step = DRAFT_ON;
    } else if (err != NULL) {
        fault_from_err(&fault, err);
        step = draft_refuse(draft, &fault);
    } else if (desk->busy || desk->calls != entering->calls) {
        step = refuse_busy(draft);
    } else {
        step = enter(draft, conversation, messages, count, more);
    }
    draft_go_on(draft, step); /* the draft may be gone, the desk is not: it still counts this read */
    desk->reads--;
    conversation_desk_release(desk);
}

/* At least so many bytes are added to it. */
static size_t bytes_to_add(const struct gen_request *generation) {
    size_t bytes = 1;
    for (size_t i = 0; i < generation->message_count; i++) {
        bytes += generation->messages[i].content.len;
    }
    return bytes;
}

static void read_stored(struct draft *draft) {
    const struct entering *entering = draft->stage_data;
    char id[STORE_ID_MAX];
    (void)str_copy(id, sizeof(id), draft->input.label);
    const struct store_conversation_ask ask = {
        .account_id = draft->identity->account_id,
        .id = id,
        .test = draft->identity->kind == STORE_KEY_TEST,
        .limit = STORE_MESSAGES_MAX,
        .tokens_max = 2 * (int64_t)entering->context_length, /* another model may have counted */
        .bytes_max = (size_t)entering->context_length * CONVERSATION_BYTES_PER_TOKEN,
        .adds = bytes_to_add(&draft->input.request),
    };
    store_conversation_read(draft->calls->store, &ask, on_read, draft_wait_begin(draft));
}

/* --- What it brings is counted --- */

/* As soon as it takes much of the context, an estimate could cost a part of what was said before. */
static bool count_needed(const struct draft *draft, uint32_t context_length) {
    const struct gen_request *request = &draft->input.request;
    const struct tokens_rates most = counting_rates(draft->calls, request->model, TOKENS_MOST);
    return counting_request_tokens(&most, request) > context_length / COUNTED_PART &&
           counting_can(draft->calls, request->model);
}

static void on_counted(void *context, const uint32_t *tokens, size_t count) {
    struct draft *draft = draft_wait_end(context);
    if (draft == NULL) {
        return;
    }
    struct entering *entering = draft->stage_data;
    uint32_t *counts = ARENA_ARRAY(draft->arena, uint32_t, count);
    if (tokens != NULL && counts != NULL && count == draft->input.request.message_count) {
        memcpy(counts, tokens, count * sizeof(*counts));
        entering->own_counts = counts;
    }
    read_stored(draft);
}

/* False: the arena is full. */
static bool count_ask(struct draft *draft) {
    const struct gen_request *request = &draft->input.request;
    struct str *texts = ARENA_ARRAY(draft->arena, struct str, request->message_count);
    if (texts == NULL) {
        return false;
    }
    for (size_t i = 0; i < request->message_count; i++) {
        texts[i] = request->messages[i].content;
    }
    counting_ask_texts(draft->calls, request->model, texts, request->message_count, on_counted,
                       draft_wait_begin(draft));
    return true;
}

enum draft_step conversation_enter(struct conversations *conversations, struct draft *draft) {
    const struct call_input *input = &draft->input;
    struct entering *entering = ARENA_NEW(draft->arena, struct entering);
    if (entering == NULL) {
        struct fault fault;
        fault_set_too_large(&fault);
        return draft_refuse(draft, &fault);
    }
    struct conversation_desk *desk = conversation_desk_get(conversations, draft->identity, input->label);
    if (desk->busy) {
        return refuse_busy(draft);
    }
    *entering = (struct entering){.desk = desk,
                                  .calls = desk->calls,
                                  .context_length = models_context_length(draft->calls, input->request.model)};
    desk->reads++;
    draft->stage_data = entering;
    if (count_needed(draft, entering->context_length) && count_ask(draft)) {
        return DRAFT_WAITS;
    }
    read_stored(draft);
    return DRAFT_WAITS;
}

/* --- Its answer --- */

/* What was counted of a text is believed as far as it may be so: a device that tells too much would make a conversation
 * forget, one that tells too little would make it too long for its model. */
static uint32_t believe(int64_t counted, int64_t likely) {
    const int64_t least = likely * BELIEVED_LEAST_PERCENT / 100, most = likely * BELIEVED_MOST_PERCENT / 100;
    return (uint32_t)(counted < least ? least : counted > most ? most : counted) + 1;
}

/* The messages of the call have their part of what the device has counted of the whole prompt. Where nobody has counted
 * it (what a workflow has used is that of all its steps), they have what is likely. */
static void count_own(struct conversation *own, uint32_t prompt_tokens) {
    struct store_message *messages = own->all + own->stored_count;
    const int64_t all = own->prompt.tokens > 0 ? own->prompt.tokens : 1;
    for (size_t i = 0; i < own->own_count; i++) {
        const int64_t likely = conversation_tokens(messages[i].content, &own->prompt.likely);
        if (messages[i].tokens > 0) { /* counted when the call came */
            continue;
        }
        messages[i].tokens = believe(prompt_tokens > 0 ? likely * (int64_t)prompt_tokens / all : likely, likely);
    }
}

static bool hook_turn(struct call_hook *hook, struct call *call, const struct call_result *result,
                      struct store_turn *turn) {
    struct conversation *own = conversation_of(hook);
    struct store_message *answer = &own->all[own->stored_count + own->own_count];
    const int64_t bytes = own->prompt.bytes > 0 ? own->prompt.bytes : 1;
    const bool counted = !result->composed;
    const int64_t density = counted ? (int64_t)result->usage.prompt_tokens * KIB / bytes + 1 : own->stored.density;
    const int64_t likely = conversation_tokens(buf_str(&call->text), &own->prompt.likely);
    if (call->text.overflow) {
        return false;
    }
    count_own(own, counted ? result->usage.prompt_tokens : 0);
    *answer = (struct store_message){
        .position = own->stored.message_count + (int64_t)own->own_count,
        .role = STORE_ROLE_ASSISTANT,
        .tokens = believe(counted ? result->usage.completion_tokens + CONVERSATION_ANSWER_TOKENS : likely, likely),
        .created_ms = clock_wall_ms(),
        .content = buf_str(&call->text)};
    *turn = (struct store_turn){.kind = STORE_TURN_EXCHANGE,
                                .test = own->stored.test,
                                .now_ms = answer->created_ms,
                                .from = own->stored.message_count,
                                .messages = own->all + own->stored_count,
                                .message_count = own->own_count + 1,
                                .prompt_tokens = result->usage.prompt_tokens,
                                .completion_tokens = result->usage.completion_tokens,
                                .density = density,
                                .system_given = own->prompt.system_given,
                                .text = own->system};
    memcpy(turn->conversation_id, own->stored.id, sizeof(turn->conversation_id));
    memcpy(turn->account_id, own->stored.account_id, sizeof(turn->account_id));
    memcpy(turn->counted_by, counted ? own->model : own->stored.counted_by, sizeof(turn->counted_by));
    own->settling = true;
    return true;
}

static void hook_free(struct call_hook *hook) {
    struct conversation *own = conversation_of(hook);
    conversation_desk_leave(own->desk);
    free(own->all);
    free(own);
}

static void hook_done(struct call_hook *hook, struct call *call, const struct call_result *result) {
    struct conversation *own = conversation_of(hook);
    (void)result;
    if (own->settling) {
        own->settling = false;
        upkeep_start(own, buf_str(&call->text));
    }
}

static void hook_gone(struct call_hook *hook) {
    const struct conversation *own = conversation_of(hook);
    if (own->settling) {
        conversation_desk_linger(own->desk);
    }
}

static const struct call_hook_kind conversation_hook = {
    .turn = hook_turn, .done = hook_done, .gone = hook_gone, .free = hook_free};
