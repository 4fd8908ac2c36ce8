#include "jobs/entry.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/models.h"
#include "format/envelope.h"
#include "jobs/job.h"
#include "jobs/stored.h"
#include "workflow/start.h"

#include <stdlib.h>

enum {
    BODY_ARENA_BYTES = 4 * LIMIT_HTTP_BODY_BYTES,
    /* Every byte escaped, and log-probabilities in JSON. */
    RESULT_BYTES = 6 * LIMIT_ANSWER_BYTES + 10 * LIMIT_LOGPROBS_BYTES + 64 * 1024,
};

/* --- The end --- */

static void on_ended(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct job_entry *entry = context;
    (void)job;
    (void)changed;
    entry->account->active--;
    /* Not written: once more, by its stored answer. In doubt likewise: if it has ended there, its turn finds that. */
    if (err != NULL && (err->code == ERR_UNAVAILABLE || err->code == ERR_IN_DOUBT)) {
        entry->again = true;
        patience_pause(&entry->patience, loop_now_ms(entry->jobs->calls->loop), PATIENCE_MIN_MS);
        job_queue_wait(entry);
        return;
    }
    if (err != NULL) {
        LOG_WARN_EVENT("job.end_not_stored", LOG_TEXT("job_id", entry->job.id), LOG_TEXT("error", err->message));
    }
    job_queue_remove(entry);
}

/* `result` is the JSON of the answer or the error. */
static void entry_end(struct job_entry *entry, enum store_job_state state, struct buf *result) {
    struct store_job *job = &entry->job;
    uint8_t scope[DIGEST_SHA256_SIZE];
    struct json_writer writer;
    struct buf event;
    entry->state = ENTRY_ENDING;
    entry->run = NULL;
    entry->workflow = NULL;
    job->state = state;
    job->ended_ms = clock_wall_ms();
    job->result = state == STORE_JOB_FAILED ? buf_str(result) : STR("");
    buf_init(&event, 16 * 1024);
    json_writer_init(&writer, &event);
    job_write(&writer, entry->jobs->formats, job, &(struct job_writing){0});
    job->result = STR("");
    run_scope(job->id, scope);
    struct store_job_end end = {.state = state,
                                .ended_ms = job->ended_ms,
                                .prompt_tokens = job->prompt_tokens,
                                .completion_tokens = job->completion_tokens,
                                .charge_nano = job->charge_nano,
                                .result = buf_str(result),
                                .scope_sha256 = job->test ? NULL : scope,
                                .event = job->test || event.overflow ? STR("") : buf_str(&event)};
    (void)str_copy(end.id, sizeof(end.id), str_from(job->id));
    store_job_end(entry->jobs->calls->store, &end, on_ended, entry);
    buf_clear(&event);
}

static void entry_fail(struct job_entry *entry, const struct fault *fault) {
    struct json_writer writer;
    struct buf text;
    buf_init(&text, 8 * 1024);
    json_writer_init(&writer, &text);
    envelope_write_object(&writer, fault);
    entry_end(entry, STORE_JOB_FAILED, &text);
    buf_clear(&text);
}

/* --- The run --- */

static void on_begun(void *context) {
    struct job_entry *entry = context;
    entry->job.state = STORE_JOB_RUNNING;
    entry->job.started_ms = clock_wall_ms();
    store_job_move(entry->jobs->calls->store, entry->job.id, STORE_JOB_RUNNING, entry->job.started_ms);
}

static void on_end(void *context, const struct answer *answer) {
    struct job_entry *entry = context;
    const struct format *format = job_format(entry->jobs->formats, entry->job.kind);
    struct answer whole = *answer;
    char id[ID_SIZE];
    struct buf result;
    buf_init(&result, RESULT_BYTES);
    id_rename(format->id_prefix, answer->id, id);
    whole.id = id;
    whole.ignored = str_from(entry->ignored);
    whole.echo = str_from(entry->echo);
    format->whole(&whole, &result);
    entry->job.prompt_tokens = answer->result->usage.prompt_tokens;
    entry->job.completion_tokens = answer->result->usage.completion_tokens;
    entry->job.charge_nano = answer->result->cost_nano;
    entry_end(entry, STORE_JOB_COMPLETED, &result);
    buf_clear(&result);
}

