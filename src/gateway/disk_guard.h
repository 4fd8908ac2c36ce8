/* What is left out while the disk is nearly full, beside what nobody takes on any more (api/gate.h): below the floor no
 * webhook is sent and no line of the audits' journal is written; below half of it no event of a webhook is kept. */
#ifndef NATARIS_GATEWAY_DISK_GUARD_H
#define NATARIS_GATEWAY_DISK_GUARD_H

#include "gateway/audit_book.h"
#include "gateway/disk_floor.h"
#include "gateway/operator/metrics.h"
#include "store/store.h"
#include "webhook/sender.h"

struct disk_guard { /* zeroed: nothing is left out */
    struct disk_floor disk;
    struct store *store; /* borrowed, like the next two */
    struct webhook_sender *webhooks;
    struct audit_book *book;
};
/* With the three filled in; `path` and `floor_bytes` as for disk_floor_open. */
void disk_guard_open(struct disk_guard *guard, struct loop *loop, const char *path, uint64_t floor_bytes);
void disk_guard_clear(struct disk_guard *guard);
/* Fills in what it knows: the disk, the webhooks, the audits' journal. */
void disk_guard_measure(const struct disk_guard *guard, struct metrics *metrics);

#endif
