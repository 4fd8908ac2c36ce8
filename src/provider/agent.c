#include "provider/agent.h"

#include "base/log.h"
#include "base/mem.h"
#include "provider/delta_parts.h"
#include "provider/job_table.h"
#include "provider/model_set.h"

#include <stdlib.h>

enum { AGENT_PROGRESS_MS = 1000 };

struct agent {
    struct loop *loop;
    const struct agent_events *events;
    void *context;
    struct owner_guard *guard;
    struct tally tally;
    struct link_client *link;
    struct model_set *models;
    struct job_table jobs;
    struct ed25519_signer *signer; /* owned; signs what was delivered */
    bool draining, closing;
    uint64_t status_ms; /* when the last status was sent */
    struct delta_parts parts;
    bool told_lost; /* the log knows that the link is down; further attempts are not worth a line */
    struct loop_deferred drained;
    size_t open_parts; /* while closing: of the link and the set of models, those that are not closed yet */
    void (*on_closed)(void *context);
    void *closed_context;
};

/* The only way in which a job changes its state here. */
static void set_state(struct agent *agent, struct job_slot *slot, enum job_state next) {
    job_table_set_state(&agent->jobs, slot, next);
    if (agent->draining && agent->jobs.running == 0) {
        loop_defer(agent->loop, &agent->drained);
    }
}

/* --- Status --- */

static size_t describe_models(const struct agent *agent, struct link_model *models) {
    const uint32_t max_jobs = owner_guard_limits(agent->guard)->max_jobs;
    size_t count = model_set_describe(agent->models, owner_guard_state(agent->guard)->ram_free_bytes, models);
    for (size_t i = 0; i < count; i++) {
        if (max_jobs > 0 && models[i].slots > max_jobs) {
            models[i].slots = max_jobs;
        }
    }
    return count;
}

static void send_status(struct agent *agent) {
    struct link_model models[LIMIT_LINK_MODELS];
    const enum link_pause pause = owner_guard_look(agent->guard);
    const struct device_state *device = owner_guard_state(agent->guard);
    if (!link_client_connected(agent->link)) {
        return; /* one is sent as soon as it is */
    }
    agent->status_ms = loop_now_ms(agent->loop);
    const struct link_status status = {.models = models,
                                       .model_count = describe_models(agent, models),
                                       .active_jobs = agent->jobs.running,
                                       .heat = device->heat,
                                       .battery_percent = device->battery_percent,
                                       .charging = device->charging,
                                       .ram_free_bytes = device->ram_free_bytes,
                                       .pause = pause,
                                       .takes_wants = model_set_takes_wants(agent->models),
                                       .storage_free_bytes = model_set_storage_free(agent->models)};
    link_client_send_status(agent->link, &status);
}

/* --- What the engines say --- */

static void send_failure(struct agent *agent, uint64_t link_job, enum gen_failure failure, const char *message,
                         const char *param) {
    const struct link_error error = {
        .job = link_job, .failure = failure, .message = str_from(message), .param = str_from(param)};
    link_client_send_error(agent->link, &error);
}

static void on_model_state(void *context, struct hosted_model *model, const struct err *why) {
    struct agent *agent = context;
    bool given_up = !model_set_on_state(agent->models, model);
    send_status(agent);
    if (!given_up) {
        agent->events->on_model(agent->context, why);
    }
}

static void on_model_progress(void *context, struct hosted_model *model) {
    struct agent *agent = context;
    (void)model;
    if (loop_now_ms(agent->loop) - agent->status_ms >= AGENT_PROGRESS_MS) {
        send_status(agent);
    }
}

static enum model_room find_room(void *context, struct hosted_model *model, uint64_t *memory_limit) {
    struct agent *agent = context;
    owner_guard_look(agent->guard);
    return model_set_find_room(agent->models, model, owner_guard_state(agent->guard)->ram_free_bytes, memory_limit);
}

static bool may_download(void *context) {
    const struct agent *agent = context;
    return owner_limits_may_download(owner_guard_limits(agent->guard), owner_guard_state(agent->guard));
}

static void on_model_unloaded(void *context, struct hosted_model *model) {
    struct agent *agent = context;
    (void)model;
    model_set_on_unloaded(agent->models);
}

static void on_accept(void *context, uint64_t job, uint32_t prompt_tokens) {
    struct agent *agent = context;
    const struct job_slot *entry = job_table_find(&agent->jobs, job);
    if (entry != NULL && entry->state == JOB_RUNNING) {
        const struct link_accept accept = {.job = entry->link_job, .prompt_tokens = prompt_tokens};
        link_client_send_accept(agent->link, &accept);
    }
}

