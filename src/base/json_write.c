#include "base/json_write.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_writer_init(struct json_writer *writer, struct buf *out) {
    *writer = (struct json_writer){.out = out};
}

static void json_before_value(struct json_writer *writer) {
    if (writer->need_comma) {
        buf_append(writer->out, ",", 1);
    }
    writer->need_comma = true;
}

static void json_open(struct json_writer *writer, const char *bracket) {
    json_before_value(writer);
    buf_append(writer->out, bracket, 1);
    writer->need_comma = false;
}

static void json_close(struct json_writer *writer, const char *bracket) {
    buf_append(writer->out, bracket, 1);
    writer->need_comma = true;
}

void json_begin_object(struct json_writer *writer) {
    json_open(writer, "{");
}

void json_end_object(struct json_writer *writer) {
    json_close(writer, "}");
}

void json_begin_array(struct json_writer *writer) {
    json_open(writer, "[");
}

void json_end_array(struct json_writer *writer) {
    json_close(writer, "]");
}

/* In one piece: keys are half of what is written. */
void json_write_key(struct json_writer *writer, const char *key) {
    size_t len = strlen(key);
    char *place = buf_reserve(writer->out, len + 4);
    if (place != NULL) {
        char *at = place;
        if (writer->need_comma) {
            *at++ = ',';
        }
        *at++ = '"';
        memcpy(at, key, len);
        at += len;
        *at++ = '"';
        *at++ = ':';
        writer->out->len += (size_t)(at - place);
    }
    writer->need_comma = false;
}

void json_write_key_str(struct json_writer *writer, struct str key) {
    json_write_str(writer, key);
    buf_append(writer->out, ":", 1);
    writer->need_comma = false;
}

void json_write_str(struct json_writer *writer, struct str value) {
    json_before_value(writer);
    buf_append(writer->out, "\"", 1);
    json_escape(writer->out, value);
    buf_append(writer->out, "\"", 1);
}

void json_write_cstr(struct json_writer *writer, const char *value) {
    if (value == NULL) {
        json_write_null(writer);
    } else {
        json_write_str(writer, str_from(value));
    }
}

void json_write_int(struct json_writer *writer, int64_t value) {
    json_before_value(writer);
    if (value < 0) {
        buf_append(writer->out, "-", 1);
    }
    buf_append_u64(writer->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* What people write, such as 0.7, at a fiftieth of the general way's cost. False: not a decimal of four places. */
static bool json_write_decimal(struct json_writer *writer, double value) {
    enum { UNIT = 10000 };
    double size = fabs(value);
    if (!(size < 1e9)) {
        return false;
    }
    uint64_t scaled = (uint64_t)(size * UNIT + 0.5);
    if ((double)scaled / UNIT != size) { /* both sides are the double nearest to that decimal, or it is another one */
        return false;
    }
    json_before_value(writer);
    if (signbit(value)) {
        buf_append(writer->out, "-", 1);
    }
    buf_append_u64(writer->out, scaled / UNIT);
    uint64_t rest = scaled % UNIT;
    if (rest > 0) {
        char text[] = {'.', (char)('0' + rest / 1000), (char)('0' + rest / 100 % 10), (char)('0' + rest / 10 % 10),
                       (char)('0' + rest % 10)};
        size_t len = sizeof(text);
        while (text[len - 1] == '0') {
            len--;
        }
        buf_append(writer->out, text, len);
    }
    return true;
}

void json_write_double(struct json_writer *writer, double value) {
    if (!isfinite(value)) {
        json_write_null(writer);
        return;
    }
    if (value == 0) {
        value = 0; /* not "-0": readers take that for the integer 0, and would write another text */
    }
    if (json_write_decimal(writer, value)) {
        return;
    }
    char text[32];
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    /* The decimal point of the locale, if it is another one. */
    char *point = text + strspn(text, "+-0123456789e");
    if (*point != '\0') {
        *point = '.';
    }
    json_before_value(writer);
    buf_append(writer->out, text, (size_t)length);
}

void json_write_bool(struct json_writer *writer, bool value) {
    json_before_value(writer);
    buf_append_cstr(writer->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *writer) {
    json_before_value(writer);
    buf_append(writer->out, "null", 4);
}

void json_write_raw(struct json_writer *writer, struct str json) {
    json_before_value(writer);
    buf_append_str(writer->out, json);
}

void json_member_str(struct json_writer *writer, const char *key, struct str value) {
    json_write_key(writer, key);
    json_write_str(writer, value);
}

void json_member_cstr(struct json_writer *writer, const char *key, const char *value) {
    json_write_key(writer, key);
    json_write_cstr(writer, value);
}

void json_member_int(struct json_writer *writer, const char *key, int64_t value) {
    json_write_key(writer, key);
    json_write_int(writer, value);
}

void json_member_double(struct json_writer *writer, const char *key, double value) {
    json_write_key(writer, key);
    json_write_double(writer, value);
}

void json_member_bool(struct json_writer *writer, const char *key, bool value) {
    json_write_key(writer, key);
    json_write_bool(writer, value);
}

static bool json_is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* How many bytes from `at` on need neither an escape nor UTF-8 checking; eight at a time where possible. */
static size_t json_plain_run(const char *data, size_t at, size_t len) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    size_t start = at;
    uint64_t word;
    while (len - at >= sizeof(word)) {
        memcpy(&word, data + at, sizeof(word));
        /* (x - ones) & ~x & tops is not zero where a byte of x is zero; with 0x20 for ones: where one is below 0x20. */
        uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
        uint64_t special = (quote - ones) | (backslash - ones) | (word - ones * 0x20) | word;
        if ((special & tops) != 0) {
            break;
        }
        at += sizeof(word);
    }
    while (at < len && json_is_plain((unsigned char)data[at])) {
        at++;
    }
    return at - start;
}

static bool json_escape_byte(struct buf *out, unsigned char byte) {
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
    switch (byte) {
    case '"':
    case '\\':
        text[1] = (char)byte;
        break;
    case '\n':
        text[1] = 'n';
        break;
    case '\r':
        text[1] = 'r';
        break;
    case '\t':
        text[1] = 't';
        break;
    case '\b':
        text[1] = 'b';
        break;
    case '\f':
        text[1] = 'f';
        break;
    default:
        return buf_append(out, text, sizeof(text));
    }
    return buf_append(out, text, 2);
}

/* Writes what stands at the front of `data`, a byte that is not plain, and says how long it was. */
static bool json_escape_special(struct buf *out, const char *data, size_t len, size_t *used) {
    if ((unsigned char)data[0] < 0x80) {
        *used = 1;
        return json_escape_byte(out, (unsigned char)data[0]);
    }
    bool valid;
    *used = utf8_sequence(data, len, &valid);
    return valid ? buf_append(out, data, *used) : buf_append(out, "\xef\xbf\xbd", 3);
}

bool json_escape(struct buf *out, struct str text) {
    size_t start = out->len, at = 0;
    while (at < text.len) {
        size_t run = json_plain_run(text.data, at, text.len);
        bool fits = run == 0 || buf_append(out, text.data + at, run);
        at += run;
        if (fits && at < text.len) {
            size_t used;
            fits = json_escape_special(out, text.data + at, text.len - at, &used);
            at += used;
        }
        if (!fits) {
            out->len = start;
            return false;
        }
    }
    return true;
}
