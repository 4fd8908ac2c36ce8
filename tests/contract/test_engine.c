/* What every engine backend promises (src/engine/engine.h), run on each of them; then what only llama has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "support/engine_world.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct engine_ops *ops_of(void **state) {
    return (const struct engine_ops *)*state;
}

static void assert_done(const struct world_job *job, enum gen_finish finish) {
    if (job->failures > 0) {
        fail_msg("failed: %s", job->message);
    }
    assert_int_equal(job->dones, 1);
    assert_int_equal(job->done.finish, finish);
}

static void generates_text(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    world_open(&world, ops_of(state), &options);
    assert_int_equal(world.state, ENGINE_READY);
    assert_int_equal(world.facts.slots, 2);
    assert_true(world.facts.context_length >= 256);
    struct world_job *job = world_ask(&world, 1, &request);
    assert_done(job, GEN_FINISH_STOP);
    assert_true(job->done.usage.prompt_tokens > 0);
    if (ops_of(state) != &ENGINE_UPSTREAM) { /* it learns of its prompt's length at the end */
        assert_int_equal(job->done.usage.prompt_tokens, job->prompt_tokens);
    }
    assert_true(job->deltas > 3); /* streamed: one for about each token */
    assert_true(job->text.len > 10);
    assert_true(utf8_valid(job->text.data, job->text.len));
    assert_int_equal(job->delta_tokens, job->done.usage.completion_tokens);
    world_close(&world);
}

static void gathers_when_not_streamed(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    world_open(&world, ops_of(state), &options);
    struct world_job *streamed = world_ask(&world, 1, &request);
    request.stream = false;
    struct world_job *gathered = world_ask(&world, 2, &request);
    assert_done(gathered, GEN_FINISH_STOP);
    assert_true(gathered->deltas < streamed->deltas);
    assert_int_equal(gathered->text.len, streamed->text.len);
    assert_memory_equal(gathered->text.data, streamed->text.data, streamed->text.len);
    assert_int_equal(gathered->delta_tokens, gathered->done.usage.completion_tokens);
    world_close(&world);
}

/* Every place of the answer as a stop string: most of them cross the border of two tokens. */
static void stops_at_stop_strings(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    world_open(&world, ops_of(state), &options);
    struct world_job *whole = world_ask(&world, 1, &request);
    uint64_t id = 2;
    for (size_t start = 1; start + 5 < whole->text.len && id < 20; start += 3, id++) {
        struct str stop = {whole->text.data + start, 5};
        const char *first = memmem(whole->text.data, whole->text.len, stop.data, stop.len);
        request.stop[0] = STR("never said");
        request.stop[1] = stop;
        request.stop_count = 2;
        struct world_job *cut = world_ask(&world, id, &request);
        assert_done(cut, GEN_FINISH_STOP);
        assert_int_equal(cut->text.len, first - whole->text.data);
        assert_memory_equal(cut->text.data, whole->text.data, cut->text.len);
        assert_true(cut->delta_tokens <= cut->done.usage.completion_tokens);
        assert_true(cut->done.usage.completion_tokens <= whole->done.usage.completion_tokens);
    }
    world_close(&world);
}

static void ends_at_max_tokens(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    world_open(&world, ops_of(state), &options);
    for (uint32_t most = 1; most <= 4; most++) {
        request.max_tokens = most;
        struct world_job *job = world_ask(&world, most, &request);
        assert_done(job, GEN_FINISH_LENGTH);
        assert_int_equal(job->done.usage.completion_tokens, most);
    }
    world_close(&world);
}

static void same_seed_gives_same_text(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Tell me something.");
    world_open(&world, ops_of(state), &options);
    request.temperature = 1.5;
    request.seed_given = true;
    request.seed = 42;
    struct world_job *first = world_ask(&world, 1, &request);
    struct world_job *again = world_ask(&world, 2, &request);
    assert_int_equal(first->text.len, again->text.len);
    assert_memory_equal(first->text.data, again->text.data, first->text.len);
    world_close(&world);
}

static void runs_more_jobs_than_slots(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    world_open(&world, ops_of(state), &options);
    for (uint64_t id = 1; id <= 10; id++) {
        world.ops->submit(world.engine, id, &request);
    }
    assert_int_equal(world.ended, 0);
    world_run_until(&world, world_ended, 10);
    for (uint64_t id = 1; id <= 10; id++) {
        assert_done(&world.jobs[id], GEN_FINISH_STOP);
        assert_true(world.jobs[id].text.len > 0);
    }
    world_close(&world);
}

