#include "api/route_jobs.h"

#include "api/body.h"
#include "api/idempotency.h"
#include "api/page.h"
#include "api/pending.h"
#include "api/query.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "call/run.h"
#include "core/bill.h"
#include "format/history.h"
#include "format/orchestration.h"
#include "jobs/job.h"
#include "jobs/jobs.h"
#include "jobs/stored.h"

#include <stdlib.h>
#include <string.h>

/* --- The job as JSON --- */

static void respond_job(struct api_request *request, int status, const struct store_job *job, bool replayed) {
    struct respond_headers headers;
    struct json_writer writer;
    struct buf *body = respond_buffer(request->api);
    json_writer_init(&writer, body);
    const struct job_writing how = {.whole = true, .waits = jobs_waits(request->api->jobs, job)};
    job_write(&writer, request->api->formats, job, &how);
    respond_headers_init(&headers, request, STR("application/json"));
    if (replayed) {
        respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
    }
    respond_send(request, status, &headers, buf_str(body));
}

/* --- POST /v1/jobs --- */

/* What is known of a new job while the store has it; the request may be gone when it answers. */
struct creation {
    struct jobs *jobs;
    struct store *store;
    struct pending *pending;
    char id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    bool test;
    struct idempotency asked;
};

/* Nobody could tell whether it was stored: if it was, it runs. */
static void on_looked(void *context, const struct store_job *job, bool changed, const struct err *err) {
    (void)changed;
    if (err == NULL) {
        jobs_add(context, job);
    }
}

static void on_added(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct creation creation = *(struct creation *)context;
    struct fault fault;
    free(context);
    if (err == NULL && changed) {
        jobs_add(creation.jobs, job);
    }
    if (err != NULL && err->code == ERR_IN_DOUBT) {
        store_job_find(creation.store, creation.account_id, creation.test, creation.id, on_looked, creation.jobs);
    }
    jobs_release(creation.jobs, creation.account_id, creation.test);
    struct api_request *request = pending_answered(creation.pending, err, "job", "");
    if (request == NULL) {
        return;
    }
    if (!changed && memcmp(job->body_sha256, creation.asked.body_sha256, DIGEST_SHA256_SIZE) != 0) {
        idempotency_set_other_body(&fault);
        respond_fault(request, &fault);
    } else {
        respond_job(request, 202, job, !changed);
    }
}

/* What its answer may take, by the same bound as its bill. */
static int64_t answer_bytes_max(uint32_t max_tokens) {
    const int64_t bytes = (int64_t)max_tokens * CORE_BILL_TOKEN_BYTES + CORE_BILL_SPARE_BYTES;
    return bytes < LIMIT_ANSWER_BYTES ? bytes : LIMIT_ANSWER_BYTES;
}

static void creation_store(struct api_request *request, const struct format *format, const struct call_input *input,
                           const struct idempotency *asked) {
    struct creation *creation = MEM_NEW(struct creation);
    const int64_t now_ms = clock_wall_ms();
    const bool workflow = input->orchestration != NULL && input->orchestration->enabled;
    struct store_job_new new = {.job = {.test = request_is_test(request),
                                        .kind = job_stored_kind(format->stored, workflow),
                                        .created_ms = now_ms,
                                        .body = body_text(request)},
                                .scope_sha256 = asked->kind != IDEMPOTENCY_NONE ? asked->scope_sha256 : NULL,
                                .scope_since_ms = now_ms - idempotency_kept_ms(asked->kind),
                                .replaces = asked->kind == IDEMPOTENCY_SDK_FIRST};
    new.reserve_bytes = answer_bytes_max(input->request.max_tokens);
    run_id_make(RUN_JOB, new.job.id);
    (void)str_copy(new.job.account_id, sizeof(new.job.account_id), str_from(request->identity.account_id));
    (void)str_copy(new.job.key_id, sizeof(new.job.key_id), str_from(request->identity.key_id));
    (void)str_copy(new.job.model, sizeof(new.job.model), input->request.model);
    memcpy(new.job.body_sha256, asked->body_sha256, DIGEST_SHA256_SIZE);
    *creation = (struct creation){.jobs = request->api->jobs,
                                  .store = request->api->calls->store,
                                  .pending = pending_new(request, NULL),
                                  .test = request_is_test(request),
                                  .asked = *asked};
    memcpy(creation->id, new.job.id, sizeof(creation->id));
    memcpy(creation->account_id, new.job.account_id, sizeof(creation->account_id));
    store_job_add(request->api->calls->store, &new, on_added, creation);
}

