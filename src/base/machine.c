#include "base/machine.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { MACHINE_FILE_MAX = 64 * 1024 };

/* The files of one kind of control group. */
struct group_files {
    const char *folder, *limit, *high, *usage, *cache; /* `high` may be NULL; `cache` is a key of memory.stat */
};

static const struct group_files VERSION_1 = {"sys/fs/cgroup/memory", "memory.limit_in_bytes", NULL,
                                             "memory.usage_in_bytes", "total_inactive_file"};
static const struct group_files VERSION_2 = {"sys/fs/cgroup", "memory.max", "memory.high", "memory.current",
                                             "inactive_file"};

struct look {
    const char *root;
    struct buf text; /* of the file that is read at the moment */
    uint64_t memory; /* the least found so far */
    uint32_t cores;
};

static struct str read_text(struct look *look, const char *folder, struct str group, const char *name) {
    char below[FILE_PATH_MAX], path[FILE_PATH_MAX];
    int written = snprintf(below, sizeof(below), "%s%.*s/%s", folder, STR_ARG(group), name);
    buf_reset(&look->text);
    if (written > 0 && (size_t)written < sizeof(below) && file_join(path, look->root, below, NULL)) {
        (void)!file_read(path, &look->text, NULL);
    }
    return buf_str(&look->text);
}

static struct str first_line(struct str text) {
    struct str line, rest;
    (void)str_split(text, '\n', &line, &rest);
    return str_trim(line);
}

/* The number behind "KEY<separator>" in a text of such lines; false when it is not there. */
static bool find_number(struct str text, const char *key, char separator, uint64_t *out) {
    while (text.len > 0) {
        struct str line, name, value, unit;
        (void)str_split(text, '\n', &line, &text);
        if (str_split(line, separator, &name, &value) && str_equal_cstr(str_trim(name), key)) {
            (void)str_split(str_trim(value), ' ', &value, &unit);
            return str_parse_u64(value, UINT64_MAX, out);
        }
    }
    return false;
}

/* --- Control groups --- */

/* A file of one number; "max" and what cannot be read are no limit. */
static bool read_number(struct look *look, const struct group_files *files, struct str group, const char *name,
                        uint64_t *out) {
    return str_parse_u64(first_line(read_text(look, files->folder, group, name)), UINT64_MAX, out);
}

static void look_at_memory(struct look *look, const struct group_files *files, struct str group) {
    uint64_t limit = UINT64_MAX, high = UINT64_MAX, used = 0, cache = 0;
    bool bounded = read_number(look, files, group, files->limit, &limit);
    if (files->high != NULL && read_number(look, files, group, files->high, &high)) {
        bounded = true;
        limit = high < limit ? high : limit;
    }
    if (!bounded || !read_number(look, files, group, files->usage, &used)) {
        return;
    }
    (void)find_number(read_text(look, files->folder, group, "memory.stat"), files->cache, ' ', &cache);
    used -= cache < used ? cache : used;
    const uint64_t left = limit > used ? limit - used : 0;
    look->memory = left < look->memory ? left : look->memory;
}

static void use_quota(struct look *look, uint64_t quota, uint64_t period) {
    if (period > 0) {
        uint64_t cores = quota / period + (quota % period > 0 ? 1 : 0);
        cores = cores > 0 ? cores : 1;
        look->cores = cores < look->cores ? (uint32_t)cores : look->cores;
    }
}

/* "50000 100000" or "max 100000". */
static void look_at_cores_2(struct look *look, struct str group) {
    struct str first, second;
    uint64_t quota = 0, period = 0;
    if (str_split(first_line(read_text(look, "sys/fs/cgroup", group, "cpu.max")), ' ', &first, &second) &&
        str_parse_u64(first, UINT64_MAX, &quota) && str_parse_u64(second, UINT64_MAX, &period)) {
        use_quota(look, quota, period);
    }
}

static void look_at_cores_1(struct look *look, struct str group) {
    static const struct group_files CPU = {.folder = "sys/fs/cgroup/cpu"};
    uint64_t quota = 0, period = 0; /* a quota of -1 is none */
    if (read_number(look, &CPU, group, "cpu.cfs_quota_us", &quota) &&
        read_number(look, &CPU, group, "cpu.cfs_period_us", &period)) {
        use_quota(look, quota, period);
    }
}

static void look_at_memory_1(struct look *look, struct str group) {
    look_at_memory(look, &VERSION_1, group);
}

static void look_at_memory_2(struct look *look, struct str group) {
    look_at_memory(look, &VERSION_2, group);
}

/* The group itself and all around it. In a container the path may be that of the outside, of which only the top is
 * seen, or lead out of it. */
static void climb(struct look *look, struct str group, void (*one)(struct look *look, struct str group)) {
    while (group.len > 0) {
        if (group.len > 1 && memmem(group.data, group.len, "..", 2) == NULL) {
            one(look, group);
        }
        do {
            group.len--;
        } while (group.len > 0 && group.data[group.len] != '/');
    }
    one(look, STR(""));
}

static bool has_word(struct str list, const char *word) {
    while (list.len > 0) {
        struct str one;
        (void)str_split(list, ',', &one, &list);
        if (str_equal_cstr(one, word)) {
            return true;
        }
    }
    return false;
}

/* "0::/user.slice/x" is the group of version 2, "4:memory:/docker/y" and "3:cpu,cpuacct:/docker/y" those of version
 * 1. */
static void look_at_group(struct look *look, struct str line) {
    struct str number, rest, kinds, group;
    if (!str_split(line, ':', &number, &rest) || !str_split(rest, ':', &kinds, &group)) {
        return;
    }
    if (kinds.len == 0) {
        climb(look, group, look_at_memory_2);
        climb(look, group, look_at_cores_2);
    }
    if (has_word(kinds, "memory")) {
        climb(look, group, look_at_memory_1);
    }
    if (has_word(kinds, "cpu")) {
        climb(look, group, look_at_cores_1);
    }
}

static void look_at_groups(struct look *look) {
    struct buf list;
    buf_init(&list, MACHINE_FILE_MAX);
    struct str rest = read_text(look, "proc/self", STR(""), "cgroup");
    (void)buf_append(&list, rest.data, rest.len);
    for (rest = buf_str(&list); rest.len > 0;) {
        struct str line;
        (void)str_split(rest, '\n', &line, &rest);
        look_at_group(look, line);
    }
    buf_clear(&list);
}

uint64_t machine_memory_available(const char *root) {
    struct look look = {.root = root, .cores = UINT32_MAX};
    uint64_t kib = 0;
    buf_init(&look.text, MACHINE_FILE_MAX);
    bool known = find_number(read_text(&look, "proc", STR(""), "meminfo"), "MemAvailable", ':', &kib);
    look.memory = known && kib <= UINT64_MAX / 1024 ? kib * 1024 : UINT64_MAX;
    look_at_groups(&look);
    buf_clear(&look.text);
    return look.memory == UINT64_MAX ? 0 : look.memory > 0 ? look.memory : 1;
}

uint32_t machine_cores(const char *root) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    struct look look = {.root = root, .memory = UINT64_MAX, .cores = count > 0 ? (uint32_t)count : 1};
    buf_init(&look.text, MACHINE_FILE_MAX);
    look_at_groups(&look);
    buf_clear(&look.text);
    return look.cores;
}
