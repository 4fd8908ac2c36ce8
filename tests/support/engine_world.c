#include "support/engine_world.h"

#include "wire/logprobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORLD_PATIENCE_MS = 60 * 1000 };

static void on_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why) {
    struct engine_world *world = context;
    assert_false(world->closed);
    world->state = state;
    world->state_changes++;
    str_copy(world->why, sizeof(world->why), str_from(why));
    if (state == ENGINE_READY) {
        world->facts = *facts;
    }
    loop_stop(world->loop);
}

static struct world_job *job_of(struct engine_world *world, uint64_t id) {
    assert_true(id < WORLD_JOBS);
    struct world_job *job = &world->jobs[id];
    assert_int_equal(job->dones + job->failures, 0); /* nothing comes after the end */
    return job;
}

static void on_accept(void *context, uint64_t id, uint32_t prompt_tokens) {
    struct engine_world *world = context;
    struct world_job *job = job_of(world, id);
    job->accepts++;
    job->prompt_tokens = prompt_tokens;
    if (id == world->cancel_on_accept) {
        world->ops->cancel(world->engine, id);
    }
    loop_stop(world->loop);
}

static void on_read(void *context, uint64_t id, uint32_t done_tokens) {
    struct engine_world *world = context;
    struct world_job *job = job_of(world, id);
    assert_int_equal(job->accepts, 1);
    assert_int_equal(job->deltas, 0);
    assert_true(done_tokens > job->read_tokens);
    job->read_tokens = done_tokens;
    job->reads++;
    loop_stop(world->loop);
}

static void on_logprobs(void *context, uint64_t id, struct str logprobs) {
    struct world_job *job = job_of(context, id);
    assert_int_equal(job->next_len, 0);
    assert_true(logprobs.len > 0);
    buf_append_str(&job->logprobs, logprobs);
    job->next_len = logprobs.len;
}

static void on_delta(void *context, uint64_t id, struct str text, const uint32_t *ids, uint32_t tokens) {
    struct engine_world *world = context;
    struct world_job *job = job_of(world, id);
    assert_int_equal(job->accepts, 1);
    assert_true(text.len > 0 || (ids == NULL && tokens > 0));
    for (uint32_t i = 0; ids != NULL && i < tokens && job->delta_tokens + i < WORLD_IDS; i++) {
        job->ids[job->delta_tokens + i] = ids[i];
    }
    job->delta_tokens += tokens;
    if (job->next_len > 0) {
        assert_true(gen_logprobs_are_of(
            (struct str){job->logprobs.data + job->logprobs.len - job->next_len, job->next_len}, tokens));
        job->next_len = 0;
    }
    buf_append_str(&job->text, text);
    if (job->deltas < WORLD_DELTAS) {
        job->after[job->deltas].length = job->text.len;
        job->after[job->deltas].tokens = job->delta_tokens;
    }
    job->deltas++;
    loop_stop(world->loop);
}

static void on_done(void *context, uint64_t id, const struct gen_done *done) {
    struct engine_world *world = context;
    struct world_job *job = job_of(world, id);
    job->dones++;
    job->done = *done;
    world->ended++;
    loop_stop(world->loop);
}

static void on_failed(void *context, uint64_t id, enum gen_failure failure, const char *message, const char *param) {
    struct engine_world *world = context;
    struct world_job *job = job_of(world, id);
    job->failures++;
    job->failure = failure;
    str_copy(job->message, sizeof(job->message), str_from(message));
    str_copy(job->param, sizeof(job->param), str_from(param));
    world->ended++;
    loop_stop(world->loop);
}

static void on_scored(void *context, uint64_t id, const struct gen_score *score) {
    struct engine_world *world = context;
    struct world_job *job = job_of(world, id);
    job->scores++;
    job->score = *score;
    world->ended++;
    loop_stop(world->loop);
}

static const struct engine_events EVENTS = {.on_state = on_state,
                                            .on_accept = on_accept,
                                            .on_read = on_read,
                                            .on_logprobs = on_logprobs,
                                            .on_delta = on_delta,
                                            .on_done = on_done,
                                            .on_scored = on_scored,
                                            .on_failed = on_failed};

struct engine_options world_options(const char *model_path) {
    return (struct engine_options){
        .model_id = "demo", .model_path = model_path, .slots = 2, .child_path = getenv("NATARIS_LLAMA")};
}

