/* Marks on the models of the folder: in use, used last, pinned; and removing one. */
#include "provider/model_store_use.h"

#include "provider/fetch_wheel.h"
#include "provider/model_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 40, LOCK_PAUSE_MS = 5 };

static bool side_path(char out[FILE_PATH_MAX], const char *folder, const char *id, const char *ending,
                      struct err *err) {
    char path[FILE_PATH_MAX];
    if (!model_store_path(path, folder, id, err)) {
        return false;
    }
    int written = snprintf(out, FILE_PATH_MAX, "%s%s", path, ending);
    return (written > 0 && written < FILE_PATH_MAX) ||
           err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
}

static bool touch(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return false;
    }
    bool worked = futimens(fd, NULL) == 0;
    close(fd);
    return worked;
}

/* That it fails, on a disk that may only be read, costs nothing but the order in which models go. */
static void touch_used(const char *folder, const char *id) {
    char used[FILE_PATH_MAX];
    (void)!(side_path(used, folder, id, ".used", NULL) && touch(used));
}

/* Who removes the file or looks at it holds the other lock for an instant. Whoever holds it for longer, which any user
 * who may read the file can do, must not stop the loop. */
static bool lock_shared(int fd, const char *path, struct err *err) {
    struct stat status;
    unsigned tries = 0;
    while (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        if (errno != EINTR && (errno != EWOULDBLOCK || ++tries == LOCK_TRIES)) {
            return err_set_errno(err, errno, "cannot lock %s", path);
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_MS * 1000000L}, NULL);
    }
    return (fstat(fd, &status) == 0 && status.st_nlink > 0) ||
           err_set(err, ERR_NOT_FOUND, "%s was removed by another process", path);
}

bool model_store_use(const char *folder, const char *id, const char *path, const char *sha256, int *mark,
                     struct err *err) {
    char own[FILE_PATH_MAX];
    *mark = -1;
    if (!model_store_path(own, folder, id, NULL) || strcmp(own, path) != 0) {
        return true;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s is gone", path)
                               : err_set_errno(err, errno, "cannot open %s", path);
    }
    bool worked = lock_shared(fd, path, err);
    if (worked && sha256 != NULL && !model_store_is_verified(path, sha256)) {
        worked = err_set(err, ERR_INVALID, "%s changed after it was verified", path);
    }
    if (!worked) {
        close(fd);
        return false;
    }
    touch_used(folder, id);
    *mark = fd;
    return true;
}

void model_store_unuse(const char *folder, const char *id, int *mark) {
    if (*mark >= 0) {
        touch_used(folder, id);
        close(*mark);
        *mark = -1;
    }
}

static bool anything_there(const char *folder, const char *id) {
    static const char *const ENDINGS[] = {"", ".part", ".damaged", ".source"};
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        if (side_path(path, folder, id, ENDINGS[i], NULL) && file_exists(path)) {
            return true;
        }
    }
    return false;
}

static bool refuse_absent(const char *folder, const char *id, struct err *err) {
    return err_set(err, ERR_NOT_FOUND, "there is no model %.128s in %s", id, folder);
}

bool model_store_pin(const char *folder, const char *id, bool pinned, struct err *err) {
    char mark[FILE_PATH_MAX];
    if (!side_path(mark, folder, id, ".pinned", err)) {
        return false;
    }
    if (!anything_there(folder, id)) {
        return refuse_absent(folder, id, err);
    }
    bool worked = pinned ? touch(mark) : unlink(mark) == 0 || errno == ENOENT;
    return worked || err_set_errno(err, errno, "cannot write %s", mark);
}

/* *fd holds the lock of a file that nobody else has locked; -1 when there is no such file. */
static bool lock_alone(const char *path, int *fd, const char *why_not, struct err *err) {
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        return errno == ENOENT || err_set_errno(err, errno, "cannot open %s", path);
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    int cause = errno;
    close(*fd);
    *fd = -1;
    return cause == EWOULDBLOCK ? err_set(err, ERR_CONFLICT, "%s: %s", path, why_not)
                                : err_set_errno(err, cause, "cannot lock %s", path);
}

static bool remove_files(const char *folder, const char *id, bool forget, struct err *err) {
    static const char *const ENDINGS[] = {"", ".part", ".damaged", ".verified", ".used", ".pinned", ".source"};
    enum { KEPT_ENDINGS = 2 }; /* the last ones */
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < COUNT_OF(ENDINGS) - (forget ? 0 : KEPT_ENDINGS); i++) {
        if (!side_path(path, folder, id, ENDINGS[i], err)) {
            return false;
        }
        if (unlink(path) != 0 && errno != ENOENT) {
            return err_set_errno(err, errno, "cannot remove %s", path);
        }
    }
    if (side_path(path, folder, id, "", err)) {
        fetch_wheel_clear(path);
    }
    return true;
}

bool model_store_remove(const char *folder, const char *id, bool forget, struct err *err) {
    char path[FILE_PATH_MAX];
    char part[FILE_PATH_MAX];
    int file_lock = -1;
    int part_lock = -1;
    if (!side_path(path, folder, id, "", err) || !side_path(part, folder, id, ".part", err)) {
        return false;
    }
    if (!anything_there(folder, id)) {
        return refuse_absent(folder, id, err);
    }
    bool worked = lock_alone(path, &file_lock, "a provider uses it", err) &&
                  lock_alone(part, &part_lock, "another process fetches it", err) &&
                  remove_files(folder, id, forget, err);
    if (file_lock >= 0) {
        close(file_lock);
    }
    if (part_lock >= 0) {
        close(part_lock);
    }
    return worked;
}
