#include "provider/part_file.h"

#include "base/log.h"
#include "base/mem.h"
#include "provider/disk_space.h"
#include "provider/model_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 200, READ_PIECE = 1024 * 1024 };

static bool name_files(struct part_file *part, const char *target, struct err *err) {
    int written = snprintf(part->path, sizeof(part->path), "%s.part", target);
    const char *slash = strrchr(target, '/');
    if (written < 0 || (size_t)written >= sizeof(part->path)) {
        return err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    str_copy(part->target, sizeof(part->target), str_from(target));
    str_copy(part->folder, sizeof(part->folder),
             slash == NULL ? STR(".") : (struct str){target, slash == target ? 1 : (size_t)(slash - target)});
    return true;
}

/* Whether the open file still bears the name: who held the lock before may have renamed it. */
static bool still_named(const struct part_file *part) {
    struct stat open_one;
    struct stat named_one;
    return fstat(part->fd, &open_one) == 0 && stat(part->path, &named_one) == 0 &&
           open_one.st_ino == named_one.st_ino && open_one.st_dev == named_one.st_dev;
}

static bool lock(struct part_file *part, const struct fetch_control *control, struct err *err) {
    bool told = false;
    while (flock(part->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return err_set_errno(err, errno, "cannot lock %s", part->path);
        }
        if (atomic_load(&control->cancelled)) {
            return err_set(err, ERR_CLOSED, "stopped");
        }
        if (!told) {
            LOG_WARN_EVENT("model.wait", LOG_TEXT("path", part->target),
                           LOG_TEXT("reason", "another process fetches it"));
            told = true;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_MS * 1000000L}, NULL);
    }
    return true;
}

static bool take_up(struct part_file *part, const struct fetch_control *control, struct err *err) {
    char *piece = mem_alloc(READ_PIECE);
    bool worked = true;
    ssize_t got;
    while (worked && (got = read(part->fd, piece, READ_PIECE)) != 0) {
        if (got > 0) {
            digest_stream_update(part->digest, piece, (size_t)got);
            part->size += (uint64_t)got;
        } else if (errno != EINTR) {
            worked = err_set_errno(err, errno, "cannot read %s", part->path);
        }
        if (worked && atomic_load(&control->cancelled)) {
            worked = err_set(err, ERR_CLOSED, "stopped");
        }
    }
    free(piece);
    return worked;
}

bool part_file_open(struct part_file *part, const char *target, const struct fetch_control *control, struct err *err) {
    *part = (struct part_file){.fd = -1};
    if (!name_files(part, target, err)) {
        return false;
    }
    for (;;) {
        part->fd = open(part->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (part->fd < 0) {
            return err_set_errno(err, errno, "cannot write %s", part->path);
        }
        if (!lock(part, control, err)) {
            part_file_close(part);
            return false;
        }
        if (still_named(part)) {
            break;
        }
        close(part->fd);
    }
    part->digest = digest_stream_new();
    if (!take_up(part, control, err)) {
        part_file_close(part);
        return false;
    }
    return true;
}

static void drop_digest(struct part_file *part) {
    uint8_t digest[DIGEST_SHA256_SIZE];
    if (part->digest != NULL) {
        digest_stream_finish(part->digest, digest);
        part->digest = NULL;
    }
}

bool part_file_restart(struct part_file *part, struct err *err) {
    drop_digest(part);
    part->digest = digest_stream_new();
    part->size = 0;
    if (ftruncate(part->fd, 0) != 0 || lseek(part->fd, 0, SEEK_SET) != 0) {
        return err_set_errno(err, errno, "cannot write %s", part->path);
    }
    return true;
}

bool part_file_append(struct part_file *part, const void *data, size_t len, struct err *err) {
    const char *rest = data;
    while (len > 0) {
        ssize_t written = write(part->fd, rest, len);
        if (written < 0 && (errno == ENOSPC || errno == EDQUOT)) {
            return disk_space_short(part->folder, len, err);
        }
        if (written < 0 && errno != EINTR) {
            return err_set_errno(err, errno, "cannot write %s", part->path);
        }
        if (written > 0) {
            digest_stream_update(part->digest, rest, (size_t)written);
            part->size += (uint64_t)written;
            rest += written;
            len -= (size_t)written;
        }
    }
    return true;
}

static void sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd); /* a rename that is lost with the power costs a download, nothing else */
        close(fd);
    }
}

bool part_file_commit(struct part_file *part, const char *sha256, struct err *err) {
    uint8_t digest[DIGEST_SHA256_SIZE];
    char hex[DIGEST_HEX_SIZE];
    digest_stream_finish(part->digest, digest);
    part->digest = NULL;
    digest_hex(digest, sizeof(digest), hex);
    if (strcmp(hex, sha256) != 0) {
        return part_file_restart(part, err) &&
               err_set(err, ERR_INVALID, "the file that came is not the one pinned: its SHA-256 is %s", hex);
    }
    if (fsync(part->fd) != 0 || rename(part->path, part->target) != 0) {
        return err_set_errno(err, errno, "cannot write %s", part->target);
    }
    sync_folder(part->folder);
    model_store_remember(part->target, sha256);
    return true;
}

void part_file_close(struct part_file *part) {
    drop_digest(part);
    if (part->fd >= 0) {
        if (part->size == 0 && still_named(part)) {
            unlink(part->path); /* an empty one is of no use to a later try */
        }
        close(part->fd);
        part->fd = -1;
    }
}