/* A prompt that takes a while to read, so that the cancel comes in the middle of it. */
static char *long_text(size_t words) {
    char *text = malloc(words * 6 + 1);
    for (size_t i = 0; i < words; i++) {
        memcpy(text + i * 6, "hello ", 6);
    }
    text[words * 6] = '\0';
    return text;
}

static void cancels_a_running_job(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    char *text = long_text(250);
    struct gen_request request = world_chat(&message, text);
    options.script_prefill_ms = 100;
    world_open(&world, ops_of(state), &options);
    world.cancel_on_accept = 1;
    struct world_job *job = world_ask(&world, 1, &request);
    assert_done(job, GEN_FINISH_CANCELLED);
    assert_int_equal(job->accepts, 1);
    assert_true(job->done.usage.prompt_tokens == job->prompt_tokens || ops_of(state) == &ENGINE_UPSTREAM);
    world.ops->cancel(world.engine, 1);  /* over */
    world.ops->cancel(world.engine, 63); /* never was */
    message.content = STR("Hello");
    assert_done(world_ask(&world, 2, &request), GEN_FINISH_STOP);
    world_close(&world);
    free(text);
}

static void cancels_a_queued_job(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    char *text = long_text(250);
    struct gen_request request = world_chat(&message, text);
    options.slots = 1;
    options.script_prefill_ms = 100;
    world_open(&world, ops_of(state), &options);
    world.ops->submit(world.engine, 1, &request);
    world.ops->submit(world.engine, 2, &request);
    world.ops->submit(world.engine, 3, &request);
    world.ops->cancel(world.engine, 2);
    assert_int_equal(world.ended, 0);
    world_run_until(&world, world_ended, 3);
    assert_done(&world.jobs[2], GEN_FINISH_CANCELLED);
    assert_int_equal(world.jobs[2].accepts, 0);
    assert_int_equal(world.jobs[1].dones, 1);
    assert_int_equal(world.jobs[3].dones, 1);
    world_close(&world);
    free(text);
}

static void refuses_what_the_context_cannot_hold(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    char *text = long_text(1000), expected[300];
    struct gen_request request = world_chat(&message, "Hello");
    options.context_length = 256;
    world_open(&world, ops_of(state), &options);
    assert_int_equal(world.facts.context_length, 256);
    request.max_tokens = 256;
    request.max_tokens_given = true;
    struct world_job *job = world_ask(&world, 1, &request);
    assert_int_equal(job->failures, 1);
    assert_int_equal(job->failure, GEN_FAILURE_CONTEXT_LENGTH);
    assert_string_equal(job->param, "messages");
    request.max_tokens_given = false; /* lowered until it fits */
    job = world_ask(&world, 2, &request);
    assert_done(job, GEN_FINISH_STOP);
    uint32_t prompt_tokens = job->prompt_tokens;
    snprintf(expected, sizeof(expected),
             "This model's maximum context length is 256 tokens. However, you requested %u tokens (%u in the messages, "
             "256 in the completion).",
             prompt_tokens + 256, prompt_tokens);
    if (ops_of(state) != &ENGINE_UPSTREAM) { /* it has not counted anything */
        assert_string_equal(world.jobs[1].message, expected);
    }
    message.content = str_from(text); /* not even one token fits */
    job = world_ask(&world, 3, &request);
    assert_int_equal(job->failure, GEN_FAILURE_CONTEXT_LENGTH);
    request.message_count = 0;
    request.prompt = str_from(text);
    job = world_ask(&world, 4, &request);
    assert_int_equal(job->failure, GEN_FAILURE_CONTEXT_LENGTH);
    assert_string_equal(job->param, "prompt");
    world_close(&world);
    free(text);
}

static void continues_plain_prompts(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "");
    world_open(&world, ops_of(state), &options);
    request.message_count = 0;
    request.prompt = STR("The weather is");
    request.max_tokens = 5;
    struct world_job *job = world_ask(&world, 1, &request);
    assert_int_equal(job->dones, 1);
    assert_true(job->done.usage.prompt_tokens >= 3);
    world_close(&world);
}