static void on_patience_over(void *context) {
    (void)context;
    fail_msg("the engine did not do what was waited for");
}

void world_run_until(struct engine_world *world, bool (*condition)(struct engine_world *world, uint64_t number),
                     uint64_t number) {
    struct loop_timer *patience = loop_timer_new(world->loop, on_patience_over, NULL);
    loop_timer_start(patience, WORLD_PATIENCE_MS, 0);
    while (!condition(world, number)) {
        loop_run(world->loop);
    }
    loop_timer_free(patience);
}

bool world_ended(struct engine_world *world, uint64_t count) {
    return world->ended >= count;
}

bool world_accepted(struct engine_world *world, uint64_t job) {
    return world->jobs[job].accepts > 0;
}

bool world_has_text(struct engine_world *world, uint64_t job) {
    return world->jobs[job].text.len > 0;
}

bool world_in_state(struct engine_world *world, uint64_t state) {
    return world->state == (enum engine_state)state;
}

static bool has_loaded(struct engine_world *world, uint64_t number) {
    (void)number;
    return world->state_changes > 0;
}

void world_open(struct engine_world *world, const struct engine_ops *ops, const struct engine_options *options) {
    struct engine_options own = *options;
    struct err err = {0};
    *world = (struct engine_world){.loop = loop_new(), .ops = ops, .state = ENGINE_LOADING};
    for (size_t i = 0; i < WORLD_JOBS; i++) {
        buf_init(&world->jobs[i].text, 1024 * 1024);
        buf_init(&world->jobs[i].logprobs, 1 << 20);
    }
    own.loop = world->loop;
    if (ops == &ENGINE_UPSTREAM && own.upstream_url == NULL) {
        world->host = upstream_host_start(options);
        own.upstream_url = upstream_host_url(world->host);
    }
    if (!ops->open(&world->engine, &own, &EVENTS, world, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(world->state_changes, 0); /* events never come inside a call */
    world_run_until(world, has_loaded, 0);
}

static void on_closed(void *context) {
    struct engine_world *world = context;
    world->closed = true;
    loop_stop(world->loop);
}

static bool is_closed(struct engine_world *world, uint64_t number) {
    (void)number;
    return world->closed;
}

void world_close(struct engine_world *world) {
    uint32_t ended = world->ended;
    world->ops->close(world->engine, on_closed, world);
    assert_false(world->closed);
    world_run_until(world, is_closed, 0);
    assert_int_equal(world->ended, ended);
    for (size_t i = 0; i < WORLD_JOBS; i++) {
        buf_clear(&world->jobs[i].text);
        buf_clear(&world->jobs[i].logprobs);
    }
    loop_free(world->loop);
    if (world->host != NULL) {
        upstream_host_stop(world->host);
    }
}

struct gen_request world_chat(struct gen_message *message, const char *text) {
    struct gen_request request;
    gen_request_init(&request);
    *message = (struct gen_message){.role = GEN_ROLE_USER, .content = str_from(text)};
    request.model = STR("demo");
    request.messages = message;
    request.message_count = 1;
    request.temperature = 0.0;
    request.stream = true;
    return request;
}

struct world_job *world_ask(struct engine_world *world, uint64_t job, const struct gen_request *request) {
    world->ops->submit(world->engine, job, request);
    world_run_until(world, world_ended, world->ended + 1);
    return &world->jobs[job];
}

struct gen_answer world_answer(const struct world_job *job) {
    return (struct gen_answer){
        .ids = job->ids, .count = job->delta_tokens, .text = buf_str(&job->text), .finish = job->done.finish};
}

struct world_job *world_score(struct engine_world *world, uint64_t job, const struct gen_request *request,
                              const struct gen_answer *answer) {
    world->ops->score(world->engine, job, request, answer);
    world_run_until(world, world_ended, world->ended + 1);
    return &world->jobs[job];
}

static pid_t parent_of(const char *pid) {
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return -1;
    }
    char *read = fgets(line, sizeof(line), file);
    fclose(file);
    const char *after_name = read != NULL ? strrchr(line, ')') : NULL;
    return after_name != NULL ? (pid_t)strtol(after_name + 4, NULL, 10) : -1; /* ") S 123" */
}

pid_t world_child(void) {
    pid_t child = -1;
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid()) {
            child = (pid_t)strtol(entry->d_name, NULL, 10);
        }
    }
    closedir(folder);
    return child;
}
