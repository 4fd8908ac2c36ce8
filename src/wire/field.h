/* Reading a request's JSON object by a table of its fields: one pass, each field checked by its rule. null counts as
 * absent, unknown fields are ignored, of duplicate keys the first counts. Complaints name the field in err->field and
 * never quote a value. */
#ifndef NATARIS_WIRE_FIELD_H
#define NATARIS_WIRE_FIELD_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field_rule {
    struct str name;
    /* Checks `value` (never null) and stores it at `place`, which is the target + `offset`. */
    bool (*read)(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
    size_t offset;
    double min, max;     /* numbers: the range */
    size_t max_bytes;    /* strings */
    enum json_type type; /* field_read_ignored: what the value must be */
};

enum { FIELD_RULES_MAX = 64 };

/* What becomes of fields without a rule, which are not null. */
struct field_unknown {
    bool (*take)(void *context, struct str name, struct json_value value, struct err *err);
    void *context;
};

MUST_CHECK bool fields_read(struct json_value object, const struct field_rule *rules, size_t rule_count, void *target,
                            struct err *err);
/* The same, with a word about fields without a rule. */
MUST_CHECK bool fields_read_all(struct json_value object, const struct field_rule *rules, size_t rule_count,
                                void *target, const struct field_unknown *unknown, struct err *err);

/* "<field> <complaint>" with code ERR_INVALID; returns false. */
bool field_invalid(struct err *err, const char *field, const char *format, ...) PRINTF_LIKE(3, 4);
/* "<field> must be <wanted>, not <what it is>."; returns false. */
bool field_wrong_type(struct err *err, const char *field, const char *wanted, struct json_value value);
/* "<field> is not supported yet. ..."; returns false. */
bool field_unsupported(struct err *err, const char *field);
/* A string of at most max_bytes, borrowed from the document. */
bool field_string(struct err *err, const char *field, struct json_value value, size_t max_bytes, struct str *out);

/* An amount of USD that is at least 0: exactly as the number's shortest text has it (0.1 is 100,000,000 nano-dollars),
 * or where it is finer, as sums of doubles are (0.1 + 0.2), the nearest nano-dollar, or with `down` the one below.
 * False: it is no number, negative, or does not fit. */
MUST_CHECK bool field_usd(struct json_value value, bool down, int64_t *nano);

/* What numbers are read into. */
struct field_real {
    bool given;
    double value;
};
struct field_integer {
    bool given;
    int64_t value;
};

/* Rules that take a value. */
bool field_read_real(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
bool field_read_integer(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
bool field_read_int64(const struct field_rule *rule, struct json_value value, void *place, struct err *err); /* any */
bool field_read_bool(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
bool field_read_str(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
bool field_read_json(const struct field_rule *rule, struct json_value value, void *place, struct err *err);

/* Rules of fields that change nothing in the answer: only the type is checked. */
bool field_read_ignored(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
bool field_read_ignored_str(const struct field_rule *rule, struct json_value value, void *place, struct err *err);

/* Rules of fields that would change the answer and are not supported: refused by name unless they ask for nothing. */
bool field_refuse(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
bool field_refuse_true(const struct field_rule *rule, struct json_value value, void *place, struct err *err);
bool field_refuse_nonzero(const struct field_rule *rule, struct json_value value, void *place, struct err *err);

#endif
