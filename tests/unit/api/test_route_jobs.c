/* Jobs that nobody waits for: from POST to their end, with what time heals and what it does not. */
#include "api/request.h"
#include "jobs/jobs.h"
#include "jobs/queue.h"
#include "support/api_calls.h"

#define JOBS "/v1/jobs"

static void forget_call(struct api_fixture *fixture) {
    fixture->call = NULL;
}

/* Posts a job; its id in a static buffer. */
static const char *post(struct api_fixture *fixture, const char *body) {
    const char *answer;
    api_fixture_forget(fixture);
    api_fixture_post(fixture, JOBS, body);
    assert_int_equal(api_fixture_answer(fixture, &answer), 202);
    assert_non_null(strstr(answer, "\"object\":\"job\""));
    return api_jobs.jobs[api_jobs.count - 1].id;
}

static void turn_until(struct api_fixture *fixture, const char *id, enum store_job_state state) {
    while (api_jobs_find(id)->state != state) { /* what the fake store does in an iteration wakes no loop that waits */
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
        assert_false(fixture->timed_out);
    }
}

static void test_completes_with_the_whole_answer(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer, *id = post(fixture, PLAIN_CHAT);
    char line[128];
    struct call *call = api_fixture_await_call(fixture);
    assert_string_equal(call->id, id);
    call->sink->accepted(call);
    turn_until(fixture, id, STORE_JOB_RUNNING);
    deliver(call, "Hi");
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
    turn_until(fixture, id, STORE_JOB_COMPLETED);
    assert_non_null(strstr(api_jobs.event.data, "\"status\":\"COMPLETED\""));
    assert_null(strstr(api_jobs.event.data, "\"Hi\"")); /* what is told to others has no answers in it */
    api_fixture_forget(fixture);
    snprintf(line, sizeof(line), "GET " JOBS "/%s", id);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &answer), 200);
    assert_non_null(strstr(answer, "\"result\":{\"id\":\"chatcmpl-"));
    assert_non_null(strstr(answer, "\"content\":\"Hi\""));
}

static void test_waits_out_what_time_heals(void **state) {
    struct api_fixture *fixture = *state;
    static const enum fault_code codes[] = {FAULT_RATE_LIMIT_EXCEEDED, FAULT_MODEL_WARMING, FAULT_UNAVAILABLE,
                                            FAULT_REQUEST_TIMEOUT};
    const char *id = post(fixture, PLAIN_CHAT);
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct call *call = api_fixture_await_call(fixture);
        assert_string_equal(call->id, id);
        call->sink->accepted(call);
        forget_call(fixture);
        call->sink->failed(call, &(struct fault){.code = codes[i], .message = "later"});
        assert_int_equal(api_jobs_find(id)->state, STORE_JOB_QUEUED);
    }
    struct call *call = api_fixture_await_call(fixture);
    forget_call(fixture);
    call->sink->failed(call, &(struct fault){.code = FAULT_CONTEXT_LENGTH, .message = "too long"});
    turn_until(fixture, id, STORE_JOB_FAILED);
    assert_non_null(strstr(api_jobs_find(id)->result.data, "\"code\":\"context_length_exceeded\""));
    assert_non_null(strstr(api_jobs.event.data, "\"status\":\"FAILED\""));
}

static void test_gives_up_a_failure_that_stays(void **state) {
    struct api_fixture *fixture = *state;
    const char *id = post(fixture, PLAIN_CHAT);
    for (int i = 0; i < 3; i++) { /* the further ones wait longer than a test should */
        struct call *call = api_fixture_await_call(fixture);
        forget_call(fixture);
        call->sink->failed(call, &(struct fault){.code = i < 2 ? FAULT_UNAVAILABLE : FAULT_INTERNAL, .message = "no"});
    }
    turn_until(fixture, id, STORE_JOB_FAILED);
    assert_int_equal(fixture->submitted, 3);
}

static void test_writes_its_end_again_when_the_store_was_busy(void **state) {
    struct api_fixture *fixture = *state;
    struct store_answer answer;
    const char *id = post(fixture, PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "Hi");
    assert_true(call->sink->answer(call, &RESULT, &answer));
    api_store_keep(&fixture->store, &answer);
    err_set(&api_jobs.err, ERR_UNAVAILABLE, "busy");
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
    turn_until(fixture, id, STORE_JOB_COMPLETED);
    assert_int_equal(fixture->submitted, 1); /* by its stored answer, not by a second run */
    assert_non_null(strstr(api_jobs_find(id)->result.data, "\"content\":\"Hi\""));
}

