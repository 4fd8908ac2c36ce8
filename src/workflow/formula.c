#include "workflow/formula.h"

#include "base/compiler.h"
#include "text/words.h"
#include "workflow/formula_words.h"

#include <string.h>

enum { GROUPS_MAX = 128, GROUP = 3, INDIAN_GROUP = 2, DEPTH_MAX = 64 };

struct reader {
    struct str text;
    size_t at;
    bool blank; /* the last character was one, or there was none */
    bool (*is_name)(struct str name);
    bool (*arguments_of)(struct str name);
    bool separates[DEPTH_MAX]; /* by open bracket: a comma in it is between arguments */
    size_t depth;
    struct formula *out;
};

static struct str rest_of(const struct reader *reader) {
    return words_rest(reader->text, reader->at);
}

static struct formula_token *last_of(const struct reader *reader) {
    return reader->out->count > 0 ? &reader->out->tokens[reader->out->count - 1] : NULL;
}

static bool token_add(struct reader *reader, size_t length, struct formula_token token) {
    struct formula *out = reader->out;
    if (out->count == FORMULA_TOKENS_MAX) {
        return false;
    }
    token.start = reader->at;
    token.end = reader->at + length;
    token.tight = !reader->blank;
    if (token.kind != FORMULA_NUMBER) {
        token.text = (struct str){reader->text.data + reader->at, length};
    }
    out->tokens[out->count++] = token;
    reader->at += length;
    reader->blank = false;
    return true;
}

/* --- Numbers --- */

/* Runs of digits with one separator between each two. */
struct groups {
    size_t count, lengths[GROUPS_MAX];
    uint32_t separators[GROUPS_MAX]; /* before the group; [0] is nothing */
    size_t ends[GROUPS_MAX];         /* in the text */
};

static int digit_at(struct str text, size_t at, size_t *length) {
    const struct str rest = words_rest(text, at);
    return rest.len > 0 ? formula_digit(formula_character(rest, length)) : -1;
}

static size_t digits_read(struct str text, size_t *at) {
    size_t count = 0, length = 0;
    while (digit_at(text, *at, &length) >= 0) {
        *at += length;
        count++;
    }
    return count;
}

/* '.' for all decimal points, ',' for commas, '\'' for what separates thousands only; 0: none of them. */
static uint32_t separator_read(struct str text, size_t at, bool comma, size_t *length) {
    const struct str rest = words_rest(text, at);
    const uint32_t character = rest.len > 0 ? formula_character(rest, length) : 0;
    switch (character) {
    case '.':
    case 0x066b: /* Arabic decimal separator */
    case 0xff0e: /* full-width full stop */
        return '.';
    case ',':
        return comma ? ',' : 0;
    case '\'':
    case 0x2019:
    case 0x066c: /* Arabic thousands separator */
    case ' ':
    case 0x00a0:
    case 0x2009:
    case 0x202f:
        return '\'';
    case '_':
        return '_';
    default:
        return 0;
    }
}

static void groups_read(const struct reader *reader, struct groups *groups) {
    const bool comma = reader->depth == 0 || !reader->separates[reader->depth - 1];
    size_t at = reader->at, length = 0;
    *groups = (struct groups){0};
    for (uint32_t separator = 0; groups->count < GROUPS_MAX;) {
        const size_t digits = digits_read(reader->text, &at);
        if (digits == 0) {
            break;
        }
        if (separator == '\'' && digits != GROUP) { /* two numbers, with a blank between them */
            break;
        }
        groups->separators[groups->count] = separator;
        groups->lengths[groups->count] = digits;
        groups->ends[groups->count++] = at;
        separator = separator_read(reader->text, at, comma, &length);
        if (separator == 0 || digit_at(reader->text, at + length, &(size_t){0}) < 0) {
            break;
        }
        at += length;
    }
}

