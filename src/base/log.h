/* Structured logs: one logfmt line per event on stderr,
 *   2026-01-25T10:00:00.000Z info http.request request_id=req_x method=POST status=200 ms=12
 * Control characters, quotes and invalid UTF-8 in values are escaped, so that no input forges a line. Thread-safe: a
 * line is one write(2). Keys, prompts and answers never go in. */
#ifndef NATARIS_BASE_LOG_H
#define NATARIS_BASE_LOG_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level); /* default LOG_INFO */
bool log_level_from_name(const char *name, enum log_level *out);

struct log_field {
    enum { LOG_FIELD_END, LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_REAL } kind;
    const char *name;
    const char *text; /* NULL logs as an empty value */
    int64_t number;
    double real;
};
#define LOG_TEXT(field_name, value) ((struct log_field){.kind = LOG_FIELD_TEXT, .name = (field_name), .text = (value)})
#define LOG_INT(field_name, value)                                                                                     \
    ((struct log_field){.kind = LOG_FIELD_INT, .name = (field_name), .number = (int64_t)(value)})
#define LOG_REAL(field_name, value) ((struct log_field){.kind = LOG_FIELD_REAL, .name = (field_name), .real = (value)})

/* `event` is a dotted constant such as "link.closed". Values are quoted when they hold a space, '=' or a quote. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);
/* The level from which on lines are written; set by log_set_level alone. Looked at without a call: most lines are not
 * wanted. */
extern int log_threshold;
#define LOG_ENABLED(level) ((int)(level) >= __atomic_load_n(&log_threshold, __ATOMIC_RELAXED))

#define LOG_AT(level, event, ...)                                                                                      \
    do {                                                                                                               \
        if (LOG_ENABLED(level)) {                                                                                      \
            log_write((level), (event),                                                                                \
                      (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_FIELD_END}});                  \
        }                                                                                                              \
    } while (0)
#define LOG_DEBUG_EVENT(event, ...) LOG_AT(LOG_DEBUG, event, __VA_ARGS__)
#define LOG_INFO_EVENT(event, ...) LOG_AT(LOG_INFO, event, __VA_ARGS__)
#define LOG_WARN_EVENT(event, ...) LOG_AT(LOG_WARN, event, __VA_ARGS__)
#define LOG_ERROR_EVENT(event, ...) LOG_AT(LOG_ERROR, event, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
