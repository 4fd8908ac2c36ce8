/* A job as the API shows it: its names, its format, and all that it says in each state. */
#include "jobs/job.h"

#include "format/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ID "job_0123456789abcdefghijklmn"

struct fixture {
    struct json_parser *parser;
    struct buf out;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture.parser = json_parser_new(1 << 16, 32);
    buf_init(&fixture.out, 1 << 20);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    json_parser_free(fixture->parser);
    buf_clear(&fixture->out);
    return 0;
}

static const char *written(struct fixture *fixture, const struct store_job *job, bool whole) {
    struct json_writer writer;
    buf_reset(&fixture->out);
    json_writer_init(&writer, &fixture->out);
    job_write(&writer, &FORMATS, job, &(struct job_writing){.whole = whole});
    return buf_cstr(&fixture->out);
}

static struct store_job job_of(enum store_job_state state, const char *result) {
    struct store_job job = {.kind = STORE_JOB_CHAT,
                            .state = state,
                            .model = "m",
                            .created_ms = 1000,
                            .started_ms = state == STORE_JOB_QUEUED ? 0 : 2000,
                            .ended_ms = state < STORE_JOB_COMPLETED ? 0 : 3000,
                            .result = str_from(result)};
    (void)str_copy(job.id, sizeof(job.id), STR(ID));
    return job;
}

#define USAGE(prompt, completion, total, cost)                                                                         \
    "\"usage\":{\"prompt_tokens\":" prompt ",\"completion_tokens\":" completion ",\"total_tokens\":" total             \
    "},\"cost_usd\":" cost
#define HEAD(status)                                                                                                   \
    "{\"id\":\"" ID "\",\"object\":\"job\",\"type\":\"chat.completion\",\"status\":\"" status "\",\"model\":\"m\","
#define CREATED "\"created_at\":\"1970-01-01T00:00:01.000Z\","
#define STARTED "\"started_at\":\"1970-01-01T00:00:02.000Z\","
#define ENDED "\"completed_at\":\"1970-01-01T00:00:03.000Z\",\"expires_at\":\"1970-01-31T00:00:03.000Z\","
#define NOT_ENDED "\"completed_at\":null,\"expires_at\":null,"

static void test_in_each_state(void **state) {
    struct fixture *fixture = *state;
    struct store_job job = job_of(STORE_JOB_QUEUED, "");
    assert_string_equal(written(fixture, &job, true),
                        HEAD("QUEUED") CREATED "\"started_at\":null," NOT_ENDED USAGE("0", "0", "0", "0") "}");
    job = job_of(STORE_JOB_RUNNING, "");
    assert_string_equal(written(fixture, &job, true),
                        HEAD("RUNNING") CREATED STARTED NOT_ENDED USAGE("0", "0", "0", "0") "}");
    job = job_of(STORE_JOB_COMPLETED, "{\"a\":1}");
    job.prompt_tokens = 5;
    job.completion_tokens = 2;
    job.charge_nano = 1500;
    assert_string_equal(written(fixture, &job, true), HEAD("COMPLETED") CREATED STARTED ENDED USAGE(
                                                          "5", "2", "7", "0.0000015") ",\"result\":{\"a\":1}}");
    assert_null(strstr(written(fixture, &job, false), "result")); /* lists and events do not have it */
    job = job_of(STORE_JOB_FAILED, "{\"code\":\"x\"}");
    assert_string_equal(written(fixture, &job, false),
                        HEAD("FAILED") CREATED STARTED ENDED USAGE("0", "0", "0", "0") ",\"error\":{\"code\":\"x\"}}");
    job.result = STR("");
    assert_null(strstr(written(fixture, &job, true), "error"));
    job = job_of(STORE_JOB_CANCELLED, "");
    assert_string_equal(written(fixture, &job, true),
                        HEAD("CANCELLED") CREATED STARTED ENDED USAGE("0", "0", "0", "0") "}");
}

static void test_types(void **state) {
    struct fixture *fixture = *state;
    struct store_job job = job_of(STORE_JOB_QUEUED, "");
    job.kind = STORE_JOB_INFERENCE;
    assert_non_null(strstr(written(fixture, &job, true), "\"type\":\"inference\""));
    job.kind = STORE_JOB_WORKFLOW; /* answered in a chat's shape */
    assert_non_null(strstr(written(fixture, &job, true), "\"type\":\"chat.completion\""));
}

static void test_names_of_states(void **state) {
    static const struct {
        const char *name;
        enum store_job_state state;
    } cases[] = {{"QUEUED", STORE_JOB_QUEUED},
                 {"running", STORE_JOB_RUNNING},
                 {"Completed", STORE_JOB_COMPLETED},
                 {"FAILED", STORE_JOB_FAILED},
                 {"cancelled", STORE_JOB_CANCELLED}};
    enum store_job_state found;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(job_state_of(str_from(cases[i].name), &found));
        assert_int_equal(found, cases[i].state);
    }
    assert_false(job_state_of(STR(""), &found));
    assert_false(job_state_of(STR("QUEUE"), &found));
}