/* From the second group to before `end` all are thousands, of this separator. */
static bool are_thousands(const struct groups *groups, size_t end, struct str first) {
    if (end < 2 || groups->lengths[0] > GROUP || (first.len > 0 && digit_at(first, 0, &(size_t){0}) == 0)) {
        return false;
    }
    bool western = true, indian = groups->lengths[0] <= INDIAN_GROUP;
    for (size_t i = 1; i < end; i++) {
        western = western && groups->lengths[i] == GROUP;
        indian = indian && groups->lengths[i] == (i + 1 == end ? (size_t)GROUP : (size_t)INDIAN_GROUP);
        if (groups->separators[i] != groups->separators[1]) {
            return false;
        }
    }
    return western || indian;
}

/* How many groups belong to the number, and in *point which of them stands behind the decimal point (0: none). 0
 * groups: it is no number, such as 1.2.3. */
static size_t groups_judge(const struct groups *groups, struct str first, size_t *point) {
    size_t count = groups->count;
    *point = 0;
    if (count == 1) {
        return 1;
    }
    const uint32_t last = groups->separators[count - 1];
    if (last == '_') {
        return count; /* as in programs: it says nothing */
    }
    if (count == 2 && last == '.') {
        *point = 1;
        return count;
    }
    if (are_thousands(groups, count, first)) {
        return count;
    }
    const bool once = count == 2 || groups->separators[count - 2] != last;
    if (once && (last == '.' || last == ',') && (count == 2 || are_thousands(groups, count - 1, first))) {
        *point = count - 1;
        return count;
    }
    return last == '.' ? 0 : 1;
}

/* "e-3" behind a number. */
static size_t exponent_length(struct str rest) {
    size_t at = 1;
    if (rest.len == 0 || (rest.data[0] != 'e' && rest.data[0] != 'E')) {
        return 0;
    }
    at += at < rest.len && (rest.data[at] == '-' || rest.data[at] == '+');
    const size_t digits = at;
    while (at < rest.len && rest.data[at] >= '0' && rest.data[at] <= '9') {
        at++;
    }
    return at > digits ? at : 0;
}

static void digit_put(struct formula *out, char c) {
    if (out->used < sizeof(out->digits)) {
        out->digits[out->used++] = c;
    }
}

/* Its digits into the formula, as number_read has them. */
static struct str digits_copy(const struct reader *reader, const struct groups *groups, size_t count, size_t point,
                              size_t exponent) {
    struct formula *out = reader->out;
    const size_t start = out->used, end = groups->ends[count - 1];
    size_t group = 0, length = 0;
    for (size_t at = reader->at; at < end; at += length) {
        const int digit = digit_at(reader->text, at, &length);
        if (digit < 0) {
            (void)formula_character(words_rest(reader->text, at), &length);
            group++;
            if (point > 0 && group == point) {
                digit_put(out, '.');
            }
        } else {
            digit_put(out, (char)('0' + digit));
        }
    }
    for (size_t i = 0; i < exponent; i++) {
        digit_put(out, reader->text.data[end + i]);
    }
    return (struct str){out->digits + start, out->used - start};
}

/* "2nd", "5km", "0x1f": what begins with digits and is no number. */
static bool is_glued(struct str rest) {
    size_t length = 0;
    if (rest.len == 0 || !formula_is_letter(formula_character(rest, &length))) {
        return false;
    }
    const bool times = (rest.data[0] == 'x' || rest.data[0] == 'X') && digit_at(rest, 1, &length) >= 0;
    return !times && formula_word_find(rest) == NULL;
}

static size_t word_length(struct str rest) {
    size_t at = 0, length = 0;
    while (at < rest.len) {
        const uint32_t character = formula_character(words_rest(rest, at), &length);
        if (!formula_is_letter(character) && (at == 0 || formula_digit(character) < 0)) {
            break;
        }
        at += length;
    }
    return at;
}

/* "2pi", "3sqrt(4)" */
static bool is_name_next(const struct reader *reader, struct str rest) {
    const size_t length = word_length(rest);
    return length > 0 && reader->is_name((struct str){rest.data, length});
}