/* Whether it goes back to wait. */
static bool waits_for(struct job_entry *entry, const struct fault *fault) {
    const int64_t left_ms = entry->job.created_ms + JOBS_WAIT_MAX_MS - clock_wall_ms();
    const struct patience_terms terms = {.tries_max = JOBS_TRIES_MAX,
                                         .refusals_ms = left_ms > 0 ? (uint64_t)left_ms : 0};
    if (entry->jobs->calls->draining) {
        return fault->code == FAULT_UNAVAILABLE; /* the next gateway goes on with it */
    }
    entry->patience.since_ms = 0; /* its day begins when it was made, whichever gateway it had since */
    switch (patience_after(&entry->patience, &terms, fault, loop_now_ms(entry->jobs->calls->loop))) {
    case PATIENCE_OVER:
        return false;
    case PATIENCE_LIMITED: /* nor do the others of its account try before */
        entry->account->try_at_ms = entry->patience.not_before_ms;
        return true;
    case PATIENCE_WAITS:
        break;
    }
    return true;
}

/* It waits again, or has failed. */
static void entry_refused(struct job_entry *entry, const struct fault *fault) {
    if (!waits_for(entry, fault)) {
        entry_fail(entry, fault);
        return;
    }
    entry->again = true;
    entry->account->active--;
    if (entry->job.state == STORE_JOB_RUNNING) {
        entry->job.state = STORE_JOB_QUEUED;
        entry->job.started_ms = 0;
        store_job_move(entry->jobs->calls->store, entry->job.id, STORE_JOB_QUEUED, 0);
    }
    job_queue_wait(entry);
}

static void on_failed(void *context, const struct fault *fault) {
    struct job_entry *entry = context;
    entry->run = NULL;
    entry_refused(entry, fault);
}

static const struct run_events run_events = {.on_begun = on_begun, .on_end = on_end, .on_failed = on_failed};

/* --- The workflow --- */

static void on_step(void *context, const struct workflow_progress *progress) {
    struct job_entry *entry = context;
    if (entry->job.state != STORE_JOB_RUNNING && progress->step->state != CORE_STEP_READY) {
        on_begun(entry);
    }
}

static void on_workflow_end(void *context, const struct workflow_answer *answer) {
    struct job_entry *entry = context;
    struct buf result;
    buf_init(&result, RESULT_BYTES);
    job_workflow_write(entry->jobs->formats, &entry->job, answer, str_from(entry->ignored), &result);
    entry->job.prompt_tokens = answer->usage.prompt_tokens;
    entry->job.completion_tokens = answer->usage.completion_tokens;
    entry->job.charge_nano = answer->cost_nano;
    entry_end(entry, STORE_JOB_COMPLETED, &result);
    buf_clear(&result);
}

/* A workflow waits out by itself what time heals; this is its end, unless the gateway stops or the store was busy. */
static void on_workflow_failed(void *context, const char *id, const struct fault *fault) {
    struct job_entry *entry = context;
    (void)id;
    entry->workflow = NULL;
    if (fault->code == FAULT_UNAVAILABLE) {
        entry_refused(entry, fault);
    } else {
        entry_fail(entry, fault);
    }
}

static const struct workflow_events workflow_events = {
    .on_step = on_step, .on_end = on_workflow_end, .on_failed = on_workflow_failed};

static void entry_start_workflow(struct job_entry *entry, const struct auth_identity *identity,
                                 const struct call_input *input) {
    struct fault fault;
    char id[STORE_ID_MAX];
    job_workflow_id(entry->job.id, id);
    const struct workflow_request asked = {.id = id,
                                           .identity = identity,
                                           .generation = &input->request,
                                           .asked = input->orchestration,
                                           .region = input->region,
                                           .verified = input->verified,
                                           .label = input->label};
    entry->state = ENTRY_RUNNING;
    entry->workflow = workflow_start(entry->jobs->workflows, &asked, &workflow_events, entry, &fault);
    if (entry->workflow == NULL) {
        entry_refused(entry, &fault);
    } else {
        entry->again = true; /* it may be alive without this job from now on */
    }
}

