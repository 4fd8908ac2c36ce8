#include "gateway/canary.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "call/price.h"
#include "gateway/internal.h"

#include <stdio.h>

enum {
    CANARY_TOKENS = 64,
    CANARY_TEXT_BYTES = 16 * 1024, /* what is looked at of an answer */
    CANARY_ID_RANDOM = 16,
    /* Of so many connected devices one is asked each time, and always one. More would keep models warm that nobody uses. */
    CANARY_DEVICES_PER_QUESTION = 64,
};

void canary_free(struct canary *canary) {
    if (canary != NULL) {
        buf_clear(&canary->answer);
        free(canary);
    }
}

static const struct catalog_canary *question_for(struct str model) {
    size_t count = 0;
    while (catalog_canary_at(model, count) != NULL) {
        count++;
    }
    uint64_t number;
    random_bytes(&number, sizeof number);
    return count == 0 ? NULL : catalog_canary_at(model, (size_t)(number % count));
}

/* A model that is warm there and has questions; loading one for this would be a waste. */
static const struct catalog_canary *question_of(const struct gateway *gateway,
                                                const struct gateway_provider *provider) {
    struct core_provider_view view;
    struct core_offer_view offer;
    if (provider->handle == CORE_NO_HANDLE ||
        !core_provider_view(gateway->core, provider->handle, loop_now_ms(gateway->loop), &view) || view.active > 0) {
        return NULL;
    }
    for (size_t i = 0; core_provider_offer(gateway->core, provider->handle, i, &offer); i++) {
        const struct catalog_canary *question = offer.gate == CORE_GATE_NONE && offer.offer.state == CORE_MODEL_WARM
                                                    ? question_for(offer.offer.model)
                                                    : NULL;
        if (question != NULL) {
            return question;
        }
    }
    return NULL;
}

static struct gateway_job *canary_job(struct gateway *gateway, const struct catalog_canary *question,
                                      uint64_t provider) {
    struct gateway_job *job = MEM_NEW(struct gateway_job);
    struct canary *canary = MEM_NEW(struct canary);
    char suffix[CANARY_ID_RANDOM + 1];
    random_base62(suffix, CANARY_ID_RANDOM);
    canary->question = question;
    canary->provider = provider;
    canary->message =
        (struct gen_message){.role = GEN_ROLE_USER, .content = str_from(question->question), .tool_call_id = STR("")};
    gen_request_init(&canary->request);
    canary->request.model = str_from(question->model);
    canary->request.messages = &canary->message;
    canary->request.message_count = 1;
    canary->request.max_tokens = CANARY_TOKENS;
    canary->request.max_tokens_given = true;
    canary->request.temperature = 0;
    canary->request.stream = true;
    buf_init(&canary->answer, CANARY_TEXT_BYTES);
    job->gateway = gateway;
    job->canary = canary;
    job->record.created_ms = clock_wall_ms();
    snprintf(job->record.id, sizeof job->record.id, "canary_%s", suffix);
    (void)str_copy(job->record.model, sizeof job->record.model, canary->request.model);
    job->story = job_story_begin(gateway->job_log, &job->record, loop_now_ms(gateway->loop));
    return job;
}

static void ask(struct gateway *gateway, const struct catalog_canary *question, uint64_t provider) {
    struct gateway_job *job = canary_job(gateway, question, provider);
    gateway->counts.canaries++;
    gateway_step(gateway,
                 &(struct core_event){.kind = CORE_EVENT_REQUEST,
                                      .request = {.user = (uint64_t)(uintptr_t)job,
                                                  .model = job->canary->request.model,
                                                  .max_tokens = CANARY_TOKENS,
                                                  .prompt_tokens_max = price_prompt_tokens_max(&job->canary->request),
                                                  .only_provider = provider}});
}

/* Whoever was asked or passed over goes to the end of the list, so that each has its turn. */
void canaries_due(void *context) {
    struct gateway *gateway = context;
    size_t connected = HASH_CNT(by_handle, gateway->providers_by_handle);
    size_t questions = 1 + connected / CANARY_DEVICES_PER_QUESTION;
    for (; gateway->state == GATEWAY_SERVING && connected > 0 && questions > 0; connected--) {
        struct gateway_provider *provider = gateway->providers;
        DL_DELETE(gateway->providers, provider);
        DL_APPEND(gateway->providers, provider);
        const struct catalog_canary *question = question_of(gateway, provider);
        if (question != NULL) {
            ask(gateway, question, provider->handle);
            questions--;
        }
    }
}

void canaries_stop(struct gateway *gateway) {
    const struct gateway_job *job;
    DL_FOREACH (gateway->jobs, job) {
        if (job->canary != NULL) {
            gateway_step_later(gateway, &(struct core_event){.kind = CORE_EVENT_ABORT,
                                                             .job = job->handle,
                                                             .abort = {.failure = CORE_FAILURE_STOPPED}});
        }
    }
}

void canary_check(struct gateway *gateway, const struct gateway_job *job) {
    const struct canary *canary = job->canary;
    if (catalog_canary_is_right(canary->question, buf_str(&canary->answer))) {
        LOG_DEBUG_EVENT("canary.right", LOG_TEXT("provider_id", job->record.device_id));
        return;
    }
    gateway_step_later(gateway, &(struct core_event){.kind = CORE_EVENT_REVIEW,
                                                     .provider = canary->provider,
                                                     .review = {.review = CORE_REVIEW_CANARY}});
}
