#include "engine/upstream_sse.h"

#include <string.h>

void upstream_sse_init(struct upstream_sse *sse, bool (*on_event)(void *context, struct str data), void *context) {
    *sse = (struct upstream_sse){.on_event = on_event, .context = context};
    buf_init(&sse->line, UPSTREAM_EVENT_MAX);
    buf_init(&sse->data, UPSTREAM_EVENT_MAX);
}

void upstream_sse_clear(struct upstream_sse *sse) {
    buf_clear(&sse->line);
    buf_clear(&sse->data);
}

static bool end_event(struct upstream_sse *sse) {
    const bool has_data = sse->has_data;
    sse->has_data = false;
    const bool more = !has_data || sse->on_event(sse->context, buf_str(&sse->data));
    buf_reset(&sse->data);
    return more;
}

/* Other fields (event, id, retry) and comments say nothing that is needed here. */
static bool take_line(struct upstream_sse *sse, struct str line) {
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    if (line.len == 0) {
        return end_event(sse);
    }
    if (!str_starts_with(line, STR("data:"))) {
        return true;
    }
    const size_t skip = line.len > 5 && line.data[5] == ' ' ? 6 : 5;
    const bool joined = !sse->has_data || buf_append(&sse->data, "\n", 1);
    sse->has_data = true;
    return joined && buf_append(&sse->data, line.data + skip, line.len - skip);
}

bool upstream_sse_feed(struct upstream_sse *sse, struct str bytes) {
    while (bytes.len > 0) {
        const char *end = memchr(bytes.data, '\n', bytes.len);
        const size_t length = end != NULL ? (size_t)(end - bytes.data) : bytes.len;
        if (!buf_append(&sse->line, bytes.data, length)) {
            return false;
        }
        if (end == NULL) {
            return true;
        }
        const bool more = take_line(sse, buf_str(&sse->line));
        buf_reset(&sse->line);
        if (!more) {
            return false;
        }
        bytes = (struct str){end + 1, bytes.len - length - 1};
    }
    return true;
}

bool upstream_sse_end(struct upstream_sse *sse) {
    if (sse->line.len > 0 && !take_line(sse, buf_str(&sse->line))) {
        return false;
    }
    buf_reset(&sse->line);
    return end_event(sse);
}
