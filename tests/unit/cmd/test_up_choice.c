/* What `nataris up` says about the model that it chooses, on machines of this test's own. */
#include "cmd/up_choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

static void make(struct command_fixture *fixture, struct up_choice *choice, const char *meminfo) {
    temp_tree_write(&fixture->tree, "machine/proc/meminfo", meminfo);
    temp_tree_write(&fixture->tree, "machine/proc/self/cgroup", "0::/\n");
    temp_tree_write(&fixture->tree, "machine/sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_true(up_choice_make(choice, temp_tree_path(&fixture->tree, "machine"), &fixture->err));
    choice->facts.disk_bytes = UINT64_C(100000000000); /* whatever this machine's disk has */
    model_choice_judge(&choice->facts, choice->models);
}

static void print(void *context) {
    up_choice_print(context);
}

static void it_says_which_and_why(void **state) {
    struct command_fixture *fixture = *state;
    struct up_choice choice;
    make(fixture, &choice, "MemAvailable: 1562500 kB\n");
    command_fixture_print(fixture, print, &choice);
    assert_printed(fixture,
                   "This machine has 1.6 GB of memory free, 1 core, and 100.0 GB of disk for models.\n"
                   "nataris-demo-2m is served at once. Beside it, the first of these that can be had:\n"
                   "  qwen2.5-0.5b-instruct-q6_k           650.4 MB  does not fit: it needs 2.0 GB of free memory, "
                   "here are 1.6 GB\n"
                   "  qwen2.5-coder-1.5b-instruct-q4_k_m     1.1 GB  does not fit: it needs 4.0 GB of free memory, "
                   "here are 1.6 GB\n"
                   "  qwen2.5-coder-0.5b-instruct-q4_k_m   491.4 MB  it is to be fetched\n"
                   "  smollm2-135m-instruct-q4_1            98.4 MB  it is to be fetched; of demo quality only\n");
    assert_int_equal(choice.first_of.count, 2);
    assert_string_equal(choice.first_of.items[0], "qwen2.5-coder-0.5b-instruct-q4_k_m");
    assert_string_equal(choice.first_of.items[1], "smollm2-135m-instruct-q4_1");
}

static void a_machine_too_small_for_all(void **state) {
    struct command_fixture *fixture = *state;
    struct up_choice choice;
    make(fixture, &choice, "MemAvailable: 100000 kB\n");
    assert_int_equal(choice.first_of.count, 0);
    command_fixture_print(fixture, print, &choice);
    assert_prints(fixture, "No other model fits (--model ID serves one all the same):\n");
}

static void remarks(void **state) {
    struct command_fixture *fixture = *state;
    struct up_choice choice;
    char remark[256];
    make(fixture, &choice, "MemAvailable: 8000000 kB\n");
    up_choice_remark(&choice, STR("nataris-demo-2m"), remark, sizeof(remark));
    assert_string_equal(remark, "");
    up_choice_remark(&choice, STR("qwen2.5-0.5b-instruct-q6_k"), remark, sizeof(remark));
    assert_string_equal(remark, "");
    up_choice_remark(&choice, STR("qwen2.5-coder-0.5b-instruct-q4_k_m"), remark, sizeof(remark));
    assert_string_equal(remark, " qwen2.5-0.5b-instruct-q6_k could not be had.");
    up_choice_remark(&choice, STR("smollm2-135m-instruct-q4_1"), remark, sizeof(remark));
    assert_string_equal(remark, " qwen2.5-0.5b-instruct-q6_k could not be had. It is of demo quality: it shows that "
                                "everything works, and is often wrong.");
    up_choice_remark(&choice, STR("smollm2-135m-instruct-q4_1"), remark, 12);
    assert_string_equal(remark, " qwen2.5-0.");
}

static void as_json(void **state) {
    struct command_fixture *fixture = *state;
    struct up_choice choice;
    struct json_writer writer;
    struct buf text;
    make(fixture, &choice, "MemAvailable: 1562500 kB\n");
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    up_choice_write(&choice, &writer);
    json_end_object(&writer);
    assert_string_equal(buf_cstr(&text),
                        "{\"default_models\":["
                        "{\"id\":\"qwen2.5-0.5b-instruct-q6_k\",\"fits\":false,"
                        "\"why\":\"it needs 2.0 GB of free memory, here are 1.6 GB\"},"
                        "{\"id\":\"qwen2.5-coder-1.5b-instruct-q4_k_m\",\"fits\":false,"
                        "\"why\":\"it needs 4.0 GB of free memory, here are 1.6 GB\"},"
                        "{\"id\":\"qwen2.5-coder-0.5b-instruct-q4_k_m\",\"fits\":true,\"why\":\"it is to be fetched\"},"
                        "{\"id\":\"smollm2-135m-instruct-q4_1\",\"fits\":true,"
                        "\"why\":\"it is to be fetched; of demo quality only\"}]}");
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {COMMAND_TEST(it_says_which_and_why), COMMAND_TEST(a_machine_too_small_for_all),
                                       COMMAND_TEST(remarks), COMMAND_TEST(as_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