/* Nothing is read for a job but its body. */
static bool history_is_sent(const struct call_input *input, struct fault *fault) {
    if (input->history == NULL || !history_is_open(input->history)) {
        return true;
    }
    const bool previous = input->history->previous.len > 0;
    fault_set_param(fault, FAULT_INVALID_REQUEST, previous ? "previous_response_id" : "input",
                    "%s is not supported yet in a job. Send all items in input.",
                    previous ? "previous_response_id" : "item_reference");
    return false;
}

static void handle_create(struct api_request *request) {
    struct call_input input;
    struct idempotency asked;
    struct json_value body;
    struct fault fault;
    const struct format *format;
    if (!body_parse(request, &body, &fault) ||
        (format = job_format_read(request->api->formats, body, &fault)) == NULL ||
        !body_read_input(request, format, body, &input, &fault) || !history_is_sent(&input, &fault) ||
        !idempotency_read(request, &asked, &fault) || !jobs_reserve(request->api->jobs, &request->identity, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    creation_store(request, format, &input, &asked);
}

/* --- The others --- */

static void on_found(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "job", "id");
    (void)changed;
    if (request != NULL) {
        respond_job(request, 200, job, false);
    }
}

static void handle_one(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    store_job_find(request->api->calls->store, request->identity.account_id, request_is_test(request), id, on_found,
                   pending_new(request, NULL));
}

struct cancelling {
    struct jobs *jobs;
    struct pending *pending;
};

static void on_cancelled(void *context, const struct store_job *job, bool changed, const struct err *err) {
    const struct cancelling cancelling = *(struct cancelling *)context;
    free(context);
    if (err == NULL &&
        job->state == STORE_JOB_CANCELLED) { /* also when it was so before: that may have been in doubt */
        jobs_cancel(cancelling.jobs, job->id);
    }
    on_found(cancelling.pending, job, changed, err);
}

static void cancel(struct api_request *request) {
    struct cancelling *cancelling = MEM_NEW(struct cancelling);
    struct store_job_end end = {.test = request_is_test(request),
                                .state = STORE_JOB_CANCELLED,
                                .ended_ms = clock_wall_ms(),
                                .result = STR(""),
                                .event = STR("")};
    page_path_id(request, end.id);
    job_workflow_id(end.id, end.workflow_id);
    end.workflow_status = STORE_WORKFLOW_CANCELLED;
    (void)str_copy(end.account_id, sizeof(end.account_id), str_from(request->identity.account_id));
    *cancelling = (struct cancelling){.jobs = request->api->jobs, .pending = pending_new(request, NULL)};
    store_job_end(request->api->calls->store, &end, on_cancelled, cancelling);
}

static void forget(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    store_job_forget(request->api->calls->store, request->identity.account_id, request_is_test(request), id, on_found,
                     pending_new(request, NULL));
}

static void handle_delete(struct api_request *request) {
    struct fault fault;
    bool forgets;
    if (!page_read_forget(request, &forgets, &fault)) {
        respond_fault(request, &fault);
    } else if (forgets) {
        forget(request);
    } else {
        cancel(request);
    }
}

/* -1 without one. */
static bool state_read(const struct api_request *request, int *out, struct fault *fault) {
    struct str value;
    enum store_job_state state;
    *out = -1;
    if (!query_find(http_exchange_request(request->exchange)->query, "status", &value)) {
        return true;
    }
    if (!job_state_of(value, &state)) {
        fault_set_param(fault, FAULT_INVALID_REQUEST, "status",
                        "status must be one of QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED.");
        return false;
    }
    *out = (int)state;
    return true;
}

static void on_listed(void *context, const struct store_job *jobs, size_t count, bool more, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "job", "after");
    if (request == NULL) {
        return;
    }
    struct json_writer writer;
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        const struct job_writing how = {.waits = jobs_waits(request->api->jobs, &jobs[i])};
        job_write(&writer, request->api->formats, &jobs[i], &how);
    }
    page_list_end(request, &writer, more);
}

static void handle_list(struct api_request *request) {
    struct store_job_query query = {.test = request_is_test(request)};
    struct fault fault;
    struct page page;
    if (!page_read(request, "job", &page, &fault) || !state_read(request, &query.state, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    (void)str_copy(query.account_id, sizeof(query.account_id), str_from(request->identity.account_id));
    memcpy(query.after, page.after, sizeof(query.after));
    query.limit = page.limit;
    store_job_list(request->api->calls->store, &query, on_listed, pending_new(request, NULL));
}

static const struct route routes[] = {
    {"POST", "/v1/jobs", true, handle_create, NULL},
    {"GET", "/v1/jobs", true, handle_list, NULL},
    {"GET", "/v1/jobs/{id}", true, handle_one, NULL},
    {"DELETE", "/v1/jobs/{id}", true, handle_delete, NULL},
};

const struct route_set ROUTES_JOBS = {routes, COUNT_OF(routes)};
