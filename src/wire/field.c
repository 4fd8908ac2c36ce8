#include "wire/field.h"

#include "base/buf.h"
#include "base/money.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool field_invalid(struct err *err, const char *field, const char *format, ...) {
    char complaint[ERR_MESSAGE_MAX - ERR_FIELD_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint, sizeof(complaint), format, arguments);
    va_end(arguments);
    return err_set_field(err, ERR_INVALID, field, "%s %s", field, complaint);
}

bool field_wrong_type(struct err *err, const char *field, const char *wanted, struct json_value value) {
    return field_invalid(err, field, "must be %s, not %s.", wanted, json_type_name(json_type_of(value)));
}

bool field_unsupported(struct err *err, const char *field) {
    return err_set_field(err, ERR_UNSUPPORTED, field, "%s is not supported yet. Send the request without it.", field);
}

bool field_string(struct err *err, const char *field, struct json_value value, size_t max_bytes, struct str *out) {
    if (!json_as_str(value, out)) {
        return field_wrong_type(err, field, "a string", value);
    }
    if (out->len > max_bytes) {
        return field_invalid(err, field, "must be at most %zu bytes long.", max_bytes);
    }
    return true;
}

bool field_usd(struct json_value value, bool down, int64_t *nano) {
    enum { NUMBER_BYTES = 64 };
    double number;
    if (!json_as_double(value, &number) || !(number >= 0 && number <= (double)(INT64_MAX / MONEY_NANO_PER_USD))) {
        return false;
    }
    struct buf digits;
    buf_init(&digits, NUMBER_BYTES);
    json_serialize(value, &digits);
    if (digits.overflow || !money_parse_usd(buf_str(&digits), nano)) {
        *nano = (int64_t)(number * (double)MONEY_NANO_PER_USD + (down ? 0 : 0.5));
    }
    buf_clear(&digits);
    return true;
}

static const struct field_rule *rule_find(const struct field_rule *rules, size_t rule_count, struct str name) {
    for (size_t i = 0; i < rule_count; i++) {
        if (rules[i].name.len == name.len && memcmp(rules[i].name.data, name.data, name.len) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

static bool ignore(void *context, struct str name, struct json_value value, struct err *err) {
    (void)context;
    (void)name;
    (void)value;
    (void)err;
    return true;
}

bool fields_read(struct json_value object, const struct field_rule *rules, size_t rule_count, void *target,
                 struct err *err) {
    const struct field_unknown ignored = {.take = ignore};
    return fields_read_all(object, rules, rule_count, target, &ignored, err);
}

bool fields_read_all(struct json_value object, const struct field_rule *rules, size_t rule_count, void *target,
                     const struct field_unknown *unknown, struct err *err) {
    assert(rule_count <= FIELD_RULES_MAX);
    uint64_t seen = 0;
    struct json_iterator iterator;
    struct str name;
    struct json_value value;
    for (json_iterate(object, &iterator); json_next(&iterator, &name, &value);) {
        const struct field_rule *rule = rule_find(rules, rule_count, name);
        if (rule == NULL) {
            if (json_type_of(value) != JSON_NULL && !unknown->take(unknown->context, name, value, err)) {
                return false;
            }
            continue;
        }
        uint64_t bit = UINT64_C(1) << (rule - rules);
        bool skip = (seen & bit) != 0 || json_type_of(value) == JSON_NULL;
        seen |= bit;
        if (!skip && !rule->read(rule, value, (char *)target + rule->offset, err)) {
            return false;
        }
    }
    return true;
}

static bool real_in_range(const struct field_rule *rule, struct json_value value, double *number, struct err *err) {
    if (!json_as_double(value, number)) {
        return field_wrong_type(err, rule->name.data, "a number", value);
    }
    if (!(*number >= rule->min && *number <= rule->max)) {
        return field_invalid(err, rule->name.data, "must be between %g and %g.", rule->min, rule->max);
    }
    return true;
}

bool field_read_real(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct field_real *out = place;
    out->given = true;
    return real_in_range(rule, value, &out->value, err);
}

bool field_read_integer(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct field_integer *out = place;
    double number;
    out->given = true;
    if (!json_as_double(value, &number)) {
        return field_wrong_type(err, rule->name.data, "a whole number", value);
    }
    if (!json_as_int64(value, &out->value) || number < rule->min || number > rule->max) {
        return field_invalid(err, rule->name.data, "must be a whole number between %.0f and %.0f.", rule->min,
                             rule->max);
    }
    return true;
}

bool field_read_int64(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct field_integer *out = place;
    out->given = true;
    if (json_type_of(value) != JSON_NUMBER) {
        return field_wrong_type(err, rule->name.data, "a whole number", value);
    }
    return json_as_int64(value, &out->value) ||
           field_invalid(err, rule->name.data, "must be a whole number that fits 64 bits.");
}

bool field_read_bool(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    bool *out = place;
    return json_as_bool(value, out) || field_wrong_type(err, rule->name.data, "true or false", value);
}

bool field_read_str(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    return field_string(err, rule->name.data, value, rule->max_bytes, place);
}

bool field_read_json(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)rule;
    (void)err;
    struct json_value *out = place;
    *out = value;
    return true;
}

bool field_read_ignored(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)place;
    return json_type_of(value) == rule->type ||
           field_wrong_type(err, rule->name.data, json_type_name(rule->type), value);
}

bool field_read_ignored_str(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)place;
    struct str text;
    return field_string(err, rule->name.data, value, rule->max_bytes, &text);
}

bool field_refuse(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)value;
    (void)place;
    return field_unsupported(err, rule->name.data);
}

bool field_refuse_true(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)place;
    bool asked = false;
    return field_read_bool(rule, value, &asked, err) && (!asked || field_unsupported(err, rule->name.data));
}

bool field_refuse_nonzero(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)place;
    double number;
    return real_in_range(rule, value, &number, err) && (number == 0 || field_unsupported(err, rule->name.data));
}
