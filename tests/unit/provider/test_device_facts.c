#include "provider/device_facts.h"
#include "provider/device_state.h"

#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state) {
    static struct temp_tree tree;
    *state = &tree;
    return temp_tree_init(&tree);
}

static int teardown(void **state) {
    temp_tree_clear(*state);
    return 0;
}

static void facts_of_a_machine(void **state) {
    const struct temp_tree *tree = *state;
    struct device_facts facts;
    temp_tree_write(tree, "proc/sys/kernel/hostname", "shed-pi\n");
    temp_tree_write(tree, "etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    temp_tree_write(tree, "proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast CPU @ 3.0GHz\nflags\t\t: a b\n");
    temp_tree_write(tree, "proc/meminfo", "MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:    8192 kB\n");
    device_facts_read(&facts, tree->path);
    assert_string_equal(facts.name, "shed-pi");
    assert_string_equal(facts.os, "Debian GNU/Linux 12 (bookworm)");
    assert_string_equal(facts.cpu, "Fast CPU @ 3.0GHz");
    assert_true(facts.ram_bytes == 16384 * 1024);
    assert_true(facts.cores > 0);
    assert_true(facts.arch[0] != '\0');
}

static void facts_of_an_empty_tree(void **state) {
    const struct temp_tree *tree = *state;
    struct device_facts facts;
    struct device_state device;
    device_facts_read(&facts, tree->path);
    device_state_read(&device, tree->path);
    assert_string_equal(facts.name, "");
    assert_string_equal(facts.cpu, "");
    assert_true(facts.ram_bytes == 0);
    assert_int_equal(device.battery_percent, -1);
    assert_int_equal(device.heat, LINK_HEAT_NOMINAL);
    assert_true(device.ram_free_bytes == 0);
}

static void battery(void **state) {
    const struct temp_tree *tree = *state;
    struct device_state device;
    temp_tree_write(tree, "sys/class/power_supply/AC/type", "Mains\n");
    temp_tree_write(tree, "sys/class/power_supply/mouse/type", "Battery\n");
    temp_tree_write(tree, "sys/class/power_supply/mouse/scope", "Device\n");
    temp_tree_write(tree, "sys/class/power_supply/mouse/capacity", "5\n");
    temp_tree_write(tree, "sys/class/power_supply/mouse/status", "Discharging\n");
    device_state_read(&device, tree->path);
    assert_int_equal(device.battery_percent, -1);

    temp_tree_write(tree, "sys/class/power_supply/BAT0/type", "Battery\n");
    temp_tree_write(tree, "sys/class/power_supply/BAT0/capacity", "83\n");
    temp_tree_write(tree, "sys/class/power_supply/BAT0/status", "Charging\n");
    device_state_read(&device, tree->path);
    assert_int_equal(device.battery_percent, 83);
    assert_true(device.charging);

    temp_tree_write(tree, "sys/class/power_supply/BAT0/status", "Discharging\n");
    device_state_read(&device, tree->path);
    assert_false(device.charging);
}

static void heat_is_that_of_the_hottest_zone(void **state) {
    static const struct {
        const char *temperature;
        enum link_heat heat;
    } CASES[] = {{"-3000\n", LINK_HEAT_NOMINAL}, {"69999\n", LINK_HEAT_NOMINAL},  {"70000\n", LINK_HEAT_FAIR},
                 {"80000\n", LINK_HEAT_SERIOUS}, {"95500\n", LINK_HEAT_CRITICAL}, {"rubbish\n", LINK_HEAT_NOMINAL}};
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "sys/class/thermal/thermal_zone0/temp", "41000\n");
    temp_tree_write(tree, "sys/class/thermal/cooling_device0/temp", "99000\n");
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct device_state device;
        temp_tree_write(tree, "sys/class/thermal/thermal_zone1/temp", CASES[i].temperature);
        device_state_read(&device, tree->path);
        assert_int_equal(device.heat, CASES[i].heat);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_of_a_machine, setup, teardown),
        cmocka_unit_test_setup_teardown(facts_of_an_empty_tree, setup, teardown),
        cmocka_unit_test_setup_teardown(battery, setup, teardown),
        cmocka_unit_test_setup_teardown(heat_is_that_of_the_hottest_zone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
