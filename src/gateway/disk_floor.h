/* Room on the disk of the database: below a floor nothing more is taken on that would be stored, so that what runs can
 * still be settled and the database does not break. */
#ifndef NATARIS_GATEWAY_DISK_FLOOR_H
#define NATARIS_GATEWAY_DISK_FLOOR_H

#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct disk_floor { /* zeroed: it is never low */
    char *folder;   /* owned */
    uint64_t floor_bytes;
    uint64_t free_bytes; /* as seen last */
    struct loop_timer *timer;
    bool low;
    bool scarce;    /* below half of the floor: also what belongs to what still runs is left out where it can be */
    uint64_t times; /* that it became low */
    void (*on_change)(void *context, const struct disk_floor *disk); /* of low or scarce; may be NULL */
    void *context;
};

/* Looks at once, then every second. `path` is a file in the folder; a floor of 0: never low. */
void disk_floor_open(struct disk_floor *disk, struct loop *loop, const char *path, uint64_t floor_bytes);
void disk_floor_clear(struct disk_floor *disk);
/* So much is free: it is low below the floor, and well again from an eighth above it on. */
void disk_floor_see(struct disk_floor *disk, uint64_t free_bytes);

#endif
