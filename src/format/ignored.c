#include "format/ignored.h"

#include "base/buf.h"
#include "base/json_write.h"
#include "base/utf8.h"

#include <string.h>

/* Every byte escaped, and what stands around. */
enum { MEMBERS_BYTES = IGNORED_NAMES_MAX * (6 * IGNORED_NAME_BYTES + 4) + 128 };

static bool is_there(const struct ignored *ignored, const struct ignored_name *name) {
    for (size_t i = 0; i < ignored->count; i++) {
        if (ignored->names[i].len == name->len && memcmp(ignored->names[i].text, name->text, name->len) == 0) {
            return true;
        }
    }
    return false;
}

void ignored_add(struct ignored *ignored, const char *where, struct str name) {
    struct ignored_name made = {.len = strlen(where)};
    size_t room = sizeof(made.text) - made.len;
    if (name.len <= room) {
        room = name.len;
    } else {
        room = utf8_whole_prefix(name.data, room);
    }
    memcpy(made.text, where, made.len);
    if (room > 0) {
        memcpy(made.text + made.len, name.data, room);
        made.len += room;
    }
    if (is_there(ignored, &made)) {
        return;
    }
    if (ignored->count == IGNORED_NAMES_MAX) {
        ignored->more++;
        return;
    }
    ignored->names[ignored->count++] = made;
}

bool ignored_members(const struct ignored *ignored, struct arena *arena, struct str *out, struct err *err) {
    struct json_writer writer;
    struct buf text;
    *out = STR("");
    if (ignored->count == 0) {
        return true;
    }
    buf_init(&text, MEMBERS_BYTES);
    json_writer_init(&writer, &text);
    json_write_key(&writer, "ignored");
    json_begin_array(&writer);
    for (size_t i = 0; i < ignored->count; i++) {
        json_write_str(&writer, (struct str){.data = ignored->names[i].text, .len = ignored->names[i].len});
    }
    json_end_array(&writer);
    if (ignored->more > 0) {
        json_member_int(&writer, "ignored_more", (int64_t)ignored->more);
    }
    *out = arena_copy(arena, buf_str(&text));
    buf_clear(&text);
    return out->data != NULL || err_set(err, ERR_TOO_LARGE, "The request is too large.");
}
