/* Golden frames: what stands here is the protocol (docs/PROTOCOL.md). A change of a golden frame is a new version. */
#include "link/codec.h"

#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define KEY_BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SIGNATURE_BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define HELLO                                                                                                          \
    "{\"type\":\"hello\",\"versions\":[1,7],\"public_key\":\"" KEY_BASE64 "\",\"join_token\":\"join_x\",\"device\":"   \
    "{\"name\":\"Ada's "                                                                                               \
    "\\\"laptop\\\"\",\"os\":\"linux\",\"arch\":\"x86_64\",\"cpu\":\"c\",\"agent\":\"nataris/0.1.0\","                 \
    "\"region\":\"DE\",\"cores\":8,\"ram_bytes\":17179869184}}"
#define STATUS                                                                                                         \
    "{\"type\":\"status\",\"models\":[{\"id\":\"a\",\"state\":\"warm\",\"slots\":4,\"context_length\":2048},"          \
    "{\"id\":\"b\",\"state\":\"downloading\",\"slots\":0,\"context_length\":0,\"bytes_done\":10,\"bytes_total\":20}]," \
    "\"active_jobs\":2,\"heat\":\"serious\",\"battery_percent\":55,\"charging\":true,\"ram_free_bytes\":1024}"
#define DONE                                                                                                           \
    "{\"type\":\"done\",\"job\":7,\"finish\":\"length\",\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34,"     \
    "\"cached_tokens\":5},\"timings\":{\"queue_ms\":1,\"prefill_ms\":2,\"decode_ms\":3}}"

struct fixture {
    struct json_parser *parser;
    struct arena arena;
    struct buf out;
    struct link_message message;
    struct err err;
    uint8_t bytes[64]; /* 0, 1, 2, ... */
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){.parser = json_parser_new(LIMIT_LINK_MESSAGE_BYTES, LIMIT_JSON_DEPTH)};
    arena_init(&fixture.arena, LIMIT_LINK_MESSAGE_BYTES);
    buf_init(&fixture.out, LIMIT_LINK_MESSAGE_BYTES);
    for (size_t i = 0; i < sizeof fixture.bytes; i++) {
        fixture.bytes[i] = (uint8_t)i;
    }
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
    return link_decode_text(f->parser, &f->arena, str_from(text), &f->message, &f->err);
}

/* What was encoded is the golden text, and the golden text is decoded. */
static void expect_golden(struct fixture *f, const char *golden, enum link_kind kind) {
    assert_false(f->out.overflow);
    assert_string_equal(buf_cstr(&f->out), golden);
    if (!decode(f, golden)) {
        fail_msg("%s: %s", golden, f->err.message);
    }
    assert_int_equal(f->message.kind, kind);
}

static void test_hello(void **state) {
    struct fixture *f = *state;
    struct link_hello hello = {.versions = {1, 7},
                               .version_count = 2,
                               .join_token = STR("join_x"),
                               .device = {.name = STR("Ada's \"laptop\""),
                                          .os = STR("linux"),
                                          .arch = STR("x86_64"),
                                          .cpu = STR("c"),
                                          .agent = STR("nataris/0.1.0"),
                                          .region = STR("DE"),
                                          .cores = 8,
                                          .ram_bytes = UINT64_C(17179869184)}};
    memcpy(hello.public_key, f->bytes, sizeof hello.public_key);
    link_encode_hello(&f->out, &hello);
    expect_golden(f, HELLO, LINK_HELLO);
    const struct link_hello *got = &f->message.hello;
    assert_int_equal(got->version_count, 2);
    assert_int_equal(got->versions[1], 7);
    assert_memory_equal(got->public_key, f->bytes, sizeof got->public_key);
    assert_true(str_equal_cstr(got->join_token, "join_x"));
    assert_true(str_equal_cstr(got->device.name, "Ada's \"laptop\""));
    assert_true(str_equal_cstr(got->device.region, "DE"));
    assert_int_equal(got->device.cores, 8);
    assert_int_equal(got->device.ram_bytes, UINT64_C(17179869184));
}