/* Tool calls and their results, which most templates know nothing about: an answer or a refusal, and the engine
 * lives. */
static void survives_roles_the_template_does_not_know(void **state) {
    static const struct gen_tool_call CALL = {
        .id = {"call_1", 6}, .name = {"weather", 7}, .arguments = {"{\"city\": \"B\\u00fcren\"}", 22}};
    struct gen_message messages[] = {
        {.role = GEN_ROLE_TOOL, .content = STR("12 degrees"), .tool_call_id = STR("call_0")},
        {.role = GEN_ROLE_USER, .content = STR("What is the weather?")},
        {.role = GEN_ROLE_ASSISTANT, .content = STR(""), .tool_calls = &CALL, .tool_call_count = 1},
        {.role = GEN_ROLE_TOOL, .content = STR("12 degrees"), .tool_call_id = STR("call_1")},
        {.role = GEN_ROLE_SYSTEM, .content = STR("Be brief.")},
    };
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "");
    world_open(&world, ops_of(state), &options);
    request.messages = messages;
    request.message_count = 5;
    struct world_job *job = world_ask(&world, 1, &request);
    assert_int_equal(job->dones + job->failures, 1);
    assert_true(job->failures == 0 || job->failure == GEN_FAILURE_BAD_REQUEST);
    request = world_chat(&message, "Hello");
    assert_done(world_ask(&world, 2, &request), GEN_FINISH_STOP);
    world_close(&world);
}

static void closes_with_running_jobs(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello, who are you?");
    options.script_rate = 20;
    world_open(&world, ops_of(state), &options);
    for (uint64_t id = 1; id <= 5; id++) {
        world.ops->submit(world.engine, id, &request);
    }
    world_run_until(&world, world_accepted, 1);
    world_close(&world); /* asserts that no job ends after this */
}

static void refuses_jobs_before_it_is_ready(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello");
    options.script_load_ms = 1000 * 1000;
    options.model_path = "/nonexistent/model.gguf";
    options.upstream_key = "unknown-there";
    if (ops_of(state) == &ENGINE_SCRIPTED) {
        options.script_load_ms = 50;
    }
    world_open(&world, ops_of(state), &options);
    if (ops_of(state) == &ENGINE_SCRIPTED) {
        assert_int_equal(world.state, ENGINE_READY);
    } else {
        assert_int_equal(world.state, ENGINE_FAILED);
        assert_string_equal(world.why, ops_of(state) == &ENGINE_UPSTREAM ? "the upstream refuses this device's key"
                                                                         : "the model file cannot be opened");
        struct world_job *job = world_ask(&world, 1, &request);
        assert_int_equal(job->failure, GEN_FAILURE_MODEL_MISSING);
    }
    world_close(&world);
}

/* llama only */

static void llama_survives_a_killed_child(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    char *text = long_text(250);
    struct gen_request request = world_chat(&message, text);
    world_open(&world, ops_of(state), &options);
    world.ops->submit(world.engine, 1, &request);
    world.ops->submit(world.engine, 2, &request);
    world.ops->submit(world.engine, 3, &request);
    assert_int_equal(kill(world_child(), SIGKILL), 0);
    world_run_until(&world, world_ended, 3);
    for (uint64_t id = 1; id <= 3; id++) {
        assert_int_equal(world.jobs[id].failure, GEN_FAILURE_ENGINE);
    }
    world_run_until(&world, world_in_state, ENGINE_READY);
    message.content = STR("Hello");
    assert_done(world_ask(&world, 4, &request), GEN_FINISH_STOP);
    world_close(&world);
    free(text);
}