static void test_runs_though_nobody_knew_that_it_was_stored(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer;
    api_jobs.in_doubt = 1;
    api_fixture_forget(fixture);
    api_fixture_post(fixture, JOBS, PLAIN_CHAT);
    assert_int_equal(api_fixture_answer(fixture, &answer), 503);
    assert_non_null(strstr(answer, "cannot be told"));
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "Hi");
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
    turn_until(fixture, api_jobs.jobs[0].id, STORE_JOB_COMPLETED);
}

/* Its end is there: it is found, and not run again. */
static void test_an_end_in_doubt_is_looked_up(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer, *id = post(fixture, PLAIN_CHAT);
    char line[128];
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "Hi");
    api_jobs.in_doubt = 1;
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
    turn_until(fixture, id, STORE_JOB_COMPLETED);
    snprintf(line, sizeof(line), "DELETE " JOBS "/%s", id);
    for (int i = 0; i < 3; i++) { /* it stays as it is, also when it has had its turn again */
        api_fixture_forget(fixture);
        api_fixture_request(fixture, line, "", NULL);
        assert_int_equal(api_fixture_answer(fixture, &answer), 200);
        assert_non_null(strstr(answer, "\"status\":\"COMPLETED\""));
    }
    assert_int_equal(fixture->submitted, 1);
}

static void test_is_cancelled_on_the_device(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer, *id = post(fixture, PLAIN_CHAT);
    char line[128];
    api_fixture_await_call(fixture);
    api_fixture_forget(fixture);
    snprintf(line, sizeof(line), "DELETE " JOBS "/%s", id);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &answer), 200);
    assert_non_null(strstr(answer, "\"status\":\"CANCELLED\""));
    assert_int_equal(fixture->abandoned, 1);
    assert_int_equal(calls_count(fixture->calls), 0);
}

static void ask_delete(struct api_fixture *fixture, const char *id, const char *query, int status, const char *has) {
    const char *answer;
    char line[128];
    api_fixture_forget(fixture);
    snprintf(line, sizeof(line), "DELETE " JOBS "/%s%s", id, query);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &answer), status);
    assert_non_null(strstr(answer, has));
}

static void test_is_forgotten_once_it_has_ended(void **state) {
    struct api_fixture *fixture = *state;
    const char *id = post(fixture, PLAIN_CHAT);
    api_fixture_await_call(fixture);
    ask_delete(fixture, id, "?forget=true", 409, "has not ended");
    assert_int_equal(fixture->abandoned, 0);
    ask_delete(fixture, id, "?forget=1", 400, "\"param\":\"forget\"");
    ask_delete(fixture, id, "?forget=false", 200, "\"status\":\"CANCELLED\"");
    ask_delete(fixture, id, "?forget=true", 200, "\"status\":\"CANCELLED\"");
    ask_delete(fixture, id, "?forget=true", 404, "There is no job");
}

static const char *ask_one(struct api_fixture *fixture, const char *id) {
    const char *answer;
    char line[128];
    api_fixture_forget(fixture);
    snprintf(line, sizeof(line), "GET " JOBS "/%s", id);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &answer), 200);
    return answer;
}

/* What was taken on before the disk was nearly full waits, says why, and begins when there is room. */
static void test_waits_for_the_disk(void **state) {
    struct api_fixture *fixture = *state;
    fixture->calls->draining = true; /* it does not begin at once */
    const char *id = post(fixture, PLAIN_CHAT);
    assert_null(strstr(ask_one(fixture, id), "waiting_for"));
    fixture->disk_low = true;
    fixture->calls->draining = false;
    for (int i = 0; i < 5; i++) {
        assert_non_null(strstr(ask_one(fixture, id), "\"status\":\"QUEUED\",\"waiting_for\":\"disk\""));
    }
    assert_int_equal(fixture->submitted, 0);
    fixture->disk_low = false;
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "Hi");
    fixture->disk_low = true; /* what runs is finished */
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
    turn_until(fixture, id, STORE_JOB_COMPLETED);
    assert_null(strstr(ask_one(fixture, id), "waiting_for"));
}

static void assert_waits_for(struct api_fixture *fixture, const char *id, const char *word) {
    char text[64];
    const char *answer = ask_one(fixture, id);
    snprintf(text, sizeof(text), "\"status\":\"QUEUED\",\"waiting_for\":\"%s\"", word);
    if (strstr(answer, text) == NULL) {
        fail_msg("not %s: %s", text, answer);
    }
}

