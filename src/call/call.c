#include "call/call.h"

#include "base/clock.h"
#include "call/counting.h"
#include "call/price.h"

static void call_count(struct call *call) {
    const struct tokens_rates rates = counting_rates(call->calls, call->generation.model, TOKENS_LIKELY);
    counting_request_text(&call->generation, &call->prompt_text);
    call->prompt_tokens_likely = (uint32_t)tokens_rates_count(&rates, &call->prompt_text) +
                                 TOKENS_PER_MESSAGE * ((uint32_t)call->generation.message_count + 1);
    call->prompt_tokens_enough = counting_request_enough(call->calls, &call->generation, &call->prompt_text);
    call->prompt_tokens_max = counting_request_most(call->calls, &call->generation, &call->prompt_text);
    call->prompt_tokens_sure = counting_sure(call->prompt_tokens_likely, call->prompt_tokens_max);
}

void call_init(struct call *call, struct calls *calls, const struct call_sink *sink, struct arena *arena) {
    call->calls = calls;
    call->sink = sink;
    call->arena = arena;
    call->executor = calls_executor(calls, &call->identity);
    call_count(call);
    price_of_model(call->generation.model, &call->prompt_price_nano, &call->completion_price_nano);
    call->names = prefix_names(&calls->prefix_key, call->identity.account_number, &call->generation);
    call->created_ms = clock_wall_ms();
    buf_init(&call->text, LIMIT_ANSWER_BYTES);
    if (call->generation.logprobs) {
        call->logprobs = call_logprobs_new(call->generation.top_logprobs);
    }
}

void call_clear(struct call *call) {
    if (call->hook != NULL) {
        call->hook->kind->free(call->hook);
        call->hook = NULL;
    }
    buf_clear(&call->text);
    said_free(call->said);
    call->said = NULL;
    call_logprobs_free(call->logprobs);
    call->logprobs = NULL;
}

void call_link(struct call *call) {
    struct calls *calls = call->calls;
    call->next = calls->list;
    if (calls->list != NULL) {
        calls->list->previous = call;
    }
    calls->list = call;
    calls->count++;
}

void call_unlink(struct call *call) {
    if (call->next != NULL) {
        call->next->previous = call->previous;
    }
    if (call->previous != NULL) {
        call->previous->next = call->next;
    } else {
        call->calls->list = call->next;
    }
    call->calls->count--;
}

void call_each(const struct calls *calls, void (*visit)(void *context, struct call *call), void *context) {
    for (struct call *call = calls->list; call != NULL; call = call->next) {
        visit(context, call);
    }
}

bool call_text(const struct call *call, struct str *out) {
    *out = buf_str(&call->text);
    return !call->text.overflow;
}

struct answer call_answer(struct call *call, const struct call_result *result) {
    struct answer answer = {.id = call->id,
                            .model = call->generation.model,
                            .text = buf_str(&call->text),
                            .prompts = call->prompts,
                            .created_ms = call->created_ms,
                            .result = result,
                            .kept = call->kept,
                            .echo = call->echo,
                            .ignored = call->ignored,
                            .logprobs = call->logprobs};
    if (result->stop > 0 && result->stop <= call->generation.stop_count) {
        answer.stop = call->generation.stop[result->stop - 1];
    }
    if (call->tools != NULL) {
        call->said = call->said == NULL ? said_read(call->tools, call->id, answer.text) : call->said;
        answer.text = said_text(call->said);
        answer.calls = said_calls(call->said, &answer.call_count);
    }
    return answer;
}

void call_submit(struct call *call) {
    call->executor->submit(call->executor->context, call);
}

void call_abandon(struct call *call) {
    call->executor->abandon(call->executor->context, call);
}
