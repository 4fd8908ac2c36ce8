/* What a generation would take on a device: the formula of docs/PLACEMENT.md, and the weights in it. */
#include "core/own.h"
#include "core/prefill.h"

enum {
    PLACE_BYTES_PER_TOKEN = 3, /* of a prompt that no device has counted yet; more than most texts need */
    PLACE_TOKENS_GUESS = 256,  /* of an answer of a model that has not answered yet */
};
/* Tokens a second before any device has shown its own: a laptop with a small model. */
#define PLACE_PREFILL_GUESS 200.0F
#define PLACE_DECODE_GUESS 20.0F
#define PLACE_RELIABILITY_LEAST 0.05F /* a device that always failed still serves when nobody else is there */

static float place_heat(enum core_heat heat) {
    switch (heat) {
    case CORE_HEAT_NOMINAL:
        return 1.0F;
    case CORE_HEAT_FAIR:
        return 0.3F;
    case CORE_HEAT_SERIOUS:
    case CORE_HEAT_CRITICAL: /* gated; only a view asks */
        break;
    }
    return 0.1F;
}

static float place_battery(const struct core_device_state *device) {
    if (device->charging || device->battery_percent < 0) {
        return 1.0F;
    }
    return device->battery_percent >= 50 ? 0.9F : device->battery_percent >= 20 ? 0.6F : 0.3F;
}

float core_place_weight(const struct core_provider *provider) {
    float reliability = (float)provider->record.success / 1000.0F;
    reliability = reliability < PLACE_RELIABILITY_LEAST ? PLACE_RELIABILITY_LEAST : reliability;
    return place_heat(provider->device.heat) * place_battery(&provider->device) * reliability;
}

static float place_guess_per_s(float model_per_s, double all_per_s, float first_guess, uint32_t factor) {
    float average = model_per_s > 0 ? model_per_s : all_per_s > 0 ? (float)all_per_s : first_guess;
    return factor > 0 ? average * (float)factor / 1000.0F : average;
}

float core_place_decode_per_s(const struct core *core, const struct core_offering *offering) {
    uint32_t factor = core_belief_factor(offering->provider, offering->provider->record.decode_factor);
    float per_s = offering->decode_per_s;
    if (per_s <= 0) {
        per_s = place_guess_per_s(offering->model->decode_per_s, core->decode_per_s, PLACE_DECODE_GUESS, factor);
    }
    return core_belief_decode(offering, per_s);
}

float core_place_prefill_per_s(const struct core *core, const struct core_offering *offering) {
    uint32_t factor = core_belief_factor(offering->provider, offering->provider->record.prefill_factor);
    float per_s = offering->prefill_per_s;
    if (per_s <= 0) {
        per_s = place_guess_per_s(offering->model->prefill_per_s, core->prefill_per_s, PLACE_PREFILL_GUESS, factor);
    }
    return core_belief_prefill(offering, per_s);
}

uint32_t core_place_load_ms(const struct core *core, const struct core_offering *offering) {
    float average_ms = offering->model->load_ms;
    return core_belief_load_ms(offering, average_ms > 0 ? (uint32_t)average_ms : core->config.load_ms);
}

static uint32_t place_ms(float tokens, float per_s) {
    float ms = tokens * 1000.0F / per_s;
    return ms < 4e9F ? (uint32_t)ms : UINT32_MAX;
}

static uint32_t place_prompt_tokens(const struct core_generation *generation) {
    uint32_t prompt = generation->prompt_tokens > 0          ? generation->prompt_tokens
                      : generation->prompt_tokens_likely > 0 ? generation->prompt_tokens_likely
                                                             : generation->prompt_tokens_max / PLACE_BYTES_PER_TOKEN;
    return generation->part_tokens < UINT32_MAX - prompt ? prompt + generation->part_tokens : UINT32_MAX;
}

uint32_t core_place_context(const struct core_generation *generation) {
    uint64_t need = (uint64_t)place_prompt_tokens(generation) + core_generation_tokens_left(generation);
    const uint32_t most = core_own_context(generation);
    return need < most ? (uint32_t)need : most;
}

struct core_place_work core_place_work(const struct core *core, const struct core_generation *generation) {
    const float mean =
        generation->model->completion_tokens > 0 ? generation->model->completion_tokens : (float)PLACE_TOKENS_GUESS;
    const uint32_t left = core_generation_tokens_left(generation), prompt = place_prompt_tokens(generation);
    return (struct core_place_work){
        .prompt_tokens = prompt,
        .answer_tokens = mean < (float)left ? (uint32_t)mean : left,
        .answer_tokens_most = left,
        .prompt_most_ms = core_prefill_most_ms(core, prompt),
        .left_ms = generation->whole_due_ms > core->now_ms ? generation->whole_due_ms - core->now_ms : 0,
    };
}

uint32_t core_place_prefill_ms(const struct core *core, const struct core_generation *generation,
                               const struct core_offering *offering) {
    return place_ms((float)place_prompt_tokens(generation), core_place_prefill_per_s(core, offering));
}

uint64_t core_place_wait_ms(const struct core *core, const struct core_generation *generation) {
    const struct core_model *model = generation->model;
    if (model->serving_slots == 0) {
        return UINT64_MAX;
    }
    float service_ms = model->service_ms;
    if (service_ms <= 0) {
        float decode = place_guess_per_s(model->decode_per_s, core->decode_per_s, PLACE_DECODE_GUESS, 1000);
        service_ms = (float)core_place_work(core, generation).answer_tokens * 1000.0F / decode;
    }
    return (uint64_t)(service_ms * (float)(model->queue.count + 1) / (float)model->serving_slots);
}

/* By how much the longest answer allowed would miss the whole deadline there. */
static uint64_t place_excess_ms(const struct core_place_work *work, const struct core_candidate *candidate,
                                float stream_per_s) {
    /* The prompt has a time of its own; what goes beyond that would not be waited for either. */
    uint64_t late_ms = candidate->prefill_ms > work->prompt_most_ms ? candidate->prefill_ms - work->prompt_most_ms : 0;
    uint64_t longest_ms =
        (uint64_t)candidate->load_ms + late_ms + place_ms((float)work->answer_tokens_most, stream_per_s);
    return longest_ms > work->left_ms ? longest_ms - work->left_ms : 0;
}

void core_place_weigh(const struct core *core, const struct core_place_work *work, const struct core_offering *offering,
                      uint32_t cached_tokens, struct core_candidate *out) {
    const struct core_provider *provider = offering->provider;
    uint32_t fresh = work->prompt_tokens > cached_tokens ? work->prompt_tokens - cached_tokens : 0;
    /* Slots of one device share what it can compute. */
    float stream_per_s = core_place_decode_per_s(core, offering) / (float)(provider->active + 1);
    float weight = offering->weight > 0.001F ? offering->weight : 0.001F;
    *out = (struct core_candidate){
        .provider = provider->handle,
        .user = provider->user,
        .cached = cached_tokens > 0,
        .prefill_ms = place_ms((float)fresh, core_place_prefill_per_s(core, offering)),
        .decode_ms = place_ms((float)work->answer_tokens, stream_per_s),
        .weight = (uint32_t)(weight * 1000.0F + 0.5F),
    };
    if (offering->state == CORE_MODEL_COLD) {
        out->load_ms = core_place_load_ms(core, offering);
    }
    double computing = ((double)out->prefill_ms + (double)out->decode_ms) / (double)weight;
    out->finish_ms = out->load_ms + (uint64_t)computing + place_excess_ms(work, out, stream_per_s);
}
