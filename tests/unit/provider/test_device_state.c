/* What a device shows of its heat, network and use, from fake trees. Battery: test_device_facts.c. */
#include "provider/device_state.h"

#include "base/clock.h"
#include "unit/provider/temp_tree.h"

#include <fcntl.h>
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

static struct device_state look(const struct temp_tree *tree) {
    struct device_state device;
    device_state_read(&device, tree->path);
    return device;
}

/* --- Heat --- */

static void write_trip(const struct temp_tree *tree, int number, const char *type, const char *temperature) {
    char name[128];
    snprintf(name, sizeof(name), "sys/class/thermal/thermal_zone0/trip_point_%d_type", number);
    temp_tree_write(tree, name, type);
    snprintf(name, sizeof(name), "sys/class/thermal/thermal_zone0/trip_point_%d_temp", number);
    temp_tree_write(tree, name, temperature);
}

static void expect_heat(const struct temp_tree *tree, int degrees, enum link_heat heat) {
    char text[32];
    snprintf(text, sizeof(text), "%d\n", degrees * 1000);
    temp_tree_write(tree, "sys/class/thermal/thermal_zone0/temp", text);
    const struct device_state device = look(tree);
    assert_int_equal(device.heat, heat);
    assert_int_equal(device.hottest_c, degrees);
}

static void trip_points_say_what_is_hot(void **state) {
    const struct temp_tree *tree = *state;
    write_trip(tree, 0, "critical\n", "100000\n");
    write_trip(tree, 1, "passive\n", "65000\n");
    write_trip(tree, 2, "active\n", "45000\n"); /* a fan */
    write_trip(tree, 3, "passive\n", "0\n");    /* not set */
    write_trip(tree, 4, "passive\n", "-274000\n");
    expect_heat(tree, 54, LINK_HEAT_NOMINAL);
    expect_heat(tree, 55, LINK_HEAT_FAIR);
    expect_heat(tree, 65, LINK_HEAT_SERIOUS);
    expect_heat(tree, 94, LINK_HEAT_SERIOUS);
    expect_heat(tree, 95, LINK_HEAT_CRITICAL); /* 5 degrees before it switches off */
    write_trip(tree, 5, "hot\n", "90000\n");
    expect_heat(tree, 90, LINK_HEAT_CRITICAL);
}

static void one_trip_point_moves_the_others(void **state) {
    const struct temp_tree *tree = *state;
    write_trip(tree, 0, "critical\n", "75000\n");
    expect_heat(tree, 59, LINK_HEAT_FAIR);
    expect_heat(tree, 60, LINK_HEAT_SERIOUS);
    expect_heat(tree, 70, LINK_HEAT_CRITICAL);
    write_trip(tree, 0, "passive\n", "95000\n");
    expect_heat(tree, 94, LINK_HEAT_FAIR);
    expect_heat(tree, 95, LINK_HEAT_SERIOUS);
    expect_heat(tree, 105, LINK_HEAT_CRITICAL);
}

/* --- Network --- */

#define ROUTE_HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n"
#define WIFI "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0   \n"
#define PHONE "usb0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0   \n"
#define LAN "usb0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0   \n"
#define DOWN "usb0\t00000000\t0102A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0   \n"

static void the_default_route_counts(void **state) {
    static const struct {
        const char *routes;
        bool metered;
    } CASES[] = {{ROUTE_HEAD, false},           {ROUTE_HEAD WIFI, false},      {ROUTE_HEAD PHONE, true},
                 {ROUTE_HEAD WIFI PHONE, true}, {ROUTE_HEAD WIFI LAN, false},  {ROUTE_HEAD WIFI DOWN, false},
                 {"usb0\t00000000\n", false},   {"\n\n\t\t\t usb0 \n", false}, {"", false}};
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "sys/class/net/usb0/type", "1\n");
    temp_tree_write(tree, "sys/class/net/usb0/device/uevent", "DEVTYPE=usb_interface\nDRIVER=rndis_host\n");
    temp_tree_write(tree, "sys/class/net/wlan0/type", "1\n");
    temp_tree_write(tree, "sys/class/net/wlan0/uevent", "DEVTYPE=wlan\nINTERFACE=wlan0\n");
    temp_tree_write(tree, "sys/class/net/wlan0/device/uevent", "DRIVER=iwlwifi\n");
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        temp_tree_write(tree, "proc/net/route", CASES[i].routes);
        assert_int_equal(look(tree).metered, CASES[i].metered);
    }
}

