#include "net/unix_path.h"

#include "base/str.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { UNIX_PATH_MAX_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 };

/* 0 when somebody listens, else the errno of the attempt. Never waits: a full backlog is EAGAIN. */
static int try_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)str_copy(address.sun_path, sizeof(address.sun_path), str_from(path));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    const int error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    return error;
}

bool unix_path_prepare(const char *path, struct err *err) {
    struct stat facts;
    const struct str name = str_from(path);
    if (name.len == 0 || name.len > UNIX_PATH_MAX_BYTES) {
        return err_set(err, ERR_INVALID,
                       "the socket's path must have 1 to %d bytes, this one has %zu: use a shorter one",
                       (int)UNIX_PATH_MAX_BYTES, name.len);
    }
    if (lstat(path, &facts) != 0) {
        return errno == ENOENT || err_set_errno(err, errno, "cannot look at %s", path);
    }
    if (!S_ISSOCK(facts.st_mode)) {
        return err_set(err, ERR_CONFLICT, "cannot listen on unix:%s: there is a file that is no socket", path);
    }
    const int error = try_connect(path);
    if (error == 0 || error == EAGAIN) {
        return err_set(err, ERR_CONFLICT, "cannot listen on unix:%s: address already in use", path);
    }
    if (error != ECONNREFUSED) {
        return err_set_errno(err, error, "cannot tell whether somebody listens on %s", path);
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        return err_set_errno(err, errno, "cannot remove the socket %s of a process that is gone", path);
    }
    return true;
}
