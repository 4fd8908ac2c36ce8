#include "base/file.h"

#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_join(char out[FILE_PATH_MAX], const char *folder, const char *name, struct err *err) {
    size_t len = strlen(folder);
    const char *slash = len == 0 || folder[len - 1] == '/' ? "" : "/";
    int written = snprintf(out, FILE_PATH_MAX, "%s%s%s", folder, slash, name);
    if (written < 0 || written >= FILE_PATH_MAX) {
        return err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    return true;
}

static bool file_make_folder(const char *path, struct err *err) {
    if (mkdir(path, 0700) == 0) {
        return true;
    }
    int cause = errno;
    struct stat status;
    if (stat(path, &status) == 0) {
        return S_ISDIR(status.st_mode) || err_set_errno(err, ENOTDIR, "cannot use %s as a folder", path);
    }
    return err_set_errno(err, cause, "cannot make the folder %s", path);
}

bool file_make_folders(const char *path, struct err *err) {
    char part[FILE_PATH_MAX];
    if (!str_copy(part, sizeof(part), str_from(path)) || part[0] == '\0') {
        return err_set(err, ERR_TOO_LARGE, "a folder's path is empty or longer than %d bytes", FILE_PATH_MAX - 1);
    }
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            if (!file_make_folder(part, err)) {
                return false;
            }
            *at = '/';
        }
    }
    return file_make_folder(part, err);
}

static bool file_read_all(int fd, const char *path, struct buf *out, struct err *err) {
    enum { PIECE = 16 * 1024 };
    for (;;) {
        size_t room = out->limit - out->len;
        size_t wanted = room < PIECE ? room : PIECE;
        char probe; /* with no room left, one byte more tells a file that just fits from one that does not */
        char *place = wanted > 0 ? buf_reserve(out, wanted) : &probe;
        ssize_t got = read(fd, place, wanted > 0 ? wanted : 1);
        if (got == 0) {
            return true;
        }
        if (got < 0 && errno != EINTR) {
            return err_set_errno(err, errno, "cannot read %s", path);
        }
        if (got > 0 && wanted == 0) {
            return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, out->limit);
        }
        out->len += got > 0 ? (size_t)got : 0;
    }
}

bool file_read(const char *path, struct buf *out, struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return err_set(err, ERR_NOT_FOUND, "there is no file %s", path);
    }
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot open %s", path);
    }
    bool worked = file_read_all(fd, path, out, err);
    close(fd);
    return worked;
}

static bool file_write_all(int fd, struct str content) {
    while (content.len > 0) {
        ssize_t written = write(fd, content.data, content.len);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            content.data += written;
            content.len -= (size_t)written;
        }
    }
    return true;
}

/* Makes a rename in the folder of `path` durable. */
static bool file_sync_folder(const char *path) {
    char folder[FILE_PATH_MAX];
    if (!str_copy(folder, sizeof(folder), str_from(path))) {
        errno = ENAMETOOLONG;
        return false;
    }
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        str_copy(folder, sizeof(folder), STR("."));
    } else {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool worked = fsync(fd) == 0 || errno == EINVAL; /* some file systems do not know it for folders */
    int cause = errno;
    close(fd);
    errno = cause;
    return worked;
}

/* Consumes `fd`; errno says why it failed. */
static bool file_fill(int fd, struct str content, unsigned mode) {
    bool worked = file_write_all(fd, content) && fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0;
    int cause = errno;
    if (close(fd) != 0 && worked) {
        return false;
    }
    errno = cause;
    return worked;
}

bool file_write_atomic(const char *path, struct str content, unsigned mode, struct err *err) {
    char temporary[FILE_PATH_MAX];
    int written = snprintf(temporary, sizeof(temporary), "%s.tmp-XXXXXX", path);
    if (written < 0 || (size_t)written >= sizeof(temporary)) {
        return err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot write %s", path);
    }
    if (!file_fill(fd, content, mode) || rename(temporary, path) != 0) {
        int cause = errno;
        unlink(temporary);
        return err_set_errno(err, cause, "cannot write %s", path);
    }
    return file_sync_folder(path) || err_set_errno(err, errno, "cannot write %s", path);
}

void file_warn_open(const char *path, const char *what) {
    struct stat found;
    if (stat(path, &found) == 0 && (found.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
        LOG_WARN_EVENT("file.open_to_others", LOG_TEXT("what", what), LOG_TEXT("path", path),
                       LOG_TEXT("do", S_ISDIR(found.st_mode) ? "chmod 700" : "chmod 600"));
    }
}

bool file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool file_executable_folder(char out[FILE_PATH_MAX], struct err *err) {
    ssize_t len = readlink("/proc/self/exe", out, FILE_PATH_MAX);
    if (len < 0) {
        return err_set_errno(err, errno, "cannot tell where the program lies");
    }
    if (len >= FILE_PATH_MAX) {
        return err_set(err, ERR_TOO_LARGE, "the program's path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    out[len] = '\0';
    char *slash = strrchr(out, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return true;
}

bool file_lock(const char *path, struct err *err) {
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot open %s", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        return true; /* kept open: the kernel lets go when the process ends */
    }
    const int why = errno;
    close(fd);
    return why == EWOULDBLOCK ? err_set(err, ERR_CONFLICT, "%s is held by another process", path)
                              : err_set_errno(err, why, "cannot lock %s", path);
}
