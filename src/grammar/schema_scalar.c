#include "grammar/schema_scalar.h"

#include "grammar/multiple.h"
#include "grammar/number.h"
#include "grammar/pattern.h"

#include <math.h>

/* --- Strings --- */

/* Formats as regular expressions; those that are not here are notes for people, as the standard has it. */
/* clang-format off */
#define DAYS "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
#define LEAP "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
#define DATE "([0-9]{4}-" DAYS "|" LEAP ")"
#define TIME "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
#define LABEL "[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?"
#define HOST LABEL "(\\." LABEL "){0,7}"
#define BYTE "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9][0-9]|[0-9])"
#define WORD "[0-9a-fA-F]{1,4}"
#define URI_CHARACTER "[A-Za-z0-9._~!$&'()*+,;=:@-]"
static const struct {
    struct str name;
    const char *pattern;
} formats[] = {
    {STR("date"), "^" DATE "$"},
    {STR("time"), "^" TIME "$"},
    {STR("date-time"), "^" DATE "T" TIME "$"},
    {STR("duration"), "^P([0-9]{1,6}[YMWD]|T[0-9]{1,6}[HMS]|[0-9]{1,6}DT[0-9]{1,6}[HMS])$"},
    {STR("uuid"), "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
    {STR("email"), "^[a-zA-Z0-9_+-]{1,32}(\\.[a-zA-Z0-9_+-]{1,32}){0,3}@(" LABEL "\\.){1,4}[a-zA-Z]{2,12}$"},
    {STR("hostname"), "^" HOST "$"},
    {STR("ipv4"), "^" BYTE "(\\." BYTE "){3}$"},
    {STR("ipv6"), "^(" WORD "(:" WORD "){7}|::(" WORD "(:" WORD "){0,5})?|" WORD "::" WORD "(:" WORD "){0,4})$"},
    {STR("uri"), "^[a-z][a-z0-9+.-]{1,15}://" HOST "(:[1-9][0-9]{0,3})?(/" URI_CHARACTER "*)*"
                 "(\\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?(#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?$"},
};
/* clang-format on */

static const char *format_pattern(struct json_value schema) {
    struct json_value value;
    struct str name;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (json_get(schema, "format", &value) && json_as_str(value, &name) && str_equal(formats[i].name, name)) {
            return formats[i].pattern;
        }
    }
    return NULL;
}

static bool append_pattern(struct schema_writer *writer, const char *keyword, struct str pattern, struct buf *body) {
    struct err err = {0};
    struct buf part;
    buf_init(&part, GBNF_BYTES_MAX);
    gbnf_append_literal(&part, STR("\""));
    bool good = pattern_append(writer->gbnf, &part, pattern, &err);
    gbnf_append_literal(&part, STR("\""));
    if (good) {
        gbnf_append_rule(body, gbnf_add_rule(writer->gbnf, &part));
    } else if (err.code == ERR_UNSUPPORTED) {
        good = schema_leave_out(writer, keyword, "this regular expression");
        gbnf_append_common(writer->gbnf, body, GBNF_STRING);
    } else {
        good = schema_invalid(writer, keyword, "%s", err.message);
    }
    buf_clear(&part);
    return good;
}

/* Up to `most` characters, which may be more than can be repeated: so many, or a block of them and what follows. */
static uint32_t lengths_rule(struct gbnf *gbnf, uint32_t least, uint32_t most) {
    struct buf body;
    buf_init(&body, GBNF_BYTES_MAX);
    const bool blocks = most != UINT32_MAX && most >= GBNF_REPEAT_MAX;
    gbnf_append_common(gbnf, &body, GBNF_CHAR);
    gbnf_append_times(&body, least, blocks ? GBNF_REPEAT_MAX - 1 : most);
    if (blocks) {
        const uint32_t rest = lengths_rule(gbnf, 0, most - GBNF_REPEAT_MAX);
        buf_append_cstr(&body, " |");
        gbnf_append_common(gbnf, &body, GBNF_CHAR);
        gbnf_append_times(&body, GBNF_REPEAT_MAX, GBNF_REPEAT_MAX);
        gbnf_append_rule(&body, rest);
    }
    const uint32_t rule = gbnf_add_rule(gbnf, &body);
    buf_clear(&body);
    return rule;
}

static bool append_lengths(struct schema_writer *writer, uint32_t least, uint32_t most, struct buf *body) {
    enum { LENGTH_MAX = 8 * GBNF_REPEAT_MAX };
    if (least >= GBNF_REPEAT_MAX) {
        least = GBNF_REPEAT_MAX - 1;
        if (!schema_leave_out(writer, "minLength", "a length of at least 1000")) {
            return false;
        }
    }
    if (most != UINT32_MAX && most > LENGTH_MAX) {
        most = UINT32_MAX;
        if (!schema_leave_out(writer, "maxLength", "a limit of more than 8000 characters")) {
            return false;
        }
    }
    gbnf_append_literal(body, STR("\""));
    gbnf_append_rule(body, lengths_rule(writer->gbnf, least, most));
    gbnf_append_literal(body, STR("\""));
    return true;
}

