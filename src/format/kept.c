#include "format/kept.h"

static void write_most(struct json_writer *writer, const char *name, int64_t most) {
    if (most > 0) {
        json_member_int(writer, name, most);
    } else {
        json_member_cstr(writer, name, NULL);
    }
}

void kept_write(struct json_writer *writer, const struct store_kept_report *report) {
    json_write_key(writer, "kept");
    json_begin_object(writer);
    for (int kind = 0; kind < STORE_KEPT_KINDS; kind++) {
        json_write_key(writer, store_kept_name((enum store_kept)kind));
        json_begin_object(writer);
        json_member_int(writer, "rows", report->kept[kind].rows);
        write_most(writer, "rows_max", report->quota[kind].rows);
        json_member_int(writer, "bytes", report->kept[kind].bytes);
        write_most(writer, "bytes_max", report->quota[kind].bytes);
        json_end_object(writer);
    }
    json_end_object(writer);
}
