/* The llama engine's process gives up what it does not need, and models still run in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_proc_line(pid_t process, const char *file, const char *expected) {
    char path[64], line[512];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, file);
    FILE *lines = fopen(path, "re");
    assert_non_null(lines);
    while (!found && fgets(line, sizeof(line), lines) != NULL) {
        found = strncmp(line, expected, strlen(expected)) == 0;
    }
    fclose(lines);
    if (!found) {
        fail_msg("%s has no line \"%s\"", path, expected);
    }
}

/* What the sandbox itself does: tests/unit/llama_child/test_sandbox.c. */
static void llama_runs_confined(void **state) {
    (void)state;
    struct engine_world world;
    struct engine_options options = world_options(WORLD_MODEL);
    world_open(&world, &ENGINE_LLAMA, &options);
    pid_t child = world_child();
    assert_proc_line(child, "limits", "Max core file size        0                    0 ");
    assert_proc_line(child, "status", "NoNewPrivs:\t1");
    assert_proc_line(child, "status", "Seccomp:\t2");
    assert_proc_line(child, "status", "CapEff:\t0000000000000000");
    assert_proc_line(child, "status", "CapPrm:\t0000000000000000");
    assert_proc_line(child, "status", "CapAmb:\t0000000000000000");
    world_close(&world);
}

/* A real model, where the machine has one from an earlier download: under the same limits it loads and answers. */
static void llama_runs_a_real_model(void **state) {
    (void)state;
    struct engine_world world;
    char path[512];
    struct gen_message message;
    struct gen_request request = world_chat(&message, "What is the capital of France?");
    const char *home = getenv("HOME");
    snprintf(path, sizeof(path), "%s/.cache/nataris/models/smollm2-135m-instruct-q4_1.gguf", home ? home : "");
    if (access(path, R_OK) != 0) {
        print_message("SKIPPED: %s is not there (nataris model pull smollm2-135m)\n", path);
        skip();
    }
    struct engine_options options = world_options(path);
    options.context_length = 256;
    request.max_tokens = 8;
    world_open(&world, &ENGINE_LLAMA, &options);
    assert_int_equal(world.state, ENGINE_READY);
    struct world_job *whole = world_ask(&world, 1, &request);
    assert_int_equal(whole->dones, 1);
    print_message("it says: %s\n", buf_cstr(&whole->text));
    assert_true(whole->deltas > 3);
    request.continue_text = (struct str){whole->text.data, whole->after[2].length};
    request.max_tokens = 8 - whole->after[2].tokens;
    struct world_job *rest = world_ask(&world, 2, &request);
    assert_int_equal(whole->after[2].length + rest->text.len, whole->text.len);
    assert_memory_equal(whole->text.data + whole->after[2].length, rest->text.data, rest->text.len);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_runs_confined),
        cmocka_unit_test(llama_runs_a_real_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
