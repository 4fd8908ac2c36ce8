#include "gateway/disk_floor.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { DISK_LOOK_MS = 1000, DISK_WELL_PART = 8, DISK_SCARCE_PART = 2 };

static void disk_floor_look(void *context) {
    struct disk_floor *disk = context;
    struct statvfs files;
    if (statvfs(disk->folder, &files) == 0) {
        disk_floor_see(disk, (uint64_t)files.f_bavail * files.f_frsize);
    }
}

void disk_floor_open(struct disk_floor *disk, struct loop *loop, const char *path, uint64_t floor_bytes) {
    const char *slash = strrchr(path, '/');
    if (floor_bytes == 0) {
        return;
    }
    disk->folder = slash == NULL ? mem_strdup(".") : mem_strndup(path, (size_t)(slash - path) + 1);
    disk->floor_bytes = floor_bytes;
    disk->timer = loop_timer_new(loop, disk_floor_look, disk);
    disk_floor_look(disk);
    loop_timer_start(disk->timer, DISK_LOOK_MS, DISK_LOOK_MS);
}

void disk_floor_clear(struct disk_floor *disk) {
    loop_timer_free(disk->timer);
    free(disk->folder);
    *disk = (struct disk_floor){0};
}

void disk_floor_see(struct disk_floor *disk, uint64_t free_bytes) {
    const uint64_t well_bytes = disk->floor_bytes + disk->floor_bytes / DISK_WELL_PART;
    const bool was_low = disk->low, was_scarce = disk->scarce;
    disk->free_bytes = free_bytes;
    disk->scarce = free_bytes < (was_scarce ? disk->floor_bytes : disk->floor_bytes / DISK_SCARCE_PART);
    if (!disk->low && free_bytes < disk->floor_bytes) {
        disk->low = true;
        disk->times++;
        LOG_ERROR_EVENT("disk.low", LOG_INT("free_bytes", (int64_t)free_bytes),
                        LOG_INT("floor_bytes", (int64_t)disk->floor_bytes));
    } else if (disk->low && free_bytes >= well_bytes) {
        disk->low = false;
        LOG_INFO_EVENT("disk.well", LOG_INT("free_bytes", (int64_t)free_bytes));
    }
    if (disk->on_change != NULL && (disk->low != was_low || disk->scarce != was_scarce)) {
        disk->on_change(disk->context, disk);
    }
}