static const struct format *format_of(struct fixture *fixture, const char *body, struct fault *fault) {
    struct json_value root;
    struct err err;
    assert_true(json_parse(fixture->parser, str_from(body), &root, &err));
    return job_format_read(&FORMATS, root, fault);
}

static void test_formats(void **state) {
    static const struct {
        const char *body, *format, *param, *words; /* `format` NULL: a fault */
    } cases[] = {
        {"{\"messages\":[]}", "chat", "", ""},
        {"{\"prompt\":\"\"}", "inference", "", ""},
        {"{\"messages\":null}", "chat", "", ""}, /* it is there; its reader will say what is wrong with it */
        {"{\"type\":\"inference\",\"messages\":[]}", "inference", "", ""},
        {"{\"type\":\"responses\",\"input\":\"\"}", "responses", "", ""},
        {"{\"input\":\"\"}", NULL, "messages", "A job is the body of "}, /* of several forms */
        {"{\"type\":null,\"prompt\":\"\"}", "inference", "", ""},
        {"{\"endpoint\":\"/v1/inference\",\"type\":\"chat\"}", "inference", "", ""}, /* the endpoint counts */
        {"{\"endpoint\":\"/v1/chat/completions\",\"type\":7}", "chat", "", ""},
        {"{\"type\":\"Chat\"}", NULL, "type", "type must be \"chat\", \"inference\""},
        {"{\"type\":[]}", NULL, "type", "type must be \"chat\", \"inference\""},
        {"{\"type\":\"completions\",\"prompt\":\"\"}", NULL, "type", "type must be \"chat\", \"inference\""},
        {"{\"endpoint\":\"/v1/completions\",\"prompt\":\"\"}", NULL, "endpoint", "endpoint must be "},
        {"{\"endpoint\":\"/v1/chat\"}", NULL, "endpoint",
         "endpoint must be \"/v1/chat/completions\", \"/v1/inference\""},
        {"{\"endpoint\":{}}", NULL, "endpoint", "endpoint must be "},
        {"{}", NULL, "messages", "A job is the body of a chat (with messages), of an inference (with prompt)"},
        {"{\"messages\":[],\"prompt\":\"\"}", NULL, "messages", "A job is the body of "},
        {"[]", NULL, "messages", "A job is the body of "},
        {"7", NULL, "messages", "A job is the body of "},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        const struct format *format = format_of(fixture, cases[i].body, &fault);
        assert_int_equal(format != NULL, cases[i].format != NULL);
        if (format != NULL) {
            assert_string_equal(format->name, cases[i].format);
        } else {
            assert_int_equal(fault.code, FAULT_INVALID_REQUEST);
            assert_string_equal(fault.param, cases[i].param);
            assert_memory_equal(fault.message, cases[i].words, strlen(cases[i].words));
        }
    }
}

static void test_its_workflow(void **state) {
    struct fixture *fixture = *state;
    char id[STORE_ID_MAX];
    struct store_job job = job_of(STORE_JOB_RUNNING, "");
    const struct workflow_answer answer = {.id = "wf_0123456789abcdefghijklmn",
                                           .kind = CORE_WORKFLOW_CODE,
                                           .status = CORE_WORKFLOW_COMPLETED,
                                           .steps_executed = 3,
                                           .text = STR("done"),
                                           .tool_calls = STR(""),
                                           .usage = {.prompt_tokens = 5, .completion_tokens = 2},
                                           .finish = GEN_FINISH_STOP};
    job.kind = STORE_JOB_WORKFLOW;
    job_workflow_id(ID, id);
    assert_string_equal(id, answer.id);
    buf_reset(&fixture->out);
    job_workflow_write(&FORMATS, &job, &answer, STR("\"ignored\":[\"x\"]"), &fixture->out);
    const char *text = buf_cstr(&fixture->out);
    static const char head[] =
        "{\"id\":\"chatcmpl-0123456789abcdefghijklmn\",\"object\":\"chat.completion\",\"created\":1,";
    assert_memory_equal(text, head, sizeof(head) - 1);
    assert_non_null(strstr(text, "\"content\":\"done\""));
    assert_non_null(strstr(text, ",\"ignored\":[\"x\"]}"));
    assert_non_null(strstr(text, "\"workflow\":\"code\",\"status\":\"COMPLETED\",\"steps_executed\":3"));
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_in_each_state), TEST(test_types),        TEST(test_names_of_states),
        TEST(test_formats),       TEST(test_its_workflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
