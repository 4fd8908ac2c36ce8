#include "provider/device_use.h"

#include "base/clock.h"
#include "provider/device_read.h"

#include <string.h>
#include <sys/stat.h>

struct look {
    struct device_use found;
    struct buf *text;
};

static bool all_digits(const char *text) {
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static void read_terminal(void *context, const char *folder, const char *name) {
    struct look *look = context;
    char path[FILE_PATH_MAX];
    struct stat facts;
    const bool console = str_starts_with(str_from(name), STR("tty"));
    if (!all_digits(console ? name + 3 : name) || !file_join(path, folder, name, NULL) || stat(path, &facts) != 0) {
        return; /* tty0 and pts/N only: not /dev/tty, serial lines or pts/ptmx */
    }
    const int64_t age_s = clock_wall_ms() / 1000 - (int64_t)facts.st_atim.tv_sec;
    const uint32_t idle_s = age_s < 0 ? 0 : age_s >= DEVICE_IDLE_UNKNOWN ? DEVICE_IDLE_UNKNOWN - 1 : (uint32_t)age_s;
    look->found.idle_s = idle_s < look->found.idle_s ? idle_s : look->found.idle_s;
}

static bool is_input_line(struct str line) {
    static const char *const WORDS[] = {"i8042", "i2c_hid", "i2c-hid", "ELAN", "SYNA"};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (memmem(line.data, line.len, WORDS[i], strlen(WORDS[i])) != NULL) {
            return true;
        }
    }
    return false;
}

/* "  1:   9   12   IO-APIC   1-edge   i8042": one count per processor. */
static uint64_t sum_counts(struct str line) {
    uint64_t sum = 0;
    struct str word, rest;
    str_split(line, ':', &word, &rest);
    while (rest.len > 0) {
        uint64_t count;
        rest = str_trim(rest);
        str_split(rest, ' ', &word, &rest);
        if (!str_parse_u64(word, UINT64_MAX, &count)) {
            break;
        }
        sum += count;
    }
    return sum;
}

static void read_interrupts(struct look *look, const char *root) {
    device_read_text(look->text, root, "proc/interrupts");
    struct str text = buf_str(look->text);
    while (text.len > 0) {
        struct str line;
        str_split(text, '\n', &line, &text);
        if (is_input_line(line)) {
            look->found.input_events += sum_counts(line);
        }
    }
}

/* Interfaces such as "1-2:1.0" of class 3 (human interface device) name the device "1-2", which counts. */
static void read_usb(void *context, const char *folder, const char *name) {
    struct look *look = context;
    char device[64];
    uint64_t transfers;
    struct str head, tail;
    if (!str_split(str_from(name), ':', &head, &tail) || !str_copy(device, sizeof(device), head) ||
        !str_equal_cstr(device_read_attribute(look->text, folder, name, "bInterfaceClass"), "03")) {
        return;
    }
    if (str_parse_u64(device_read_attribute(look->text, folder, device, "urbnum"), UINT64_MAX, &transfers)) {
        look->found.input_events += transfers;
    }
}

struct device_use device_use_read(const char *root, struct buf *text) {
    struct look look = {.found = {.idle_s = DEVICE_IDLE_UNKNOWN}, .text = text};
    device_each_entry(root, "dev/pts", read_terminal, &look);
    device_each_entry(root, "dev", read_terminal, &look);
    read_interrupts(&look, root);
    device_each_entry(root, "sys/bus/usb/devices", read_usb, &look);
    return look.found;
}
