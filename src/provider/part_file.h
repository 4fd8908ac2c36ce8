/* The file a model comes down into: TARGET.part, locked against other processes that fetch the same model (the kernel
 * drops the lock with the process), hashed while written, renamed to TARGET only when its SHA-256 is right.
 * Blocking. */
#ifndef NATARIS_PROVIDER_PART_FILE_H
#define NATARIS_PROVIDER_PART_FILE_H

#include "base/digest.h"
#include "base/file.h"
#include "provider/fetch_control.h"

struct part_file {
    char target[FILE_PATH_MAX], path[FILE_PATH_MAX], folder[FILE_PATH_MAX];
    int fd;
    uint64_t size;                /* bytes in the file; all of them are in the digest */
    struct digest_stream *digest; /* NULL once committed */
};

/* Waits while another process holds the file; takes up what an earlier run left. ERR_CLOSED when cancelled. */
MUST_CHECK bool part_file_open(struct part_file *part, const char *target, const struct fetch_control *control,
                               struct err *err);
/* Empties it. */
MUST_CHECK bool part_file_restart(struct part_file *part, struct err *err);
MUST_CHECK bool part_file_append(struct part_file *part, const void *data, size_t len, struct err *err);
/* Makes it TARGET. ERR_INVALID when the SHA-256 is not the one wanted: then it is emptied. */
MUST_CHECK bool part_file_commit(struct part_file *part, const char *sha256, struct err *err);
/* Unless it was committed, what came so far stays for the next try. */
void part_file_close(struct part_file *part);

#endif
