#include "provider/pause_file.h"

#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PAUSE_FILE_MAX = 64 };
static const char PAUSE_FILE[] = "paused";

bool pause_file_read(const char *data_folder, struct owner_pause *out, struct err *err) {
    char path[FILE_PATH_MAX];
    struct buf text;
    struct err why = {0};
    struct str line, rest;
    uint64_t until_ms = 0;
    *out = (struct owner_pause){0};
    if (!file_join(path, data_folder, PAUSE_FILE, err)) {
        return false;
    }
    buf_init(&text, PAUSE_FILE_MAX);
    const bool found = file_read(path, &text, &why);
    if (!found && why.code != ERR_NOT_FOUND && why.code != ERR_TOO_LARGE) {
        buf_clear(&text);
        return err_set(err, why.code, "%s", why.message);
    }
    str_split(buf_str(&text), '\n', &line, &rest);
    const bool understood = found && str_parse_u64(line, INT64_MAX, &until_ms);
    buf_clear(&text);
    out->paused = found || why.code == ERR_TOO_LARGE;
    out->until_ms = understood ? (int64_t)until_ms : 0;
    return true;
}

bool pause_file_write(const char *data_folder, const struct owner_pause *pause, struct err *err) {
    char path[FILE_PATH_MAX], text[PAUSE_FILE_MAX];
    if (!file_join(path, data_folder, PAUSE_FILE, err)) {
        return false;
    }
    if (!pause->paused) {
        return unlink(path) == 0 || errno == ENOENT || err_set_errno(err, errno, "cannot remove %s", path);
    }
    snprintf(text, sizeof(text), "%" PRId64 "\n", pause->until_ms);
    return file_make_folders(data_folder, err) && file_write_atomic(path, str_from(text), 0600, err);
}

bool owner_pause_holds(const struct owner_pause *pause, int64_t now_ms) {
    return pause->paused && (pause->until_ms == 0 || now_ms < pause->until_ms);
}
