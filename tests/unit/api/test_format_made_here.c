/* A public format is one file and one line in a table: this one exists in this file alone, and has a route, streams,
 * faults and jobs all the same. */
#include "format/chat.h"
#include "format/envelope.h"
#include "format/events.h"
#include "format/inference.h"
#include "format/parts.h"
#include "jobs/stored.h"
#include "support/api_calls.h"
#include "wire/field.h"

#define ECHO_PATH "/v1/echo"
#define ECHO_BODY "{\"model\":\"" MODEL "\",\"say\":\"hello\"}"
#define ECHO_STREAM "{\"model\":\"" MODEL "\",\"say\":\"hello\",\"live\":true}"

/* --- The format --- */

struct echo_fields {
    struct str model, say;
    bool live;
};

#define AT(member) .offset = offsetof(struct echo_fields, member)

static const struct field_rule echo_rules[] = {
    {STR("model"), field_read_str, AT(model), .max_bytes = LIMIT_MODEL_ID_BYTES},
    {STR("say"), field_read_str, AT(say), .max_bytes = 100},
    {STR("live"), field_read_bool, AT(live)},
};

static bool echo_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    struct echo_fields fields = {.model = STR(""), .say = STR("")};
    *out = (struct call_input){.label = STR("")};
    gen_request_init(&out->request);
    if (!fields_read(body, echo_rules, COUNT_OF(echo_rules), &fields, err)) {
        return false;
    }
    if (fields.say.len == 0) {
        return field_invalid(err, "say", "is required.");
    }
    out->stream = out->request.stream = fields.live;
    out->request.model = arena_copy(arena, fields.model);
    out->request.prompt = arena_copy(arena, fields.say);
    return true;
}

static void echo_whole(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", answer->id);
    json_member_str(&writer, "model", answer->model);
    json_member_str(&writer, "echo", answer->text);
    json_member_cstr(&writer, "why", parts_finish_reason(answer));
    json_end_object(&writer);
}

static void echo_begin(const struct format_stream *stream, struct buf *out) {
    struct json_writer writer = events_open(stream, out);
    json_member_bool(&writer, "begins", true);
    events_close(&writer);
}

/* With a name before it, as streams of other vendors have. */
static void echo_delta_start(const struct format_stream *stream, struct buf *out) {
    (void)stream;
    buf_append_cstr(out, "event: text\ndata: {\"echo\":\"");
}

static struct str echo_delta_end(const struct format_stream *stream) {
    (void)stream;
    return STR("\"}" EVENT_END);
}

static void echo_note(const struct format_stream *stream, struct str nataris, struct buf *out) {
    (void)stream;
    (void)nataris;
    (void)out;
}

static void echo_end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    struct json_writer writer = events_open(stream, out);
    json_member_cstr(&writer, "why", parts_finish_reason(answer));
    events_close(&writer);
}

static void echo_fault(const struct fault *fault, struct buf *out) {
    buf_append_format(out, "event: broken\ndata: %s\n\n", fault_name(fault->code));
}

/* Refusals of its own, of all that is below its path. */
static int echo_status(const struct fault *fault) {
    return fault_status(fault) == 503 ? 529 : fault_status(fault);
}

static void echo_refuse(const struct fault *fault, const char *request_id, struct buf *out) {
    buf_append_format(out, "{\"echo\":\"%s of %.4s\"}", fault_name(fault->code), request_id);
}

static const struct envelope ECHO_ENVELOPE = {
    .below = ECHO_PATH, .id_header = "echo-id", .status = echo_status, .write = echo_refuse};

static const struct format FORMAT_ECHO = {
    .name = "echo",
    .path = ECHO_PATH,
    .member = "say",
    .id_prefix = "echo_",
    .object = "echo",
    .chunk_object = "echo.chunk",
    .stored = (enum store_generation_kind)7,
    .begins_with = "an echo (with say)",
    .read = echo_read,
    .whole = echo_whole,
    .begin = echo_begin,
    .delta_start = echo_delta_start,
    .delta_end = echo_delta_end,
    .note = echo_note,
    .end = echo_end,
    .fault = echo_fault,
    .envelope = &ECHO_ENVELOPE,
};

