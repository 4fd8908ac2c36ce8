/* The API's backend: calls become jobs of the core (or of the sandbox), and jobs become records of the store. */
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "store/settlements.h"

static struct gateway_job *job_new(struct gateway *gateway, struct call *call) {
    struct gateway_job *job = MEM_NEW(struct gateway_job);
    struct store_generation *record = &job->record;
    job->gateway = gateway;
    job->call = call;
    job->repeatable = call->repeatable;
    (void)str_copy(record->id, sizeof record->id, str_from(call->id));
    (void)str_copy(record->account_id, sizeof record->account_id, str_from(call->identity.account_id));
    (void)str_copy(record->key_id, sizeof record->key_id, str_from(call->identity.key_id));
    (void)str_copy(record->model, sizeof record->model, call->generation.model);
    (void)str_copy(record->label, sizeof record->label, call->label);
    record->created_ms = call->created_ms;
    record->purpose = call->purpose;
    record->kind = call->kind;
    job->story = job_story_begin(gateway->job_log, record, loop_now_ms(gateway->loop));
    call->executor_data = job;
    return job;
}

void gateway_job_end(struct gateway_job *job, enum store_outcome outcome) {
    /* A request that was refused never became a job: a storm of them must not fill the store. */
    if (!job->recorded && !job->repeatable && job->canary == NULL && job->handle != CORE_NO_HANDLE) {
        job->record.outcome = outcome;
        const struct store_settlement settlement = {.generation = job->record};
        store_settle(job->gateway->store, &settlement, NULL, NULL);
    }
    if (job->handle != CORE_NO_HANDLE) {
        static const char *const names[] = {"completed", "failed", "cancelled"};
        DL_DELETE(job->gateway->jobs, job);
        job_log_keep(job->gateway->job_log, job->story, names[outcome]);
    } else {
        job_story_drop(job->gateway->job_log, job->story);
    }
    canary_free(job->canary);
    if (job->attempts != &job->first_attempt) {
        free(job->attempts);
    }
    free(job);
}

static void submit(void *context, struct call *call) {
    struct gateway *gateway = context;
    struct gateway_job *job = job_new(gateway, call);
    struct core_event event = {.kind = CORE_EVENT_REQUEST,
                               .request = {.user = (uint64_t)(uintptr_t)job,
                                           .model = call->generation.model,
                                           .max_tokens = call->generation.max_tokens,
                                           .account = call->identity.account_number,
                                           .key = call->identity.key_number,
                                           .prompt_tokens_max = call->prompt_tokens_max,
                                           .prompt_price_nano = call->prompt_price_nano,
                                           .completion_price_nano = call->completion_price_nano,
                                           .verified = call->verified,
                                           .prefix = call->names.begins,
                                           .leaves_prefix = call->names.leaves}};
    memcpy(event.request.region, call->region, sizeof event.request.region);
    gateway_step(gateway, &event);
}

static void abandon(void *context, struct call *call) {
    struct gateway *gateway = context;
    struct gateway_job *job = call->executor_data;
    job->call = NULL;
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_CLIENT_GONE, .job = job->handle});
}

/* A workflow's runs are stopped; the sandbox stops its own. */
static void stop_call(void *context, struct call *call) {
    struct gateway *gateway = context;
    if (call->executor == &gateway->devices) {
        const struct gateway_job *job = call->executor_data;
        gateway_step_later(gateway, &(struct core_event){.kind = CORE_EVENT_ABORT,
                                                         .job = job->handle,
                                                         .abort = {.failure = CORE_FAILURE_STOPPED}});
    }
}

void gateway_calls_stop(struct gateway *gateway) {
    struct fault error;
    call_each(gateway->calls, stop_call, gateway);
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_DRAIN});
    failure_stopped(&error);
    sandbox_stop(gateway->sandbox, &error);
}

static enum core_availability availability(void *context, struct str model, uint32_t *context_length) {
    const struct gateway *gateway = context;
    return core_model_availability(gateway->core, model, context_length);
}

static uint64_t ready_in_ms(void *context, struct str model, uint32_t *percent) {
    const struct gateway *gateway = context;
    return core_model_ready_in_ms(gateway->core, model, percent);
}

static bool model_at(void *context, size_t index, struct str *model) {
    const struct gateway *gateway = context;
    return core_model_at(gateway->core, index, model, NULL, NULL);
}

static bool ready(void *context) {
    const struct gateway *gateway = context;
    struct str model;
    enum core_availability state;
    if (gateway->state != GATEWAY_SERVING) {
        return false;
    }
    for (size_t i = 0; core_model_at(gateway->core, i, &model, &state, NULL); i++) {
        if (state == CORE_MODEL_AVAILABLE) {
            return true;
        }
    }
    return false;
}

static bool account_view(void *context, const struct auth_identity *identity, struct core_account_view *view) {
    const struct gateway *gateway = context;
    return core_account_view(gateway->core, identity->account_number, loop_now_ms(gateway->loop), view);
}

static void usage_of_sandbox(void *context, const struct auth_identity *identity, struct store_usage *usage) {
    const struct gateway *gateway = context;
    sandbox_usage(gateway->sandbox, identity, usage);
}

static void take_link(void *context, struct http_exchange *exchange) {
    const struct gateway *gateway = context;
    link_server_accept(gateway->links, exchange);
}

struct executor gateway_devices(struct gateway *gateway) {
    return (struct executor){.context = gateway, .submit = submit, .abandon = abandon};
}

struct call_backend gateway_call_backend(struct gateway *gateway) {
    return (struct call_backend){.context = gateway,
                                 .devices = &gateway->devices,
                                 .sandbox = sandbox_executor(gateway->sandbox),
                                 .availability = availability,
                                 .ready_in_ms = ready_in_ms,
                                 .model_at = model_at,
                                 .account_view = account_view};
}

struct api_backend gateway_api_backend(struct gateway *gateway, const struct gateway_options *options) {
    return (struct api_backend){.context = gateway,
                                .webhooks_lax = options->webhooks_lax,
                                .titles_off = options->titles_off,
                                .summaries_off = options->summaries_off,
                                .ready = ready,
                                .sandbox_usage = usage_of_sandbox,
                                .provider_write = gateway_provider_write,
                                .link = take_link};
}