static void kinds_of_mobile_networks(void **state) {
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "proc/net/route", ROUTE_HEAD PHONE);
    temp_tree_write(tree, "sys/class/net/usb0/type", "1\n");
    assert_false(look(tree).metered);
    temp_tree_write(tree, "sys/class/net/usb0/type", "512\n"); /* dialled */
    assert_true(look(tree).metered);
    temp_tree_write(tree, "sys/class/net/usb0/type", "1\n");
    temp_tree_write(tree, "sys/class/net/usb0/uevent", "DEVTYPE=wwan\n");
    assert_true(look(tree).metered);
}

static void a_device_with_ipv6_only(void **state) {
    const struct temp_tree *tree = *state;
    temp_tree_write(tree, "sys/class/net/wwan0/uevent", "DEVTYPE=wwan\n");
    temp_tree_write(tree, "proc/net/ipv6_route",
                    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                    "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n");
    assert_false(look(tree).metered);
    temp_tree_write(tree, "proc/net/ipv6_route",
                    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                    "fe800000000000000000000000000001 00000400 00000001 00000000 00000003    wwan0\n");
    assert_true(look(tree).metered);
}

/* --- Use --- */

static void touch(const struct temp_tree *tree, const char *name, int64_t age_s) {
    const struct timespec times[2] = {{.tv_sec = clock_wall_ms() / 1000 - age_s}, {.tv_nsec = UTIME_NOW}};
    temp_tree_write(tree, name, "");
    assert_int_equal(utimensat(AT_FDCWD, temp_tree_path(tree, name), times, 0), 0);
}

static void terminals_tell_when_somebody_typed(void **state) {
    const struct temp_tree *tree = *state;
    touch(tree, "dev/pts/ptmx", 1);
    touch(tree, "dev/tty", 1);
    touch(tree, "dev/ttyS0", 1);
    assert_true(look(tree).idle_s == DEVICE_IDLE_UNKNOWN);
    touch(tree, "dev/tty1", 100000);
    assert_in_range(look(tree).idle_s, 99990, 101000);
    touch(tree, "dev/pts/3", 5000); /* what is written to it does not count: only the time of access is old */
    assert_in_range(look(tree).idle_s, 4990, 6000);
    touch(tree, "dev/pts/3", -500); /* a clock that was set back */
    assert_int_equal(look(tree).idle_s, 0);
}

static void input_devices_count(void **state) {
    const struct temp_tree *tree = *state;
    assert_true(look(tree).input_events == 0);
    temp_tree_write(tree, "proc/interrupts",
                    "           CPU0       CPU1\n"
                    "  1:          9         12   IO-APIC    1-edge      i8042\n"
                    "  9:        100        100   IO-APIC    9-fasteoi   acpi\n"
                    " 40:          3          0   intel-gpio 3  ELAN0676:00\n"
                    "NMI:          7          7   Non-maskable interrupts\n");
    assert_true(look(tree).input_events == 24);
    temp_tree_write(tree, "sys/bus/usb/devices/1-2/urbnum", "50\n");
    temp_tree_write(tree, "sys/bus/usb/devices/1-2:1.0/bInterfaceClass", "03\n");
    temp_tree_write(tree, "sys/bus/usb/devices/1-3/urbnum", "900\n"); /* a disk */
    temp_tree_write(tree, "sys/bus/usb/devices/1-3:1.0/bInterfaceClass", "08\n");
    assert_true(look(tree).input_events == 74);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(trip_points_say_what_is_hot, setup, teardown),
        cmocka_unit_test_setup_teardown(one_trip_point_moves_the_others, setup, teardown),
        cmocka_unit_test_setup_teardown(the_default_route_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(kinds_of_mobile_networks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_with_ipv6_only, setup, teardown),
        cmocka_unit_test_setup_teardown(terminals_tell_when_somebody_typed, setup, teardown),
        cmocka_unit_test_setup_teardown(input_devices_count, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
