#include "provider/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 256, SAY_EVERY_MS = 5000, MEASURE_MS = 200 };

void progress_line_init(struct progress_line *line, bool quiet) {
    *line = (struct progress_line){.fd = quiet ? -1 : STDERR_FILENO, .terminal = isatty(STDERR_FILENO) == 1};
}

void progress_init(struct progress *progress, struct progress_line *line, const char *name) {
    *progress = (struct progress){.line = line, .name = name};
}

void progress_format(const struct progress *progress, uint64_t done, uint64_t total, char *out, size_t out_size) {
    double speed = progress->speed / 1e6;
    int len = total > 0 ? snprintf(out, out_size, "%s %3u%%  %.1f/%.1f MB", progress->name,
                                   (unsigned)(done * 100 / total), (double)done / 1e6, (double)total / 1e6)
                        : snprintf(out, out_size, "%s  %.1f MB", progress->name, (double)done / 1e6);
    if (len > 0 && (size_t)len < out_size && speed > 0) {
        snprintf(out + len, out_size - (size_t)len, "  %.*f MB/s", speed < 10 ? 1 : 0, speed);
    }
}

static void say(const struct progress *progress, const char *text) {
    while (write(progress->line->fd, text, strlen(text)) < 0 && errno == EINTR) {
    }
}

static void measure(struct progress *progress, uint64_t now_ms, uint64_t done) {
    if (!progress->begun || done < progress->seen_bytes) { /* what was there before was not fetched now */
        progress->speed = 0;
        progress->seen_ms = now_ms;
        progress->seen_bytes = done;
    }
    uint64_t passed = now_ms - progress->seen_ms;
    if (passed >= MEASURE_MS) {
        double speed = (double)(done - progress->seen_bytes) * 1000.0 / (double)passed;
        progress->speed = progress->speed > 0 ? 0.8 * progress->speed + 0.2 * speed : speed;
        progress->seen_ms = now_ms;
        progress->seen_bytes = done;
    }
}

static void show_bar(struct progress *progress, uint64_t done, uint64_t total) {
    char text[LINE_MAX_BYTES];
    char bar[LINE_MAX_BYTES + 16];
    if (progress->line->shown == NULL) {
        progress->line->shown = progress;
    }
    if (progress->line->shown == progress) {
        /* The cursor goes back to the line's start, so that a log line overwrites the bar instead of following it. */
        progress_format(progress, done, total, text, sizeof(text));
        snprintf(bar, sizeof(bar), "\r\x1b[K%s\r", text);
        say(progress, bar);
    }
}

static void show_plain(struct progress *progress, uint64_t now_ms, uint64_t done, uint64_t total) {
    char text[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES + 2];
    unsigned tenth = total > 0 ? (unsigned)(done * 10 / total) : 0;
    if (progress->begun && tenth <= progress->said_tenth && now_ms - progress->said_ms < SAY_EVERY_MS) {
        return;
    }
    progress->said_tenth = tenth;
    progress->said_ms = now_ms;
    progress_format(progress, done, total, text, sizeof(text));
    snprintf(line, sizeof(line), "%s\n", text);
    say(progress, line);
}

void progress_show(struct progress *progress, uint64_t now_ms, uint64_t done, uint64_t total) {
    measure(progress, now_ms, done);
    if (progress->line->fd < 0) {
        progress->begun = true;
        return;
    }
    if (progress->line->terminal) {
        show_bar(progress, done, total);
    } else {
        show_plain(progress, now_ms, done, total);
    }
    progress->begun = true;
}

void progress_end(struct progress *progress) {
    if (progress->line->shown == progress) {
        progress->line->shown = NULL;
        say(progress, "\r\x1b[K");
    }
    progress->begun = false;
    progress->said_tenth = 0;
}
