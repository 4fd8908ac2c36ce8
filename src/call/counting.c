#include "call/counting.h"

#include "call/price.h"

enum { COUNTING_TEMPLATE_TOKENS = 128 /* a default system prompt, the date */ };

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

uint32_t counting_request_enough(const struct calls *calls, const struct gen_request *request,
                                 const struct tokens_text *text) {
    const struct tokens_rates rates = counting_rates(calls, request->model, TOKENS_MOST);
    const uint64_t most = price_prompt_tokens_max(request);
    const uint64_t tokens = (uint64_t)tokens_rates_count(&rates, text) + COUNTING_TEMPLATE_TOKENS +
                            PRICE_TOKENS_PER_MESSAGE * (uint64_t)request->message_count;
    return (uint32_t)(tokens < most ? tokens : most);
}

void counting_learn(struct calls *calls, const struct tokens_taught *taught) {
    if (taught->who.len > 0) {
        tokens_learned_take(calls->learned, taught);
    }
}
