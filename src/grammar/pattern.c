#include "grammar/pattern.h"

#include "base/utf8.h"
#include "grammar/charset.h"

#include <inttypes.h>

enum {
    PATTERN_DEPTH_MAX = 16,
    PATTERN_STEPS_MAX = 2000, /* of all nested repetitions together */
};

struct pattern_reader {
    struct gbnf *gbnf;
    struct buf *body;
    struct str rest;
    struct err *err;
    uint32_t depth;
};

/* What was read: whether it may be empty, and how much repeating it repeats. */
struct piece {
    bool empty;
    uint32_t steps;
};

static bool is_wrong(const struct pattern_reader *reader, const char *what) {
    return err_set(reader->err, ERR_INVALID, "is not a regular expression: %s.", what);
}

static bool is_beyond(const struct pattern_reader *reader, const char *what) {
    return err_set(reader->err, ERR_UNSUPPORTED, "has %s, which a grammar cannot express.", what);
}

static bool looking_at(const struct pattern_reader *reader, const char *text) {
    return str_starts_with(reader->rest, str_from(text));
}

static void skip(struct pattern_reader *reader, size_t count) {
    reader->rest.data += count;
    reader->rest.len -= count;
}

static bool take(struct pattern_reader *reader, const char *text) {
    const bool found = looking_at(reader, text);
    if (found) {
        skip(reader, str_from(text).len);
    }
    return found;
}

static uint32_t take_character(struct pattern_reader *reader) {
    size_t used = 0;
    const uint32_t character = charset_decode(reader->rest, &used);
    skip(reader, used);
    return character;
}

/* --- Escapes --- */

static bool take_hex(struct pattern_reader *reader, size_t digits, uint32_t *out) {
    *out = 0;
    if (reader->rest.len < digits) {
        return is_wrong(reader, "an escape has too few digits");
    }
    for (size_t i = 0; i < digits; i++) {
        const char c = reader->rest.data[i];
        const char lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9') {
            *out = *out * 16 + (uint32_t)(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *out = *out * 16 + (uint32_t)(lower - 'a') + 10;
        } else {
            return is_wrong(reader, "an escape has too few digits");
        }
    }
    skip(reader, digits);
    return true;
}

/* \uXXXX, of which two may be a pair of surrogates. */
static bool take_unicode(struct pattern_reader *reader, uint32_t *out) {
    uint32_t low;
    if (!take_hex(reader, 4, out)) {
        return false;
    }
    if (*out >= 0xD800 && *out <= 0xDBFF && take(reader, "\\u")) {
        if (!take_hex(reader, 4, &low)) {
            return false;
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return is_beyond(reader, "half a surrogate pair");
        }
        *out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
    }
    return (*out < 0xD800 || *out > 0xDFFF) || is_beyond(reader, "half a surrogate pair");
}

static bool add_one(struct pattern_reader *reader, struct charset *set, uint32_t character) {
    return charset_add(set, character, character) || is_beyond(reader, "too many kinds of characters in one class");
}

static bool add_class(struct pattern_reader *reader, struct charset *set, char class) {
    struct charset named = {0};
    bool good = true;
    switch (class | 0x20) {
    case 'd':
        good = charset_add(&named, '0', '9');
        break;
    case 'w':
        good = charset_add(&named, '0', '9') && charset_add(&named, 'A', 'Z') && charset_add(&named, '_', '_') &&
               charset_add(&named, 'a', 'z');
        break;
    default: /* 's' */
        good = charset_add(&named, '\t', '\r') && charset_add(&named, ' ', ' ') && charset_add(&named, 0xA0, 0xA0) &&
               charset_add(&named, 0x2028, 0x2029);
        break;
    }
    if (good && (class & 0x20) == 0) {
        good = charset_complement(&named);
    }
    for (size_t i = 0; good && i < named.count; i++) {
        good = charset_add(set, named.ranges[i].first, named.ranges[i].last);
    }
    return good || is_beyond(reader, "too many kinds of characters in one class");
}

static bool take_class_or_character(struct pattern_reader *reader, struct charset *set, char c) {
    uint32_t character;
    switch (c) {
    case 'd':
    case 'D':
    case 'w':
    case 'W':
    case 's':
    case 'S':
        return add_class(reader, set, c);
    case 'x':
        return take_hex(reader, 2, &character) && add_one(reader, set, character);
    case 'u':
        return take_unicode(reader, &character) && add_one(reader, set, character);
    case 'b':
    case 'B':
        return is_beyond(reader, "a boundary of words");
    case 'p':
    case 'P':
        return is_beyond(reader, "a property of characters");
    case 'k':
        return is_beyond(reader, "a reference back");
    case 'c':
        return is_beyond(reader, "a control letter");
    default:
        return is_wrong(reader, "an escape is not known");
    }
}

