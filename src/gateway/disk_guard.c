#include "gateway/disk_guard.h"

#include "store/events.h"

static void on_change(void *context, const struct disk_floor *disk) {
    struct disk_guard *guard = context;
    webhook_sender_pause(guard->webhooks, disk->low);
    audit_book_pause(guard->book, disk->low);
    store_events_set_off(guard->store, disk->scarce);
}

void disk_guard_open(struct disk_guard *guard, struct loop *loop, const char *path, uint64_t floor_bytes) {
    guard->disk = (struct disk_floor){.on_change = on_change, .context = guard};
    disk_floor_open(&guard->disk, loop, path, floor_bytes);
}

void disk_guard_clear(struct disk_guard *guard) {
    disk_floor_clear(&guard->disk);
}

void disk_guard_measure(const struct disk_guard *guard, struct metrics *metrics) {
    const struct disk_floor *disk = &guard->disk;
    metrics->webhooks = webhook_sender_counts(guard->webhooks);
    metrics->audits_unwritten = guard->book->skipped;
    metrics->disk = (struct metrics_disk){disk->free_bytes, disk->floor_bytes, disk->times, disk->low, disk->scarce};
}