/* The one line. */
static const struct format *const all[] = {&FORMAT_CHAT, &FORMAT_INFERENCE, &FORMAT_ECHO};
static const struct formats WITH_ECHO = {.items = all, .count = COUNT_OF(all)};

static int setup(void **state) {
    return api_fixture_setup_formats(state, &WITH_ECHO);
}

/* --- Its route --- */

static void test_whole(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    api_fixture_post(fixture, ECHO_PATH, ECHO_BODY);
    struct call *call = api_fixture_await_call(fixture);
    assert_true(str_equal_cstr(call->generation.prompt, "hello"));
    deliver(call, "hel");
    deliver(call, "lo");
    call->sink->finished(call, &RESULT);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_golden(fixture, body, "{\"id\":\"$ID\",\"model\":\"" MODEL "\",\"echo\":\"hello\",\"why\":\"stop\"}");
    assert_memory_equal(fixture->call_id, "echo_", 5);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "GET " ECHO_PATH, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &body), 405);
    assert_string_equal(api_fixture_header(fixture, "Allow"), "POST, OPTIONS");
}

static void test_streamed(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, ECHO_PATH, ECHO_STREAM);
    struct call *call = api_fixture_await_call(fixture);
    call->sink->accepted(call);
    deliver(call, "a \"b\"");
    deliver(call, "c");
    call->sink->finished(call, &RESULT);
    char *payload = api_fixture_stream(fixture);
#define EVENT "data: {\"id\":\"$ID\",\"object\":\"echo.chunk\",\"created\":$TIME,\"model\":\"" MODEL "\","
    assert_golden(fixture, payload,
                  EVENT "\"begins\":true}\n\nevent: text\ndata: {\"echo\":\"a \\\"b\\\"\"}\n\nevent: text\n"
                        "data: {\"echo\":\"c\"}\n\n" EVENT "\"why\":\"stop\"}\n\n");
    free(payload);
}

static void test_faults(void **state) {
    struct api_fixture *fixture = *state;
    const struct fault fault = {.code = FAULT_UNAVAILABLE, .message = "lost"};
    const char *body;
    /* In its body: by its own rules. */
    api_fixture_post(fixture, ECHO_PATH, "{\"model\":\"" MODEL "\",\"say\":7}");
    assert_int_equal(api_fixture_answer(fixture, &body), 400);
    assert_string_equal(body, "{\"echo\":\"INVALID_REQUEST of req_\"}");
    api_fixture_forget(fixture);
    api_fixture_post(fixture, ECHO_PATH, "{\"model\":\"never\",\"say\":\"hi\"}");
    assert_int_equal(api_fixture_answer(fixture, &body), 404);
    /* Before its stream has begun: as a whole answer. */
    api_fixture_forget(fixture);
    api_fixture_post(fixture, ECHO_PATH, ECHO_STREAM);
    struct call *call = api_fixture_await_call(fixture);
    fixture->call = NULL;
    call->sink->failed(call, &fault);
    assert_int_equal(api_fixture_answer(fixture, &body), 529);
    assert_string_equal(body, "{\"echo\":\"SERVICE_UNAVAILABLE of req_\"}");
    /* In its stream: in its own form. */
    api_fixture_forget(fixture);
    api_fixture_post(fixture, ECHO_PATH, ECHO_STREAM);
    call = api_fixture_await_call(fixture);
    deliver(call, "hel");
    call->sink->failed(call, &fault);
    char *payload = api_fixture_stream(fixture);
    assert_non_null(strstr(payload, "\"echo\":\"hel\"}\n\nevent: broken\ndata: SERVICE_UNAVAILABLE\n\n"));
    free(payload);
}