/* Unknown facts are left out, and absent ones are empty. */
static void test_hello_without_facts(void **state) {
    struct fixture *f = *state;
    struct link_hello hello = {.versions = {1}, .version_count = 1};
    memcpy(hello.public_key, f->bytes, sizeof hello.public_key);
    link_encode_hello(&f->out, &hello);
    expect_golden(f,
                  "{\"type\":\"hello\",\"versions\":[1],\"public_key\":\"" KEY_BASE64
                  "\",\"device\":{\"cores\":0,\"ram_bytes\":0}}",
                  LINK_HELLO);
    assert_int_equal(f->message.hello.join_token.len, 0);
    assert_true(decode(f, "{\"type\":\"hello\",\"versions\":[1],\"public_key\":\"" KEY_BASE64
                          "\",\"join_token\":null,\"device\":{},\"future\":{\"a\":[1]}}"));
    assert_int_equal(f->message.hello.device.name.len, 0);
}

static void test_challenge(void **state) {
    struct fixture *f = *state;
    struct link_challenge challenge = {.version = 1};
    memcpy(challenge.nonce, f->bytes, sizeof challenge.nonce);
    link_encode_challenge(&f->out, &challenge);
    expect_golden(f, "{\"type\":\"challenge\",\"version\":1,\"nonce\":\"" KEY_BASE64 "\"}", LINK_CHALLENGE);
    assert_int_equal(f->message.challenge.version, 1);
    assert_memory_equal(f->message.challenge.nonce, f->bytes, LINK_NONCE_SIZE);
}

static void test_auth(void **state) {
    struct fixture *f = *state;
    struct link_auth auth;
    memcpy(auth.signature, f->bytes, sizeof auth.signature);
    link_encode_auth(&f->out, &auth);
    expect_golden(f, "{\"type\":\"auth\",\"signature\":\"" SIGNATURE_BASE64 "\"}", LINK_AUTH);
    assert_memory_equal(f->message.auth.signature, f->bytes, sizeof auth.signature);
}

static void test_welcome(void **state) {
    struct fixture *f = *state;
    link_encode_welcome(&f->out, &(struct link_welcome){.provider_id = STR("prov_1"), .heartbeat_ms = 5000});
    expect_golden(f, "{\"type\":\"welcome\",\"provider_id\":\"prov_1\",\"heartbeat_ms\":5000}", LINK_WELCOME);
    assert_true(str_equal_cstr(f->message.welcome.provider_id, "prov_1"));
    assert_int_equal(f->message.welcome.heartbeat_ms, 5000);
}

static void test_status(void **state) {
    struct fixture *f = *state;
    const struct link_model models[] = {
        {.id = STR("a"), .state = LINK_MODEL_WARM, .slots = 4, .context_length = 2048},
        {.id = STR("b"), .state = LINK_MODEL_DOWNLOADING, .bytes_done = 10, .bytes_total = 20},
    };
    const struct link_status status = {.models = models,
                                       .model_count = 2,
                                       .active_jobs = 2,
                                       .heat = LINK_HEAT_SERIOUS,
                                       .battery_percent = 55,
                                       .charging = true,
                                       .ram_free_bytes = 1024};
    link_encode_status(&f->out, &status);
    expect_golden(f, STATUS, LINK_STATUS);
    const struct link_status *got = &f->message.status;
    assert_int_equal(got->model_count, 2);
    assert_true(str_equal_cstr(got->models[0].id, "a"));
    assert_int_equal(got->models[0].state, LINK_MODEL_WARM);
    assert_int_equal(got->models[0].slots, 4);
    assert_int_equal(got->models[0].context_length, 2048);
    assert_int_equal(got->models[1].state, LINK_MODEL_DOWNLOADING);
    assert_int_equal(got->models[1].bytes_done, 10);
    assert_int_equal(got->models[1].bytes_total, 20);
    assert_int_equal(got->active_jobs, 2);
    assert_int_equal(got->heat, LINK_HEAT_SERIOUS);
    assert_int_equal(got->battery_percent, 55);
    assert_true(got->charging);
    assert_int_equal(got->ram_free_bytes, 1024);
}

#define STATUS_OF_A_PHONE                                                                                              \
    "{\"type\":\"status\",\"models\":[{\"id\":\"a\",\"state\":\"cold\",\"slots\":4,\"context_length\":2048,\"load_"    \
    "ms\":900},"                                                                                                       \
    "{\"id\":\"b\",\"state\":\"downloading\",\"slots\":0,\"context_length\":0,\"bytes_done\":10,\"bytes_total\":20,"   \
    "\"bytes_per_s\":5},{\"id\":\"c\",\"state\":\"cold\",\"slots\":0,\"context_length\":0,\"too_large\":true}],"       \
    "\"active_jobs\":0,\"heat\":\"nominal\",\"ram_free_bytes\":1024,\"pause\":\"in_use\",\"takes_wants\":true,"        \
    "\"storage_free_bytes\":4096}"