/* Behind a backslash. */
static bool take_escape(struct pattern_reader *reader, struct charset *set) {
    static const char controls[] = "tnvfr0", values[] = "\t\n\v\f\r\0";
    if (reader->rest.len == 0) {
        return is_wrong(reader, "it ends in a backslash");
    }
    const uint32_t character = take_character(reader);
    for (size_t i = 0; i < sizeof(controls) - 1; i++) {
        if (character == (uint32_t)controls[i]) {
            return add_one(reader, set, (uint32_t)values[i]);
        }
    }
    if (character >= '1' && character <= '9') {
        return is_beyond(reader, "a reference back");
    }
    const bool letter = (character | 0x20) >= 'a' && (character | 0x20) <= 'z';
    return letter ? take_class_or_character(reader, set, (char)character) : add_one(reader, set, character);
}

/* --- Classes in brackets --- */

/* A character of a class, or an escape, which may be several: then *single is false. */
static bool take_member(struct pattern_reader *reader, struct charset *out, uint32_t *character, bool *single) {
    struct charset set = {0};
    if (reader->rest.len == 0) {
        return is_wrong(reader, "a class has no end");
    }
    if (take(reader, "\\b")) { /* within a class it is a backspace */
        *character = '\b';
        *single = true;
        return charset_add(out, '\b', '\b');
    }
    if (take(reader, "\\")) {
        if (!take_escape(reader, &set)) {
            return false;
        }
    } else if (!add_one(reader, &set, take_character(reader))) {
        return false;
    }
    *single = set.count == 1 && set.ranges[0].first == set.ranges[0].last;
    *character = set.count > 0 ? set.ranges[0].first : 0;
    for (size_t i = 0; i < set.count; i++) {
        if (!charset_add(out, set.ranges[i].first, set.ranges[i].last)) {
            return is_beyond(reader, "too many kinds of characters in one class");
        }
    }
    return true;
}

static bool take_class(struct pattern_reader *reader, struct charset *set) {
    const bool negated = take(reader, "^");
    uint32_t first, last;
    bool single = false, other_single = false;
    while (!take(reader, "]")) {
        if (!take_member(reader, set, &first, &single)) {
            return false;
        }
        if (!looking_at(reader, "-") || looking_at(reader, "-]")) {
            continue;
        }
        skip(reader, 1);
        if (!take_member(reader, set, &last, &other_single)) {
            return false;
        }
        if (!single || !other_single) {
            if (!add_one(reader, set, '-')) { /* as browsers have it: all three are meant */
                return false;
            }
            continue;
        }
        if (last < first) {
            return is_wrong(reader, "a range of characters is out of order");
        }
        if (!charset_add(set, first, last)) {
            return is_beyond(reader, "too many kinds of characters in one class");
        }
    }
    return !negated || charset_complement(set) || is_beyond(reader, "too many kinds of characters in one class");
}

/* --- Repetitions --- */

static bool take_number(struct pattern_reader *reader, uint32_t *out) {
    size_t digits = 0;
    uint64_t number;
    while (digits < reader->rest.len && reader->rest.data[digits] >= '0' && reader->rest.data[digits] <= '9') {
        digits++;
    }
    if (!str_parse_u64((struct str){.data = reader->rest.data, .len = digits}, UINT32_MAX - 1, &number)) {
        return false;
    }
    skip(reader, digits);
    *out = (uint32_t)number;
    return true;
}

/* "{2}", "{2,}" or "{2,5}"; anything else in braces stands for itself, and nothing is taken or changed. */
static bool take_braces(struct pattern_reader *reader, uint32_t *least, uint32_t *most) {
    const struct str before = reader->rest;
    uint32_t low, high;
    if (take(reader, "{") && take_number(reader, &low)) {
        high = low;
        if (take(reader, ",") && !take_number(reader, &high)) {
            high = UINT32_MAX;
        }
        if (take(reader, "}")) {
            *least = low;
            *most = high;
            return true;
        }
    }
    reader->rest = before;
    return false;
}

static bool take_times(struct pattern_reader *reader, uint32_t *least, uint32_t *most) {
    *least = 1;
    *most = 1;
    if (take(reader, "*")) {
        *least = 0;
        *most = UINT32_MAX;
    } else if (take(reader, "+")) {
        *most = UINT32_MAX;
    } else if (take(reader, "?")) {
        *least = 0;
    } else if (!take_braces(reader, least, most)) {
        return true;
    }
    (void)take(reader, "?"); /* lazy: the same texts match */
    if (looking_at(reader, "*") || looking_at(reader, "+") || looking_at(reader, "?")) {
        return is_wrong(reader, "a repetition is repeated");
    }
    return *least <= *most || is_wrong(reader, "a repetition is out of order");
}

static bool repeat(struct pattern_reader *reader, struct piece *piece, uint32_t least, uint32_t most) {
    const uint32_t times = most == UINT32_MAX ? (least > 0 ? least : 1) : most;
    if (piece->empty && most > 1) {
        return is_beyond(reader, "a repetition of what may be empty");
    }
    if (times > GBNF_REPEAT_MAX || (uint64_t)times * piece->steps > PATTERN_STEPS_MAX) {
        return is_beyond(reader, "more repetitions than 1000, or 2000 of nested ones");
    }
    gbnf_append_times(reader->body, least, most);
    piece->steps *= times > 0 ? times : 1;
    piece->empty = piece->empty || least == 0;
    return true;
}

/* --- Expressions --- */

