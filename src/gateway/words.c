#include "gateway/words.h"

#include "link/part.h"

#include <string.h>

enum core_model_state words_model_state(enum link_model_state state) {
    switch (state) {
    case LINK_MODEL_DOWNLOADING:
        return CORE_MODEL_DOWNLOADING;
    case LINK_MODEL_LOADING:
        return CORE_MODEL_LOADING;
    case LINK_MODEL_WARM:
        return CORE_MODEL_WARM;
    case LINK_MODEL_FAILED:
        return CORE_MODEL_FAILED;
    case LINK_MODEL_COLD:
        return CORE_MODEL_COLD;
    }
    return CORE_MODEL_FAILED;
}

enum core_heat words_heat(enum link_heat heat) {
    switch (heat) {
    case LINK_HEAT_NOMINAL:
        return CORE_HEAT_NOMINAL;
    case LINK_HEAT_FAIR:
        return CORE_HEAT_FAIR;
    case LINK_HEAT_SERIOUS:
        return CORE_HEAT_SERIOUS;
    case LINK_HEAT_CRITICAL:
        return CORE_HEAT_CRITICAL;
    }
    return CORE_HEAT_CRITICAL;
}

enum core_attempt_failure words_failure(enum gen_failure failure) {
    switch (failure) {
    case GEN_FAILURE_BAD_REQUEST:
        return CORE_ATTEMPT_BAD_REQUEST;
    case GEN_FAILURE_CONTEXT_LENGTH:
        return CORE_ATTEMPT_CONTEXT_LENGTH;
    case GEN_FAILURE_OVERLOADED:
        return CORE_ATTEMPT_OVERLOADED;
    case GEN_FAILURE_MODEL_MISSING:
        return CORE_ATTEMPT_MODEL_MISSING;
    case GEN_FAILURE_ENGINE:
        return CORE_ATTEMPT_ENGINE;
    case GEN_FAILURE_DRAINING:
        return CORE_ATTEMPT_DRAINING;
    }
    return CORE_ATTEMPT_ENGINE;
}

enum core_finish words_finish(enum link_finish finish) {
    switch (finish) {
    case LINK_FINISH_LENGTH:
        return CORE_FINISH_LENGTH;
    case LINK_FINISH_CANCELLED:
        return CORE_FINISH_CANCELLED;
    case LINK_FINISH_STOP:
    case LINK_FINISH_TOOL_CALLS:
    case LINK_FINISH_CONTENT_FILTER:
    case LINK_FINISH_OTHER:
        break;
    }
    return CORE_FINISH_STOP;
}

void words_region(char out[CORE_REGION_SIZE], const char *region) {
    if (strlen(region) == CORE_REGION_SIZE - 1) {
        memcpy(out, region, CORE_REGION_SIZE);
    }
}

uint8_t words_abilities(const struct gen_request *request) {
    const int grammar = request->grammar.len > 0 ? CORE_ABILITY_GRAMMAR : 0;
    return (uint8_t)(grammar | (request->bias_count > 0 || request->logprobs ? CORE_ABILITY_SAMPLE : 0));
}

static bool lists(const struct link_model *model, enum link_job_kind kind) {
    return (model->kinds & LINK_JOB_KIND_BIT(kind)) != 0;
}

uint8_t words_offered_abilities(const struct link_model *model) {
    const int grammar = lists(model, LINK_JOB_KIND_GRAMMAR) ? CORE_ABILITY_GRAMMAR : 0;
    return (uint8_t)(grammar | (lists(model, LINK_JOB_KIND_SAMPLE) ? CORE_ABILITY_SAMPLE : 0));
}

struct core_offer words_offer(const struct link_model *model) {
    return (struct core_offer){
        .model = model->id,
        .state = words_model_state(model->state),
        .slots = model->slots,
        .context_length = model->context_length,
        .load_ms = model->load_ms,
        .too_large = model->too_large,
        .bytes_left = model->bytes_total > model->bytes_done ? model->bytes_total - model->bytes_done : 0,
        .bytes_per_s = model->bytes_per_s,
        .bytes_total = model->bytes_total,
        .abilities = words_offered_abilities(model),
    };
}

struct core_event words_delta(const struct link_delta *delta, uint64_t provider) {
    return (struct core_event){
        .kind = CORE_EVENT_DELTA,
        .provider = provider,
        .generation = delta->job,
        .delta = {.text = delta->text, .tokens = delta->tokens, .logprobs = link_parts_logprobs(delta->parts)}};
}

bool words_generates(const struct link_model *model) {
    return lists(model, LINK_JOB_KIND_GENERATE);
}
