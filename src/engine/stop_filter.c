#include "engine/stop_filter.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Held text is shorter than the longest stop string; what one feed adds on top is a token's text. */
enum { STOP_FILTER_HELD_MAX = 1024 * 1024 };

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

void stop_filter_init(struct stop_filter *filter, const struct str *stops, size_t stop_count) {
    *filter = (struct stop_filter){0};
    buf_init(&filter->held, STOP_FILTER_HELD_MAX);
    for (size_t i = 0; i < stop_count && filter->stop_count < LIMIT_STOP_STRINGS; i++) {
        if (stops[i].len > 0) {
            filter->numbers[filter->stop_count] = (uint32_t)i + 1;
            filter->stops[filter->stop_count++] = (struct str){mem_strndup(stops[i].data, stops[i].len), stops[i].len};
        }
    }
}

void stop_filter_clear(struct stop_filter *filter) {
    for (size_t i = 0; i < filter->stop_count; i++) {
        free((void *)filter->stops[i].data);
    }
    buf_clear(&filter->held);
    *filter = (struct stop_filter){0};
}

/* Appends `bytes` with every invalid byte replaced; returns how many bytes at the end are an incomplete character. */
static size_t append_valid(struct buf *out, struct str bytes) {
    size_t at = 0;
    while (at < bytes.len) {
        size_t length = 1;
        while (length < 4 && at + length < bytes.len && !utf8_valid(bytes.data + at, length)) {
            length++;
        }
        if (utf8_valid(bytes.data + at, length)) {
            buf_append(out, bytes.data + at, length);
            at += length;
        } else if (length < 4 && utf8_whole_prefix(bytes.data + at, bytes.len - at) == 0) {
            return bytes.len - at;
        } else {
            buf_append(out, REPLACEMENT, sizeof(REPLACEMENT) - 1);
            at++;
        }
    }
    return 0;
}

/* Moves `bytes` behind the held text as valid UTF-8, joined with the incomplete character of the last call. */
static void take_bytes(struct stop_filter *filter, struct str bytes) {
    if (filter->partial_len == 0 && utf8_valid(bytes.data, bytes.len)) {
        buf_append_str(&filter->held, bytes);
        return;
    }
    struct buf joined;
    buf_init(&joined, STOP_FILTER_HELD_MAX);
    buf_append(&joined, filter->partial, filter->partial_len);
    buf_append_str(&joined, bytes);
    size_t incomplete = append_valid(&filter->held, buf_str(&joined));
    if (incomplete > 0) {
        memcpy(filter->partial, joined.data + joined.len - incomplete, incomplete);
    }
    filter->partial_len = incomplete;
    buf_clear(&joined);
}

/* Looks for the stop string that ends first, at or after `from`; *start is where it begins. Of those that end there the
 * longest counts. */
static bool find_stop(struct stop_filter *filter, size_t from, size_t *start) {
    const struct buf *held = &filter->held;
    for (size_t end = from + 1; end <= held->len; end++) {
        bool found = false;
        for (size_t i = 0; i < filter->stop_count; i++) {
            struct str stop = filter->stops[i];
            if (stop.len > end || memcmp(held->data + end - stop.len, stop.data, stop.len) != 0) {
                continue;
            }
            if (!found || end - stop.len < *start) {
                *start = end - stop.len;
                filter->stopped_by = filter->numbers[i];
            }
            found = true;
        }
        if (found) {
            return true;
        }
    }
    return false;
}

/* Where the held text starts to look like the beginning of a stop string; its length when nowhere. */
static size_t find_beginning(const struct stop_filter *filter) {
    const struct buf *held = &filter->held;
    size_t longest = 0;
    for (size_t i = 0; i < filter->stop_count; i++) {
        longest = filter->stops[i].len > longest ? filter->stops[i].len : longest;
    }
    size_t at = held->len >= longest ? held->len - longest + 1 : 0;
    for (; longest > 0 && at < held->len; at++) {
        size_t rest = held->len - at;
        for (size_t i = 0; i < filter->stop_count; i++) {
            if (filter->stops[i].len > rest && memcmp(held->data + at, filter->stops[i].data, rest) == 0) {
                return at;
            }
        }
    }
    return held->len;
}

bool stop_filter_feed(struct stop_filter *filter, struct str bytes, struct buf *out) {
    size_t before = filter->held.len;
    if (bytes.len == 0) {
        return false;
    }
    take_bytes(filter, bytes);
    size_t start = 0;
    bool stopped = filter->stop_count > 0 && find_stop(filter, before, &start);
    size_t ready = stopped ? start : find_beginning(filter);
    if (ready > 0) {
        buf_append(out, filter->held.data, ready);
    }
    if (stopped) {
        buf_reset(&filter->held);
        filter->partial_len = 0;
    } else {
        buf_consume(&filter->held, ready);
    }
    return stopped;
}

void stop_filter_finish(struct stop_filter *filter, struct buf *out) {
    buf_append_str(out, buf_str(&filter->held));
    buf_reset(&filter->held);
    filter->partial_len = 0;
}

bool stop_filter_holds(const struct stop_filter *filter) {
    return filter->held.len > 0 || filter->partial_len > 0;
}