static bool number_take(struct reader *reader) {
    struct groups groups;
    size_t point;
    groups_read(reader, &groups);
    const size_t count = groups_judge(&groups, rest_of(reader), &point);
    const size_t end = groups.ends[(count > 0 ? count : groups.count) - 1];
    struct str rest = words_rest(reader->text, end);
    const bool hexadecimal = end == reader->at + 1 && reader->text.data[reader->at] == '0' && rest.len > 0 &&
                             (rest.data[0] == 'x' || rest.data[0] == 'X');
    const size_t exponent = exponent_length(rest);
    rest = words_rest(rest, exponent);
    if (count == 0 || hexadecimal || (is_glued(rest) && !is_name_next(reader, rest))) {
        return token_add(reader, end + word_length(rest) + exponent - reader->at,
                         (struct formula_token){.kind = FORMULA_WORD});
    }
    const struct str digits = digits_copy(reader, &groups, count, point, exponent);
    return token_add(reader, end + exponent - reader->at,
                     (struct formula_token){.kind = FORMULA_NUMBER, .text = digits});
}

/* ".5" */
static bool is_point_number(const struct reader *reader) {
    const struct str rest = rest_of(reader);
    return rest.data[0] == '.' && digit_at(rest, 1, &(size_t){0}) >= 0 &&
           (reader->at == 0 || digit_at(reader->text, reader->at - 1, &(size_t){0}) < 0);
}

static bool point_number_take(struct reader *reader) {
    struct formula *out = reader->out;
    const size_t start = out->used;
    size_t at = reader->at + 1, length = 0;
    int digit;
    digit_put(out, '0');
    digit_put(out, '.');
    while ((digit = digit_at(reader->text, at, &length)) >= 0) {
        digit_put(out, (char)('0' + digit));
        at += length;
    }
    return token_add(reader, at - reader->at,
                     (struct formula_token){.kind = FORMULA_NUMBER, .text = {out->digits + start, out->used - start}});
}

/* --- Signs and words --- */

static bool operator_add(struct reader *reader, size_t length, char what, bool worded) {
    return token_add(reader, length, (struct formula_token){.kind = FORMULA_OPERATOR, .what = what, .worded = worded});
}

static bool bracket_open(struct reader *reader, size_t length) {
    const struct formula_token *before = last_of(reader);
    if (reader->depth == DEPTH_MAX) {
        return false;
    }
    reader->separates[reader->depth++] =
        before != NULL && before->kind == FORMULA_NAME && reader->arguments_of(before->text);
    return token_add(reader, length, (struct formula_token){.kind = FORMULA_OPEN});
}

static bool sign_add(struct reader *reader, char what, size_t length) {
    const struct formula_token *before = last_of(reader);
    switch (what) {
    case ' ':
        reader->blank = true;
        reader->at += length;
        return true;
    case '$':
        reader->at += length;
        return true;
    case '(':
        return bracket_open(reader, length);
    case ')':
        reader->depth -= reader->depth > 0;
        return token_add(reader, length, (struct formula_token){.kind = FORMULA_CLOSE});
    case ',':
        return token_add(reader, length, (struct formula_token){.kind = FORMULA_COMMA});
    case '=':
        return token_add(reader, length, (struct formula_token){.kind = FORMULA_EQUALS});
    case '!':
        if (before == NULL || reader->blank || (before->kind != FORMULA_NUMBER && before->kind != FORMULA_CLOSE)) {
            return token_add(reader, length, (struct formula_token){.kind = FORMULA_MARK});
        }
        return operator_add(reader, length, what, false);
    default:
        return operator_add(reader, length, what, false);
    }
}

/* "²³" is ^23. */
static bool superscript_take(struct reader *reader) {
    static const struct str marks[] = {STR("⁰"), STR("¹"), STR("²"), STR("³"), STR("⁴"),
                                       STR("⁵"), STR("⁶"), STR("⁷"), STR("⁸"), STR("⁹")};
    struct formula *out = reader->out;
    const size_t start = out->used;
    size_t taken = 0;
    for (size_t i = 0; i < COUNT_OF(marks);) {
        if (str_starts_with(words_rest(rest_of(reader), taken), marks[i])) {
            digit_put(out, (char)('0' + i));
            taken += marks[i].len;
            i = 0;
        } else {
            i++;
        }
    }
    return operator_add(reader, taken, '^', false) &&
           token_add(reader, 0,
                     (struct formula_token){.kind = FORMULA_NUMBER, .text = {out->digits + start, out->used - start}});
}

