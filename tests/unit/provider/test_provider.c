/* A provider's life, its jobs, and what its owner may get wrong. */
#include "base/log.h"
#include "unit/provider/provider_fixture.h"

static void job_from_start_to_end(void **state) {
    struct fixture *fixture = *state;
    fixture->options.region = "de";
    fixture->options.join_token = "join_x";
    open_provider(fixture);
    wait_for(fixture, "warm slots=2");
    assert_non_null(strstr(buf_cstr(&fixture->seen), "hello shed region=DE token=join_x\n"));
    forget(fixture);
    send_job(fixture, 7, "tiny", "[[script text=\"good day\"]]");
    wait_for(fixture, "done 7");
    assert_string_equal(buf_cstr(&fixture->seen), "accept 7 prompt=3\ndelta 7 tokens=1 \"good\"\n"
                                                  "delta 7 tokens=1 \" day\"\ndone 7 stop tokens=2\n");
}

static void key_is_kept_over_starts(void **state) {
    struct fixture *fixture = *state;
    uint8_t first[ED25519_KEY_SIZE];
    open_warm(fixture);
    memcpy(first, fixture->public_key, sizeof(first));
    provider_stop(fixture->provider, 0);
    wait_for(fixture, "stopped well");
    open_warm(fixture);
    assert_memory_equal(first, fixture->public_key, sizeof(first));
}

static void job_waits_for_a_loading_model(void **state) {
    struct fixture *fixture = *state;
    fixture->options.script_load_ms = 300;
    open_provider(fixture);
    wait_for(fixture, "model tiny loading slots=0");
    send_job(fixture, 1, "tiny", "hello");
    wait_for(fixture, "model tiny warm slots=2"); /* told at once: no heartbeat falls into this test */
    assert_int_equal(fixture->active_jobs, 1);
    wait_for(fixture, "done 1 stop");
}

static void several_models(void **state) {
    static const char *const MODELS[] = {"nataris-fast", "My-Model", "/nowhere/Big-One.gguf"};
    struct fixture *fixture = *state;
    fixture->options.models = MODELS;
    fixture->options.model_count = COUNT_OF(MODELS);
    open_provider(fixture);
    wait_for(fixture, "model qwen2.5-0.5b-instruct-q6_k warm");
    wait_for(fixture, "model My-Model warm");
    wait_for(fixture, "model big-one warm");
    send_job(fixture, 1, "big-one", "hello");
    send_job(fixture, 2, "qwen2.5-0.5b-instruct-q6_k", "hello");
    send_job(fixture, 3, "tiny", "hello");
    wait_for(fixture, "done 1 stop");
    wait_for(fixture, "done 2 stop");
    wait_for(fixture, "error 3 model_missing");
}

static void many_jobs_at_once(void **state) {
    struct fixture *fixture = *state;
    char line[32];
    open_warm(fixture);
    for (unsigned i = 1; i <= 100; i++) {
        send_job(fixture, i, "tiny", "[[script tokens=2]]");
    }
    for (unsigned i = 1; i <= 100; i++) {
        snprintf(line, sizeof(line), "done %u stop", i);
        wait_for(fixture, line);
    }
    assert_null(strstr(buf_cstr(&fixture->seen), "error"));
}

static void failure_of_the_engine_is_passed_on(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture);
    send_job(fixture, 5, "tiny", "[[script tokens=9 fail=engine after=1]]");
    wait_for(fixture, "error 5 engine");
    assert_null(strstr(buf_cstr(&fixture->seen), "done"));
}

static void cancel(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture);
    send_job(fixture, 4, "tiny", "[[script silent]]");
    send_job(fixture, 5, "tiny", "[[script silent]]");
    wait_for(fixture, "accept 5");
    link_peer_send_cancel(fixture->peer, 5);
    link_peer_send_cancel(fixture->peer, 99); /* never heard of */
    wait_for(fixture, "done 5 cancelled");
    assert_null(strstr(buf_cstr(&fixture->seen), "done 4"));
}

static void lost_link_voids_the_jobs(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture);
    for (unsigned i = 1; i <= 3; i++) { /* more than slots: one waits in the engine */
        send_job(fixture, i, "tiny", "[[script silent]]");
    }
    wait_for(fixture, "accept 2");
    forget(fixture);
    link_peer_close(fixture->peer, "test");
    wait_for(fixture, "gone");
    wait_for(fixture, "model tiny warm");
    assert_int_equal(fixture->active_jobs, 0);
    forget(fixture);
    /* Both slots are free again, and old jobs of the same number say nothing. */
    send_job(fixture, 1, "tiny", "[[script text=\"one\"]]");
    send_job(fixture, 2, "tiny", "[[script text=\"two\"]]");
    wait_for(fixture, "done 1 stop tokens=1");
    wait_for(fixture, "done 2 stop tokens=1");
    assert_null(strstr(buf_cstr(&fixture->seen), "cancelled"));
}

static void drain_waits_for_running_jobs(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture);
    send_job(fixture, 1, "tiny", "[[script silent]]");
    wait_for(fixture, "accept 1");
    provider_stop(fixture->provider, 1000 * 1000);
    wait_for(fixture, "drain");
    send_job(fixture, 2, "tiny", "hello");
    wait_for(fixture, "error 2 draining");
    assert_non_null(fixture->provider);
    link_peer_send_cancel(fixture->peer, 1);
    wait_for(fixture, "done 1 cancelled");
    wait_for(fixture, "gone");
    wait_for(fixture, "stopped well");
}

