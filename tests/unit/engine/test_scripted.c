/* What only the scripted engine does; the rest is in tests/contract/test_engine.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"

#include <sys/wait.h>
#include <unistd.h>

static void open_world(struct engine_world *world, struct engine_options options) {
    if (options.slots == 0) {
        options.slots = 2;
    }
    world_open(world, &ENGINE_SCRIPTED, &options);
}

static void fails_before_or_after_accepting(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "[[script fail=overloaded]]");
    open_world(&world, (struct engine_options){0});
    struct world_job *job = world_ask(&world, 1, &request);
    assert_int_equal(job->accepts, 0);
    assert_int_equal(job->failure, GEN_FAILURE_OVERLOADED);
    message.content = STR("[[script fail=engine after=3]]");
    job = world_ask(&world, 2, &request);
    assert_int_equal(job->accepts, 1);
    assert_int_equal(job->failure, GEN_FAILURE_ENGINE);
    assert_int_equal(job->delta_tokens, 3);
    message.content = STR("[[script fail=context_length after=0]]");
    job = world_ask(&world, 3, &request);
    assert_int_equal(job->accepts, 1);
    assert_int_equal(job->failure, GEN_FAILURE_CONTEXT_LENGTH);
    assert_int_equal(job->deltas, 0);
    message.content = STR("[[script nonsense]]");
    job = world_ask(&world, 4, &request);
    assert_int_equal(job->failure, GEN_FAILURE_BAD_REQUEST);
    assert_string_equal(job->param, "messages");
    world_close(&world);
}

static void answers_literally_in_one_or_many_deltas(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "[[script text=\"one two three\"]]");
    open_world(&world, (struct engine_options){0});
    struct world_job *job = world_ask(&world, 1, &request);
    assert_string_equal(buf_cstr(&job->text), "one two three");
    assert_int_equal(job->deltas, 3);
    request.stream = false;
    job = world_ask(&world, 2, &request);
    assert_string_equal(buf_cstr(&job->text), "one two three");
    assert_int_equal(job->deltas, 1);
    assert_int_equal(job->delta_tokens, 3);
    world_close(&world);
}

static void tells_how_far_a_slow_prompt_is_read(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message message;
    struct gen_request request =
        world_chat(&message, "one two three four five six [[script text=\"seven\" prefill=900]]");
    open_world(&world, (struct engine_options){0});
    struct world_job *job = world_ask(&world, 1, &request);
    assert_string_equal(buf_cstr(&job->text), "seven");
    assert_true(job->reads > 0);
    assert_true(job->read_tokens < job->prompt_tokens);
    message.content = STR("one two three [[script text=\"four\"]]");
    job = world_ask(&world, 2, &request);
    assert_int_equal(job->reads, 0);
    world_close(&world);
}

/* With a rate the text comes over several turns of the loop, not in one lump at the end. */
static void keeps_the_pace(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "[[script tokens=10 rate=200 prefill=20]]");
    open_world(&world, (struct engine_options){0});
    struct world_job *job = &world.jobs[1];
    world.ops->submit(world.engine, 1, &request);
    world_run_until(&world, world_accepted, 1);
    assert_int_equal(job->deltas, 0);
    world_run_until(&world, world_has_text, 1);
    assert_int_equal(world.ended, 0);
    world_run_until(&world, world_ended, 1);
    assert_int_equal(job->done.usage.completion_tokens, 10);
    assert_int_equal(job->deltas, 10);
    world_close(&world);
}

/* A silent job holds its slot until it is cancelled; the next one waits behind it. */
static void stays_silent_until_cancelled(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message silent, message;
    struct gen_request quiet = world_chat(&silent, "[[script silent]]"), request = world_chat(&message, "Hello");
    open_world(&world, (struct engine_options){.slots = 1});
    world.ops->submit(world.engine, 1, &quiet);
    world_run_until(&world, world_accepted, 1);
    world.ops->submit(world.engine, 2, &request);
    world.ops->submit(world.engine, 3, &request);
    world.ops->cancel(world.engine, 3);
    world_run_until(&world, world_ended, 1);
    assert_int_equal(world.jobs[3].done.finish, GEN_FINISH_CANCELLED);
    assert_int_equal(world.jobs[2].accepts, 0);
    world.ops->cancel(world.engine, 1);
    world_run_until(&world, world_ended, 3);
    assert_int_equal(world.jobs[1].done.finish, GEN_FINISH_CANCELLED);
    assert_int_equal(world.jobs[1].deltas, 0);
    assert_int_equal(world.jobs[2].done.finish, GEN_FINISH_STOP);
    world_close(&world);
}

