#include "provider/device_facts.h"

#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <uv.h>

enum { FACT_FILE_MAX = 256 * 1024, HEAT_FAIR_C = 70, HEAT_SERIOUS_C = 80, HEAT_CRITICAL_C = 90 };

/* What fits of a file; nothing when it cannot be read. */
static void read_text(struct buf *out, const char *root, const char *path) {
    char full[FILE_PATH_MAX];
    buf_reset(out);
    if (file_join(full, root, path, NULL)) {
        (void)!file_read(full, out, NULL);
    }
}

/* The value behind "<key><blanks><separator>" in a file of such lines; empty when it is not there. */
static struct str find_value(struct str text, const char *key, char separator) {
    while (text.len > 0) {
        struct str line;
        struct str name;
        struct str value;
        str_split(text, '\n', &line, &text);
        if (str_split(line, separator, &name, &value) && str_equal_cstr(str_trim(name), key)) {
            return str_trim(value);
        }
    }
    return STR("");
}

static uint64_t read_kib(struct str text, const char *key) {
    struct str number;
    struct str unit;
    uint64_t kib = 0;
    str_split(find_value(text, key, ':'), ' ', &number, &unit);
    return str_parse_u64(number, UINT64_MAX / 1024, &kib) ? kib * 1024 : 0;
}

static void read_os(struct device_facts *facts, struct buf *text, const char *root) {
    read_text(text, root, "etc/os-release");
    struct str pretty = find_value(buf_str(text), "PRETTY_NAME", '=');
    if (pretty.len >= 2 && pretty.data[0] == '"') {
        pretty = (struct str){pretty.data + 1, pretty.len - 2};
    }
    struct utsname names;
    if (uname(&names) == 0) {
        str_copy(facts->arch, sizeof facts->arch, str_from(names.machine));
        str_copy(facts->os, sizeof facts->os, pretty.len > 0 ? pretty : str_from(names.sysname));
    }
}

void device_facts_read(struct device_facts *facts, const char *root) {
    struct buf text;
    buf_init(&text, FACT_FILE_MAX);
    *facts = (struct device_facts){.cores = uv_available_parallelism()};

    read_text(&text, root, "proc/sys/kernel/hostname");
    struct str name;
    struct str rest;
    str_split(buf_str(&text), '\n', &name, &rest);
    str_copy(facts->name, sizeof facts->name, name);

    read_os(facts, &text, root);
    read_text(&text, root, "proc/cpuinfo");
    struct str cpu = find_value(buf_str(&text), "model name", ':');
    if (cpu.len == 0) {
        cpu = find_value(buf_str(&text), "Model", ':'); /* boards with an ARM processor */
    }
    str_copy(facts->cpu, sizeof facts->cpu, cpu);

    read_text(&text, root, "proc/meminfo");
    facts->ram_bytes = read_kib(buf_str(&text), "MemTotal");
    buf_clear(&text);
}

/* One line of the file `name` in the folder of one device below /sys/class. */
static struct str read_attribute(struct buf *text, const char *class_folder, const char *device, const char *name) {
    char path[FILE_PATH_MAX];
    struct str line;
    struct str rest;
    int written = snprintf(path, sizeof path, "%s/%s/%s", class_folder, device, name);
    buf_reset(text);
    if (written < 0 || (size_t)written >= sizeof path || !file_read(path, text, NULL)) {
        return STR("");
    }
    str_split(buf_str(text), '\n', &line, &rest);
    return str_trim(line);
}

static void read_supply(struct device_state *state, struct buf *text, const char *class_folder, const char *device) {
    uint64_t percent;
    if (!str_equal_cstr(read_attribute(text, class_folder, device, "type"), "Battery") ||
        str_equal_cstr(read_attribute(text, class_folder, device, "scope"), "Device") || /* a mouse's or pen's */
        !str_parse_u64(read_attribute(text, class_folder, device, "capacity"), 100, &percent)) {
        return;
    }
    if (state->battery_percent < 0 || (int32_t)percent < state->battery_percent) {
        state->battery_percent = (int32_t)percent;
    }
    if (str_equal_cstr(read_attribute(text, class_folder, device, "status"), "Discharging")) {
        state->charging = false;
    }
}

static void read_zone(struct device_state *state, struct buf *text, const char *class_folder, const char *device) {
    uint64_t millidegrees;
    if (!str_starts_with(str_from(device), STR("thermal_zone")) ||
        !str_parse_u64(read_attribute(text, class_folder, device, "temp"), 1000 * 1000, &millidegrees)) {
        return; /* a negative temperature, too: such a device is cool */
    }
    uint64_t degrees = millidegrees / 1000;
    enum link_heat heat = degrees >= HEAT_CRITICAL_C  ? LINK_HEAT_CRITICAL
                          : degrees >= HEAT_SERIOUS_C ? LINK_HEAT_SERIOUS
                          : degrees >= HEAT_FAIR_C    ? LINK_HEAT_FAIR
                                                      : LINK_HEAT_NOMINAL;
    state->heat = heat > state->heat ? heat : state->heat;
}

static void read_class(struct device_state *state, struct buf *text, const char *root, const char *path,
                       void (*read_one)(struct device_state *, struct buf *, const char *, const char *)) {
    char class_folder[FILE_PATH_MAX];
    if (!file_join(class_folder, root, path, NULL)) {
        return;
    }
    DIR *folder = opendir(class_folder);
    if (folder == NULL) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            read_one(state, text, class_folder, entry->d_name);
        }
    }
    closedir(folder);
}

void device_state_read(struct device_state *state, const char *root) {
    struct buf text;
    buf_init(&text, FACT_FILE_MAX);
    *state = (struct device_state){.heat = LINK_HEAT_NOMINAL, .battery_percent = -1, .charging = true};
    read_text(&text, root, "proc/meminfo");
    state->ram_free_bytes = read_kib(buf_str(&text), "MemAvailable");
    read_class(state, &text, root, "sys/class/power_supply", read_supply);
    read_class(state, &text, root, "sys/class/thermal", read_zone);
    buf_clear(&text);
}
