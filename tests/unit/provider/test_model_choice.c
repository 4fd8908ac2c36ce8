#include "provider/model_choice.h"

#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GB UINT64_C(1000000000)

enum { FIRST, LARGE, SMALL, DEMO }; /* their places in the list */

static struct model_choice_facts plenty(void) {
    return (struct model_choice_facts){.memory_bytes = 16 * GB, .disk_bytes = 100 * GB, .cores = 8};
}

/* Which ones fit, as their numbers: "0123". */
static void expect(const struct model_choice_facts *facts, const char *fitting) {
    struct model_choice choices[MODEL_CHOICE_MAX];
    char found[MODEL_CHOICE_MAX + 1] = "";
    model_choice_judge(facts, choices);
    for (size_t i = 0, used = 0; i < MODEL_CHOICE_MAX; i++) {
        if (choices[i].fits) {
            found[used++] = (char)('0' + i);
        }
    }
    assert_string_equal(found, fitting);
}

static const char *why(const struct model_choice_facts *facts, size_t index) {
    static struct model_choice choices[MODEL_CHOICE_MAX];
    model_choice_judge(facts, choices);
    return choices[index].why;
}

static void the_list(void **state) {
    static const char *const IDS[] = {"qwen2.5-0.5b-instruct-q6_k", "qwen2.5-coder-1.5b-instruct-q4_k_m",
                                      "qwen2.5-coder-0.5b-instruct-q4_k_m", "smollm2-135m-instruct-q4_1"};
    const struct model_choice_facts facts = plenty();
    struct model_choice choices[MODEL_CHOICE_MAX];
    (void)state;
    model_choice_judge(&facts, choices);
    for (size_t i = 0; i < MODEL_CHOICE_MAX; i++) {
        assert_string_equal(choices[i].model->id, IDS[i]);
        assert_int_equal(choices[i].demo, i == DEMO);
    }
    expect(&facts, "0123");
    assert_string_equal(why(&facts, LARGE), "it is to be fetched");
    assert_string_equal(why(&facts, DEMO), "it is to be fetched; of demo quality only");
}

static void memory_decides(void **state) {
    struct model_choice_facts facts = plenty();
    (void)state;
    facts.memory_bytes = 4 * GB;
    expect(&facts, "0123");
    facts.memory_bytes = 4 * GB - 1;
    expect(&facts, "023");
    assert_string_equal(why(&facts, LARGE), "it needs 4.0 GB of free memory, here are 4.0 GB");
    facts.memory_bytes = 2 * GB - 1;
    expect(&facts, "23");
    facts.memory_bytes = GB / 2 * 3;
    expect(&facts, "23");
    facts.memory_bytes = GB / 2 * 3 - 1;
    expect(&facts, "3");
    facts.memory_bytes = GB / 5;
    expect(&facts, "");
    facts.memory_bytes = 0;
    expect(&facts, "");
}

static void cores_decide_about_the_large_one(void **state) {
    struct model_choice_facts facts = plenty();
    (void)state;
    facts.cores = 3;
    expect(&facts, "0123");
    facts.cores = 2;
    expect(&facts, "023");
    assert_string_equal(why(&facts, LARGE), "it needs more than 2 cores, here are 2");
    facts.cores = 1;
    expect(&facts, "023");
}

static void disk_decides_unless_the_file_is_here(void **state) {
    struct model_choice_facts facts = plenty();
    (void)state;
    facts.disk_bytes = GB;
    expect(&facts, "023");
    assert_string_equal(why(&facts, LARGE), "to fetch it takes 1169.7 MB of disk, 1000.0 MB may be used");
    facts.here_bytes[LARGE] = 500000000; /* a part of an earlier run */
    expect(&facts, "0123");
    facts.disk_bytes = 600000000;
    facts.here_bytes[LARGE] = 1117320768; /* all of it */
    expect(&facts, "123");
    assert_string_equal(why(&facts, LARGE), "its file is here");
    facts.disk_bytes = 0;
    expect(&facts, "1");
}

/* --- Looking --- */

static int setup(void **state) {
    static struct temp_tree tree;
    *state = &tree;
    return temp_tree_init(&tree);
}

static int teardown(void **state) {
    temp_tree_clear(*state);
    return 0;
}

static void what_the_machine_has(void **state) {
    const struct temp_tree *tree = *state;
    struct model_choice_facts facts;
    temp_tree_write(tree, "proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable: 5000000 kB\n");
    temp_tree_write(tree, "models/smollm2-135m-instruct-q4_1.gguf.part", "12345");
    temp_tree_write(tree, "models/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "of another size: damaged");
    model_choice_look(&facts, tree->path, temp_tree_path(tree, "models"));
    assert_int_equal(facts.memory_bytes, UINT64_C(5000000) * 1024);
    assert_true(facts.cores >= 1);
    assert_true(facts.disk_bytes > 0);
    assert_int_equal(facts.here_bytes[DEMO], 5);
    assert_int_equal(facts.here_bytes[SMALL], 0);
    assert_int_equal(facts.here_bytes[FIRST], 0);
    expect(&facts, facts.cores > 2 ? "0123" : "023");
}

static void a_container_has_less(void **state) {
    const struct temp_tree *tree = *state;
    struct model_choice_facts facts;
    temp_tree_write(tree, "proc/meminfo", "MemAvailable: 50000000 kB\n");
    temp_tree_write(tree, "proc/self/cgroup", "0::/\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory.max", "1700000000\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory.current", "100000000\n");
    temp_tree_write(tree, "sys/fs/cgroup/cpu.max", "100000 100000\n");
    model_choice_look(&facts, tree->path, temp_tree_path(tree, "new/models"));
    assert_int_equal(facts.memory_bytes, 1600000000);
    assert_int_equal(facts.cores, 1);
    expect(&facts, "23");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list),
        cmocka_unit_test(memory_decides),
        cmocka_unit_test(cores_decide_about_the_large_one),
        cmocka_unit_test(disk_decides_unless_the_file_is_here),
        cmocka_unit_test_setup_teardown(what_the_machine_has, setup, teardown),
        cmocka_unit_test_setup_teardown(a_container_has_less, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
