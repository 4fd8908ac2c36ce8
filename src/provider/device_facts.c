#include "provider/device_facts.h"

#include "provider/device_read.h"

#include <sys/utsname.h>
#include <uv.h>

static void read_os(struct device_facts *facts, struct buf *text, const char *root) {
    device_read_text(text, root, "etc/os-release");
    struct str pretty = device_find_value(buf_str(text), "PRETTY_NAME", '=');
    if (pretty.len >= 2 && pretty.data[0] == '"') {
        pretty = (struct str){pretty.data + 1, pretty.len - 2};
    }
    struct utsname names;
    if (uname(&names) == 0) {
        str_copy(facts->arch, sizeof(facts->arch), str_from(names.machine));
        str_copy(facts->os, sizeof(facts->os), pretty.len > 0 ? pretty : str_from(names.sysname));
    }
}

void device_facts_read(struct device_facts *facts, const char *root) {
    struct buf text;
    buf_init(&text, DEVICE_FILE_MAX);
    *facts = (struct device_facts){.cores = uv_available_parallelism()};

    device_read_text(&text, root, "proc/sys/kernel/hostname");
    struct str name;
    struct str rest;
    str_split(buf_str(&text), '\n', &name, &rest);
    str_copy(facts->name, sizeof(facts->name), name);

    read_os(facts, &text, root);
    device_read_text(&text, root, "proc/cpuinfo");
    struct str cpu = device_find_value(buf_str(&text), "model name", ':');
    if (cpu.len == 0) {
        cpu = device_find_value(buf_str(&text), "Model", ':'); /* boards with an ARM processor */
    }
    str_copy(facts->cpu, sizeof(facts->cpu), cpu);

    device_read_text(&text, root, "proc/meminfo");
    facts->ram_bytes = device_read_kib(buf_str(&text), "MemTotal");
    buf_clear(&text);
}
