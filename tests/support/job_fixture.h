/* Jobs without HTTP: on the calls and workflows of support/workflow_fixture.h. On a real store. */
#ifndef NATARIS_TESTS_SUPPORT_JOB_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_JOB_FIXTURE_H

#include "base/clock.h"
#include "format/formats.h"
#include "jobs/entry.h"
#include "jobs/jobs.h"
#include "support/workflow_fixture.h"

#define BODY "{\"model\":\"whatever\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define AGENT                                                                                                          \
    "{\"model\":\"whatever\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"orchestration\":{\"enabled\":"    \
    "true,\"workflow\":\"agent\"}}"

struct job_fixture {
    struct workflow_fixture workflow; /* first */
    struct jobs *jobs;
    bool holds; /* those that come wait until the test says otherwise */
};

UNUSED static struct net_harness *net_of(struct job_fixture *fixture) {
    return &fixture->workflow.calls.net;
}

UNUSED static struct calls *calls_of(struct job_fixture *fixture) {
    return fixture->workflow.calls.calls;
}

UNUSED static struct store *store_of(struct job_fixture *fixture) {
    return fixture->workflow.calls.files->store;
}

UNUSED static int jobs_setup(void **state) {
    struct job_fixture *fixture = MEM_NEW(struct job_fixture);
    call_fixture_open(&fixture->workflow.calls);
    fixture->workflow.workflows = workflows_new(calls_of(fixture));
    fixture->jobs = jobs_new(calls_of(fixture), fixture->workflow.workflows, &FORMATS);
    *state = fixture;
    return 0;
}

UNUSED static int jobs_teardown(void **state) {
    struct job_fixture *fixture = *state;
    const struct fault stops = {.code = FAULT_UNAVAILABLE};
    calls_of(fixture)->draining = true;
    while (fixture->workflow.calls.waiting_count > 0) { /* of a test that failed */
        struct call *call = call_fixture_take(&fixture->workflow.calls);
        call->sink->failed(call, &stops);
    }
    call_fixture_stop(&fixture->workflow.calls);
    jobs_free(fixture->jobs);
    jobs_free(NULL);
    workflows_free(fixture->workflow.workflows);
    call_fixture_close(&fixture->workflow.calls);
    free(fixture);
    return 0;
}

/* --- What is asked and found --- */

UNUSED static void on_added(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct job_fixture *fixture = context;
    assert_null(err);
    assert_true(changed);
    jobs_add(fixture->jobs, job);
    if (fixture->holds) {
        job_queue_find(fixture->jobs, job->id)->patience.not_before_ms = UINT64_MAX;
    }
    jobs_release(fixture->jobs, job->account_id, job->test);
}

UNUSED static struct store_job_new new_job(struct job_fixture *fixture, char id, const char *body) {
    struct store_job_new new = {
        .job = {.test = fixture->workflow.calls.auth.kind == STORE_KEY_TEST,
                .kind = strstr(body, "orchestration") != NULL ? STORE_JOB_WORKFLOW : STORE_JOB_CHAT,
                .created_ms = clock_wall_ms(),
                .body = str_from(body)}};
    snprintf(new.job.id, sizeof(new.job.id), "job_%024d", id);
    (void)str_copy(new.job.account_id, sizeof(new.job.account_id), STR("acct_1"));
    (void)str_copy(new.job.key_id, sizeof(new.job.key_id), STR("key_1"));
    (void)str_copy(new.job.model, sizeof(new.job.model), STR(CALL_FIXTURE_MODEL));
    return new;
}

/* As the route does it; its id in the caller's buffer. */
UNUSED static void post(struct job_fixture *fixture, char number, const char *body, char id[STORE_ID_MAX]) {
    const struct auth_identity identity = call_fixture_identity(&fixture->workflow.calls.auth);
    const struct store_job_new new = new_job(fixture, number, body);
    struct fault fault;
    memcpy(id, new.job.id, STORE_ID_MAX);
    assert_true(jobs_reserve(fixture->jobs, &identity, &fault));
    store_job_add(store_of(fixture), &new, on_added, fixture);
    NET_UNTIL(net_of(fixture), job_queue_find(fixture->jobs, id) != NULL);
}

UNUSED static struct call *take(struct job_fixture *fixture) {
    return call_fixture_take(&fixture->workflow.calls);
}

struct found {
    bool told;
    enum store_job_state state;
    char result[2048];
    int64_t charge_nano;
};

UNUSED static void on_found(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct found *found = context;
    (void)changed;
    assert_null(err);
    found->told = true;
    found->state = job->state;
    found->charge_nano = job->charge_nano;
    (void)str_copy(found->result, sizeof(found->result), job->result);
}

UNUSED static struct found find(struct job_fixture *fixture, const char *id) {
    struct found found = {0};
    store_job_find(store_of(fixture), "acct_1", fixture->workflow.calls.auth.kind == STORE_KEY_TEST, id, on_found,
                   &found);
    NET_UNTIL(net_of(fixture), found.told);
    return found;
}

/* Moves are told to nobody: until the store has it so. */
UNUSED static void await_state(struct job_fixture *fixture, const char *id, enum store_job_state state) {
    while (find(fixture, id).state != state) {
    }
}

/* Until it has ended in the store and is forgotten here. */
UNUSED static struct found await_end(struct job_fixture *fixture, const char *id) {
    NET_UNTIL(net_of(fixture), job_queue_find(fixture->jobs, id) == NULL);
    return find(fixture, id);
}

UNUSED static void finish(struct call *call, const char *text) {
    workflow_fixture_finish(call, text, GEN_FINISH_STOP, 100);
}

UNUSED static void break_off(struct call *call, enum fault_code code, uint64_t retry_after_ms) {
    const struct fault fault = {.code = code, .message = "it is said so", .retry_after_ms = retry_after_ms};
    call->sink->failed(call, &fault);
}

UNUSED static struct job_entry *entry_of(struct job_fixture *fixture, const char *id) {
    struct job_entry *entry = job_queue_find(fixture->jobs, id);
    assert_non_null(entry);
    return entry;
}

/* As the route does it. */
UNUSED static void on_cancelled(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct job_fixture *fixture = context;
    assert_null(err);
    if (changed) {
        jobs_cancel(fixture->jobs, job->id);
    }
}

UNUSED static void cancel(struct job_fixture *fixture, const char *id) {
    struct store_job_end end = {.test = fixture->workflow.calls.auth.kind == STORE_KEY_TEST,
                                .state = STORE_JOB_CANCELLED,
                                .ended_ms = clock_wall_ms(),
                                .result = STR(""),
                                .event = STR(""),
                                .workflow_status = STORE_WORKFLOW_CANCELLED};
    (void)str_copy(end.id, sizeof(end.id), str_from(id));
    (void)str_copy(end.account_id, sizeof(end.account_id), STR("acct_1"));
    id_rename("wf_", id, end.workflow_id);
    store_job_end(store_of(fixture), &end, on_cancelled, fixture);
}

#endif