static void test_status_of_a_phone(void **state) {
    struct fixture *f = *state;
    const struct link_model models[] = {
        {.id = STR("a"), .state = LINK_MODEL_COLD, .slots = 4, .context_length = 2048, .load_ms = 900},
        {.id = STR("b"), .state = LINK_MODEL_DOWNLOADING, .bytes_done = 10, .bytes_total = 20, .bytes_per_s = 5},
        {.id = STR("c"), .state = LINK_MODEL_COLD, .too_large = true},
    };
    const struct link_status status = {.models = models,
                                       .model_count = 3,
                                       .battery_percent = -1,
                                       .ram_free_bytes = 1024,
                                       .pause = LINK_PAUSE_IN_USE,
                                       .takes_wants = true,
                                       .storage_free_bytes = 4096};
    link_encode_status(&f->out, &status);
    expect_golden(f, STATUS_OF_A_PHONE, LINK_STATUS);
    const struct link_status *got = &f->message.status;
    assert_int_equal(got->models[0].state, LINK_MODEL_COLD);
    assert_int_equal(got->models[0].load_ms, 900);
    assert_false(got->models[0].too_large);
    assert_int_equal(got->models[1].bytes_per_s, 5);
    assert_int_equal(got->models[2].load_ms, 0);
    assert_true(got->models[2].too_large);
    assert_int_equal(got->pause, LINK_PAUSE_IN_USE);
    assert_true(got->takes_wants);
    assert_int_equal(got->storage_free_bytes, 4096);
}

static void test_every_pause_has_its_name(void **state) {
    struct fixture *f = *state;
    for (int pause = LINK_PAUSE_NONE; pause <= LINK_PAUSE_IN_USE; pause++) {
        buf_reset(&f->out);
        link_encode_status(&f->out, &(struct link_status){.pause = (enum link_pause)pause});
        assert_true(decode(f, buf_cstr(&f->out)));
        assert_int_equal(f->message.status.pause, pause);
    }
}

/* So that the protocol can grow: a newer peer's words are no violation, and no jobs go where we do not understand. */
static void test_newer_states_and_pauses(void **state) {
    struct fixture *f = *state;
    assert_true(
        decode(f, "{\"type\":\"status\",\"models\":[{\"id\":\"a\",\"state\":\"thawing\"}],\"pause\":\"holiday\"}"));
    assert_int_equal(f->message.status.models[0].state, LINK_MODEL_FAILED);
    assert_int_equal(f->message.status.pause, LINK_PAUSE_OWNER);
}

static void test_status_without_models_and_battery(void **state) {
    struct fixture *f = *state;
    link_encode_status(&f->out, &(struct link_status){.battery_percent = -1});
    expect_golden(f, "{\"type\":\"status\",\"models\":[],\"active_jobs\":0,\"heat\":\"nominal\",\"ram_free_bytes\":0}",
                  LINK_STATUS);
    assert_int_equal(f->message.status.battery_percent, -1);
    assert_int_equal(f->message.status.model_count, 0);
    assert_int_equal(f->message.status.pause, LINK_PAUSE_NONE);
    assert_false(f->message.status.takes_wants);
}

static void test_job(void **state) {
    struct fixture *f = *state;
    const struct gen_message messages[] = {{.role = GEN_ROLE_USER, .content = STR("Hi \xf0\x9f\x99\x82\n")}};
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("m");
    request.messages = messages;
    request.message_count = 1;
    request.max_tokens = 9;
    request.stop[0] = STR("END");
    request.stop_count = 1;
    request.stream = true;
    link_encode_job(&f->out, LINK_JOB_MAX, &request);
    expect_golden(f,
                  "{\"type\":\"job\",\"job\":9007199254740991,\"request\":{\"model\":\"m\",\"messages\":[{\"role\":"
                  "\"user\",\"content\":\"Hi \xf0\x9f\x99\x82\\n\"}],\"max_tokens\":9,\"max_tokens_given\":false,"
                  "\"temperature\":0.7,\"top_p\":0.9,\"top_k\":40,\"repeat_penalty\":1,\"frequency_penalty\":0,"
                  "\"presence_penalty\":0,\"stop\":[\"END\"],\"stream\":true}}",
                  LINK_JOB);
    assert_int_equal(f->message.job.job, LINK_JOB_MAX);
    assert_int_equal(f->message.job.request.message_count, 1);
    assert_true(str_equal_cstr(f->message.job.request.messages[0].content, "Hi \xf0\x9f\x99\x82\n"));
    assert_int_equal(f->message.job.request.max_tokens, 9);
    assert_true(f->message.job.request.stream);
}

