/* A json_value is a position on the tape of simdjson's DOM (its doc/tape.md); index 1 is the root. A zeroed value reads
 * as null. Nothing here throws: simdjson reports by code, and memory is had by mem_alloc or new(nothrow). */
#include "base/json_read.h"

#include "base/buf.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>

using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

namespace {

/* simdjson's buffers take some 14 bytes per byte of text and never shrink: after a text above this they are given back.
 */
constexpr size_t KEPT_CAPACITY = 256 * 1024;
constexpr size_t FIRST_CAPACITY = 4 * 1024;
/* Integers from this many digits on may not fit 64 bits. */
constexpr size_t LONG_INTEGER_DIGITS = 19;

tape_ref ref_of(json_value value) {
    return tape_ref(static_cast<const simdjson::dom::document *>(value.document), value.index);
}

tape_type tape_type_of(json_value value) {
    return value.document == nullptr ? tape_type::NULL_VALUE : ref_of(value).tape_ref_type();
}

bool is_container(tape_type type) {
    return type == tape_type::START_ARRAY || type == tape_type::START_OBJECT;
}

struct str str_of(std::string_view text) {
    return {text.data(), text.size()};
}

} // namespace

struct json_parser {
    simdjson::dom::parser simd{};
    std::unique_ptr<char[]> padded{}; /* the text, with the bytes behind it that simdjson may read */
    size_t capacity = 0;              /* bytes of text that fit without allocating */
    size_t max_bytes, max_depth;

    json_parser(size_t bytes, size_t depth) : max_bytes(bytes), max_depth(depth) {}
};

struct json_parser *json_parser_new(size_t max_bytes, size_t max_depth) {
    return new (mem_alloc(sizeof(json_parser))) json_parser(max_bytes, max_depth);
}

void json_parser_free(struct json_parser *parser) {
    if (parser != nullptr) {
        parser->~json_parser();
        free(parser);
    }
}

static const char *parse_error_words(simdjson::error_code code) {
    switch (static_cast<int>(code)) {
    case simdjson::EMPTY:
        return "the text is empty";
    case simdjson::DEPTH_ERROR:
        return "nested too deeply";
    case simdjson::STRING_ERROR:
        return "a string holds a bad escape";
    case simdjson::UNCLOSED_STRING:
        return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
        return "a string holds a control character that is not escaped";
    case simdjson::UTF8_ERROR:
        return "the text is not UTF-8";
    case simdjson::NUMBER_ERROR:
        return "a number is malformed or out of range";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
        return "a value is none of true, false, null, number, string, array, object";
    default:
        return "a comma, colon, bracket or value is missing or out of place";
    }
}

/* Grows everything one parse needs at once, to powers of two, so that texts of slowly growing size do not each
 * allocate. */