static void on_read(void *context, uint64_t job, uint32_t done_tokens) {
    struct agent *agent = context;
    const struct job_slot *entry = job_table_find(&agent->jobs, job);
    if (entry != NULL && entry->state == JOB_RUNNING) {
        const struct link_progress progress = {.job = entry->link_job, .done_tokens = done_tokens};
        link_client_send_progress(agent->link, &progress);
    }
}

static void on_logprobs(void *context, uint64_t job, struct str logprobs) {
    struct agent *agent = context;
    (void)job; /* its delta follows at once */
    delta_parts_keep(&agent->parts, logprobs);
}

static void on_delta(void *context, uint64_t job, struct str text, const uint32_t *ids, uint32_t tokens) {
    struct agent *agent = context;
    const struct job_slot *entry = job_table_find(&agent->jobs, job);
    if (entry != NULL && entry->state == JOB_RUNNING) {
        delivery_add(entry->delivery, text);
        struct link_delta delta = {.job = entry->link_job, .tokens = tokens, .text = text, .parts = STR("")};
        delta_parts_fill(&agent->parts, ids, &delta);
        link_client_send_delta(agent->link, &delta);
    }
}

/* A job is over. Its entry is free before anything is sent, as sending may lose the link. */
static bool end_entry(struct agent *agent, uint64_t job, uint64_t *link_job) {
    struct job_slot *entry = job_table_find(&agent->jobs, job);
    bool wanted = entry != NULL && entry->state == JOB_RUNNING;
    if (entry != NULL) {
        *link_job = entry->link_job;
        set_state(agent, entry, JOB_FREE);
    }
    return wanted;
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    struct agent *agent = context;
    struct link_done message = {.finish = link_finish_from_generation(done->finish),
                                .finish_word = STR(""),
                                .stop = done->stop,
                                .usage = done->usage,
                                .timings = done->timings};
    const struct job_slot *entry = job_table_find(&agent->jobs, job);
    if (entry != NULL && entry->state == JOB_RUNNING) {
        delivery_sign(entry->delivery, agent->signer, &message);
    }
    if (end_entry(agent, job, &message.job)) {
        tally_done(&agent->tally, done);
        link_client_send_done(agent->link, &message);
    }
}

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    struct agent *agent = context;
    uint64_t link_job;
    if (end_entry(agent, job, &link_job)) {
        tally_failed(&agent->tally, failure, message);
        send_failure(agent, link_job, failure, message, param);
    }
}

static void on_scored(void *context, uint64_t job, const struct gen_score *score) {
    struct agent *agent = context;
    struct link_scored message = {.score = *score};
    if (end_entry(agent, job, &message.job)) {
        link_client_send_scored(agent->link, &message);
    }
}

static const struct hosted_model_events MODEL_EVENTS = {.on_state = on_model_state,
                                                        .on_progress = on_model_progress,
                                                        .find_room = find_room,
                                                        .may_download = may_download,
                                                        .on_unloaded = on_model_unloaded,
                                                        .on_accept = on_accept,
                                                        .on_read = on_read,
                                                        .on_logprobs = on_logprobs,
                                                        .on_delta = on_delta,
                                                        .on_done = on_done,
                                                        .on_scored = on_scored,
                                                        .on_failed = on_failed};

/* --- What the gateway says --- */

static void on_ready(void *context, const char *provider_id) {
    struct agent *agent = context;
    agent->told_lost = false;
    tally_connected(&agent->tally, provider_id);
    LOG_INFO_EVENT("provider.connected", LOG_TEXT("provider", provider_id));
    if (agent->draining) {
        link_client_send_word(agent->link, LINK_DRAIN);
    }
}

static void on_status_due(void *context) {
    struct agent *agent = context;
    model_set_forget_missing(agent->models);
    send_status(agent);
}

/* Silently refused while a limit holds: the gateway sees the pause in the status, and asks again if it must. */
static void on_want(void *context, struct str model) {
    struct agent *agent = context;
    if (!agent->draining && owner_guard_pause(agent->guard) == LINK_PAUSE_NONE) {
        model_set_want(agent->models, model);
    }
}

