/* POST and GET /v1/jobs, GET and DELETE /v1/jobs/{id}. */
#include "api/page.h"
#include "api/pending.h"
#include "api/query.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "call/call.h"
#include "call/models.h"
#include "call/price.h"
#include "call/run.h"
#include "jobs/jobs.h"
#include "jobs/stored.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *job_state_name(enum store_job_state state) {
    switch (state) {
    case STORE_JOB_QUEUED:
        break;
    case STORE_JOB_RUNNING:
        return "RUNNING";
    case STORE_JOB_COMPLETED:
        return "COMPLETED";
    case STORE_JOB_FAILED:
        return "FAILED";
    case STORE_JOB_CANCELLED:
        return "CANCELLED";
    }
    return "QUEUED";
}

static bool is_test(const struct api_request *request) {
    return request->identity.kind == STORE_KEY_TEST;
}

/* --- The job as JSON --- */

static void write_texts(struct json_writer *writer, const struct store_job *job, bool whole) {
    if (whole && job->state == STORE_JOB_COMPLETED) {
        json_write_key(writer, "result");
        json_write_raw(writer, job->result);
    }
    if (job->state == STORE_JOB_FAILED && job->result.len > 0) {
        json_write_key(writer, "error");
        json_write_raw(writer, job->result);
    }
}

void job_write(struct json_writer *writer, const struct store_job *job, bool whole) {
    const bool ended = job->state >= STORE_JOB_COMPLETED;
    json_begin_object(writer);
    json_member_cstr(writer, "id", job->id);
    json_member_cstr(writer, "object", "job");
    json_member_cstr(writer, "type", job->kind == STORE_JOB_INFERENCE ? "inference" : "chat.completion");
    json_member_cstr(writer, "status", job_state_name(job->state));
    json_member_cstr(writer, "model", job->model);
    page_write_time(writer, "created_at", job->created_ms);
    page_write_time(writer, "started_at", job->started_ms);
    page_write_time(writer, "completed_at", job->ended_ms);
    page_write_time(writer, "expires_at", ended ? job->ended_ms + STORE_JOB_KEPT_MS : 0);
    json_write_key(writer, "usage");
    json_begin_object(writer);
    json_member_int(writer, "prompt_tokens", job->prompt_tokens);
    json_member_int(writer, "completion_tokens", job->completion_tokens);
    json_member_int(writer, "total_tokens", (int64_t)job->prompt_tokens + job->completion_tokens);
    json_end_object(writer);
    price_write_member(writer, "cost_usd", job->charge_nano);
    write_texts(writer, job, whole);
    json_end_object(writer);
}

static void respond_job(struct api_request *request, int status, const struct store_job *job, bool replayed) {
    struct respond_headers headers;
    struct json_writer writer;
    struct buf *body = respond_buffer(request->api);
    json_writer_init(&writer, body);
    job_write(&writer, job, true);
    respond_headers_init(&headers, request, STR("application/json"));
    if (replayed) {
        respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
    }
    respond_send(request, status, &headers, buf_str(body));
}

static void respond_failed(struct api_request *request, const struct err *err, const char *param) {
    struct fault error;
    if (err->code == ERR_NOT_FOUND) {
        fault_set(&error, FAULT_NOT_FOUND, "There is no job with this id.");
        str_copy(error.param, sizeof(error.param), str_from(param));
    } else {
        fault_from_err(&error, err);
    }
    respond_error(request, &error);
}

/* --- POST /v1/jobs --- */

static bool named_kind(struct json_value body, const char *member, const char *chat, const char *inference, bool *given,
                       enum api_call_kind *out, struct fault *error) {
    struct json_value value;
    struct str name;
    if (*given || !json_get(body, member, &value) || json_type_of(value) == JSON_NULL) {
        return true;
    }
    *given = true;
    if (json_as_str(value, &name) && str_equal_cstr(name, chat)) {
        *out = API_CALL_CHAT;
    } else if (json_as_str(value, &name) && str_equal_cstr(name, inference)) {
        *out = API_CALL_INFERENCE;
    } else {
        fault_set(error, FAULT_INVALID_REQUEST, "%s must be \"%s\" or \"%s\".", member, chat, inference);
        str_copy(error->param, sizeof(error->param), str_from(member));
        return false;
    }
    return true;
}

bool job_kind_read(struct json_value body, enum api_call_kind *out, struct fault *error) {
    struct json_value value;
    const bool chat = json_get(body, "messages", &value), inference = json_get(body, "prompt", &value);
    bool given = false;
    if (!named_kind(body, "endpoint", "/v1/chat/completions", "/v1/inference", &given, out, error) ||
        !named_kind(body, "type", "chat", "inference", &given, out, error)) {
        return false;
    }
    if (!given && chat == inference) {
        fault_set(error, FAULT_INVALID_REQUEST,
                  "A job is the body of a chat (with messages) or of an inference (with prompt).");
        str_copy(error->param, sizeof(error->param), STR("messages"));
        return false;
    }
    if (!given) {
        *out = chat ? API_CALL_CHAT : API_CALL_INFERENCE;
    }
    return true;
}

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
    struct fault error;
    free(context);
    if (err == NULL && changed) {
        jobs_add(creation.jobs, job);
    }
    if (err != NULL && err->code == ERR_IN_DOUBT) {
        store_job_find(creation.store, creation.account_id, creation.test, creation.id, on_looked, creation.jobs);
    }
    jobs_release(creation.jobs, creation.account_id, creation.test);
    struct api_request *request = pending_end(creation.pending);
    if (request == NULL) {
        return;
    }
    if (err != NULL) {
        respond_failed(request, err, "");
    } else if (!changed && memcmp(job->body_sha256, creation.asked.body_sha256, DIGEST_SHA256_SIZE) != 0) {
        idempotency_set_other_body(&error);
        respond_error(request, &error);
    } else {
        respond_job(request, 202, job, !changed);
    }
}

