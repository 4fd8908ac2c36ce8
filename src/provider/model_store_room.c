/* Room for models: the quota, the disk, and who goes first. */
#include "provider/model_store_room.h"

#include "base/log.h"
#include "provider/disk_space.h"
#include "provider/model_added.h"
#include "provider/model_store.h"
#include "provider/model_store_list.h"
#include "provider/model_store_use.h"

#include <stdio.h>
#include <string.h>

/* The device's owner needs some of the disk for the rest of the system. */
static const uint64_t DISK_KEPT_BYTES = UINT64_C(256) * 1024 * 1024;

static const struct model_store_room NO_ROOM_RULES = {0};

static double megabytes(uint64_t bytes) {
    return (double)bytes / 1e6;
}

static bool is_kept(const struct model_store_room *room, const char *id) {
    for (size_t i = 0; i < room->keep_count; i++) {
        if (strcmp(room->keep[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* Only what can be had again: `folder` knows where from. */
static bool may_go(const struct model_store_entry *entry, const char *folder, const char *id,
                   const struct model_store_room *room) {
    struct model_added added;
    if (entry->state == MODEL_STORE_UNKNOWN || entry->bytes == 0 || entry->pinned || entry->in_use || entry->fetching ||
        (id != NULL && strcmp(entry->id, id) == 0) || is_kept(room, entry->id)) {
        return false;
    }
    return model_added_find(&added, folder, entry->id) != NULL;
}

/* What goes first has the lower number. */
static int rank(const struct model_store_entry *entry) {
    switch (entry->state) {
    case MODEL_STORE_DAMAGED:
        return 0;
    case MODEL_STORE_PARTIAL:
        return 1;
    case MODEL_STORE_UNCHECKED:
    case MODEL_STORE_READY:
    case MODEL_STORE_UNKNOWN:
    case MODEL_STORE_ABSENT:
        return 2;
    }
    return 2;
}

static bool goes_before(const struct model_store_entry *a, const struct model_store_entry *b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : a->used_ms < b->used_ms;
}

/* What other processes have yet to write of what they fetch. */
static uint64_t promised(const struct model_store_list *list, const char *id) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct model_store_entry *entry = &list->entries[i];
        if (entry->fetching && entry->bytes_total > entry->bytes && (id == NULL || strcmp(entry->id, id) != 0)) {
            bytes += entry->bytes_total - entry->bytes;
        }
    }
    return bytes;
}

static uint64_t left(uint64_t have, uint64_t taken) {
    return have > taken ? have - taken : 0;
}

static bool measure(struct model_store_space *out, const struct model_store_list *list, const char *folder,
                    const char *id, const struct model_store_room *room, struct err *err) {
    uint64_t disk = 0;
    uint64_t others = promised(list, id);
    if (!disk_space_free(folder, &disk, err)) {
        return false;
    }
    *out = (struct model_store_space){.used_bytes = model_store_list_bytes(list),
                                      .free_bytes = left(disk, DISK_KEPT_BYTES + others)};
    uint64_t within = left(room->quota_bytes, out->used_bytes + others);
    if (room->quota_bytes > 0 && within < out->free_bytes) {
        out->free_bytes = within;
    }
    for (size_t i = 0; room->may_remove && i < list->count; i++) {
        out->removable_bytes += may_go(&list->entries[i], folder, id, room) ? list->entries[i].bytes : 0;
    }
    return true;
}

bool model_store_measure(struct model_store_space *out, const char *folder, const struct model_store_room *room,
                         struct err *err) {
    struct model_store_list list;
    if (!model_store_list_read(&list, folder, err)) {
        return false;
    }
    bool worked = measure(out, &list, folder, NULL, room != NULL ? room : &NO_ROOM_RULES, err);
    model_store_list_clear(&list);
    return worked;
}

static const struct model_store_entry *next_to_go(const struct model_store_list *list, const char *folder,
                                                  const char *id, const struct model_store_room *room) {
    const struct model_store_entry *best = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct model_store_entry *entry = &list->entries[i];
        if (may_go(entry, folder, id, room) && (best == NULL || goes_before(entry, best))) {
            best = entry;
        }
    }
    return best;
}

static bool refuse(const char *folder, uint64_t bytes, const struct model_store_room *room,
                   const struct model_store_space *space, struct err *err) {
    uint64_t quota = room->quota_bytes;
    if (quota > 0 && (space->used_bytes > quota || bytes > quota - space->used_bytes)) {
        return err_set(err, ERR_TOO_LARGE,
                       "the quota for models is %.1f MB: %.1f MB more are needed in %s, and %.1f MB are there that %s",
                       megabytes(quota), megabytes(bytes), folder, megabytes(space->used_bytes),
                       room->may_remove ? "are in use, pinned or not enough" : "nothing may remove");
    }
    return disk_space_short(folder, bytes, err);
}

/* Of the model itself, a file that was moved aside is of no use any more. */
static bool drop_aside(const char *folder, const char *id) {
    char path[FILE_PATH_MAX];
    return model_store_path(path, folder, id, NULL) && model_store_drop_aside(path);
}

/* One step: true with *enough unset when a file went. */
static bool make_some_room(const char *folder, const char *id, uint64_t bytes, const struct model_store_room *room,
                           bool *enough, struct err *err) {
    struct model_store_list list;
    struct model_store_space space;
    if (!model_store_list_read(&list, folder, err)) {
        return false;
    }
    bool worked = measure(&space, &list, folder, id, room, err);
    *enough = worked && bytes <= space.free_bytes;
    if (worked && !*enough && !drop_aside(folder, id)) {
        const struct model_store_entry *victim = next_to_go(&list, folder, id, room);
        if (!room->may_remove || victim == NULL || bytes > space.free_bytes + space.removable_bytes) {
            worked = refuse(folder, bytes, room, &space, err);
        } else {
            LOG_INFO_EVENT("model.removed", LOG_TEXT("model", victim->id), LOG_TEXT("for", id),
                           LOG_TEXT("state", model_store_state_name(victim->state)));
            worked = model_store_remove(folder, victim->id, false, err) || err->code == ERR_NOT_FOUND;
        }
    }
    model_store_list_clear(&list);
    return worked;
}

bool model_store_make_room(const char *folder, const char *id, uint64_t bytes, const struct model_store_room *room,
                           struct err *err) {
    bool enough = false;
    bool worked = true;
    struct err why = {0};
    for (int i = 0; worked && !enough && i <= MODEL_STORE_LIST_MAX; i++) {
        err_clear(&why);
        worked = make_some_room(folder, id, bytes, room != NULL ? room : &NO_ROOM_RULES, &enough, &why);
        worked = worked || why.code == ERR_CONFLICT; /* somebody began to use it: another goes */
    }
    return enough ||
           (why.code == ERR_NONE ? disk_space_short(folder, bytes, err) : err_set(err, why.code, "%s", why.message));
}