/* A limit of the owner that holds. OVERLOADED sends the job elsewhere without blame; DRAINING would be for good. */
static bool is_forbidden(const struct agent *agent, const char **why) {
    const uint32_t max_jobs = owner_guard_limits(agent->guard)->max_jobs;
    *why = owner_guard_pause(agent->guard) != LINK_PAUSE_NONE ? "the device is paused by its owner's limits"
           : max_jobs > 0 && agent->jobs.running >= max_jobs  ? "the device has as many jobs as its owner allows"
                                                              : NULL;
    return *why != NULL;
}

/* An entry for a job that may begin here; NULL: it was refused. */
static struct job_slot *entry_for(struct agent *agent, uint64_t job, const struct gen_request *request) {
    const char *forbidden;
    if (agent->draining) {
        send_failure(agent, job, GEN_FAILURE_DRAINING, "the device takes no new jobs", NULL);
        return NULL;
    }
    if (is_forbidden(agent, &forbidden)) {
        agent->tally.refused++;
        send_failure(agent, job, GEN_FAILURE_OVERLOADED, forbidden, NULL);
        return NULL;
    }
    struct hosted_model *model = model_set_find(agent->models, request->model);
    struct job_slot *entry = model != NULL ? job_table_take(&agent->jobs) : NULL;
    if (entry == NULL) {
        send_failure(agent, job, model != NULL ? GEN_FAILURE_OVERLOADED : GEN_FAILURE_MODEL_MISSING,
                     model != NULL ? "the device has too many jobs" : "the model is not on this device", NULL);
        return NULL;
    }
    entry->link_job = job;
    entry->model = model;
    set_state(agent, entry, JOB_RUNNING);
    return entry;
}

/* A model that is not loaded is not loaded for this. */
static void on_score(void *context, uint64_t job, const struct gen_request *request, const struct gen_answer *answer) {
    struct agent *agent = context;
    struct job_slot *entry = entry_for(agent, job, request);
    if (entry != NULL && !hosted_model_score(entry->model, job_table_id(&agent->jobs, entry), request, answer)) {
        set_state(agent, entry, JOB_FREE);
        send_failure(agent, job, GEN_FAILURE_MODEL_MISSING, "the model is not loaded", NULL);
    }
}

static void on_job(void *context, uint64_t job, const struct gen_request *request) {
    struct agent *agent = context;
    enum gen_failure refusal = GEN_FAILURE_MODEL_MISSING;
    const char *reason = "";
    struct job_slot *entry = entry_for(agent, job, request);
    if (entry == NULL) {
        return;
    }
    entry->delivery = delivery_new(&request->signing);
    if (!hosted_model_submit(entry->model, job_table_id(&agent->jobs, entry), request, &refusal, &reason)) {
        set_state(agent, entry, JOB_FREE);
        send_failure(agent, job, refusal, reason, NULL);
    }
}

/* Cancels are rare and the table is small: looking through it costs less than keeping an index for every job. */
static void on_cancel(void *context, uint64_t job) {
    struct agent *agent = context;
    for (uint32_t i = 0; i < agent->jobs.count; i++) {
        struct job_slot *entry = &agent->jobs.slots[i];
        if (entry->state == JOB_RUNNING && entry->link_job == job) {
            hosted_model_cancel(entry->model, job_table_id(&agent->jobs, entry));
        }
    }
}

static void on_gateway_drain(void *context) {
    (void)context;
    LOG_INFO_EVENT("provider.gateway_drains");
}

static void on_lost(void *context, const char *reason, bool fatal) {
    struct agent *agent = context;
    LOG_AT(agent->told_lost ? LOG_DEBUG : LOG_INFO, "provider.disconnected", LOG_TEXT("reason", reason),
           LOG_INT("jobs", agent->jobs.running));
    agent->told_lost = true;
    tally_lost(&agent->tally, reason);
    for (uint32_t i = 0; i < agent->jobs.count; i++) {
        struct job_slot *entry = &agent->jobs.slots[i];
        if (entry->state == JOB_RUNNING) {
            set_state(agent, entry, JOB_VOID);
            hosted_model_cancel(entry->model, job_table_id(&agent->jobs, entry));
        }
    }
    if (fatal) {
        agent->events->on_refused(agent->context, reason);
    }
}

/* --- What the owner says --- */