static bool parser_make_room(struct json_parser *parser, size_t len) {
    if (parser->capacity > KEPT_CAPACITY && len <= KEPT_CAPACITY) {
        parser->simd = simdjson::dom::parser();
        parser->padded.reset();
        parser->capacity = 0;
    }
    if (parser->capacity >= len && parser->capacity > 0) {
        return true;
    }
    size_t wanted = FIRST_CAPACITY;
    while (wanted < len) {
        wanted *= 2;
    }
    parser->capacity = 0;
    parser->padded.reset(new (std::nothrow) char[wanted + simdjson::SIMDJSON_PADDING]());
    if (!parser->padded || parser->simd.doc.allocate(wanted) != simdjson::SUCCESS ||
        parser->simd.allocate(wanted, parser->max_depth + 1) != simdjson::SUCCESS) {
        return false;
    }
    parser->capacity = wanted;
    return true;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The position behind the string that opens at `at`. */
static size_t skip_string(struct str text, size_t at) {
    for (at++; at < text.len && text.data[at] != '"'; at++) {
        if (text.data[at] == '\\') {
            at++;
        }
    }
    return at < text.len ? at + 1 : text.len;
}

/* The position behind the number at `at`; *digits counts them when it is an integer and is 0 otherwise. */
static size_t skip_number(struct str text, size_t at, size_t *digits) {
    size_t start = at;
    while (at < text.len && is_digit(text.data[at])) {
        at++;
    }
    *digits = at - start;
    while (at < text.len && (is_digit(text.data[at]) || text.data[at] == '.' || text.data[at] == 'e' ||
                             text.data[at] == 'E' || text.data[at] == '+' || text.data[at] == '-')) {
        at++;
        *digits = 0;
    }
    return at;
}

/* A copy of `text` in which integers of 19 digits or more have "e0" behind them: the same numbers, but simdjson reads
 * them as doubles, where an integer over 64 bits would be an error to it. Malformed text stays malformed. */
static void mark_long_integers(struct str text, struct buf *out) {
    size_t copied = 0;
    for (size_t at = 0; at < text.len;) {
        size_t digits = 0;
        if (text.data[at] == '"') {
            at = skip_string(text, at);
        } else if (is_digit(text.data[at])) {
            at = skip_number(text, at, &digits);
        } else {
            at++;
        }
        if (digits >= LONG_INTEGER_DIGITS) {
            buf_append(out, text.data + copied, at - copied);
            buf_append(out, "e0", 2);
            copied = at;
        }
    }
    buf_append(out, text.data + copied, text.len - copied);
}

static simdjson::error_code parse_text(struct json_parser *parser, struct str text) {
    if (!parser_make_room(parser, text.len)) {
        return simdjson::MEMALLOC;
    }
    if (text.len > 0) {
        std::memcpy(parser->padded.get(), text.data, text.len);
    }
    return parser->simd.parse(parser->padded.get(), text.len, false).error();
}

static simdjson::error_code parse_with_long_integers(struct json_parser *parser, struct str text) {
    simdjson::error_code code = parse_text(parser, text);
    if (code != simdjson::NUMBER_ERROR) {
        return code;
    }
    struct buf marked;
    buf_init(&marked, text.len + text.len / LONG_INTEGER_DIGITS * 2);
    mark_long_integers(text, &marked);
    code = parse_text(parser, buf_str(&marked));
    buf_clear(&marked);
    return code;
}

bool json_parse(struct json_parser *parser, struct str text, struct json_value *root, struct err *err) {
    if (text.len > parser->max_bytes) {
        return err_set(err, ERR_TOO_LARGE, "the JSON text is larger than %zu bytes", parser->max_bytes);
    }
    simdjson::error_code code = simdjson::UNEXPECTED_ERROR;
    try {
        code = parse_with_long_integers(parser, text);
    } catch (...) {
        /* simdjson promises not to throw; a broken promise must not unwind into C. */
        return err_set(err, ERR_INTERNAL, "the JSON parser failed");
    }
    if (code == simdjson::MEMALLOC) {
        return err_set(err, ERR_UNAVAILABLE, "not enough memory to read a JSON text of %zu bytes", text.len);
    }
    if (code != simdjson::SUCCESS) {
        return err_set(err, ERR_INVALID, "invalid JSON: %s", parse_error_words(code));
    }
    root->document = &parser->simd.doc;
    root->index = 1;
    return true;
}

enum json_type json_type_of(struct json_value value) {
    switch (tape_type_of(value)) {
    case tape_type::START_ARRAY:
        return JSON_ARRAY;
    case tape_type::START_OBJECT:
        return JSON_OBJECT;
    case tape_type::STRING:
        return JSON_STRING;
    case tape_type::INT64:
    case tape_type::UINT64:
    case tape_type::DOUBLE:
        return JSON_NUMBER;
    case tape_type::TRUE_VALUE:
    case tape_type::FALSE_VALUE:
        return JSON_BOOL;
    case tape_type::NULL_VALUE:
    case tape_type::ROOT:
    case tape_type::END_ARRAY:
    case tape_type::END_OBJECT:
        break;
    }
    return JSON_NULL;
}

const char *json_type_name(enum json_type type) {
    switch (type) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return "a boolean";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    }
    return "unknown";
}

bool json_get(struct json_value object, const char *key, struct json_value *out) {
    if (tape_type_of(object) != tape_type::START_OBJECT) {
        return false;
    }
    struct json_iterator iterator;
    struct str name;
    struct json_value item;
    struct str wanted = str_from(key);
    for (json_iterate(object, &iterator); json_next(&iterator, &name, &item);) {
        if (str_equal(name, wanted)) {
            *out = item;
            return true;
        }
    }
    return false;
}

bool json_get_given(struct json_value object, const char *key, struct json_value *out) {
    return json_get(object, key, out) && json_type_of(*out) != JSON_NULL;
}

bool json_as_str(struct json_value value, struct str *out) {
    if (tape_type_of(value) != tape_type::STRING) {
        return false;
    }
    *out = str_of(ref_of(value).get_string_view());
    return true;
}

