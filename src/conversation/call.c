#include "api/pending.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/models.h"
#include "conversation/conversations.h"
#include "conversation/stored.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { KIB = 1024, CONVERSATION_BYTES_PER_TOKEN = 16 };

/* --- What is under way --- */

struct conversation_desk *conversation_desk_get(struct api *api, const struct auth_identity *identity, struct str id) {
    struct conversation_name name = {.test = identity->kind == STORE_KEY_TEST};
    struct conversation_desk *desk;
    str_copy(name.account_id, sizeof(name.account_id), str_from(identity->account_id));
    str_copy(name.id, sizeof(name.id), id);
    HASH_FIND(hh, api->conversations, &name, sizeof(name), desk);
    if (desk == NULL) {
        desk = MEM_NEW(struct conversation_desk);
        memcpy(&desk->name, &name, sizeof(name));
        HASH_ADD(hh, api->conversations, name, sizeof(desk->name), desk);
    }
    return desk;
}

void conversation_desk_release(struct api *api, struct conversation_desk *desk) {
    if (desk->busy || desk->reads > 0 || desk->title != NULL || desk->summary != NULL) {
        return;
    }
    assert(api->conversations != NULL);
    HASH_DEL(api->conversations, desk);
    free(desk);
}

void conversations_sweep(struct api *api, uint64_t now_ms) {
    struct conversation_desk *desk, *next;
    HASH_ITER (hh, api->conversations, desk, next) {
        if (desk->linger_until_ms != 0 && desk->linger_until_ms <= now_ms) {
            desk->linger_until_ms = 0;
            desk->busy = false;
            api->conversations_lingering--;
            conversation_desk_release(api, desk);
        }
    }
}

void conversations_clear(struct api *api) {
    struct conversation_desk *desk = api->conversations, *next;
    HASH_CLEAR(hh, api->conversations); /* the elements stay linked */
    for (; desk != NULL; desk = next) {
        next = desk->hh.next;
        conversation_job_free(desk->title);
        conversation_job_free(desk->summary);
        free(desk);
    }
}

/* --- A call comes --- */

/* While the store reads; in the exchange's arena. */
struct entering {
    struct conversation_desk *desk;
    uint64_t turns; /* of the desk, when the store was asked */
    uint32_t context_length;
};

static bool is_conversation_id(struct str id) {
    static const struct str prefix = STR("conv_");
    if (id.len != prefix.len + CALL_ID_TAIL || !str_starts_with(id, prefix)) {
        return false;
    }
    for (size_t i = prefix.len; i < id.len; i++) {
        const char c = id.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
            return false;
        }
    }
    return true;
}

static void refuse_busy(struct api_request *request) {
    struct fault error;
    fault_set(&error, FAULT_CONVERSATION_BUSY, "Another call on this conversation is running. Retry when it is over.");
    str_copy(error.param, sizeof(error.param), STR("conversation_id"));
    error.retry_after_ms = CONVERSATION_BUSY_RETRY_MS;
    draft_refuse(request, &error);
}

static void entering_end(struct api_request *request) {
    struct entering *entering = request->handler_data;
    entering->desk->reads--;
    conversation_desk_release(request->api, entering->desk);
}

static void on_gone(struct api_request *request) {
    draft_drop(request);
    entering_end(request);
}

