#include "cmd/json_line.h"

#include "base/clock.h"
#include "base/money.h"

#include <stdio.h>

void json_line_begin(struct json_line *line, size_t limit) {
    buf_init(&line->text, limit);
    json_writer_init(&line->writer, &line->text);
}

void json_line_print(struct json_line *line) {
    printf("%s\n", buf_cstr(&line->text));
    (void)fflush(stdout); /* who waits for the line may read it through a pipe */
    buf_clear(&line->text);
}

void json_line_usd(struct json_line *line, const char *key, int64_t nano) {
    char text[MONEY_TEXT_SIZE];
    json_write_key(&line->writer, key);
    json_write_raw(&line->writer, str_from(money_format_usd(nano, text)));
}

void json_line_time(struct json_line *line, const char *key, int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    json_member_cstr(&line->writer, key, wall_ms != 0 ? text : NULL);
}

void json_line_count(struct json_line *line, const char *key, uint64_t count) {
    json_write_key(&line->writer, key);
    if (count > 0) {
        json_write_int(&line->writer, (int64_t)count);
    } else {
        json_write_null(&line->writer);
    }
}