bool json_as_int64(struct json_value value, int64_t *out) {
    tape_type type = tape_type_of(value);
    if (type == tape_type::INT64) {
        *out = ref_of(value).next_tape_value<int64_t>();
        return true;
    }
    if (type != tape_type::DOUBLE) {
        return false; /* simdjson uses UINT64 only for what is over INT64_MAX */
    }
    double number = ref_of(value).next_tape_value<double>();
    /* -2^63 itself is read as INT64: as a double it may have been a number below. */
    if (!(number > -0x1p63 && number < 0x1p63) || std::trunc(number) != number) {
        return false;
    }
    *out = static_cast<int64_t>(number);
    return true;
}

bool json_as_double(struct json_value value, double *out) {
    tape_type type = tape_type_of(value);
    if (type == tape_type::DOUBLE) {
        *out = ref_of(value).next_tape_value<double>();
    } else if (type == tape_type::INT64) {
        *out = static_cast<double>(ref_of(value).next_tape_value<int64_t>());
    } else if (type == tape_type::UINT64) {
        *out = static_cast<double>(ref_of(value).next_tape_value<uint64_t>());
    } else {
        return false;
    }
    return true;
}

bool json_as_bool(struct json_value value, bool *out) {
    tape_type type = tape_type_of(value);
    if (type != tape_type::TRUE_VALUE && type != tape_type::FALSE_VALUE) {
        return false;
    }
    *out = type == tape_type::TRUE_VALUE;
    return true;
}

size_t json_count(struct json_value value) {
    if (!is_container(tape_type_of(value))) {
        return 0;
    }
    size_t count = ref_of(value).scope_count();
    if (count < simdjson::internal::JSON_COUNT_MASK) {
        return count;
    }
    /* The tape's counter is full. */
    struct json_iterator iterator;
    struct json_value item;
    count = 0;
    for (json_iterate(value, &iterator); json_next(&iterator, nullptr, &item);) {
        count++;
    }
    return count;
}

void json_iterate(struct json_value container, struct json_iterator *iterator) {
    iterator->container = container;
    iterator->cursor = is_container(tape_type_of(container)) ? container.index + 1 : 0;
}

bool json_next(struct json_iterator *iterator, struct str *key, struct json_value *item) {
    if (iterator->cursor == 0) {
        return false;
    }
    tape_ref at = ref_of({iterator->container.document, iterator->cursor});
    tape_type type = at.tape_ref_type();
    if (type == tape_type::END_ARRAY || type == tape_type::END_OBJECT) {
        iterator->cursor = 0;
        return false;
    }
    struct str name = {"", 0};
    if (tape_type_of(iterator->container) == tape_type::START_OBJECT) {
        name = str_of(at.get_string_view());
        at.json_index++;
    }
    if (key != nullptr) {
        *key = name;
    }
    *item = {at.doc, at.json_index};
    iterator->cursor = at.after_element();
    return true;
}

static void serialize_string(struct str text, struct buf *out) {
    buf_append(out, "\"", 1);
    json_escape(out, text);
    buf_append(out, "\"", 1);
}

static void serialize_scalar(json_value value, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    tape_type type = tape_type_of(value);
    struct str text;
    double real;
    bool truth;
    if (json_as_str(value, &text)) {
        serialize_string(text, out);
    } else if (json_as_bool(value, &truth)) {
        json_write_bool(&writer, truth);
    } else if (type == tape_type::INT64) {
        json_write_int(&writer, ref_of(value).next_tape_value<int64_t>());
    } else if (type == tape_type::UINT64) {
        buf_append_u64(out, ref_of(value).next_tape_value<uint64_t>());
    } else if (json_as_double(value, &real)) {
        json_write_double(&writer, real);
    } else {
        json_write_null(&writer);
    }
}

/* Recursion goes as deep as the parser's max_depth allowed. */
void json_serialize(struct json_value value, struct buf *out) {
    tape_type type = tape_type_of(value);
    if (!is_container(type)) {
        serialize_scalar(value, out);
        return;
    }
    bool object = type == tape_type::START_OBJECT;
    bool first = true;
    struct json_iterator iterator;
    struct str key;
    struct json_value item;
    buf_append(out, object ? "{" : "[", 1);
    for (json_iterate(value, &iterator); json_next(&iterator, &key, &item); first = false) {
        if (!first) {
            buf_append(out, ",", 1);
        }
        if (object) {
            serialize_string(key, out);
            buf_append(out, ":", 1);
        }
        json_serialize(item, out);
    }
    buf_append(out, object ? "}" : "]", 1);
}
