/* What is refused of text messages, and which member is named. */
#include "link/message.h"

#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define KEY_BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SIGNATURE_BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

struct fixture {
    struct json_parser *parser;
    struct arena arena;
    struct buf out;
    struct link_message message;
    struct err err;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){.parser = json_parser_new(LIMIT_LINK_MESSAGE_BYTES, LIMIT_JSON_DEPTH)};
    arena_init(&fixture.arena, LIMIT_LINK_MESSAGE_BYTES);
    buf_init(&fixture.out, LIMIT_LINK_MESSAGE_BYTES);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    json_parser_free(f->parser);
    arena_clear(&f->arena);
    buf_clear(&f->out);
    return 0;
}

static bool decode(struct fixture *f, const char *text) {
    err_clear(&f->err);
    return link_decode_text(LINK_VERSION_1, f->parser, &f->arena, str_from(text), &f->message, &f->err);
}

struct malformed {
    const char *text, *field;
};

#define KEY "\"public_key\":\"" KEY_BASE64 "\""
#define MODEL(members) "{\"type\":\"status\",\"models\":[{\"id\":\"a\",\"state\":\"warm\"},{" members "}]}"

static const struct malformed MALFORMED[] = {
    {"", ""},
    {"hello", ""},
    {"{\"type\":\"drain\"", ""},
    {"{\"type\":\"drain\"} {}", ""},
    {"{\"type\":\"dr\xff\"}", ""},
    {"[]", "type"},
    {"\"drain\"", "type"},
    {"{}", "type"},
    {"{\"type\":5}", "type"},
    {"{\"type\":null}", "type"},
    {"{\"type\":\"hello\"}", "versions"},
    {"{\"type\":\"hello\",\"versions\":[],\"device\":{}," KEY "}", "versions"},
    {"{\"type\":\"hello\",\"versions\":1,\"device\":{}," KEY "}", "versions"},
    {"{\"type\":\"hello\",\"versions\":[\"1\"],\"device\":{}," KEY "}", "versions"},
    {"{\"type\":\"hello\",\"versions\":[-1],\"device\":{}," KEY "}", "versions"},
    {"{\"type\":\"hello\",\"versions\":[1.5],\"device\":{}," KEY "}", "versions"},
    {"{\"type\":\"hello\",\"versions\":[1,2,3,4,5,6,7,8,9],\"device\":{}," KEY "}", "versions"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{}}", "public_key"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{},\"public_key\":\"AAEC\"}", "public_key"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{},\"public_key\":\"!!!!\"}", "public_key"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{},\"public_key\":\"" SIGNATURE_BASE64 "\"}", "public_key"},
    {"{\"type\":\"hello\",\"versions\":[1]," KEY "}", "device"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":[]," KEY "}", "device"},
    {"{\"type\":\"hello\",\"versions\":[1],\"join_token\":1,\"device\":{}," KEY "}", "join_token"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{\"name\":{}}," KEY "}", "device.name"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{\"cores\":-1}," KEY "}", "device.cores"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{\"cores\":\"8\"}," KEY "}", "device.cores"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{\"ram_bytes\":1e30}," KEY "}", "device.ram_bytes"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{\"region\":\"de\"}," KEY "}", "device.region"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{\"region\":\"D\"}," KEY "}", "device.region"},
    {"{\"type\":\"hello\",\"versions\":[1],\"device\":{\"region\":\"DEU\"}," KEY "}", "device.region"},
    {"{\"type\":\"challenge\",\"nonce\":\"" KEY_BASE64 "\"}", "version"},
    {"{\"type\":\"challenge\",\"version\":65536,\"nonce\":\"" KEY_BASE64 "\"}", "version"},
    {"{\"type\":\"challenge\",\"version\":1}", "nonce"},
    {"{\"type\":\"challenge\",\"version\":1,\"nonce\":\"AA==\"}", "nonce"},
    {"{\"type\":\"auth\"}", "signature"},
    {"{\"type\":\"auth\",\"signature\":\"" KEY_BASE64 "\"}", "signature"},
    {"{\"type\":\"welcome\",\"heartbeat_ms\":1}", "provider_id"},
    {"{\"type\":\"welcome\",\"provider_id\":\"p\"}", "heartbeat_ms"},
    {"{\"type\":\"welcome\",\"provider_id\":\"p\",\"heartbeat_ms\":0}", "heartbeat_ms"},
    {"{\"type\":\"welcome\",\"provider_id\":\"p\",\"heartbeat_ms\":3600001}", "heartbeat_ms"},
    {"{\"type\":\"status\"}", "models"},
    {"{\"type\":\"status\",\"models\":{}}", "models"},
    {"{\"type\":\"status\",\"models\":[1]}", "models[0].id"},
    {MODEL("\"state\":\"warm\""), "models[1].id"},
    {MODEL("\"id\":\"\",\"state\":\"warm\""), "models[1].id"},
    {MODEL("\"id\":\"a b\",\"state\":\"warm\""), "models[1].id"},
    {MODEL("\"id\":\"a\\u001b[31m\",\"state\":\"warm\""), "models[1].id"},
    {MODEL("\"id\":\"a';reboot;'\",\"state\":\"warm\""), "models[1].id"},
    {MODEL("\"id\":\"a\""), "models[1].state"},
    {MODEL("\"id\":\"a\",\"state\":1"), "models[1].state"},
    {MODEL("\"id\":\"a\",\"state\":\"cold\",\"load_ms\":-1"), "models[1].load_ms"},
    {MODEL("\"id\":\"a\",\"state\":\"cold\",\"too_large\":1"), "models[1].too_large"},
    {MODEL("\"id\":\"a\",\"state\":\"downloading\",\"bytes_per_s\":0.5"), "models[1].bytes_per_s"},
    {MODEL("\"id\":\"a\",\"state\":\"warm\",\"slots\":257"), "models[1].slots"},
    {MODEL("\"id\":\"a\",\"state\":\"warm\",\"context_length\":4294967296"), "models[1].context_length"},
    {MODEL("\"id\":\"a\",\"state\":\"warm\",\"bytes_done\":-5"), "models[1].bytes_done"},
    {"{\"type\":\"status\",\"models\":[],\"active_jobs\":true}", "active_jobs"},
    {"{\"type\":\"status\",\"models\":[],\"heat\":\"hot\"}", "heat"},
    {"{\"type\":\"status\",\"models\":[],\"battery_percent\":101}", "battery_percent"},
    {"{\"type\":\"status\",\"models\":[],\"battery_percent\":-1}", "battery_percent"},
    {"{\"type\":\"status\",\"models\":[],\"charging\":1}", "charging"},
    {"{\"type\":\"status\",\"models\":[],\"pause\":true}", "pause"},
    {"{\"type\":\"status\",\"models\":[],\"takes_wants\":\"yes\"}", "takes_wants"},
    {"{\"type\":\"status\",\"models\":[],\"storage_free_bytes\":-1}", "storage_free_bytes"},
    {"{\"type\":\"want\"}", "model"},
    {"{\"type\":\"want\",\"model\":\"a b\"}", "model"},
    {"{\"type\":\"job\",\"request\":{\"model\":\"m\",\"prompt\":\"x\"}}", "job"},
    {"{\"type\":\"job\",\"job\":1,\"request\":{\"model\":\"m\",\"prompt\":\"x\",\"continue_text\":7}}",
     "continue_text"},
    {"{\"type\":\"job\",\"job\":1}", "request"},
    {"{\"type\":\"job\",\"job\":1,\"request\":{\"prompt\":\"x\"}}", "model"},
    {"{\"type\":\"accept\",\"job\":0,\"prompt_tokens\":1}", "job"},
    {"{\"type\":\"accept\",\"job\":9007199254740992,\"prompt_tokens\":1}", "job"},
    {"{\"type\":\"accept\",\"job\":-1,\"prompt_tokens\":1}", "job"},
    {"{\"type\":\"accept\",\"job\":\"1\",\"prompt_tokens\":1}", "job"},
    {"{\"type\":\"accept\",\"job\":1}", "prompt_tokens"},
    {"{\"type\":\"done\",\"job\":1,\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}", "finish"},
    {"{\"type\":\"done\",\"job\":1,\"finish\":\"stopped\"}", "finish"},
    {"{\"type\":\"done\",\"job\":1,\"finish\":\"stop\"}", "usage"},
    {"{\"type\":\"done\",\"job\":1,\"finish\":\"stop\",\"usage\":{\"prompt_tokens\":1}}", "usage.completion_tokens"},
    {"{\"type\":\"done\",\"job\":1,\"finish\":\"stop\",\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":1}}",
     "usage.prompt_tokens"},
    {"{\"type\":\"done\",\"job\":1,\"finish\":\"stop\",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1},"
     "\"timings\":5}",
     "timings"},
    {"{\"type\":\"done\",\"job\":1,\"finish\":\"stop\",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1},"
     "\"timings\":{\"queue_ms\":\"1\"}}",
     "timings.queue_ms"},
    {"{\"type\":\"error\",\"job\":1}", "failure"},
    {"{\"type\":\"error\",\"job\":1,\"failure\":\"tired\"}", "failure"},
    {"{\"type\":\"error\",\"job\":1,\"failure\":\"engine\",\"message\":1}", "message"},
    {"{\"type\":\"cancel\"}", "job"},
    {"{\"type\":\"cancel\",\"job\":null}", "job"},
    {"{\"type\":\"cancel\",\"job\":[1]}", "job"},
};

static void test_malformed(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(MALFORMED); i++) {
        if (decode(f, MALFORMED[i].text)) {
            fail_msg("accepted: %s", MALFORMED[i].text);
        }
        assert_int_equal(f->err.code, ERR_INVALID);
        assert_string_equal(f->err.field, MALFORMED[i].field);
        assert_true(strlen(f->err.message) > 0);
    }
}

/* The sender of a job learns which one could not be taken. */
static void test_malformed_request_names_its_job(void **state) {
    struct fixture *f = *state;
    assert_false(decode(f, "{\"type\":\"job\",\"job\":77,\"request\":{\"model\":\"m\",\"prompt\":\"x\",\"top_p\":2}}"));
    assert_int_equal(f->message.kind, LINK_JOB);
    assert_int_equal(f->message.job.job, 77);
    assert_string_equal(f->err.field, "top_p");
}

static void test_too_many_models(void **state) {
    struct fixture *f = *state;
    for (size_t count = LIMIT_LINK_MODELS; count <= LIMIT_LINK_MODELS + 1; count++) {
        buf_reset(&f->out);
        buf_append_cstr(&f->out, "{\"type\":\"status\",\"models\":[");
        for (size_t i = 0; i < count; i++) {
            buf_append_format(&f->out, "%s{\"id\":\"m%zu\",\"state\":\"warm\"}", i ? "," : "", i);
        }
        buf_append_cstr(&f->out, "]}");
        assert_int_equal(decode(f, buf_cstr(&f->out)), count == LIMIT_LINK_MODELS);
    }
    assert_string_equal(f->err.field, "models");
}

static void test_long_strings(void **state) {
    struct fixture *f = *state;
    for (size_t len = LIMIT_MODEL_ID_BYTES; len <= LIMIT_MODEL_ID_BYTES + 1; len++) {
        buf_reset(&f->out);
        buf_append_format(&f->out, "{\"type\":\"status\",\"models\":[{\"state\":\"warm\",\"id\":\"%0*d\"}]}", (int)len,
                          0);
        assert_int_equal(decode(f, buf_cstr(&f->out)), len == LIMIT_MODEL_ID_BYTES);
    }
    assert_string_equal(f->err.field, "models[0].id");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_malformed),
        CASE(test_malformed_request_names_its_job),
        CASE(test_too_many_models),
        CASE(test_long_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