static bool is_superscript(struct str rest) {
    size_t length;
    const uint32_t character = formula_character(rest, &length);
    return character == 0xb2 || character == 0xb3 || character == 0xb9 || character == 0x2070 ||
           (character >= 0x2074 && character <= 0x2079);
}

/* "x" between two numbers, and ":" with blanks around it. */
static char between_numbers(const struct reader *reader) {
    const struct str rest = rest_of(reader);
    const struct formula_token *before = last_of(reader);
    size_t at = 1;
    if (before == NULL || (before->kind != FORMULA_NUMBER && before->kind != FORMULA_CLOSE)) {
        return 0;
    }
    while (at < rest.len && rest.data[at] == ' ') {
        at++;
    }
    const bool number = digit_at(rest, at, &(size_t){0}) >= 0 || (at < rest.len && rest.data[at] == '(');
    if (number && (rest.data[0] == 'x' || rest.data[0] == 'X')) {
        return '*';
    }
    return number && rest.data[0] == ':' && reader->blank && at > 1 ? '/' : 0;
}

static bool known_word_add(struct reader *reader, const struct formula_word *word) {
    if (word->name != NULL) {
        const size_t number = reader->out->count;
        const bool added = token_add(reader, word->text.len, (struct formula_token){.kind = FORMULA_NAME});
        if (added) {
            reader->out->tokens[number].text = str_from(word->name);
        }
        return added;
    }
    return operator_add(reader, word->text.len, word->what, true) &&
           (word->power == NULL ||
            token_add(reader, 0, (struct formula_token){.kind = FORMULA_NUMBER, .text = str_from(word->power)}));
}

/* "Math.sqrt", "np.exp" */
static size_t prefix_length(struct str rest) {
    static const struct str prefixes[] = {STR("math."), STR("np."), STR("numpy.")};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (words_begin(rest, prefixes[i])) {
            return prefixes[i].len;
        }
    }
    return 0;
}

static bool word_take(struct reader *reader) {
    reader->at += prefix_length(rest_of(reader));
    const struct str rest = rest_of(reader);
    const size_t length = rest.len > 0 ? word_length(rest) : 0;
    const struct str name = {rest.data, length};
    const bool called = length < rest.len && rest.data[length] == '(';
    if (length > 0 && called && reader->is_name(name)) {
        return token_add(reader, length, (struct formula_token){.kind = FORMULA_NAME});
    }
    const struct formula_word *word = rest.len > 0 ? formula_word_find(rest) : NULL;
    if (word != NULL) {
        return known_word_add(reader, word);
    }
    if (length > 0) {
        return token_add(reader, length,
                         (struct formula_token){.kind = reader->is_name(name) ? FORMULA_NAME : FORMULA_WORD});
    }
    size_t one = rest.len;
    const uint32_t character = rest.len > 0 ? formula_character(rest, &one) : 0;
    return rest.len == 0 ||
           token_add(reader, one, (struct formula_token){.kind = character > 0x7f ? FORMULA_WORD : FORMULA_MARK});
}

static bool token_take(struct reader *reader) {
    const struct str rest = rest_of(reader);
    size_t length = 0;
    if (digit_at(rest, 0, &length) >= 0) {
        return number_take(reader);
    }
    if (is_point_number(reader)) {
        return point_number_take(reader);
    }
    if (is_superscript(rest)) {
        return superscript_take(reader);
    }
    const char between = between_numbers(reader);
    if (between != 0) {
        return operator_add(reader, 1, between, false);
    }
    const char sign = formula_sign_find(rest, &length);
    return length > 0 ? sign_add(reader, sign, length) : word_take(reader);
}

bool formula_read(struct str text, bool (*is_name)(struct str name), bool (*arguments_of)(struct str name),
                  struct formula *out) {
    struct reader reader = {.text = text, .blank = true, .is_name = is_name, .arguments_of = arguments_of, .out = out};
    out->count = out->used = 0;
    if (text.len > FORMULA_BYTES) {
        return false;
    }
    while (reader.at < text.len) {
        if (!token_take(&reader)) {
            return false;
        }
    }
    return true;
}
