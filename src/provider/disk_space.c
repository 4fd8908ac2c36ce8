#include "provider/disk_space.h"

#include <errno.h>
#include <sys/statvfs.h>

bool disk_space_free(const char *folder, uint64_t *bytes, struct err *err) {
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) {
        return err_set_errno(err, errno, "cannot use the folder %s", folder);
    }
    *bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    return true;
}

bool disk_space_short(const char *folder, uint64_t needed_bytes, struct err *err) {
    uint64_t available = 0;
    (void)!disk_space_free(folder, &available, NULL);
    return err_set(err, ERR_IO, "the disk is full: %.1f MB are needed in %s, %.1f MB are free",
                   (double)needed_bytes / 1e6, folder, (double)available / 1e6);
}
