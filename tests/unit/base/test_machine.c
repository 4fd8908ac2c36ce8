/* Memory and cores, from fake trees. */
#include "base/machine.h"

#include "base/compiler.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KIB UINT64_C(1024)

static int setup(void **state) {
    static struct temp_tree tree;
    *state = &tree;
    if (temp_tree_init(&tree) != 0) {
        return -1;
    }
    temp_tree_write(&tree, "proc/meminfo", "MemTotal:       9000000 kB\nMemFree:  1 kB\nMemAvailable:   8000000 kB\n");
    return 0;
}

static int teardown(void **state) {
    temp_tree_clear(*state);
    return 0;
}

static void without_groups(void **state) {
    const struct temp_tree *tree = *state;
    assert_int_equal(machine_memory_available(tree->path), 8000000 * KIB);
    temp_tree_write(tree, "proc/self/cgroup", "0::/user.slice\n");
    assert_int_equal(machine_memory_available(tree->path), 8000000 * KIB);
    temp_tree_write(tree, "sys/fs/cgroup/user.slice/memory.max", "max\n");
    temp_tree_write(tree, "sys/fs/cgroup/user.slice/memory.current", "5000\n");
    assert_int_equal(machine_memory_available(tree->path), 8000000 * KIB);
}

static void unknown(void **state) {
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "proc/meminfo", "");
    assert_int_equal(machine_memory_available(tree->path), 0);
    temp_tree_write(tree, "proc/meminfo", "MemAvailable: 99999999999999999999 kB\n");
    assert_int_equal(machine_memory_available(tree->path), 0);
}

static void a_group_of_version_2(void **state) {
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "proc/self/cgroup", "0::/a/b\n");
    temp_tree_write(tree, "sys/fs/cgroup/a/b/memory.max", "3000000\n");
    temp_tree_write(tree, "sys/fs/cgroup/a/b/memory.current", "1000000\n");
    assert_int_equal(machine_memory_available(tree->path), 2000000);
    /* A cache of files goes when its room is needed. */
    temp_tree_write(tree, "sys/fs/cgroup/a/b/memory.stat", "anon 5\nactive_file 7\ninactive_file 400000\n");
    assert_int_equal(machine_memory_available(tree->path), 2400000);
    temp_tree_write(tree, "sys/fs/cgroup/a/b/memory.high", "2000000\n");
    assert_int_equal(machine_memory_available(tree->path), 1400000);
    /* The group around it has less. */
    temp_tree_write(tree, "sys/fs/cgroup/a/memory.max", "5000000\n");
    temp_tree_write(tree, "sys/fs/cgroup/a/memory.current", "4900000\n");
    assert_int_equal(machine_memory_available(tree->path), 100000);
    temp_tree_write(tree, "sys/fs/cgroup/a/memory.current", "5100000\n");
    assert_int_equal(machine_memory_available(tree->path), 1); /* none, which is not unknown */
}

static void a_container_sees_only_its_top(void **state) {
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "proc/self/cgroup", "0::/docker/0123\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory.max", "3000000\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory.current", "1000000\n");
    assert_int_equal(machine_memory_available(tree->path), 2000000);
    temp_tree_write(tree, "proc/self/cgroup", "0::/../../elsewhere\n");
    assert_int_equal(machine_memory_available(tree->path), 2000000);
}

static void groups_of_version_1(void **state) {
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "proc/self/cgroup", "9:name=systemd:/\n4:memory:/x\n3:cpu,cpuacct:/y\n0::/\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "7000000\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory/x/memory.usage_in_bytes", "3000000\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory/x/memory.stat", "inactive_file 9\ntotal_inactive_file 500000\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    temp_tree_write(tree, "sys/fs/cgroup/memory/memory.usage_in_bytes", "600000000\n");
    assert_int_equal(machine_memory_available(tree->path), 4500000);
    temp_tree_write(tree, "sys/fs/cgroup/cpu/y/cpu.cfs_quota_us", "50000\n");
    temp_tree_write(tree, "sys/fs/cgroup/cpu/y/cpu.cfs_period_us", "100000\n");
    assert_int_equal(machine_cores(tree->path), 1);
    temp_tree_write(tree, "sys/fs/cgroup/cpu/y/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(machine_cores(tree->path), machine_cores("/nowhere"));
}

static void a_quota_of_cores(void **state) {
    const struct temp_tree *tree = *state;
    const uint32_t all = machine_cores("/nowhere");
    assert_true(all >= 1);
    temp_tree_write(tree, "proc/self/cgroup", "0::/a\n");
    temp_tree_write(tree, "sys/fs/cgroup/a/cpu.max", "max 100000\n");
    assert_int_equal(machine_cores(tree->path), all);
    temp_tree_write(tree, "sys/fs/cgroup/a/cpu.max", "99900000 100000\n");
    assert_int_equal(machine_cores(tree->path), all);
    temp_tree_write(tree, "sys/fs/cgroup/a/cpu.max", "20000 100000\n");
    assert_int_equal(machine_cores(tree->path), 1);
    temp_tree_write(tree, "sys/fs/cgroup/a/cpu.max", "150000 100000\n"); /* one and a half */
    assert_int_equal(machine_cores(tree->path), all < 2 ? all : 2);
    temp_tree_write(tree, "sys/fs/cgroup/a/cpu.max", "150000 0\n");
    assert_int_equal(machine_cores(tree->path), all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_groups),       TEST(unknown),
        TEST(a_group_of_version_2), TEST(a_container_sees_only_its_top),
        TEST(groups_of_version_1),  TEST(a_quota_of_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