/* The job has ended: how its workflow does is told by GET /v1/workflows/{id}. */
static void on_workflow_cancelled(void *context, const struct store_workflow *workflow, const struct store_step *steps,
                                  size_t step_count, bool changed, const struct err *err) {
    (void)context;
    (void)workflow;
    (void)steps;
    (void)step_count;
    (void)changed;
    if (err != NULL && err->code != ERR_NOT_FOUND) {
        LOG_WARN_EVENT("job.workflow_not_cancelled", LOG_TEXT("error", err->message));
    }
}

void job_entry_stop(struct job_entry *entry) {
    const struct store_job *job = &entry->job;
    if (entry->run != NULL) {
        run_cancel(entry->run);
    } else if (entry->workflow != NULL) {
        workflow_leave(entry->workflow, true);
    } else if (job->kind == STORE_JOB_WORKFLOW && entry->again) { /* it goes on by itself after a restart */
        struct auth_identity identity = {.kind = job->test ? STORE_KEY_TEST : STORE_KEY_LIVE};
        char id[STORE_ID_MAX];
        job_workflow_id(job->id, id);
        (void)str_copy(identity.account_id, sizeof(identity.account_id), str_from(job->account_id));
        workflow_cancel(entry->jobs->workflows, &identity, id, on_workflow_cancelled, NULL);
    }
    entry->run = NULL;
    entry->workflow = NULL;
}

/* --- Its start --- */

static bool input_read(struct job_entry *entry, struct str body, struct arena *arena, struct call_input *input,
                       struct fault *fault) {
    struct json_value root;
    struct err err;
    if (!json_parse(entry->jobs->calls->parser, body, &root, &err) ||
        !job_format(entry->jobs->formats, entry->job.kind)->read(root, arena, input, &err)) {
        fault_from_err(fault, &err);
        return false;
    }
    input->request.model = str_from(entry->job.model); /* as it was resolved when the job came */
    free(entry->ignored);
    free(entry->echo);
    entry->ignored = mem_strndup(input->ignored.data, input->ignored.len);
    entry->echo = mem_strndup(input->echo.data, input->echo.len);
    models_set_defaults(input);
    if (input->tools != NULL && !tools_tell(input->tools, arena, &input->request)) {
        fault_set_too_large(fault);
        return false;
    }
    return true;
}

static void entry_start_run(struct job_entry *entry, const struct auth_identity *identity,
                            const struct call_input *input) {
    const struct run_request asked = {.id = entry->job.id,
                                      .purpose = RUN_JOB,
                                      .kind = job_generation_kind(entry->job.kind),
                                      .identity = identity,
                                      .generation = &input->request,
                                      .tools = input->tools,
                                      .label = input->label,
                                      .region = input->region,
                                      .verified = input->verified,
                                      .keep = true,
                                      .again = entry->again,
                                      .cost_max_nano = -1};
    entry->state = ENTRY_RUNNING;
    entry->run = run_start(entry->jobs->calls, &asked, &run_events, entry);
}

void job_entry_run(struct job_entry *entry, struct str body) {
    const struct auth_identity *identity;
    struct call_input input;
    struct fault fault;
    struct arena arena;
    struct err err;
    arena_init(&arena, BODY_ARENA_BYTES);
    if (!auth_find_key(entry->jobs->calls->auth, entry->job.key_id, &identity, &err)) {
        fault_from_err(&fault, &err);
        entry_fail(entry, &fault);
    } else if (!input_read(entry, body, &arena, &input, &fault)) {
        entry_fail(entry, &fault);
    } else if (entry->job.kind == STORE_JOB_WORKFLOW) {
        entry_start_workflow(entry, identity, &input);
    } else {
        entry_start_run(entry, identity, &input);
    }
    arena_clear(&arena);
}