/* Whatever is refused below its path is refused in its form; all else, as OpenAI does. */
static void test_its_refusals(void **state) {
    static const struct {
        const char *line, *headers, *body;
        int status;
        const char *told; /* NULL: OpenAI's */
    } cases[] = {
        {"POST " ECHO_PATH, "Authorization: Bearer no\r\n", ECHO_BODY, 401, "{\"echo\":\"INVALID_API_KEY of req_\"}"},
        {"POST " ECHO_PATH, "x-api-key: other\r\n", ECHO_BODY, 400, "{\"echo\":\"INVALID_REQUEST of req_\"}"},
        {"POST " ECHO_PATH, "Content-Type: a\r\nContent-Type: a\r\n", ECHO_BODY, 400,
         "{\"echo\":\"INVALID_REQUEST of req_\"}"},
        {"GET " ECHO_PATH, "", NULL, 405, "{\"echo\":\"METHOD_NOT_ALLOWED of req_\"}"},
        {"GET " ECHO_PATH "/deeper?x=y", "", NULL, 404, "{\"echo\":\"NOT_FOUND of req_\"}"},
        {"GET " ECHO_PATH "s", "", NULL, 404, NULL},
        {"GET /v1/other", "", NULL, 404, NULL},
    };
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body;
        api_fixture_forget(fixture);
        api_fixture_request(fixture, cases[i].line, cases[i].headers, cases[i].body);
        assert_int_equal(api_fixture_answer(fixture, &body), cases[i].status);
        if (cases[i].told != NULL) {
            assert_string_equal(body, cases[i].told);
            char id[ID_SIZE];
            (void)str_copy(id, sizeof(id), str_from(api_fixture_header(fixture, "x-request-id")));
            assert_string_equal(api_fixture_header(fixture, "echo-id"), id);
        } else {
            assert_non_null(strstr(body, "{\"error\":{\"message\":"));
            assert_string_equal(api_fixture_header(fixture, "echo-id"), "");
        }
    }
}

/* What was stored under an idempotency key comes back in its form. */
static void test_repeated(void **state) {
    struct api_fixture *fixture = *state;
    struct store_answer answer;
    const char *body;
    api_fixture_request(fixture, "POST " ECHO_PATH, "Idempotency-Key: k\r\n", ECHO_BODY);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "hello");
    assert_true(call->sink->answer(call, &RESULT, &answer));
    api_store_keep(&fixture->store, &answer);
    call->sink->finished(call, &RESULT);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "POST " ECHO_PATH, "Idempotency-Key: k\r\n", ECHO_BODY);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_string_equal(api_fixture_header(fixture, "Idempotent-Replayed"), "true");
    assert_golden(fixture, body, "{\"id\":\"$ID\",\"model\":\"" MODEL "\",\"echo\":\"hello\",\"why\":\"stop\"}");
    assert_int_equal(fixture->submitted, 1);
}

/* --- Its jobs --- */

static void end_job(struct api_fixture *fixture, const char *id) {
    char line[128], expected[256];
    const char *body;
    struct call *call = api_fixture_await_call(fixture);
    assert_string_equal(call->id, id);
    assert_true(str_equal_cstr(call->generation.prompt, "hello"));
    deliver(call, "hello");
    fixture->call = NULL;
    call->sink->finished(call, &RESULT);
    while (api_jobs_find(id)->state != STORE_JOB_COMPLETED) {
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
        assert_false(fixture->timed_out);
    }
    api_fixture_forget(fixture);
    snprintf(line, sizeof(line), "GET /v1/jobs/%s", id);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_non_null(strstr(body, "\"object\":\"job\",\"type\":\"echo\",\"status\":\"COMPLETED\""));
    snprintf(expected, sizeof(expected), "\"result\":{\"id\":\"echo_%s\",\"model\":\"" MODEL "\",\"echo\":\"hello\"",
             id + strlen("job_"));
    assert_non_null(strstr(body, expected));
}

static void test_jobs(void **state) {
    static const char *const bodies[] = {
        "{\"type\":\"echo\",\"model\":\"" MODEL "\",\"say\":\"hello\"}",
        "{\"endpoint\":\"" ECHO_PATH "\",\"model\":\"" MODEL "\",\"say\":\"hello\"}",
        ECHO_BODY, /* by its member */
        "{\"type\":\"echo\",\"messages\":[],\"prompt\":\"\",\"model\":\"" MODEL "\",\"say\":\"hello\"}",
    };
    struct api_fixture *fixture = *state;
    const char *body;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        api_fixture_forget(fixture);
        api_fixture_post(fixture, "/v1/jobs", bodies[i]);
        assert_int_equal(api_fixture_answer(fixture, &body), 202);
        assert_non_null(strstr(body, "\"type\":\"echo\",\"status\":\"QUEUED\""));
        end_job(fixture, api_jobs.jobs[api_jobs.count - 1].id);
    }
}

