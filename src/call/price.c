#include "call/price.h"

#include "catalog/catalog.h"
#include "tokens/rates.h"

static uint64_t tool_call_tokens(const struct gen_tool_call *call) {
    return PRICE_TOKENS_PER_TOOL_CALL +
           PRICE_TOKENS_PER_TOOL_BYTE * (uint64_t)(call->id.len + call->name.len + call->arguments.len);
}

uint32_t price_prompt_tokens_max(const struct gen_request *request) {
    const struct tokens_prior *prior = tokens_prior_of(request->model);
    uint64_t tokens = prior->template_tokens + request->prompt.len;
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        tokens += prior->message_tokens + message->content.len +
                  PRICE_TOKENS_PER_TOOL_BYTE * (uint64_t)message->tool_call_id.len;
        for (size_t j = 0; j < message->tool_call_count; j++) {
            tokens += tool_call_tokens(&message->tool_calls[j]);
        }
    }
    return tokens < UINT32_MAX ? (uint32_t)tokens : UINT32_MAX;
}

void price_of_model(struct str model, int64_t *prompt_nano, int64_t *completion_nano) {
    const struct catalog_model *found = catalog_find(model);
    *prompt_nano = found != NULL ? found->prompt_price_nano : CATALOG_OTHER_PROMPT_PRICE_NANO;
    *completion_nano = found != NULL ? found->completion_price_nano : CATALOG_OTHER_COMPLETION_PRICE_NANO;
}
