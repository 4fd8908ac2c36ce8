#include "engine/context_limit.h"

#include <stdio.h>

bool context_limit_fit(uint32_t context_length, const struct context_use *use, uint32_t *max_tokens,
                       char message[CONTEXT_LIMIT_MESSAGE_MAX]) {
    uint32_t prompt_tokens = use->prompt_tokens;
    uint32_t left = prompt_tokens < context_length ? context_length - prompt_tokens : 0;
    bool continues = use->continues && left > 0;
    if (continues) {
        left = use->continued_tokens < left ? left - use->continued_tokens : 0;
    }
    if ((continues || (!use->given && left > 0)) && *max_tokens > left) {
        *max_tokens = left;
    }
    if (*max_tokens <= left) {
        return true;
    }
    snprintf(message, CONTEXT_LIMIT_MESSAGE_MAX,
             "This model's maximum context length is %u tokens. However, you requested %llu tokens (%u in the %s, %u "
             "in the completion).",
             context_length, (unsigned long long)prompt_tokens + *max_tokens, prompt_tokens,
             use->chat ? "messages" : "prompt", *max_tokens);
    return false;
}