static bool take_choices(struct pattern_reader *reader, struct piece *out);

/* Behind "(". */
static bool take_group(struct pattern_reader *reader, struct piece *piece) {
    if (looking_at(reader, "?=") || looking_at(reader, "?!") || looking_at(reader, "?<=") ||
        looking_at(reader, "?<!")) {
        return is_beyond(reader, "a look around");
    }
    if (take(reader, "?<")) { /* a name, which nothing refers to */
        while (reader->rest.len > 0 && !take(reader, ">")) {
            skip(reader, 1);
        }
    } else if (!take(reader, "?:") && looking_at(reader, "?")) {
        return is_wrong(reader, "a group is of no known kind");
    }
    if (++reader->depth > PATTERN_DEPTH_MAX) {
        return is_beyond(reader, "groups that are nested too deeply");
    }
    buf_append_cstr(reader->body, " (");
    if (!take_choices(reader, piece)) {
        return false;
    }
    reader->depth--;
    buf_append_cstr(reader->body, ")");
    return take(reader, ")") || is_wrong(reader, "a group has no end");
}

/* One of a set of characters. */
static bool take_set(struct pattern_reader *reader, struct charset *set) {
    if (take(reader, "[")) {
        return take_class(reader, set);
    }
    if (take(reader, "\\")) {
        return take_escape(reader, set);
    }
    if (take(reader, ".")) { /* all but ends of lines */
        return charset_add(set, '\n', '\n') && charset_add(set, '\r', '\r') && charset_add(set, 0x2028, 0x2029) &&
               charset_complement(set);
    }
    return add_one(reader, set, take_character(reader));
}

static bool take_atom(struct pattern_reader *reader, struct piece *piece) {
    struct charset set = {0};
    *piece = (struct piece){.steps = 1};
    if (take(reader, "(")) {
        return take_group(reader, piece);
    }
    if (looking_at(reader, "*") || looking_at(reader, "+") || looking_at(reader, "?")) {
        return is_wrong(reader, "a repetition repeats nothing");
    }
    if (looking_at(reader, "^") || looking_at(reader, "$")) {
        return is_beyond(reader, "an anchor within it");
    }
    if (!take_set(reader, &set)) {
        return false;
    }
    if (set.count == 0) {
        return is_beyond(reader, "a class without characters");
    }
    charset_append(&set, reader->body);
    return true;
}

/* One of several choices, up to "|", ")" or the end; `ends` at the end of the whole pattern. */
static bool take_sequence(struct pattern_reader *reader, struct piece *out) {
    struct piece piece;
    uint32_t least, most;
    size_t parts = 0;
    *out = (struct piece){.empty = true, .steps = 1};
    while (reader->rest.len > 0 && !looking_at(reader, "|") && !looking_at(reader, ")")) {
        if (reader->depth == 0 && looking_at(reader, "$") && (reader->rest.len == 1 || reader->rest.data[1] == '|')) {
            break;
        }
        if (!take_atom(reader, &piece) || !take_times(reader, &least, &most) || !repeat(reader, &piece, least, most)) {
            return false;
        }
        out->empty = out->empty && piece.empty;
        out->steps = out->steps > piece.steps ? out->steps : piece.steps;
        parts++;
    }
    if (parts == 0) {
        buf_append_cstr(reader->body, " \"\"");
    }
    return true;
}

/* Behind a choice without an anchor comes anything, and before it, too. */
static void append_anything(struct pattern_reader *reader) {
    gbnf_append_common(reader->gbnf, reader->body, GBNF_CHAR);
    gbnf_append_times(reader->body, 0, UINT32_MAX);
}

static bool take_choice(struct pattern_reader *reader, struct piece *piece) {
    const bool outermost = reader->depth == 0;
    if (outermost && !take(reader, "^")) {
        append_anything(reader);
    }
    if (!take_sequence(reader, piece)) {
        return false;
    }
    if (outermost && !take(reader, "$")) {
        append_anything(reader);
    }
    return true;
}

static bool take_choices(struct pattern_reader *reader, struct piece *out) {
    struct piece piece;
    *out = (struct piece){.empty = false, .steps = 1};
    do {
        if (!take_choice(reader, &piece)) {
            return false;
        }
        out->empty = out->empty || piece.empty;
        out->steps = out->steps > piece.steps ? out->steps : piece.steps;
        if (!take(reader, "|")) {
            return true;
        }
        buf_append_cstr(reader->body, " |");
    } while (true);
}

bool pattern_append(struct gbnf *gbnf, struct buf *body, struct str pattern, struct err *err) {
    struct pattern_reader reader = {.gbnf = gbnf, .body = body, .rest = pattern, .err = err};
    struct piece piece;
    if (pattern.len > PATTERN_BYTES_MAX) {
        return err_set(err, ERR_INVALID, "must be at most %d bytes long.", PATTERN_BYTES_MAX);
    }
    buf_append_cstr(body, " (");
    if (!take_choices(&reader, &piece)) {
        return false;
    }
    buf_append_cstr(body, ")");
    return reader.rest.len == 0 || is_wrong(&reader, "a group ends that has not begun");
}