#define JOB_TAIL                                                                                                       \
    "\"max_tokens\":9,\"max_tokens_given\":false,\"temperature\":0.7,\"top_p\":0.9,\"top_k\":40,\"repeat_penalty\":1," \
    "\"frequency_penalty\":0,\"presence_penalty\":0,\"stream\":true}}"
#define JOB_CONTINUED                                                                                                  \
    "{\"type\":\"job\",\"job\":8,\"request\":{\"model\":\"m\",\"prompt\":\"Hi\",\"continue_text\":\" "                 \
    "caf\xc3\xa9\\n\"," JOB_TAIL

static void test_job_continued(void **state) {
    struct fixture *f = *state;
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("m");
    request.prompt = STR("Hi");
    request.continue_text = STR(" caf\xc3\xa9\n");
    request.max_tokens = 9;
    request.stream = true;
    link_encode_job(&f->out, 8, &request);
    expect_golden(f, JOB_CONTINUED, LINK_JOB);
    assert_true(str_equal_cstr(f->message.job.request.continue_text, " caf\xc3\xa9\n"));
    assert_true(decode(f, "{\"type\":\"job\",\"job\":8,\"request\":{\"model\":\"m\",\"prompt\":\"Hi\"," JOB_TAIL));
    assert_int_equal(f->message.job.request.continue_text.len, 0);
}

static void test_accept(void **state) {
    struct fixture *f = *state;
    link_encode_accept(&f->out, &(struct link_accept){.job = 7, .prompt_tokens = 12});
    expect_golden(f, "{\"type\":\"accept\",\"job\":7,\"prompt_tokens\":12}", LINK_ACCEPT);
    assert_int_equal(f->message.accept.job, 7);
    assert_int_equal(f->message.accept.prompt_tokens, 12);
}

static void test_done(void **state) {
    struct fixture *f = *state;
    const struct link_done done = {.job = 7,
                                   .done = {.finish = GEN_FINISH_LENGTH,
                                            .usage = {.prompt_tokens = 12, .completion_tokens = 34, .cached_tokens = 5},
                                            .timings = {.queue_ms = 1, .prefill_ms = 2, .decode_ms = 3}}};
    link_encode_done(&f->out, &done);
    expect_golden(f, DONE, LINK_DONE);
    assert_int_equal(f->message.done.job, 7);
    assert_int_equal(f->message.done.done.finish, GEN_FINISH_LENGTH);
    assert_memory_equal(&f->message.done.done.usage, &done.done.usage, sizeof done.done.usage);
    assert_memory_equal(&f->message.done.done.timings, &done.done.timings, sizeof done.done.timings);
}

static void test_error(void **state) {
    struct fixture *f = *state;
    const struct link_error error = {
        .job = 7, .failure = GEN_FAILURE_CONTEXT_LENGTH, .message = STR("too long"), .param = STR("messages")};
    link_encode_error(&f->out, &error);
    expect_golden(f,
                  "{\"type\":\"error\",\"job\":7,\"failure\":\"context_length\",\"message\":\"too long\",\"param\":"
                  "\"messages\"}",
                  LINK_ERROR);
    assert_int_equal(f->message.error.failure, GEN_FAILURE_CONTEXT_LENGTH);
    assert_true(str_equal_cstr(f->message.error.message, "too long"));
    assert_true(str_equal_cstr(f->message.error.param, "messages"));
}

static void test_cancel_and_drain(void **state) {
    struct fixture *f = *state;
    link_encode_cancel(&f->out, 7);
    expect_golden(f, "{\"type\":\"cancel\",\"job\":7}", LINK_CANCEL);
    assert_int_equal(f->message.cancel_job, 7);
    buf_reset(&f->out);
    link_encode_drain(&f->out);
    expect_golden(f, "{\"type\":\"drain\"}", LINK_DRAIN);
}

static void test_want(void **state) {
    struct fixture *f = *state;
    link_encode_want(&f->out, &(struct link_want){.model = STR("m")});
    expect_golden(f, "{\"type\":\"want\",\"model\":\"m\"}", LINK_WANT);
    assert_true(str_equal_cstr(f->message.want.model, "m"));
}

#define DELTA_TEXT " caf\xc3\xa9"
#define DELTA "\x01\x00\x02\x00\x00\x00\x00\x00\x00\x01\x07" DELTA_TEXT