static void test_says_what_it_waits_for(void **state) {
    struct api_fixture *fixture = *state;
    static const struct {
        enum fault_code code;
        const char *word;
    } cases[] = {{FAULT_MODEL_WARMING, "device"}, {FAULT_UNAVAILABLE, "retry"}, {FAULT_RATE_LIMIT_EXCEEDED, "limit"}};
    const char *id = post(fixture, PLAIN_CHAT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct call *call = api_fixture_await_call(fixture);
        assert_waits_for(fixture, id, "device"); /* none has taken it yet */
        forget_call(fixture);
        call->sink->failed(call,
                           &(struct fault){.code = cases[i].code, .message = "later", .retry_after_ms = 60 * 1000});
        assert_waits_for(fixture, id, cases[i].word);
        struct job_entry *entry = job_queue_find(fixture->api->jobs, id);
        entry->patience = (struct patience){0}; /* a minute later */
        entry->account->try_at_ms = 0;
    }
    struct call *call = api_fixture_await_call(fixture);
    call->sink->accepted(call);
    turn_until(fixture, id, STORE_JOB_RUNNING);
    assert_null(strstr(ask_one(fixture, id), "waiting_for"));
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
    turn_until(fixture, id, STORE_JOB_COMPLETED);
}

static void test_goes_on_after_a_restart(void **state) {
    struct api_fixture *fixture = *state;
    struct store_job *job = &api_jobs.jobs[api_jobs.count++];
    *job = (struct store_job){.kind = STORE_JOB_INFERENCE, .state = STORE_JOB_RUNNING, .created_ms = INT64_MAX / 2};
    (void)str_copy(job->id, sizeof(job->id), STR("job_old"));
    (void)str_copy(job->account_id, sizeof(job->account_id), STR("acct_1"));
    (void)str_copy(job->key_id, sizeof(job->key_id), STR("key_1"));
    (void)str_copy(job->model, sizeof(job->model), STR(MODEL));
    job->body = api_jobs_copy(STR("{\"model\":\"whatever\",\"prompt\":\"hi\"}"));
    job->result = api_jobs_copy(STR(""));
    api_resume(fixture->api);
    struct call *call = api_fixture_await_call(fixture);
    assert_int_equal(fixture->store.answers_asked, 1); /* it may have been settled */
    assert_string_equal(call->id, "job_old");
    assert_int_equal(call->purpose, STORE_PURPOSE_JOB);
    assert_int_equal(call->kind, STORE_GENERATION_INFERENCE);
    assert_true(str_equal_cstr(call->generation.model, MODEL)); /* as it was resolved when the job came */
    deliver(call, "Hi");
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
    turn_until(fixture, "job_old", STORE_JOB_COMPLETED);
    assert_non_null(strstr(job->result.data, "\"output\":\"Hi\""));
}

#define RESEARCH_CHAT                                                                                                  \
    "{\"model\":\"" MODEL "\"," MESSAGES ",\"orchestration\":{\"enabled\":true,\"workflow\":\"research\"}}"

/* The next step's call, with its output. */
static void step_end(struct api_fixture *fixture, const char *output) {
    struct call *call = api_fixture_await_call(fixture);
    assert_memory_equal(call->id, "step_", 5);
    deliver(call, output);
    forget_call(fixture);
    call->sink->finished(call, &RESULT);
}

static void test_of_a_workflow_has_its_whole_answer(void **state) {
    static const char *const outputs[] = {"facts", "sense", "The sun wins"};
    struct api_fixture *fixture = *state;
    const char *answer, *id = post(fixture, RESEARCH_CHAT);
    char line[128];
    assert_int_equal(api_jobs_find(id)->kind, STORE_JOB_WORKFLOW);
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        step_end(fixture, outputs[i]);
        assert_int_equal(api_jobs_find(id)->state, STORE_JOB_RUNNING);
    }
    turn_until(fixture, id, STORE_JOB_COMPLETED);
    assert_string_equal(api_workflows.rows[0].id + strlen("wf_"), id + strlen("job_"));
    assert_int_equal(api_workflows.rows[0].status, CORE_WORKFLOW_COMPLETED);
    api_fixture_forget(fixture);
    snprintf(line, sizeof(line), "GET " JOBS "/%s", id);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &answer), 200);
    assert_non_null(strstr(answer, "\"type\":\"chat.completion\""));
    assert_non_null(strstr(answer, "\"result\":{\"id\":\"chatcmpl-"));
    assert_non_null(strstr(answer, "\"content\":\"The sun wins\""));
    assert_non_null(strstr(answer, "\"nataris\":{\"inference_type\":\"p2p\",\"workflow_id\":\"wf_"));
    assert_non_null(strstr(answer, "\"steps_executed\":3"));
}