/* Gives back what runs: the gateway lets another device go on with it. */
static void hand_back_jobs(struct agent *agent) {
    for (uint32_t i = 0; i < agent->jobs.count; i++) {
        struct job_slot *entry = &agent->jobs.slots[i];
        if (entry->state == JOB_RUNNING) {
            set_state(agent, entry, JOB_VOID);
            agent->tally.handed_back++;
            hosted_model_cancel(entry->model, job_table_id(&agent->jobs, entry));
            send_failure(agent, entry->link_job, GEN_FAILURE_OVERLOADED, "the device is too hot to go on", NULL);
        }
    }
}

void agent_limits_changed(struct agent *agent) {
    if (agent->closing) {
        return;
    }
    send_status(agent);
    if (agent->jobs.running > 0 && owner_limits_must_stop(owner_guard_state(agent->guard))) {
        LOG_WARN_EVENT("provider.too_hot", LOG_INT("jobs", agent->jobs.running));
        hand_back_jobs(agent);
    }
}

void agent_describe(const struct agent *agent, struct control_view *view, struct link_model *models) {
    view->models = models;
    view->model_count = describe_models(agent, models);
    view->tally = &agent->tally;
    view->running = agent->jobs.running;
    view->draining = agent->draining;
}

static const struct link_client_events LINK_EVENTS = {.on_ready = on_ready,
                                                      .on_status_due = on_status_due,
                                                      .on_job = on_job,
                                                      .on_score = on_score,
                                                      .on_cancel = on_cancel,
                                                      .on_want = on_want,
                                                      .on_drain = on_gateway_drain,
                                                      .on_lost = on_lost};

/* --- Life --- */

static void tell_drained(struct loop_deferred *deferred) {
    struct agent *agent = (struct agent *)((char *)deferred - offsetof(struct agent, drained));
    if (!agent->closing) {
        agent->events->on_drained(agent->context);
    }
}

bool agent_new(struct agent **out, struct loop *loop, const struct link_client_config *link, struct owner_guard *guard,
               const struct agent_events *events, void *context, struct err *err) {
    struct agent *agent = MEM_NEW(struct agent);
    agent->loop = loop;
    agent->events = events;
    agent->context = context;
    agent->guard = guard;
    tally_init(&agent->tally);
    delta_parts_init(&agent->parts);
    job_table_init(&agent->jobs);
    agent->signer = ed25519_signer_new(link->private_key);
    agent->drained.run = tell_drained;
    if (!link_client_new(&agent->link, loop, link, &LINK_EVENTS, agent, err)) {
        ed25519_signer_free(agent->signer);
        free(agent);
        return false;
    }
    agent->models =
        model_set_new(&(struct model_set_config){.loop = loop,
                                                 .events = &MODEL_EVENTS,
                                                 .context = agent,
                                                 .ram_max_bytes = owner_guard_limits(guard)->ram_max_bytes});
    *out = agent;
    return true;
}

void agent_add_model(struct agent *agent, const struct hosted_model_spec *spec,
                     const struct hosted_model_options *options) {
    model_set_add(agent->models, spec, options);
}

void agent_add_first_of(struct agent *agent, const struct hosted_model_spec *specs, size_t count,
                        const struct hosted_model_options *options) {
    model_set_add_first_of(agent->models, specs, count, options);
}

void agent_allow_wants(struct agent *agent, const struct hosted_model_options *options) {
    model_set_allow_wants(agent->models, options);
}

bool agent_models_hopeless(const struct agent *agent) {
    return model_set_hopeless(agent->models);
}

void agent_drain(struct agent *agent) {
    agent->draining = true;
    link_client_send_word(agent->link, LINK_DRAIN);
    if (agent->jobs.running == 0) {
        loop_defer(agent->loop, &agent->drained);
    }
}

/* The last part to close frees the agent. Its own deferred call is not queued any more: it was before the parts', and
 * no event of theirs queues it again. */
static void on_part_closed(void *context) {
    struct agent *agent = context;
    agent->open_parts--;
    if (agent->open_parts > 0) {
        return;
    }
    void (*on_closed)(void *context) = agent->on_closed;
    void *closed_context = agent->closed_context;
    job_table_clear(&agent->jobs);
    delta_parts_clear(&agent->parts);
    ed25519_signer_free(agent->signer);
    free(agent);
    on_closed(closed_context);
}

void agent_close(struct agent *agent, void (*on_closed)(void *context), void *context) {
    agent->closing = true;
    agent->on_closed = on_closed;
    agent->closed_context = context;
    agent->open_parts = 2;
    /* The link goes first and takes its last words along: what an engine says from here on nobody hears. */
    link_client_close(agent->link, on_part_closed, agent);
    model_set_close(agent->models, on_part_closed, agent);
}