static void breaks_off_in_silence(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "[[script silent after=4]]");
    open_world(&world, (struct engine_options){0});
    world.ops->submit(world.engine, 1, &request);
    world_run_until(&world, world_has_text, 1);
    message.content = STR("Hello");
    world_ask(&world, 2, &request); /* a whole answer later the first job still says nothing */
    assert_int_equal(world.jobs[1].delta_tokens, 4);
    assert_int_equal(world.jobs[1].dones + world.jobs[1].failures, 0);
    world.ops->cancel(world.engine, 1);
    world_run_until(&world, world_ended, 2);
    world_close(&world);
}

/* Every job of such a device claims three tokens for each one. */
static void lies_about_tokens(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "[[script text=\"one two three\"]]");
    open_world(&world, (struct engine_options){.script = "lie=3"});
    struct world_job *job = world_ask(&world, 1, &request);
    assert_string_equal(buf_cstr(&job->text), "one two three");
    assert_int_equal(job->delta_tokens, 9);
    assert_int_equal(job->done.usage.completion_tokens, 9);
    world_close(&world);
}

static void answers_nothing(void **state) {
    (void)state;
    struct engine_world world;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "Hello");
    open_world(&world, (struct engine_options){.script = "tokens=0"});
    struct world_job *job = world_ask(&world, 1, &request);
    assert_int_equal(job->dones, 1);
    assert_int_equal(job->done.usage.completion_tokens, 0);
    assert_int_equal(job->deltas, 0);
    world_close(&world);
}

static void exits_after_some_tokens(void **state) {
    (void)state;
    int words[2], status = 0;
    char text[64] = "";
    assert_int_equal(pipe(words), 0);
    pid_t child = fork();
    if (child == 0) {
        struct engine_world world;
        struct gen_message message;
        struct gen_request request = world_chat(&message, "[[script text=\"one two three\"]]");
        open_world(&world, (struct engine_options){.script = "exit=2"});
        world.ops->submit(world.engine, 1, &request);
        world_run_until(&world, world_has_text, 1);
        (void)!write(words[1], world.jobs[1].text.data, world.jobs[1].text.len);
        world_run_until(&world, world_ended, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_true(read(words[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "one two");
    close(words[0]);
    close(words[1]);
}

static void gives_every_device_the_same_answer(void **state) {
    (void)state;
    struct engine_world first, second;
    struct gen_message message;
    struct gen_request request = world_chat(&message, "A question");
    open_world(&first, (struct engine_options){0});
    open_world(&second, (struct engine_options){.slots = 5, .script_rate = 1000});
    struct world_job *a = world_ask(&first, 1, &request), *b = world_ask(&second, 9, &request);
    assert_string_equal(buf_cstr(&a->text), buf_cstr(&b->text));
    world_close(&first);
    world_close(&second);
}

static void finds_backends_by_name(void **state) {
    (void)state;
    assert_ptr_equal(engine_ops_find("scripted"), &ENGINE_SCRIPTED);
    assert_ptr_equal(engine_ops_find("llama"), &ENGINE_LLAMA);
    assert_null(engine_ops_find("oracle"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fails_before_or_after_accepting),
        cmocka_unit_test(answers_literally_in_one_or_many_deltas),
        cmocka_unit_test(tells_how_far_a_slow_prompt_is_read),
        cmocka_unit_test(keeps_the_pace),
        cmocka_unit_test(stays_silent_until_cancelled),
        cmocka_unit_test(breaks_off_in_silence),
        cmocka_unit_test(lies_about_tokens),
        cmocka_unit_test(answers_nothing),
        cmocka_unit_test(exits_after_some_tokens),
        cmocka_unit_test(gives_every_device_the_same_answer),
        cmocka_unit_test(finds_backends_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