static void test_a_job_after_a_restart(void **state) {
    struct api_fixture *fixture = *state;
    struct store_job *job = &api_jobs.jobs[api_jobs.count++];
    *job = (struct store_job){
        .kind = job_stored_kind(FORMAT_ECHO.stored, false), .state = STORE_JOB_RUNNING, .created_ms = INT64_MAX / 2};
    (void)str_copy(job->id, sizeof(job->id), STR("job_old"));
    (void)str_copy(job->account_id, sizeof(job->account_id), STR("acct_1"));
    (void)str_copy(job->key_id, sizeof(job->key_id), STR("key_1"));
    (void)str_copy(job->model, sizeof(job->model), STR(MODEL));
    job->body = api_jobs_copy(STR(ECHO_BODY));
    job->result = api_jobs_copy(STR(""));
    api_resume(fixture->api);
    end_job(fixture, "job_old");
}

static void test_a_job_that_fails(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    api_fixture_post(fixture, "/v1/jobs", ECHO_BODY);
    assert_int_equal(api_fixture_answer(fixture, &body), 202);
    struct call *call = api_fixture_await_call(fixture);
    call->sink->failed(call, &(struct fault){.code = FAULT_CONTEXT_LENGTH, .message = "too long", .param = "say"});
    const struct store_job *job = &api_jobs.jobs[0];
    while (job->state != STORE_JOB_FAILED) {
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
        assert_false(fixture->timed_out);
    }
    assert_non_null(strstr(job->result.data, "\"code\":\"context_length_exceeded\",\"param\":\"say\""));
}

/* Those who ask for something else learn of it, too. */
static void test_it_is_named_with_the_others(void **state) {
    static const struct {
        const char *body, *words, *param;
    } cases[] = {
        {"{\"type\":\"x\"}", "type must be \\\"chat\\\", \\\"inference\\\" or \\\"echo\\\".", "type"},
        {"{\"type\":1}", "type must be ", "type"},
        {"{\"endpoint\":\"/v1/x\"}",
         "endpoint must be \\\"/v1/chat/completions\\\", \\\"/v1/inference\\\" or \\\"/v1/echo\\\".", "endpoint"},
        {"{}", "A job is the body of a chat (with messages), of an inference (with prompt) or of an echo (with say).",
         "messages"},
        {"{\"say\":\"a\",\"prompt\":\"b\"}", "A job is the body of ", "messages"},
        {"{\"type\":\"echo\"}", "say is required.", "say"},
    };
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body;
        char param[64];
        api_fixture_forget(fixture);
        api_fixture_post(fixture, "/v1/jobs", cases[i].body);
        assert_int_equal(api_fixture_answer(fixture, &body), 400);
        assert_non_null(strstr(body, cases[i].words));
        snprintf(param, sizeof(param), "\"param\":\"%s\"", cases[i].param);
        assert_non_null(strstr(body, param));
    }
    assert_int_equal(api_jobs.count, 0);
}

static void test_the_others_are_as_they_were(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    api_fixture_post(fixture, CHAT, PLAIN_CHAT);
    struct call *call = api_fixture_await_call(fixture);
    deliver(call, "hi");
    call->sink->finished(call, &RESULT);
    assert_int_equal(api_fixture_answer(fixture, &body), 200);
    assert_non_null(strstr(body, "\"object\":\"chat.completion\""));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_whole),
        TEST(test_streamed),
        TEST(test_faults),
        TEST(test_its_refusals),
        TEST(test_repeated),
        TEST(test_jobs),
        TEST(test_a_job_after_a_restart),
        TEST(test_a_job_that_fails),
        TEST(test_it_is_named_with_the_others),
        TEST(test_the_others_are_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
