#include "link/writer.h"

#include "base/digest.h"

enum { BYTES_MAX = 64, BASE64_SIZE = 4 * ((BYTES_MAX + 2) / 3) + 1 };

struct json_writer link_writer_begin(struct buf *out, const char *type) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "type", type);
    return writer;
}

void link_writer_count(struct json_writer *writer, const char *key, uint64_t value) {
    json_member_int(writer, key, (int64_t)value);
}

void link_writer_known_count(struct json_writer *writer, const char *key, uint64_t value) {
    if (value > 0) {
        link_writer_count(writer, key, value);
    }
}

void link_writer_flag(struct json_writer *writer, const char *key, bool value) {
    if (value) {
        json_member_bool(writer, key, true);
    }
}

void link_writer_fact(struct json_writer *writer, const char *key, struct str value) {
    if (value.len > 0) {
        json_member_str(writer, key, value);
    }
}

void link_writer_bytes(struct json_writer *writer, const char *key, const uint8_t *bytes, size_t len) {
    char text[BASE64_SIZE];
    digest_base64_encode(bytes, len, text);
    json_member_cstr(writer, key, text);
}
