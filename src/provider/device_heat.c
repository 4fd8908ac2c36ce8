#include "provider/device_heat.h"

#include "provider/device_read.h"

#include <stdio.h>

enum {
    TRIP_POINTS_MAX = 16,
    /* Firmware fills in 0, -274 or the like for points that it does not have. */
    TRIP_LEAST_C = 40,
    TRIP_MOST_C = 150,
    FIXED_SERIOUS_C = 80,
    FIXED_CRITICAL_C = 90,
    STEP_C = 10,          /* fair begins so far below serious, and serious so far below critical */
    CRITICAL_MARGIN_C = 5 /* at the critical point itself the kernel switches the machine off */
};

struct trips { /* degrees Celsius; 0: the zone has none */
    int32_t passive, critical;
};

static bool read_degrees(struct str text, int32_t *out) {
    uint64_t millidegrees;
    if (!str_parse_u64(text, 1000 * 1000, &millidegrees)) {
        return false; /* a negative temperature, too: such a zone is cool */
    }
    *out = (int32_t)(millidegrees / 1000);
    return true;
}

static void lower(int32_t *point, int32_t degrees) {
    if (*point == 0 || degrees < *point) {
        *point = degrees;
    }
}

/* Types of trip points: Documentation/driver-api/thermal/sysfs-api.rst of Linux. "active" ones only start fans. */
static void read_trips(struct trips *trips, struct buf *text, const char *folder, const char *zone) {
    for (int i = 0; i < TRIP_POINTS_MAX; i++) {
        char name[32];
        int32_t degrees;
        snprintf(name, sizeof(name), "trip_point_%d_temp", i);
        if (!read_degrees(device_read_attribute(text, folder, zone, name), &degrees) || degrees < TRIP_LEAST_C ||
            degrees > TRIP_MOST_C) {
            continue;
        }
        snprintf(name, sizeof(name), "trip_point_%d_type", i);
        const struct str type = device_read_attribute(text, folder, zone, name);
        if (str_equal_cstr(type, "passive")) {
            lower(&trips->passive, degrees);
        } else if (str_equal_cstr(type, "hot")) {
            lower(&trips->critical, degrees);
        } else if (str_equal_cstr(type, "critical")) {
            lower(&trips->critical, degrees - CRITICAL_MARGIN_C);
        }
    }
}

static enum link_heat judge(int32_t degrees, const struct trips *trips) {
    int32_t critical = trips->critical != 0 ? trips->critical : FIXED_CRITICAL_C;
    int32_t serious = trips->passive;
    if (serious == 0) {
        serious = critical - STEP_C < FIXED_SERIOUS_C ? critical - STEP_C : FIXED_SERIOUS_C;
    } else if (trips->critical == 0 && critical < serious + STEP_C) {
        critical = serious + STEP_C;
    }
    return degrees >= critical           ? LINK_HEAT_CRITICAL
           : degrees >= serious          ? LINK_HEAT_SERIOUS
           : degrees >= serious - STEP_C ? LINK_HEAT_FAIR
                                         : LINK_HEAT_NOMINAL;
}

struct look {
    struct device_heat found;
    struct buf *text;
};

static void read_zone(void *context, const char *folder, const char *zone) {
    struct look *look = context;
    struct trips trips = {0};
    int32_t degrees;
    if (!str_starts_with(str_from(zone), STR("thermal_zone")) ||
        !read_degrees(device_read_attribute(look->text, folder, zone, "temp"), &degrees)) {
        return;
    }
    read_trips(&trips, look->text, folder, zone);
    const enum link_heat heat = judge(degrees, &trips);
    look->found.heat = heat > look->found.heat ? heat : look->found.heat;
    look->found.hottest_c = degrees > look->found.hottest_c ? degrees : look->found.hottest_c;
}

struct device_heat device_heat_read(const char *root, struct buf *text) {
    struct look look = {.found = {.heat = LINK_HEAT_NOMINAL, .hottest_c = DEVICE_HEAT_UNKNOWN}, .text = text};
    device_each_entry(root, "sys/class/thermal", read_zone, &look);
    return look.found;
}
