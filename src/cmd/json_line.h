/* The line of JSON that a command prints with --json when it makes the answer itself. */
#ifndef NATARIS_CMD_JSON_LINE_H
#define NATARIS_CMD_JSON_LINE_H

#include "base/json_write.h"

#include <stddef.h>
#include <stdint.h>

struct json_line {
    struct buf text;
    struct json_writer writer; /* writes into the text */
};

/* `limit` in bytes is a bound that no answer reaches. */
void json_line_begin(struct json_line *line, size_t limit);
/* Prints the text and a line break on stdout, flushes it, and frees the line. */
void json_line_print(struct json_line *line);

/* Members as the API writes them: dollars as a number; a time in UTC, null for 0; a count, null for 0. */
void json_line_usd(struct json_line *line, const char *key, int64_t nano);
void json_line_time(struct json_line *line, const char *key, int64_t wall_ms);
void json_line_count(struct json_line *line, const char *key, uint64_t count);

#endif