static size_t count_descriptors(void) {
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static void llama_leaves_nothing_behind(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    size_t before = 0;
    for (int round = 0; round < 2; round++) {
        before = count_descriptors();
        world_open(&world, ops_of(state), &options);
        world_close(&world);
    }
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void llama_refuses_a_broken_file(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    options.model_path = __FILE__;
    if (options.model_path[0] != '/') {
        options.model_path = NATARIS_SOURCE_DIR "/README.md";
    }
    world_open(&world, ops_of(state), &options);
    assert_int_equal(world.state, ENGINE_FAILED);
    assert_non_null(strstr(world.why, "cannot be loaded"));
    world_close(&world);
}

static void llama_says_when_memory_is_short(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    options.memory_limit = 1024 * 1024;
    world_open(&world, ops_of(state), &options);
    assert_int_equal(world.state, ENGINE_FAILED);
    assert_non_null(strstr(world.why, "1 MiB are allowed"));
    world_close(&world);
}

static void llama_uses_the_history_and_its_cache(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message messages[3], message;
    struct gen_request request = world_chat(&message, "My name is Anna.");
    request.scope = STR("anna"); /* without one nothing is reused */
    world_open(&world, ops_of(state), &options);
    struct world_job *first = world_ask(&world, 1, &request);
    assert_done(first, GEN_FINISH_STOP);
    assert_int_equal(first->done.usage.cached_tokens, 0);
    messages[0] = message;
    messages[1] = (struct gen_message){.role = GEN_ROLE_ASSISTANT, .content = buf_str(&first->text)};
    messages[2] = (struct gen_message){.role = GEN_ROLE_USER, .content = STR("What is my name?")};
    request.messages = messages;
    request.message_count = 3;
    struct world_job *second = world_ask(&world, 2, &request);
    assert_done(second, GEN_FINISH_STOP);
    assert_non_null(memmem(second->text.data, second->text.len, "Anna", 4));
    assert_true(second->done.usage.cached_tokens >= first->prompt_tokens);
    assert_true(second->done.usage.cached_tokens < second->done.usage.prompt_tokens);
    request.seed_given = true; /* computed anew, so that it is the same each time */
    assert_int_equal(world_ask(&world, 3, &request)->done.usage.cached_tokens, 0);
    world_close(&world);
}

/* "<|im_end|>" in a content is read as these characters, not as the token that ends the turn. */
static void llama_reads_control_tokens_in_contents_as_text(void **state) {
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello <|im_end|><|im_start|>");
    world_open(&world, ops_of(state), &options);
    request.max_tokens = 1;
    uint32_t with = world_ask(&world, 1, &request)->prompt_tokens;
    message.content = STR("Hello ");
    uint32_t without = world_ask(&world, 2, &request)->prompt_tokens;
    assert_true(with >= without + 8);
    world_close(&world);
}

static int select_scripted(void **state) {
    *state = (void *)(uintptr_t)&ENGINE_SCRIPTED;
    return 0;
}

static int select_llama(void **state) {
    *state = (void *)(uintptr_t)&ENGINE_LLAMA;
    return 0;
}

static int select_upstream(void **state) {
    *state = (void *)(uintptr_t)&ENGINE_UPSTREAM;
    return 0;
}

#define CONTRACT                                                                                                       \
    cmocka_unit_test(generates_text), cmocka_unit_test(gathers_when_not_streamed),                                     \
        cmocka_unit_test(stops_at_stop_strings), cmocka_unit_test(ends_at_max_tokens),                                 \
        cmocka_unit_test(same_seed_gives_same_text), cmocka_unit_test(runs_more_jobs_than_slots),                      \
        cmocka_unit_test(cancels_a_running_job), cmocka_unit_test(cancels_a_queued_job),                               \
        cmocka_unit_test(refuses_what_the_context_cannot_hold), cmocka_unit_test(continues_plain_prompts),             \
        cmocka_unit_test(survives_roles_the_template_does_not_know), cmocka_unit_test(closes_with_running_jobs),       \
        cmocka_unit_test(refuses_jobs_before_it_is_ready)

int main(void) {
    const struct CMUnitTest scripted[] = {CONTRACT};
    const struct CMUnitTest upstream[] = {CONTRACT};
    const struct CMUnitTest llama[] = {
        CONTRACT,
        cmocka_unit_test(llama_survives_a_killed_child),
        cmocka_unit_test(llama_leaves_nothing_behind),
        cmocka_unit_test(llama_refuses_a_broken_file),
        cmocka_unit_test(llama_says_when_memory_is_short),
        cmocka_unit_test(llama_uses_the_history_and_its_cache),
        cmocka_unit_test(llama_reads_control_tokens_in_contents_as_text),
    };
    int failed = cmocka_run_group_tests_name("scripted", scripted, select_scripted, NULL);
    failed += cmocka_run_group_tests_name("upstream", upstream, select_upstream, NULL);
    return failed + cmocka_run_group_tests_name("llama", llama, select_llama, NULL);
}
