/* The JSON shim: parse, visit everything with every accessor, write it out, parse that and compare. */
#include "base/buf.h"
#include "base/json_read.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 32 };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static void visit(struct json_value value, int depth) {
    check(depth <= MAX_DEPTH + 1);
    enum json_type type = json_type_of(value);
    struct str text;
    int64_t whole;
    double real;
    bool truth;
    check(json_as_bool(value, &truth) == (type == JSON_BOOL));
    check(json_as_double(value, &real) == (type == JSON_NUMBER));
    check(!json_as_int64(value, &whole) || (type == JSON_NUMBER && (double)whole == real));
    check(json_as_str(value, &text) == (type == JSON_STRING));
    check(type != JSON_STRING || utf8_valid(text.data, text.len));
    size_t count = 0;
    struct json_iterator iterator;
    struct str key;
    struct json_value item, found;
    for (json_iterate(value, &iterator); json_next(&iterator, &key, &item); count++) {
        if (type == JSON_OBJECT && memchr(key.data, 0, key.len) == NULL) {
            check(json_get(value, key.data, &found)); /* simdjson ends its strings with a NUL */
        }
        visit(item, depth + 1);
    }
    check(count == json_count(value));
    check(count == 0 || type == JSON_ARRAY || type == JSON_OBJECT);
}

static void compare(struct json_value a, struct json_value b) {
    check(json_type_of(a) == json_type_of(b) && json_count(a) == json_count(b));
    struct str text_a, text_b;
    double real_a, real_b;
    if (json_as_str(a, &text_a)) {
        check(json_as_str(b, &text_b) && str_equal(text_a, text_b));
    }
    if (json_as_double(a, &real_a)) {
        check(json_as_double(b, &real_b) && real_a == real_b);
    }
    struct json_iterator at_a, at_b;
    struct json_value item_a, item_b;
    json_iterate(a, &at_a);
    json_iterate(b, &at_b);
    while (json_next(&at_a, &text_a, &item_a)) {
        check(json_next(&at_b, &text_b, &item_b) && str_equal(text_a, text_b));
        compare(item_a, item_b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct json_parser *parser, *again;
    if (parser == NULL) {
        parser = json_parser_new(MAX_BYTES, MAX_DEPTH);
        again = json_parser_new(8 * MAX_BYTES, MAX_DEPTH);
    }
    struct json_value root, copy;
    struct err err = {0};
    if (!json_parse(parser, (struct str){.data = (const char *)data, .len = size}, &root, &err)) {
        check(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
        return 0;
    }
    visit(root, 0);
    struct buf text;
    buf_init(&text, 8 * MAX_BYTES);
    json_serialize(root, &text);
    check(!text.overflow && json_parse(again, buf_str(&text), &copy, &err));
    compare(root, copy);
    buf_clear(&text);
    return 0;
}