static void test_delta(void **state) {
    struct fixture *f = *state;
    link_encode_delta(&f->out, &(struct link_delta){.job = 0x107, .tokens = 2, .text = STR(DELTA_TEXT)});
    assert_int_equal(f->out.len, sizeof DELTA - 1);
    assert_memory_equal(f->out.data, DELTA, sizeof DELTA - 1);
    assert_true(link_decode_binary(buf_str(&f->out), &f->message, &f->err));
    assert_int_equal(f->message.kind, LINK_DELTA);
    assert_int_equal(f->message.delta.job, 0x107);
    assert_int_equal(f->message.delta.tokens, 2);
    assert_true(str_equal_cstr(f->message.delta.text, DELTA_TEXT));
    assert_ptr_equal(f->message.delta.text.data, f->out.data + LINK_DELTA_HEADER); /* not copied */
    buf_reset(&f->out);
    link_encode_delta(&f->out, &(struct link_delta){.job = LINK_JOB_MAX, .tokens = 65535});
    assert_true(link_decode_binary(buf_str(&f->out), &f->message, &f->err));
    assert_int_equal(f->message.delta.job, LINK_JOB_MAX);
    assert_int_equal(f->message.delta.tokens, 65535);
    assert_int_equal(f->message.delta.text.len, 0);
}

static void test_unknown_kinds(void **state) {
    struct fixture *f = *state;
    static const char *const CASES[] = {"{\"type\":\"attest\",\"job\":\"x\"}", "{\"type\":\"\"}",
                                        "{\"type\":\"delta\"}", "{\"type\":\"unknown\"}", "{\"type\":\"Hello\"}"};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_true(decode(f, CASES[i]));
        assert_int_equal(f->message.kind, LINK_UNKNOWN);
    }
    assert_true(link_decode_binary(STR("\x02"), &f->message, &f->err));
    assert_int_equal(f->message.kind, LINK_UNKNOWN);
    assert_true(link_decode_binary(STR("\x00\xff\xff"), &f->message, &f->err));
    assert_int_equal(f->message.kind, LINK_UNKNOWN);
}

static void test_signed_bytes(void **state) {
    struct fixture *f = *state;
    uint8_t key[ED25519_KEY_SIZE];
    memset(key, 0xee, sizeof key);
    link_signed_bytes(&f->out, f->bytes, key);
    assert_int_equal(f->out.len, 16 + 32 + 32);
    assert_memory_equal(f->out.data, "nataris link v1\n", 16);
    assert_memory_equal(f->out.data + 16, f->bytes, 32);
    assert_memory_equal(f->out.data + 48, key, 32);
}

/* The vector of docs/PROTOCOL.md, and its example of a delta. */
static void test_vectors_of_the_document(void **state) {
    struct fixture *f = *state;
    uint8_t public_key[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];
    char text[100];
    assert_true(ed25519_public_from_private(f->bytes, public_key));
    link_signed_bytes(&f->out, f->bytes + 32, public_key);
    assert_true(ed25519_sign(f->bytes, buf_str(&f->out), signature));
    digest_base64_encode(signature, sizeof signature, text);
    assert_string_equal(text,
                        "DtbDgmrW+g9EMFqdwiK8F3KmiP20wCdQseJWqv5XLXzusfzRRAYM25zxkblyFA3lWAi74/rolgRUAZoF5qVTDQ==");
    digest_base64_encode(public_key, sizeof public_key, text);
    assert_string_equal(text, "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=");
    buf_reset(&f->out);
    link_encode_delta(&f->out, &(struct link_delta){.job = UINT64_C(4294967297), .tokens = 2, .text = STR(DELTA_TEXT)});
    digest_hex((const uint8_t *)f->out.data, f->out.len, text);
    assert_string_equal(text, "010002000000010000000120636166c3a9");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_hello),
        CASE(test_hello_without_facts),
        CASE(test_challenge),
        CASE(test_auth),
        CASE(test_welcome),
        CASE(test_status),
        CASE(test_status_without_models_and_battery),
        CASE(test_status_of_a_phone),
        CASE(test_every_pause_has_its_name),
        CASE(test_newer_states_and_pauses),
        CASE(test_job),
        CASE(test_job_continued),
        CASE(test_accept),
        CASE(test_done),
        CASE(test_error),
        CASE(test_cancel_and_drain),
        CASE(test_want),
        CASE(test_delta),
        CASE(test_unknown_kinds),
        CASE(test_signed_bytes),
        CASE(test_vectors_of_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
