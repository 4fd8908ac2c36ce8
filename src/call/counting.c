#include "call/counting.h"

#include "base/mem.h"
#include "call/price.h"

#include <stdlib.h>

struct tokens_rates counting_rates(const struct calls *calls, struct str model, enum tokens_need need) {
    return tokens_learned_rates(calls->learned, model, need);
}

void counting_request_text(const struct gen_request *request, struct tokens_text *out) {
    *out = (struct tokens_text){0};
    tokens_text_add(out, request->prompt);
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        tokens_text_add(out, message->content);
        for (size_t j = 0; j < message->tool_call_count; j++) {
            tokens_text_add(out, message->tool_calls[j].name);
            tokens_text_add(out, message->tool_calls[j].arguments);
        }
    }
}

int64_t counting_request_tokens(const struct tokens_rates *rates, const struct gen_request *request) {
    struct tokens_text text;
    counting_request_text(request, &text);
    return tokens_rates_count(rates, &text) + TOKENS_PER_MESSAGE * ((int64_t)request->message_count + 1);
}

/* What stands around the text. */
static uint64_t template_tokens(const struct gen_request *request) {
    const struct tokens_prior *prior = tokens_prior_of(request->model);
    uint64_t tokens = prior->template_tokens + (uint64_t)prior->message_tokens * request->message_count;
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        tokens += message->tool_call_id.len;
        for (size_t j = 0; j < message->tool_call_count; j++) {
            tokens += PRICE_TOKENS_PER_TOOL_CALL + message->tool_calls[j].id.len;
        }
    }
    return tokens;
}

static uint32_t request_bound(const struct calls *calls, const struct gen_request *request,
                              const struct tokens_text *text, enum tokens_need need) {
    const struct tokens_rates rates = counting_rates(calls, request->model, need);
    const uint64_t most = price_prompt_tokens_max(request);
    const uint64_t tokens = (uint64_t)tokens_rates_count(&rates, text) + template_tokens(request);
    return (uint32_t)(tokens < most ? tokens : most);
}

uint32_t counting_request_enough(const struct calls *calls, const struct gen_request *request,
                                 const struct tokens_text *text) {
    return request_bound(calls, request, text, TOKENS_MOST);
}

uint32_t counting_request_most(const struct calls *calls, const struct gen_request *request,
                               const struct tokens_text *text) {
    return request_bound(calls, request, text, TOKENS_BOUND);
}

uint32_t counting_sure(uint32_t likely, uint32_t most) {
    const uint64_t sure = (uint64_t)likely + likely / COUNTING_SURE_PART + COUNTING_SURE_TOKENS;
    return sure < most ? (uint32_t)sure : most > 1 ? most - 1 : 1;
}

void counting_learn(struct calls *calls, const struct tokens_taught *taught) {
    if (taught->who.len > 0 && taught->tokens > 0 && !calls->backend.counter.fixed) {
        tokens_learned_take(calls->learned, taught);
    }
}

/* --- Real counts --- */

bool counting_can(const struct calls *calls, struct str model) {
    const struct call_counter *counter = &calls->backend.counter;
    return counter->is_able != NULL && counter->is_able(counter->context, model);
}

bool counting_is_quick(const struct calls *calls, struct str model) {
    const struct call_counter *counter = &calls->backend.counter;
    return counting_can(calls, model) &&
           (counter->backlog == NULL || counter->backlog(counter->context, model) <= COUNTING_QUICK_BYTES);
}

struct counting {
    struct calls *calls;
    call_counted *told;
    void *context;
    char model[STORE_MODEL_MAX];
    struct tokens_text text;
    uint32_t messages;
};

static struct counting *counting_new(struct calls *calls, struct str model, call_counted *told, void *context) {
    struct counting *counting = MEM_NEW(struct counting);
    counting->calls = calls;
    counting->told = told;
    counting->context = context;
    (void)str_copy(counting->model, sizeof(counting->model), model);
    return counting;
}

static void on_counted(void *context, const uint32_t *tokens, size_t count) {
    struct counting *counting = context;
    uint64_t all = 0;
    for (size_t i = 0; tokens != NULL && i < count; i++) {
        all += tokens[i];
    }
    if (tokens != NULL) {
        tokens_learned_take(counting->calls->learned,
                            &(struct tokens_taught){.model = str_from(counting->model),
                                                    .text = &counting->text,
                                                    .messages = counting->messages,
                                                    .tokens = all < UINT32_MAX ? (uint32_t)all : UINT32_MAX});
    }
    counting->told(counting->context, tokens, count);
    free(counting);
}

void counting_ask_texts(struct calls *calls, struct str model, const struct str *texts, size_t count,
                        call_counted *told, void *context) {
    const struct call_counter *counter = &calls->backend.counter;
    struct counting *counting = counting_new(calls, model, told, context);
    for (size_t i = 0; i < count; i++) {
        tokens_text_add(&counting->text, texts[i]);
    }
    counter->texts(counter->context, model, texts, count, on_counted, counting);
}

void counting_ask_chat(struct calls *calls, const struct gen_request *request, call_counted *told, void *context) {
    const struct call_counter *counter = &calls->backend.counter;
    struct counting *counting = counting_new(calls, request->model, told, context);
    counting_request_text(request, &counting->text);
    counting->messages = (uint32_t)request->message_count + 1;
    counter->chat(counter->context, request, on_counted, counting);
}
