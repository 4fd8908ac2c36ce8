#include "provider/model_store.h"

#include "base/digest.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH_PIECE = 1024 * 1024, SIDE_FILE_MAX = 256 };

bool model_store_path(char out[FILE_PATH_MAX], const char *folder, const char *id, struct err *err) {
    char name[FILE_PATH_MAX];
    if (id[0] == '.' || id[0] == '\0' || strchr(id, '/') != NULL) {
        return err_set(err, ERR_INVALID, "'%.64s' cannot be the name of a model's file", id);
    }
    int written = snprintf(name, sizeof(name), "%s.gguf", id);
    if (written < 0 || (size_t)written >= sizeof(name)) {
        return err_set(err, ERR_TOO_LARGE, "the model's id is too long");
    }
    return file_join(out, folder, name, err);
}

static bool side_path(char out[FILE_PATH_MAX], const char *path) {
    int written = snprintf(out, FILE_PATH_MAX, "%s.verified", path);
    return written > 0 && written < FILE_PATH_MAX;
}

/* The one line of a side file: it fits as long as nobody wrote to the file or put another in its place. */
static void side_line(struct buf *out, const struct stat *status, const char *sha256) {
    buf_append_format(out, "%s %jd %jd.%09ld %ju\n", sha256, (intmax_t)status->st_size,
                      (intmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec, (uintmax_t)status->st_ino);
}

static bool is_remembered(const char *path, const struct stat *status, const char *sha256) {
    char side[FILE_PATH_MAX];
    struct buf found;
    struct buf wanted;
    buf_init(&found, SIDE_FILE_MAX);
    buf_init(&wanted, SIDE_FILE_MAX);
    side_line(&wanted, status, sha256);
    bool same = side_path(side, path) && file_read(side, &found, NULL) && str_equal(buf_str(&found), buf_str(&wanted));
    buf_clear(&found);
    buf_clear(&wanted);
    return same;
}

static void remember(const char *path, const struct stat *status, const char *sha256) {
    char side[FILE_PATH_MAX];
    struct buf line;
    buf_init(&line, SIDE_FILE_MAX);
    side_line(&line, status, sha256);
    (void)!(side_path(side, path) && file_write_atomic(side, buf_str(&line), 0600, NULL));
    buf_clear(&line);
}

void model_store_remember(const char *path, const char *sha256) {
    struct stat status;
    if (stat(path, &status) == 0) {
        remember(path, &status, sha256);
    }
}

bool model_store_is_verified(const char *path, const char *sha256) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && is_remembered(path, &status, sha256);
}

static bool aside_path(char out[FILE_PATH_MAX], const char *path) {
    int written = snprintf(out, FILE_PATH_MAX, "%s.damaged", path);
    return written > 0 && written < FILE_PATH_MAX;
}

void model_store_set_aside(const char *path) {
    char aside[FILE_PATH_MAX];
    (void)!(aside_path(aside, path) && rename(path, aside) == 0); /* one that stays is refused again */
}

bool model_store_drop_aside(const char *path) {
    char aside[FILE_PATH_MAX];
    return aside_path(aside, path) && unlink(aside) == 0;
}

static bool hash_file(int fd, const char *path, const struct fetch_control *control, char hex[DIGEST_HEX_SIZE],
                      struct err *err) {
    uint8_t digest[DIGEST_SHA256_SIZE];
    struct digest_stream *stream = digest_stream_new();
    char *piece = mem_alloc(HASH_PIECE);
    ssize_t got;
    bool worked = true;
    while (worked && (got = read(fd, piece, HASH_PIECE)) != 0) {
        if (got > 0) {
            digest_stream_update(stream, piece, (size_t)got);
        } else if (errno != EINTR) {
            worked = err_set_errno(err, errno, "cannot read %s", path);
        }
        if (worked && atomic_load(&control->cancelled)) {
            worked = err_set(err, ERR_CLOSED, "stopped");
        }
    }
    digest_stream_finish(stream, digest);
    digest_hex(digest, sizeof(digest), hex);
    free(piece);
    return worked;
}

static bool verify_open_file(int fd, const char *path, const char *sha256, bool use_side_file,
                             const struct fetch_control *control, struct err *err) {
    struct stat status;
    char hex[DIGEST_HEX_SIZE];
    if (fstat(fd, &status) != 0) {
        return err_set_errno(err, errno, "cannot read %s", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return err_set(err, ERR_INVALID, "%s is not a file", path);
    }
    if (use_side_file && is_remembered(path, &status, sha256)) {
        return true;
    }
    if (!hash_file(fd, path, control, hex, err)) {
        return false;
    }
    if (strcmp(hex, sha256) != 0) {
        return err_set(err, ERR_INVALID, "%s is damaged or another file: its SHA-256 is not the one pinned", path);
    }
    if (use_side_file) {
        remember(path, &status, sha256);
    }
    return true;
}

bool model_store_verify(const char *path, const char *sha256, bool remember, const struct fetch_control *control,
                        struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait for its writer */
    if (fd < 0 && errno == ENOENT) {
        return err_set(err, ERR_NOT_FOUND, "there is no file %s", path);
    }
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot open %s", path);
    }
    bool worked = verify_open_file(fd, path, sha256, remember, control, err);
    close(fd);
    return worked;
}

bool model_store_find_built_in(char out[FILE_PATH_MAX], const char *file_name, struct err *err) {
    static const char *const PLACES[] = {"../share/nataris/models", "../models"};
    char program[FILE_PATH_MAX];
    char folder[FILE_PATH_MAX];
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        if (file_executable_folder(program, NULL) && file_join(folder, program, PLACES[i], NULL) &&
            file_join(out, folder, file_name, NULL) && file_exists(out)) {
            return true;
        }
    }
    const char *share = getenv("NATARIS_SHARE");
    if (share != NULL && file_join(folder, share, "models", NULL) && file_join(out, folder, file_name, NULL) &&
        file_exists(out)) {
        return true;
    }
    return err_set(err, ERR_NOT_FOUND,
                   "%s is not installed with the program (NATARIS_SHARE may name the folder that "
                   "holds models/)",
                   file_name);
}

bool model_store_check_gguf(const char *path, struct err *err) {
    char magic[4] = {0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait for its writer */
    if (fd < 0) {
        return err_set_errno(err, errno, "cannot open the model %s", path);
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return err_set(err, ERR_INVALID, "the model %s is not a file", path);
    }
    ssize_t got = read(fd, magic, sizeof(magic));
    int cause = errno;
    close(fd);
    if (got < 0) {
        return err_set_errno(err, cause, "cannot read the model %s", path);
    }
    return memcmp(magic, "GGUF", sizeof(magic)) == 0 || err_set(err, ERR_INVALID, "%s is not a GGUF model file", path);
}

static char id_character(char c) {
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    return kept ? c : '-';
}

bool model_store_id_of_path(char *out, size_t out_size, const char *path, struct err *err) {
    const char *slash = strrchr(path, '/');
    struct str name = str_from(slash == NULL ? path : slash + 1);
    const struct str suffix = STR(".gguf");
    if (name.len > suffix.len &&
        str_equal_nocase((struct str){name.data + name.len - suffix.len, suffix.len}, suffix)) {
        name.len -= suffix.len;
    }
    if (name.len == 0 || name.len >= out_size) {
        return err_set(err, ERR_INVALID, "no model id can be made from the file name of %s", path);
    }
    for (size_t i = 0; i < name.len; i++) {
        out[i] = id_character(name.data[i]);
    }
    out[name.len] = '\0';
    return true;
}
