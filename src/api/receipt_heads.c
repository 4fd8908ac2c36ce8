#include "api/receipt_heads.h"

#include "base/mem.h"
#include "store/receipts.h"

#include <stdlib.h>
#include <string.h>

struct receipt_heads_day {
    struct receipt_head_file file;
    uint64_t fresh_until_ms;
};

void receipt_heads_clear(struct receipt_heads *heads) {
    free(heads->days);
    *heads = (struct receipt_heads){0};
}

/* Where the day is, or would be. */
static size_t place_of(const struct receipt_heads *heads, int64_t day) {
    size_t low = 0, high = heads->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (heads->days[middle].file.head.day < day) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct receipt_heads_day *find(const struct receipt_heads *heads, int64_t day) {
    const size_t place = place_of(heads, day);
    return place < heads->count && heads->days[place].file.head.day == day ? &heads->days[place] : NULL;
}

const struct receipt_head_file *receipt_heads_find(const struct receipt_heads *heads, int64_t day, uint64_t now_ms) {
    if (day == STORE_RECEIPTS_NEWEST) {
        if (now_ms >= heads->newest_until_ms) {
            return NULL;
        }
        day = heads->newest;
    }
    const struct receipt_heads_day *found = find(heads, day);
    return found != NULL && now_ms < found->fresh_until_ms ? &found->file : NULL;
}

/* Room for one more day at its place; of too many the oldest goes. */
static struct receipt_heads_day *add(struct receipt_heads *heads, int64_t day) {
    size_t place = place_of(heads, day);
    if (heads->count == RECEIPT_HEADS_MAX) {
        place -= place > 0 ? 1 : 0;
        memmove(&heads->days[0], &heads->days[1], place * sizeof(*heads->days));
    } else {
        heads->days = mem_realloc(heads->days, (heads->count + 1) * sizeof(*heads->days));
        memmove(&heads->days[place + 1], &heads->days[place], (heads->count - place) * sizeof(*heads->days));
        heads->count++;
    }
    return &heads->days[place];
}

static bool is_same(const struct receipt_head *a, const struct receipt_head *b) {
    return a->count == b->count && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

const struct receipt_head_file *receipt_heads_take(struct receipt_heads *heads, const uint8_t key[ED25519_KEY_SIZE],
                                                   int64_t asked, const struct receipt_head *head, uint64_t now_ms) {
    struct receipt_heads_day *day = find(heads, head->day);
    const bool is_new = day == NULL;
    if (is_new) {
        day = add(heads, head->day);
    }
    if (asked == STORE_RECEIPTS_NEWEST) {
        heads->newest = head->day;
        heads->newest_until_ms = now_ms + RECEIPT_HEADS_FRESH_MS;
    }
    if (!is_new && now_ms < day->fresh_until_ms) {
        return &day->file; /* several asked at once: the first one's is told to all */
    }
    if (is_new || !is_same(&day->file.head, head)) {
        day->file.head = *head;
        receipt_head_sign(key, head, &day->file.gateway);
        heads->signatures++;
    }
    day->fresh_until_ms = now_ms + RECEIPT_HEADS_FRESH_MS;
    return &day->file;
}
