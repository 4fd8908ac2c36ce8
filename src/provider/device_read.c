#include "provider/device_read.h"

#include <dirent.h>
#include <stdio.h>

void device_read_text(struct buf *out, const char *root, const char *path) {
    char full[FILE_PATH_MAX];
    buf_reset(out);
    if (file_join(full, root, path, NULL)) {
        (void)!file_read(full, out, NULL);
    }
}

struct str device_find_value(struct str text, const char *key, char separator) {
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

uint64_t device_read_kib(struct str text, const char *key) {
    struct str number;
    struct str unit;
    uint64_t kib = 0;
    str_split(device_find_value(text, key, ':'), ' ', &number, &unit);
    return str_parse_u64(number, UINT64_MAX / 1024, &kib) ? kib * 1024 : 0;
}

struct str device_read_attribute(struct buf *text, const char *folder, const char *device, const char *name) {
    char path[FILE_PATH_MAX];
    struct str line;
    struct str rest;
    int written = snprintf(path, sizeof(path), "%s/%s/%s", folder, device, name);
    buf_reset(text);
    if (written < 0 || (size_t)written >= sizeof(path) || !file_read(path, text, NULL)) {
        return STR("");
    }
    str_split(buf_str(text), '\n', &line, &rest);
    return str_trim(line);
}

void device_each_entry(const char *root, const char *path,
                       void (*one)(void *context, const char *folder, const char *name), void *context) {
    char full[FILE_PATH_MAX];
    if (!file_join(full, root, path, NULL)) {
        return;
    }
    DIR *folder = opendir(full);
    if (folder == NULL) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            one(context, full, entry->d_name);
        }
    }
    closedir(folder);
}