bool schema_write_string(struct schema_writer *writer, struct json_value schema, struct buf *body) {
    struct json_value value;
    struct str pattern;
    bool has_least, has_most;
    uint32_t least = 0, most = UINT32_MAX;
    const char *format = format_pattern(schema);
    if (!schema_count(writer, schema, "minLength", &has_least, &least) ||
        !schema_count(writer, schema, "maxLength", &has_most, &most)) {
        return false;
    }
    if (least > most) {
        return schema_invalid(writer, "minLength", "is more than maxLength.");
    }
    const bool bounded = has_most || least > 0;
    if (json_get(schema, "pattern", &value)) {
        if (!json_as_str(value, &pattern)) {
            return schema_wrong_type(writer, "pattern", "a string", value);
        }
        return (!bounded || schema_leave_out(writer, "pattern", "a pattern beside a length")) &&
               (format == NULL || schema_leave_out(writer, "pattern", "a pattern beside a format")) &&
               append_pattern(writer, "pattern", pattern, body);
    }
    if (format != NULL) {
        return (!bounded || schema_leave_out(writer, "format", "a format beside a length")) &&
               append_pattern(writer, "format", str_from(format), body);
    }
    if (bounded) {
        return append_lengths(writer, least, most, body);
    }
    gbnf_append_common(writer->gbnf, body, GBNF_STRING);
    return true;
}

/* --- Numbers --- */

#define NUMBER_BOUND 1e15 /* no number has more than 15 digits */

struct bound {
    bool given, open; /* open: the bound itself is not within */
    double value;
};

/* "minimum" and "exclusiveMinimum", which in draft 4 was true or false. */
static bool read_bound(struct schema_writer *writer, struct json_value schema, const char *closed, const char *open,
                       bool least, struct bound *out) {
    struct json_value value;
    double number;
    *out = (struct bound){0};
    if (json_get(schema, closed, &value)) {
        if (!json_as_double(value, &out->value)) {
            return schema_wrong_type(writer, closed, "a number", value);
        }
        out->given = true;
    }
    if (!json_get(schema, open, &value)) {
        return true;
    }
    if (json_type_of(value) == JSON_BOOL) {
        return json_as_bool(value, &out->open);
    }
    if (!json_as_double(value, &number)) {
        return schema_wrong_type(writer, open, "a number", value);
    }
    if (!out->given || (least ? number >= out->value : number <= out->value)) {
        *out = (struct bound){.given = true, .open = true, .value = number};
    }
    return true;
}

/* A bound as a whole number. Of whole numbers the next one within; of others it must be whole, or the next one
 * without. */
static bool take_bound(struct schema_writer *writer, const struct bound *bound, bool least, bool whole, bool *given,
                       bool *open, int64_t *out) {
    const char *keyword = least ? "minimum" : "maximum";
    const double sign = least ? 1 : -1;
    const double inside = sign * ceil(sign * bound->value), outside = sign * floor(sign * bound->value);
    const bool exact = inside <= outside && inside >= outside, skips = bound->open && exact;
    if (!bound->given || sign * bound->value <= -NUMBER_BOUND) { /* so wide that it bounds nothing */
        return true;
    }
    if (sign * bound->value >= NUMBER_BOUND) {
        return schema_invalid(writer, keyword, "leaves only numbers of more than 15 digits.");
    }
    *given = true;
    if (whole) {
        *out = (int64_t)(skips ? inside + sign : inside);
        return true;
    }
    *open = skips;
    *out = (int64_t)outside;
    return exact || schema_leave_out(writer, keyword, "a bound that is no whole number");
}

/* *step: what the number must be a multiple of, when that is whole and more than 1; else 0. */
static bool read_multiple(struct schema_writer *writer, struct json_value schema, bool *whole, int64_t *step) {
    struct json_value value;
    double multiple;
    *step = 0;
    if (!json_get(schema, "multipleOf", &value)) {
        return true;
    }
    if (!json_as_double(value, &multiple) || multiple <= 0) {
        return schema_invalid(writer, "multipleOf", "must be a number above 0.");
    }
    const double rounded = floor(multiple);
    if (rounded < multiple || multiple >= NUMBER_BOUND) { /* validators do not agree about what is one of 0.1 */
        return schema_leave_out(writer, "multipleOf", "a multiple of what is no whole number");
    }
    *whole = true;
    *step = rounded > 1 ? (int64_t)rounded : 0;
    return true;
}

/* The bounds. */
static bool read_range(struct schema_writer *writer, struct json_value schema, bool whole, struct number_range *out) {
    struct bound least, most;
    *out = (struct number_range){0};
    if (!read_bound(writer, schema, "minimum", "exclusiveMinimum", true, &least) ||
        !read_bound(writer, schema, "maximum", "exclusiveMaximum", false, &most) ||
        !take_bound(writer, &least, true, whole, &out->has_least, &out->above_least, &out->least) ||
        !take_bound(writer, &most, false, whole, &out->has_most, &out->below_most, &out->most)) {
        return false;
    }
    return !number_range_is_empty(out) || schema_invalid(writer, NULL, "leaves no number between its bounds.");
}

bool schema_write_number(struct schema_writer *writer, struct json_value schema, bool whole, struct buf *body) {
    struct number_range range;
    int64_t step;
    if (!read_multiple(writer, schema, &whole, &step) || !read_range(writer, schema, whole, &range)) {
        return false;
    }
    if (step > 0 && !multiple_is_within(step, &range)) {
        return schema_invalid(writer, "multipleOf", "leaves no number between the bounds.");
    }
    if (step > 0 && multiple_append(body, step, &range)) {
        return true;
    }
    if (step > 0 && !schema_leave_out(writer, "multipleOf", "such a multiple")) {
        return false;
    }
    if (!range.has_least && !range.has_most) {
        gbnf_append_common(writer->gbnf, body, whole ? GBNF_INTEGER : GBNF_NUMBER);
    } else if (whole) {
        number_append_integer(body, &range);
    } else {
        number_append_real(body, &range);
    }
    return true;
}
