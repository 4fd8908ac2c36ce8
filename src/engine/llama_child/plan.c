#include "engine/llama_child/plan.h"

#include <inttypes.h>

static uint32_t min_u32(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* What a context is capped at on devices (design of the network: 7B 1024, 3B 2048, the 1B class 4096 tokens). */
static uint32_t usual_context(uint64_t parameters) {
    if (parameters > UINT64_C(4500000000)) {
        return 1024;
    }
    return parameters > UINT64_C(2000000000) ? 2048 : 4096;
}

/* Beyond the usual cap while the KV cache of all slots stays under a sixteenth of the memory: an owner's device has
 * other things to do. */
static uint32_t raise_context(uint32_t context, uint32_t most, uint32_t slots, const struct plan_input *input) {
    while (context < most) {
        uint32_t more = min_u32(context * 2, most);
        if ((uint64_t)more * slots * input->kv_bytes_per_token > input->memory_limit / 16) {
            break;
        }
        context = more;
    }
    return context;
}

/* Chosen slots are given up so that each of the others has its whole context; asked-for ones share what there is. */
static uint32_t fit_slots(const struct plan_input *input, uint64_t tokens, uint32_t wanted, uint32_t least) {
    uint64_t slots = input->slots > 0 ? input->slots : PLAN_SLOTS_DEFAULT;
    if (input->slots == 0 && tokens / wanted < slots) {
        slots = tokens >= wanted ? tokens / wanted : 1;
    }
    return (uint32_t)(tokens / slots < least ? tokens / least : slots);
}

bool plan_make(const struct plan_input *input, struct plan *plan, struct err *err) {
    const uint64_t mib = UINT64_C(1024) * 1024;
    uint64_t fixed = input->weights_bytes + input->scratch_bytes;
    uint64_t tokens = 0;
    if (input->memory_limit > fixed && input->kv_bytes_per_token > 0) {
        tokens = (input->memory_limit - fixed) / input->kv_bytes_per_token;
    }
    bool chosen = input->context_length == 0;
    uint32_t most = input->trained_context;
    uint32_t wanted = min_u32(chosen ? usual_context(input->parameters) : input->context_length, most);
    uint32_t least = min_u32(wanted, PLAN_CONTEXT_MIN);
    if (wanted == 0 || tokens < least) {
        return err_set(err, ERR_UNAVAILABLE,
                       "the model needs at least %" PRIu64 " MiB of memory, %" PRIu64 " MiB are allowed",
                       (fixed + least * input->kv_bytes_per_token) / mib + 1, input->memory_limit / mib);
    }
    uint32_t slots = fit_slots(input, tokens, wanted, least);
    uint32_t context = tokens / slots < wanted ? (uint32_t)(tokens / slots) : wanted;
    if (context == wanted) {
        context = chosen ? raise_context(context, most, slots, input) : context;
    } else if (context > PLAN_CONTEXT_STEP) {
        context -= context % PLAN_CONTEXT_STEP;
    }
    *plan = (struct plan){.slots = slots, .context_length = context};
    return true;
}