static void creation_store(struct api_request *request, enum api_call_kind kind, const struct generation_input *input,
                           const struct idempotency *asked) {
    struct creation *creation = MEM_NEW(struct creation);
    const int64_t now_ms = clock_wall_ms();
    struct store_job_new new = {
        .job = {.test = is_test(request),
                .kind = job_stored_kind(kind, input->orchestration.enabled),
                .created_ms = now_ms,
                .body = http_exchange_request(request->exchange)->body},
        .scope_sha256 = asked->kind != IDEMPOTENCY_NONE ? asked->scope_sha256 : NULL,
        .scope_since_ms = now_ms - (asked->kind == IDEMPOTENCY_KEY ? IDEMPOTENCY_KEY_KEPT_MS : IDEMPOTENCY_SDK_KEPT_MS),
        .replaces = asked->kind == IDEMPOTENCY_SDK_FIRST};
    run_id_make(RUN_JOB, new.job.id);
    str_copy(new.job.account_id, sizeof(new.job.account_id), str_from(request->identity.account_id));
    str_copy(new.job.key_id, sizeof(new.job.key_id), str_from(request->identity.key_id));
    str_copy(new.job.model, sizeof(new.job.model), input->request.model);
    memcpy(new.job.body_sha256, asked->body_sha256, DIGEST_SHA256_SIZE);
    *creation = (struct creation){.jobs = request->api->jobs,
                                  .store = request->api->store,
                                  .pending = pending_new(request, NULL),
                                  .test = is_test(request),
                                  .asked = *asked};
    memcpy(creation->id, new.job.id, sizeof(creation->id));
    memcpy(creation->account_id, new.job.account_id, sizeof(creation->account_id));
    store_job_add(request->api->store, &new, on_added, creation);
}

void jobs_handle_create(struct api_request *request) {
    struct generation_input input;
    struct idempotency asked;
    struct json_value body;
    struct fault error;
    enum api_call_kind kind;
    if (!call_body_parse(request, &body, &error) || !job_kind_read(body, &kind, &error) ||
        !call_input_read(request, kind, body, &input, &error) || !idempotency_read(request, &asked, &error) ||
        !jobs_reserve(request->api->jobs, &request->identity, &error)) {
        respond_error(request, &error);
        return;
    }
    creation_store(request, kind, &input, &asked);
}

/* --- The others --- */

static void on_found(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct api_request *request = pending_end(context);
    (void)changed;
    if (request == NULL) {
        return;
    }
    if (err != NULL) {
        respond_failed(request, err, "");
    } else {
        respond_job(request, 200, job, false);
    }
}

void jobs_handle_one(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    store_job_find(request->api->store, request->identity.account_id, is_test(request), id, on_found,
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

void jobs_handle_cancel(struct api_request *request) {
    struct cancelling *cancelling = MEM_NEW(struct cancelling);
    struct store_job_end end = {.test = is_test(request),
                                .state = STORE_JOB_CANCELLED,
                                .ended_ms = clock_wall_ms(),
                                .result = STR(""),
                                .event = STR("")};
    page_path_id(request, end.id);
    job_workflow_id(end.id, end.workflow_id);
    end.workflow_status = STORE_WORKFLOW_CANCELLED;
    str_copy(end.account_id, sizeof(end.account_id), str_from(request->identity.account_id));
    *cancelling = (struct cancelling){.jobs = request->api->jobs, .pending = pending_new(request, NULL)};
    store_job_end(request->api->store, &end, on_cancelled, cancelling);
}

static bool state_read(const struct api_request *request, int *out, struct fault *error) {
    struct str value;
    *out = -1;
    if (!query_find(http_exchange_request(request->exchange)->query, "status", &value)) {
        return true;
    }
    for (int i = 0; i < STORE_JOB_STATES; i++) {
        if (str_equal_nocase(value, str_from(job_state_name((enum store_job_state)i)))) {
            *out = i;
            return true;
        }
    }
    fault_set(error, FAULT_INVALID_REQUEST, "status must be one of QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED.");
    str_copy(error->param, sizeof(error->param), STR("status"));
    return false;
}

static void on_listed(void *context, const struct store_job *jobs, size_t count, bool more, const struct err *err) {
    struct api_request *request = pending_end(context);
    if (request == NULL) {
        return;
    }
    if (err != NULL) {
        respond_failed(request, err, "after");
        return;
    }
    struct json_writer writer;
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        job_write(&writer, &jobs[i], false);
    }
    page_list_end(request, &writer, more);
}

void jobs_handle_list(struct api_request *request) {
    struct store_job_query query = {.test = is_test(request)};
    struct fault error;
    struct page page;
    if (!page_read(request, &page, &error) || !state_read(request, &query.state, &error)) {
        respond_error(request, &error);
        return;
    }
    str_copy(query.account_id, sizeof(query.account_id), str_from(request->identity.account_id));
    memcpy(query.after, page.after, sizeof(query.after));
    query.limit = page.limit;
    store_job_list(request->api->store, &query, on_listed, pending_new(request, NULL));
}
