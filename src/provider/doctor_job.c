/* A real job on an engine of the doctor's own. */
#include "provider/doctor_job.h"

#include "base/clock.h"
#include "engine/engine.h"
#include "provider/device_facts.h"

enum { TRIAL_TOKENS = 48, TRIAL_TIMEOUT_MS = 180 * 1000, TRIAL_JOB = 1, SLOW_TOKENS_PER_S = 4 };

struct trial {
    struct doctor *doctor;
    struct loop *loop;
    struct loop_timer *timer;
    struct engine *engine;
    const char *model;
    uint64_t begun_us, first_us; /* the job was submitted; its first words came */
    bool submitted, over;
};

static void on_engine_closed(void *context) {
    struct trial *trial = context;
    trial->engine = NULL;
    loop_stop(trial->loop);
}

static void end(struct trial *trial) {
    trial->over = true;
    loop_timer_stop(trial->timer);
    loop_stop(trial->loop);
}

static void fail(struct trial *trial, const char *what, const char *why) {
    if (!trial->over) {
        doctor_say(trial->doctor, "job", DOCTOR_FAIL,
                   "try another model (--model nataris-demo-2m is the smallest); --log-level debug tells more",
                   "%s %s: %s", trial->model, what, why != NULL ? why : "no reason given");
        end(trial);
    }
}

static void submit(struct trial *trial) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("Write a short story about the sea.")};
    struct gen_request request;
    gen_request_init(&request);
    request.model = str_from(trial->model);
    request.messages = &message;
    request.message_count = 1;
    request.max_tokens = TRIAL_TOKENS;
    request.temperature = 0;
    request.stream = true;
    trial->submitted = true;
    trial->begun_us = clock_monotonic_us();
    trial->engine->ops->submit(trial->engine, TRIAL_JOB, &request);
}

static void on_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why) {
    struct trial *trial = context;
    (void)facts;
    switch (state) {
    case ENGINE_LOADING:
        return;
    case ENGINE_READY:
        if (!trial->submitted) {
            submit(trial);
        }
        return;
    case ENGINE_FAILED:
        fail(trial, "cannot be loaded", why);
        return;
    }
}

static void on_accept(void *context, uint64_t job, uint32_t prompt_tokens) {
    (void)context, (void)job, (void)prompt_tokens;
}

static void on_delta(void *context, uint64_t job, struct str text, const uint32_t *ids, uint32_t tokens) {
    struct trial *trial = context;
    (void)job, (void)text, (void)ids, (void)tokens;
    if (trial->first_us == 0) {
        trial->first_us = clock_monotonic_us();
    }
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    struct trial *trial = context;
    (void)job;
    if (trial->over) {
        return;
    }
    if (done->usage.completion_tokens == 0 || trial->first_us == 0) {
        fail(trial, "gave no answer", "it ended without a word");
        return;
    }
    const double first_ms = (double)(trial->first_us - trial->begun_us) / 1e3;
    const double whole_s = (double)(clock_monotonic_us() - trial->begun_us + 1) / 1e6;
    const double rate = done->usage.completion_tokens / whole_s;
    const bool slow = rate < SLOW_TOKENS_PER_S;
    doctor_say(trial->doctor, "job", slow ? DOCTOR_WARN : DOCTOR_OK,
               slow ? "few jobs will come to so slow a device: choose a smaller model or raise --cpu-percent" : NULL,
               "%s wrote %u tokens at %.1f tokens/s, the first after %.0f ms", trial->model,
               done->usage.completion_tokens, rate, first_ms);
    end(trial);
}

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    (void)job, (void)failure, (void)param;
    fail(context, "failed", message);
}

static void on_timeout(void *context) {
    struct trial *trial = context;
    fail(trial, trial->submitted ? "did not answer" : "was not loaded", "it took too long");
}

static const struct engine_events EVENTS = {
    .on_state = on_state, .on_accept = on_accept, .on_delta = on_delta, .on_done = on_done, .on_failed = on_failed};

void doctor_check_job(struct doctor *doctor, const char *model, const char *path, const char *upstream) {
    const struct provider_options *options = doctor->options;
    struct trial trial = {.doctor = doctor, .loop = loop_new(), .model = model};
    struct device_facts facts;
    struct err err = {0};
    device_facts_read(&facts, options->device_root);
    const struct engine_options engine = {
        .loop = trial.loop,
        .model_id = model,
        .model_path = path,
        .slots = 1,
        .context_length = options->context_length,
        .threads = owner_limits_threads(&options->limits, facts.cores, options->threads),
        .memory_limit = owner_limits_memory(&options->limits, options->model_count),
        .script_rate = options->script_rate,
        .script_load_ms = options->script_load_ms,
        .script = options->script,
        .script_prefill_ms = options->script_prefill_ms,
        .upstream_url = options->upstream_url,
        .upstream_key = options->upstream_key,
        .upstream_model = upstream[0] != '\0' ? upstream : NULL,
        .ca_file = options->ca_file,
    };
    trial.timer = loop_timer_new(trial.loop, on_timeout, &trial);
    loop_timer_start(trial.timer, TRIAL_TIMEOUT_MS, 0);
    if (engine_ops_find(options->engine)->open(&trial.engine, &engine, &EVENTS, &trial, &err)) {
        while (!trial.over) {
            loop_run(trial.loop);
        }
        trial.engine->ops->close(trial.engine, on_engine_closed, &trial);
        while (trial.engine != NULL) {
            loop_run(trial.loop);
        }
    } else {
        fail(&trial, "cannot be started", err.message);
    }
    loop_timer_free(trial.timer);
    loop_free(trial.loop);
}
