#include "core/bill.h"

#include "core/core_internal.h"

#include <string.h>

enum { DOUBT_ONE_IN = 16 };

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* The longest beginning of whole characters of at most so many bytes. */
static size_t whole_characters(struct str text, uint64_t bytes) {
    size_t length = (size_t)min_u64(bytes, text.len);
    while (length > 0 && length < text.len && ((uint8_t)text.data[length] & 0xC0) == 0x80) {
        length--;
    }
    return length;
}

bool core_bill_deliver(struct core_attempt *attempt, struct str *text, uint32_t tokens) {
    struct core_delivered *delivered = &attempt->delivered;
    const uint64_t most = attempt->max_tokens, spelled = min_u64(tokens, text->len);
    uint64_t bytes = text->len;
    bool within = true;
    if (most > 0) {
        const uint64_t bytes_most = most * CORE_BILL_TOKEN_BYTES + CORE_BILL_SPARE_BYTES;
        const uint64_t left = most - min_u64(delivered->spelled, most);
        within = delivered->tokens + tokens <= most && delivered->bytes + text->len <= bytes_most;
        if (spelled > left) { /* of a delta that passes the end, its share */
            bytes = bytes * left / spelled;
        }
        bytes = min_u64(bytes, bytes_most - min_u64(delivered->bytes, bytes_most));
    }
    text->len = whole_characters(*text, bytes);
    delivered->bytes += text->len;
    delivered->tokens += tokens;
    delivered->spelled += spelled;
    return within;
}

uint32_t core_bill_tokens(const struct core_delivered *delivered, uint32_t claim) {
    if (delivered->bytes == 0) {
        return 0;
    }
    return (uint32_t)min_u64(claim, min_u64(delivered->tokens, delivered->bytes + CORE_BILL_SPARE_TOKENS));
}

/* Of max_tokens: at least as many as its text can be, whatever was said of it. */
static uint32_t tokens_spent(const struct core_delivered *delivered, uint32_t tokens) {
    const uint64_t least = (delivered->bytes + CORE_BILL_TOKEN_BYTES - 1) / CORE_BILL_TOKEN_BYTES;
    return least > tokens ? (uint32_t)min_u64(least, UINT32_MAX) : tokens;
}

void core_bill_add_part(struct core_generation *generation, uint32_t claim) {
    const struct core_delivered *delivered = &generation->attempt->delivered;
    if (delivered->bytes == 0 && generation->part_count > 0) {
        return;
    }
    if (generation->part_count == generation->part_capacity) {
        struct core_part *parts = mem_calloc((size_t)generation->part_capacity * 2, sizeof(struct core_part));
        memcpy(parts, generation->parts, generation->part_count * sizeof(struct core_part));
        if (generation->parts != generation->few) {
            free(generation->parts);
        }
        generation->parts = parts;
        generation->part_capacity *= 2;
    }
    const uint32_t left = generation->hold.completion_tokens_max - generation->part_tokens;
    uint32_t tokens = core_bill_tokens(delivered, claim);
    tokens = tokens < left ? tokens : left;
    const uint64_t spent = (uint64_t)generation->spent_tokens + tokens_spent(delivered, tokens);
    generation->spent_tokens = (uint32_t)min_u64(spent, UINT32_MAX);
    generation->part_tokens += tokens;
    generation->bytes += delivered->bytes;
    generation->part_prompt_tokens = generation->prompt_tokens;
    const struct core_attempt *attempt = generation->attempt;
    const struct core_provider *provider = attempt->offering->provider;
    generation->parts[generation->part_count++] = (struct core_part){.provider = attempt->provider_handle,
                                                                     .account = provider->owner,
                                                                     .attempt = attempt->number,
                                                                     .tokens = tokens,
                                                                     .escrow = attempt->reviewed || provider->escrow};
}

uint32_t core_bill_prompt(const struct core_generation *generation) {
    return generation->bytes > 0 ? generation->part_prompt_tokens : 0;
}

bool core_bill_is_doubtful(struct core *core, const struct core_generation *generation, uint32_t prompt_tokens) {
    const uint32_t sure = generation->prompt_tokens_sure;
    if (sure == 0 || generation->hold.account == NULL || prompt_tokens == 0) {
        return false;
    }
    return prompt_tokens > sure || random_below(&core->random, DOUBT_ONE_IN) == 0;
}
