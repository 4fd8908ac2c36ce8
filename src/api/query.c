#include "api/query.h"

static int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool query_decode(struct str text, char *out, size_t size, struct str *decoded) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i];
        if (len == size) {
            return false;
        }
        if (byte == '%') {
            int high = text.len - i > 2 ? hex_value(text.data[i + 1]) : -1;
            int low = high >= 0 ? hex_value(text.data[i + 2]) : -1;
            if (low < 0) {
                return false;
            }
            byte = (char)(high * 16 + low);
            i += 2;
        }
        out[len++] = byte;
    }
    *decoded = (struct str){.data = out, .len = len};
    return true;
}

bool query_find(struct str query, const char *name, struct str *value) {
    while (query.len > 0) {
        struct str pair, key;
        (void)str_split(query, '&', &pair, &query); /* the tail is empty without a separator */
        (void)str_split(pair, '=', &key, value);
        if (str_equal_cstr(key, name)) {
            return true;
        }
    }
    return false;
}