static void test_its_cancel_is_that_of_its_workflow(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer, *id = post(fixture, RESEARCH_CHAT);
    char line[128];
    api_fixture_await_call(fixture);
    api_fixture_forget(fixture);
    snprintf(line, sizeof(line), "DELETE " JOBS "/%s", id);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &answer), 200);
    assert_non_null(strstr(answer, "\"status\":\"CANCELLED\""));
    while (api_workflows.rows[0].status != STORE_WORKFLOW_CANCELLED) {
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
        assert_false(fixture->timed_out);
    }
    assert_int_equal(fixture->abandoned, 1);
    assert_int_equal(calls_count(fixture->calls), 0);
}

static void test_finds_its_workflow_after_a_restart(void **state) {
    struct api_fixture *fixture = *state;
    struct store_job *job = &api_jobs.jobs[api_jobs.count++];
    struct store_workflow row = {.kind = STORE_WORKFLOW_RESEARCH,
                                 .status = STORE_WORKFLOW_COMPLETED,
                                 .steps_executed = 3,
                                 .request = STR(""),
                                 .answer = STR("Made before"),
                                 .error = STR(""),
                                 .extra = STR("")};
    *job = (struct store_job){.kind = STORE_JOB_WORKFLOW, .state = STORE_JOB_RUNNING, .created_ms = INT64_MAX / 2};
    (void)str_copy(job->id, sizeof(job->id), STR("job_old"));
    (void)str_copy(job->account_id, sizeof(job->account_id), STR("acct_1"));
    (void)str_copy(job->key_id, sizeof(job->key_id), STR("key_1"));
    (void)str_copy(job->model, sizeof(job->model), STR(MODEL));
    job->body = api_jobs_copy(STR(RESEARCH_CHAT));
    job->result = api_jobs_copy(STR(""));
    (void)str_copy(row.id, sizeof(row.id), STR("wf_old"));
    (void)str_copy(row.account_id, sizeof(row.account_id), STR("acct_1"));
    (void)str_copy(row.model, sizeof(row.model), STR(MODEL));
    (void)api_workflows_add(&row);
    api_resume(fixture->api);
    turn_until(fixture, "job_old", STORE_JOB_COMPLETED);
    assert_non_null(strstr(job->result.data, "Made before"));
    assert_int_equal(fixture->submitted, 0); /* nothing is generated again */
}

static void test_of_a_revoked_key_fails(void **state) {
    struct api_fixture *fixture = *state;
    fixture->auth.revoked = true;
    const char *id = post(fixture, PLAIN_CHAT);
    turn_until(fixture, id, STORE_JOB_FAILED);
    assert_int_equal(fixture->submitted, 0);
    assert_non_null(strstr(api_jobs_find(id)->result.data, "INVALID_API_KEY"));
}

static void test_an_account_has_bounded_room(void **state) {
    struct api_fixture *fixture = *state;
    const struct auth_identity identity = {.account_id = "acct_1"}, other = {.account_id = "acct_2"};
    struct jobs *jobs = jobs_new(fixture->calls, NULL, &FORMATS);
    struct fault fault;
    for (int i = 0; i < JOBS_OPEN_MAX; i++) {
        assert_true(jobs_reserve(jobs, &identity, &fault));
    }
    assert_false(jobs_reserve(jobs, &identity, &fault));
    assert_int_equal(fault.code, FAULT_RATE_LIMIT_EXCEEDED);
    assert_true(fault.retry_after_ms > 0);
    assert_true(jobs_reserve(jobs, &other, &fault));
    jobs_release(jobs, "acct_1", false);
    assert_true(jobs_reserve(jobs, &identity, &fault));
    jobs_free(jobs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_completes_with_the_whole_answer),
        TEST(test_waits_out_what_time_heals),
        TEST(test_gives_up_a_failure_that_stays),
        TEST(test_writes_its_end_again_when_the_store_was_busy),
        TEST(test_gives_up_a_failure_that_stays),
        TEST(test_runs_though_nobody_knew_that_it_was_stored),
        TEST(test_gives_up_a_failure_that_stays),
        TEST(test_an_end_in_doubt_is_looked_up),
        TEST(test_is_forgotten_once_it_has_ended),
        TEST(test_waits_for_the_disk),
        TEST(test_says_what_it_waits_for),
        TEST(test_is_cancelled_on_the_device),
        TEST(test_goes_on_after_a_restart),
        TEST(test_of_a_workflow_has_its_whole_answer),
        TEST(test_its_cancel_is_that_of_its_workflow),
        TEST(test_finds_its_workflow_after_a_restart),
        TEST(test_of_a_revoked_key_fails),
        TEST(test_an_account_has_bounded_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
