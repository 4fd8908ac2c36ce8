#include "base/json_values.h"

#include "base/clock.h"
#include "base/money.h"

void json_member_time(struct json_writer *writer, const char *key, int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    if (wall_ms == 0) {
        json_member_cstr(writer, key, NULL);
        return;
    }
    clock_format_utc(wall_ms, text);
    json_member_cstr(writer, key, text);
}

void json_member_usd(struct json_writer *writer, const char *key, int64_t nano) {
    char text[MONEY_TEXT_SIZE];
    json_write_key(writer, key);
    json_write_raw(writer, str_from(money_format_usd(nano, text)));
}

void json_member_text(struct json_writer *writer, const char *key, struct str text) {
    if (text.len > 0) {
        json_member_str(writer, key, text);
    } else {
        json_member_cstr(writer, key, NULL);
    }
}