static bool tools_refuse(const struct gen_request *generation, struct fault *error) {
    for (size_t i = 0; i < generation->message_count; i++) {
        if (generation->messages[i].role == GEN_ROLE_TOOL || generation->messages[i].tool_call_count > 0) {
            fault_set(error, FAULT_INVALID_REQUEST,
                      "A conversation does not keep tool calls yet. Send them without conversation_id.");
            str_copy(error->param, sizeof(error->param), STR("messages"));
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
static struct conversation_call *call_new(struct api_request *request, struct conversation_desk *desk,
                                          const struct conversation_prompt *prompt) {
    struct conversation_call *call = MEM_NEW(struct conversation_call);
    const size_t stored = prompt->message_count - prompt->first;
    const int64_t from = prompt->conversation->message_count;
    call->api = request->api;
    call->desk = desk;
    call->identity = request->identity;
    call->conversation = *prompt->conversation;
    call->conversation.system = call->conversation.summary = STR("");
    call->prompt = *prompt;
    call->prompt.conversation = NULL;
    call->prompt.messages = NULL;
    call->system = prompt->system_given ? prompt->system : STR("");
    str_copy(call->model, sizeof(call->model), request->draft->input.request.model);
    call->all = (struct store_message *)mem_calloc(stored + prompt->own_count + 1, sizeof(*call->all));
    call->stored_count = stored;
    call->own_count = prompt->own_count;
    for (size_t i = 0; i < stored; i++) {
        call->all[i] = prompt->messages[prompt->first + i];
        call->all[i].tokens = (uint32_t)conversation_message_tokens(prompt, &call->all[i]);
        call->all[i].content = STR("");
    }
    for (size_t i = 0; i < prompt->own_count; i++) {
        own_message(&call->all[stored + i], from + (int64_t)i, &prompt->own_messages[i], clock_wall_ms());
    }
    desk->busy = true;
    desk->turns++;
    return call;
}

static void enter(struct api_request *request, const struct store_conversation *conversation,
                  const struct store_message *messages, size_t count, bool more) {
    const struct entering *entering = request->handler_data;
    struct gen_request *generation = &request->draft->input.request;
    struct conversation_prompt prompt = {.conversation = conversation,
                                         .messages = messages,
                                         .message_count = count,
                                         .more = more,
                                         .context_length = entering->context_length};
    struct fault error;
    if (tools_refuse(generation, &error)) {
        draft_refuse(request, &error);
    } else if (!conversation_prompt_make(&prompt, http_exchange_arena(request->exchange), generation)) {
        fault_set(&error, FAULT_TOO_LARGE, "The request is too large.");
        draft_refuse(request, &error);
    } else {
        request->draft->conversation = call_new(request, entering->desk, &prompt);
        call_start(request);
    }
}

static void on_read(void *context, const struct store_conversation *conversation, const struct store_message *messages,
                    size_t count, bool more, const struct err *err) {
    struct api_request *request = pending_end(context);
    struct fault error;
    if (request == NULL) {
        return;
    }
    struct entering *entering = request->handler_data;
    struct conversation_desk *desk = entering->desk;
    struct api *api = request->api;
    /* The request may be gone after each of these, the desk is not: it still counts this read. */
    if (err != NULL && err->code == ERR_NOT_FOUND) {
        call_start(request);
    } else if (err != NULL) {
        fault_from_err(&error, err);
        draft_refuse(request, &error);
    } else if (desk->busy || desk->turns != entering->turns) {
        refuse_busy(request);
    } else {
        enter(request, conversation, messages, count, more);
    }
    desk->reads--;
    conversation_desk_release(api, desk);
}

void conversation_enter(struct api_request *request) {
    const struct generation_input *input = &request->draft->input;
    char id[STORE_ID_MAX];
    if (request->draft->kind != API_CALL_CHAT || !is_conversation_id(input->label)) {
        call_start(request);
        return;
    }
    struct entering *entering = ARENA_NEW(http_exchange_arena(request->exchange), struct entering);
    if (entering == NULL) {
        struct fault error;
        fault_set(&error, FAULT_TOO_LARGE, "The request is too large.");
        draft_refuse(request, &error);
        return;
    }
    struct conversation_desk *desk = conversation_desk_get(request->api, &request->identity, input->label);
    if (desk->busy) {
        refuse_busy(request);
        return;
    }
    *entering = (struct entering){.desk = desk,
                                  .turns = desk->turns,
                                  .context_length = models_context_length(request->api, input->request.model)};
    desk->reads++;
    request->handler_data = entering;
    str_copy(id, sizeof(id), input->label);
    const struct store_conversation_ask ask = {
        .account_id = request->identity.account_id,
        .id = id,
        .test = request->identity.kind == STORE_KEY_TEST,
        .limit = STORE_MESSAGES_MAX,
        .tokens_max = entering->context_length,
        .bytes_max = (size_t)entering->context_length * CONVERSATION_BYTES_PER_TOKEN,
    };
    store_conversation_read(request->api->store, &ask, on_read, pending_new(request, on_gone));
}

/* --- Its answer --- */

/* What the device has counted beyond what was estimated of the rest is that of the call's own messages; but never less than
 * their share, since the rest may have been overestimated. */
static void count_own(struct conversation_call *call, const struct gen_usage *usage, int64_t density) {
    struct store_message *own = call->all + call->stored_count;
    int64_t bytes = 0;
    for (size_t i = 0; i < call->own_count; i++) {
        bytes += (int64_t)own[i].content.len + CONVERSATION_TOKENS_PER_MESSAGE;
    }
    const int64_t rest = (int64_t)usage->prompt_tokens - call->prompt.known, share = bytes * density / KIB;
    const int64_t tokens = rest > share ? rest : share;
    for (size_t i = 0; i < call->own_count; i++) {
        const int64_t part = (int64_t)own[i].content.len + CONVERSATION_TOKENS_PER_MESSAGE;
        own[i].tokens = (uint32_t)((tokens * part + bytes - 1) / bytes) + 1;
    }
}

/* Nobody has counted this prompt: what a workflow has used is that of all its steps. Estimates, and the density stays. */
static void estimate_own(struct conversation_call *call) {
    struct store_message *own = call->all + call->stored_count;
    for (size_t i = 0; i < call->own_count; i++) {
        own[i].tokens = (uint32_t)conversation_tokens(own[i].content, call->prompt.density);
    }
}

bool conversation_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    struct conversation_call *asked = call->conversation;
    struct store_message *answer = &asked->all[asked->stored_count + asked->own_count];
    const int64_t bytes = asked->prompt.bytes > 0 ? asked->prompt.bytes : 1;
    const bool counted = call->orchestration == NULL;
    const int64_t density =
        counted ? (int64_t)result->usage.prompt_tokens * KIB / bytes + 1 : asked->conversation.density;
    if (call->answer.overflow) {
        return false;
    }
    if (counted) {
        count_own(asked, &result->usage, density);
    } else {
        estimate_own(asked);
    }
    *answer = (struct store_message){.position = asked->conversation.message_count + (int64_t)asked->own_count,
                                     .role = STORE_ROLE_ASSISTANT,
                                     .tokens = result->usage.completion_tokens + CONVERSATION_ANSWER_TOKENS,
                                     .created_ms = clock_wall_ms(),
                                     .content = buf_str(&call->answer)};
    if (!counted) {
        answer->tokens = (uint32_t)conversation_tokens(answer->content, asked->prompt.density);
    }
    *turn = (struct store_turn){.kind = STORE_TURN_EXCHANGE,
                                .test = asked->conversation.test,
                                .now_ms = answer->created_ms,
                                .from = asked->conversation.message_count,
                                .messages = asked->all + asked->stored_count,
                                .message_count = asked->own_count + 1,
                                .prompt_tokens = result->usage.prompt_tokens,
                                .completion_tokens = result->usage.completion_tokens,
                                .density = density,
                                .system_given = asked->prompt.system_given,
                                .text = asked->system};
    memcpy(turn->conversation_id, asked->conversation.id, sizeof(turn->conversation_id));
    memcpy(turn->account_id, asked->conversation.account_id, sizeof(turn->account_id));
    memcpy(turn->counted_by, counted ? asked->model : asked->conversation.counted_by, sizeof(turn->counted_by));
    asked->settling = true;
    return true;
}

/* A sandbox's turn is stored: the next call may come. */
static void on_kept(void *context, const struct err *err) {
    struct conversation_call *call = context;
    if (err != NULL) {
        LOG_WARN_EVENT("conversation.not_kept", LOG_TEXT("conversation", call->conversation.id),
                       LOG_TEXT("error", err->message));
    }
    conversation_call_free(call);
}

void conversation_call_done(struct call *call, const struct call_result *result) {
    struct conversation_call *asked = call->conversation;
    struct store_turn turn;
    if (asked->conversation.test && call->orchestration == NULL) {
        if (conversation_turn(call, result, &turn)) {
            conversation_jobs_start(asked, buf_str(&call->answer));
            call->conversation = NULL; /* its own until it is stored */
            store_turn_keep(call->api->store, &turn, on_kept, asked);
        }
    } else if (asked->settling) {
        asked->settling = false;
        conversation_jobs_start(asked, buf_str(&call->answer));
    }
}

void conversation_call_gone(struct conversation_call *call) {
    if (call != NULL && call->settling) {
        call->desk->linger_until_ms = loop_now_ms(call->api->loop) + CONVERSATION_LINGER_MS;
        call->api->conversations_lingering++;
    }
}

void conversation_call_free(struct conversation_call *call) {
    if (call == NULL) {
        return;
    }
    if (call->desk->linger_until_ms == 0) {
        call->desk->busy = false;
    }
    conversation_desk_release(call->api, call->desk);
    free(call->all);
    free(call);
}
