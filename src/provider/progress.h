/* Progress of downloads on standard error: a bar when that is a terminal, else a plain line now and then. */
#ifndef NATARIS_PROVIDER_PROGRESS_H
#define NATARIS_PROVIDER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress;

/* The place all downloads of a provider share: a terminal has one line, which shows one of them at a time. */
struct progress_line {
    int fd; /* -1: quiet */
    bool terminal;
    const struct progress *shown;
};
void progress_line_init(struct progress_line *line, bool quiet);

struct progress {
    struct progress_line *line;
    const char *name; /* borrowed */
    uint64_t seen_ms, seen_bytes, said_ms;
    double speed; /* bytes per second, smoothed */
    unsigned said_tenth;
    bool begun;
};
void progress_init(struct progress *progress, struct progress_line *line, const char *name);
/* `total` 0: unknown. */
void progress_show(struct progress *progress, uint64_t now_ms, uint64_t done, uint64_t total);
/* Clears the bar; another download may use the line. */
void progress_end(struct progress *progress);
/* "name  43%  42.1/98.4 MB  12 MB/s" */
void progress_format(const struct progress *progress, uint64_t done, uint64_t total, char *out, size_t out_size);

#endif
