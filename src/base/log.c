#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LOG_VALUE_MAX = 1024, LOG_LINE_MAX = 32 * 1024 };

static const char *const log_level_names[] = {"debug", "info", "warn", "error"};
int log_threshold = LOG_INFO;

void log_set_level(enum log_level level) {
    __atomic_store_n(&log_threshold, (int)level, __ATOMIC_RELAXED);
}

bool log_level_from_name(const char *name, enum log_level *out) {
    for (size_t i = 0; i < COUNT_OF(log_level_names); i++) {
        if (strcmp(name, log_level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* One character of a value, escaped when a terminal or a line reader could take it for something else: controls,
 * marks of direction, malformed bytes, quotes and backslashes. */
static size_t log_append_character(struct buf *line, const char *text, size_t len) {
    bool valid;
    size_t used = utf8_sequence(text, len, &valid);
    unsigned char first = (unsigned char)text[0];
    if (first == '"' || first == '\\') {
        buf_append_format(line, "\\%c", first);
    } else if (first == '\n') {
        buf_append_cstr(line, "\\n");
    } else if (!valid || utf8_steers(text, used)) {
        for (size_t i = 0; i < used; i++) {
            buf_append_format(line, "\\x%02x", (unsigned char)text[i]);
        }
    } else {
        buf_append(line, text, used);
    }
    return used;
}

static void log_append_text(struct buf *line, const char *text) {
    size_t len = strlen(text);
    bool cut = len > LOG_VALUE_MAX;
    if (cut) {
        len = utf8_whole_prefix(text, LOG_VALUE_MAX);
    }
    bool quoted = cut || strcspn(text, " =\"\\") < len;
    for (size_t i = 0; i < len && !quoted; i++) {
        unsigned char byte = (unsigned char)text[i];
        quoted = byte < 0x20 || byte >= 0x7f;
    }
    if (!quoted) {
        buf_append(line, text, len);
        return;
    }
    buf_append(line, "\"", 1);
    for (size_t at = 0; at < len;) {
        at += log_append_character(line, text + at, len - at);
    }
    buf_append_cstr(line, cut ? "...(cut)\"" : "\"");
}

static void log_append_field(struct buf *line, const struct log_field *field) {
    buf_append_format(line, " %s=", field->name);
    switch (field->kind) {
    case LOG_FIELD_END:
        break;
    case LOG_FIELD_TEXT:
        if (field->text != NULL) {
            log_append_text(line, field->text);
        }
        break;
    case LOG_FIELD_INT:
        if (field->number < 0) {
            buf_append(line, "-", 1);
        }
        buf_append_u64(line, field->number < 0 ? 0 - (uint64_t)field->number : (uint64_t)field->number);
        break;
    case LOG_FIELD_REAL:
        buf_append_format(line, "%.6g", field->real);
        break;
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields) {
    char time_text[CLOCK_TEXT_SIZE];
    clock_format_utc(clock_wall_ms(), time_text);
    struct buf line;
    buf_init(&line, LOG_LINE_MAX);
    buf_append_format(&line, "%s %s %s", time_text, log_level_names[level], event);
    for (const struct log_field *field = fields; field->kind != LOG_FIELD_END; field++) {
        size_t before = line.len;
        log_append_field(&line, field);
        if (line.overflow || line.len == LOG_LINE_MAX) {
            line.len = before; /* whole fields only, and room for the newline */
            break;
        }
    }
    line.overflow = false;
    buf_append(&line, "\n", 1);
    while (write(STDERR_FILENO, line.data, line.len) < 0 && errno == EINTR) {
    }
    buf_clear(&line);
}