static void drain_without_jobs_ends_at_once(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture);
    provider_stop(fixture->provider, 1000 * 1000);
    wait_for(fixture, "drain");
    wait_for(fixture, "stopped well");
}

static void second_stop_ends_at_once(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture);
    send_job(fixture, 1, "tiny", "[[script silent]]");
    wait_for(fixture, "accept 1");
    provider_stop(fixture->provider, 1000 * 1000);
    provider_stop(fixture->provider, 1000 * 1000);
    provider_stop(fixture->provider, 1000 * 1000);
    wait_for(fixture, "stopped well");
}

static void drain_has_an_end(void **state) {
    struct fixture *fixture = *state;
    open_warm(fixture);
    send_job(fixture, 1, "tiny", "[[script silent]]");
    wait_for(fixture, "accept 1");
    provider_stop(fixture->provider, 10);
    wait_for(fixture, "stopped well");
}

static void stop_before_anything_happened(void **state) {
    struct fixture *fixture = *state;
    open_provider(fixture);
    provider_stop(fixture->provider, 0);
    wait_for(fixture, "stopped well");
    assert_null(fixture->peer);
}

static void refused_device_stops(void **state) {
    struct fixture *fixture = *state;
    fixture->deny = true;
    open_provider(fixture);
    wait_for(fixture, "stopped the gateway refuses this device: join token expired");
}

static void provider_without_any_model_stops(void **state) {
    static const char *const MODELS[] = {"smollm2-135m-instruct-q4_1"};
    struct fixture *fixture = *state;
    /* A proxy that is not there and a PATH without python3: nothing leaves this machine. */
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "", 1);
    setenv("PATH", fixture->tree.path, 1);
    fixture->options.engine = "llama";
    fixture->options.models = MODELS;
    open_provider(fixture);
    wait_for(fixture, "stopped");
    assert_non_null(strstr(buf_cstr(&fixture->seen), "stopped model smollm2-135m-instruct-q4_1 cannot be had: "));
    assert_non_null(strstr(buf_cstr(&fixture->seen), "there is no python3"));
}

static void options_at_fault(void **state) {
    struct fixture *fixture = *state;
    const char *not_gguf = temp_tree_path(&fixture->tree, "text.gguf");
    temp_tree_write(&fixture->tree, "text.gguf", "hello");
    const struct {
        const char *engine, *models[2], *url, *region, *words;
    } cases[] = {
        {"llama", {"no-such-model"}, NULL, "", "'nataris catalog' lists the known ones"},
        {"llama", {"/nowhere/m.gguf"}, NULL, "", "cannot open the model /nowhere/m.gguf: No such file"},
        {"llama", {not_gguf}, NULL, "", "is not a GGUF model file"},
        {"scripted", {"nataris-fast", "qwen2.5-0.5b-instruct-q6_k"}, NULL, "", "is given twice"},
        {"scripted", {NULL}, NULL, "", "1 to 64 models"},
        {"scripted", {""}, NULL, "", "id has 1 to"},
        {"scripted", {"m"}, "ftp://x", "", ""},
        {"scripted", {"m"}, NULL, "deu", "two letters"},
        {"steam", {"m"}, NULL, "", "no engine 'steam'"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct provider_options options = fixture->options;
        struct err err = {0};
        options.engine = cases[i].engine;
        options.models = cases[i].models;
        options.model_count = cases[i].models[0] == NULL ? 0 : cases[i].models[1] == NULL ? 1 : 2;
        options.gateway_url = cases[i].url != NULL ? cases[i].url : fixture->url;
        options.region = cases[i].region;
        assert_false(provider_open(&fixture->provider, fixture->loop, &options, &EVENTS, fixture, &err));
        if (err.message[0] == '\0' || strstr(err.message, cases[i].words) == NULL) {
            fail_msg("case %zu: '%s'", i, err.message);
        }
    }
}

static void default_model_folder(void **state) {
    char out[FILE_PATH_MAX];
    char short_out[8];
    struct err err = {0};
    (void)state;
    setenv("HOME", "/home/x", 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("NATARIS_MODELS");
    assert_true(provider_default_model_folder(out, sizeof(out), NULL));
    assert_string_equal(out, "/home/x/.cache/nataris/models");
    setenv("XDG_CACHE_HOME", "/cache", 1);
    assert_true(provider_default_model_folder(out, sizeof(out), NULL));
    assert_string_equal(out, "/cache/nataris/models");
    setenv("NATARIS_MODELS", "/models", 1);
    assert_true(provider_default_model_folder(out, sizeof(out), NULL));
    assert_string_equal(out, "/models");
    setenv("NATARIS_MODELS", "/models-here", 1);
    assert_false(provider_default_model_folder(short_out, sizeof(short_out), &err));
    unsetenv("NATARIS_MODELS");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_false(provider_default_model_folder(out, sizeof(out), &err));
    assert_int_equal(err.code, ERR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(job_from_start_to_end),
                                       TEST(key_is_kept_over_starts),
                                       TEST(job_waits_for_a_loading_model),
                                       TEST(several_models),
                                       TEST(many_jobs_at_once),
                                       TEST(failure_of_the_engine_is_passed_on),
                                       TEST(cancel),
                                       TEST(lost_link_voids_the_jobs),
                                       TEST(drain_waits_for_running_jobs),
                                       TEST(drain_without_jobs_ends_at_once),
                                       TEST(second_stop_ends_at_once),
                                       TEST(drain_has_an_end),
                                       TEST(stop_before_anything_happened),
                                       TEST(refused_device_stops),
                                       TEST(provider_without_any_model_stops),
                                       TEST(options_at_fault),
                                       TEST(default_model_folder)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
