#include "grammar/schema.h"

#include "base/mem.h"
#include "grammar/schema_array.h"
#include "grammar/schema_choices.h"
#include "grammar/schema_finite.h"
#include "grammar/schema_object.h"
#include "grammar/schema_scalar.h"
#include "grammar/schema_types.h"

#include <stdlib.h>
#include <string.h>

/* Keywords that narrow values in ways a grammar has no words for; those with `neutral` do not when they are false. */
static const struct {
    const char *name, *what;
    bool neutral;
} beyond[] = {
    {"not", "\"not\"", false},
    {"if", "\"if\"", false},
    {"patternProperties", "names by a pattern", false},
    {"propertyNames", "a rule for names", false},
    {"dependentRequired", "a dependency", false},
    {"dependentSchemas", "a dependency", false},
    {"dependencies", "a dependency", false},
    {"uniqueItems", "that items differ", true},
    {"contains", "that an item is contained", false},
    {"unevaluatedProperties", "\"unevaluatedProperties\"", true},
    {"unevaluatedItems", "\"unevaluatedItems\"", true},
    {"$dynamicRef", "a dynamic reference", false},
    {"$recursiveRef", "a dynamic reference", false},
};

static bool check_keywords(struct schema_writer *writer, struct json_value schema) {
    struct json_value value;
    bool set;
    for (size_t i = 0; i < COUNT_OF(beyond); i++) {
        if (json_get(schema, beyond[i].name, &value) && !(beyond[i].neutral && json_as_bool(value, &set) && !set) &&
            !schema_leave_out(writer, beyond[i].name, beyond[i].what)) {
            return false;
        }
    }
    return true;
}

/* --- Types --- */

static bool write_type(struct schema_writer *writer, struct json_value schema, unsigned type, struct buf *body) {
    switch ((enum schema_type)type) {
    case SCHEMA_NULL:
        gbnf_append_common(writer->gbnf, body, GBNF_NULL);
        return true;
    case SCHEMA_BOOLEAN:
        gbnf_append_common(writer->gbnf, body, GBNF_BOOLEAN);
        return true;
    case SCHEMA_INTEGER:
        return schema_write_number(writer, schema, true, body);
    case SCHEMA_NUMBER:
        return schema_write_number(writer, schema, false, body);
    case SCHEMA_STRING:
        return schema_write_string(writer, schema, body);
    case SCHEMA_ARRAY:
        return schema_write_array(writer, schema, body);
    case SCHEMA_OBJECT:
        return schema_write_object(writer, &schema, 1, body);
    }
    return false;
}

static bool write_types(struct schema_writer *writer, struct json_value schema, unsigned set, struct buf *body) {
    bool any = false;
    if ((set & SCHEMA_NUMBER) != 0) {
        set &= ~(unsigned)SCHEMA_INTEGER;
    }
    if (set == 0) {
        gbnf_append_common(writer->gbnf, body, GBNF_VALUE);
        return true;
    }
    buf_append_cstr(body, " (");
    for (unsigned type = SCHEMA_NULL; type <= SCHEMA_OBJECT; type *= 2) {
        if ((set & type) == 0) {
            continue;
        }
        buf_append_cstr(body, any ? " |" : "");
        any = true;
        if (!write_type(writer, schema, type, body)) {
            return false;
        }
    }
    buf_append_cstr(body, ")");
    return true;
}

/* --- Given values --- */

static void append_value(struct buf *body, struct json_value value) {
    struct buf text;
    buf_init(&text, GBNF_BYTES_MAX);
    json_serialize(value, &text);
    body->overflow |= text.overflow;
    gbnf_append_literal(body, buf_str(&text));
    buf_clear(&text);
}

static bool write_enum(struct schema_writer *writer, struct json_value values, unsigned set, struct buf *body) {
    struct json_iterator iterator;
    struct json_value item;
    bool any = false;
    if (json_type_of(values) != JSON_ARRAY) {
        return schema_wrong_type(writer, "enum", "an array", values);
    }
    if (json_count(values) > SCHEMA_CHOICES_MAX) {
        return schema_invalid(writer, "enum", "must hold at most %d values.", SCHEMA_CHOICES_MAX);
    }
    buf_append_cstr(body, " (");
    for (json_iterate(values, &iterator); json_next(&iterator, NULL, &item);) {
        if (set == 0 || (schema_type_of_value(item) & set) != 0) {
            buf_append_cstr(body, any ? " |" : "");
            any = true;
            append_value(body, item);
        }
    }
    buf_append_cstr(body, ")");
    return any || schema_invalid(writer, "enum", "has no value of the schema's type.");
}

/* Keywords of values beside one that stands for the whole: what they say would be lost. */
static bool has_own_rules(struct json_value schema) {
    return schema_types_guess(schema) != 0 || schema_has(schema, "enum") || schema_has(schema, "const") ||
           schema_has(schema, "anyOf") || schema_has(schema, "oneOf") || schema_has(schema, "allOf");
}

/* --- References --- */

static bool same_value(struct json_value a, struct json_value b) {
    return a.document == b.document && a.index == b.index;
}

static bool write_target(struct schema_writer *writer, struct schema_ref *ref) {
    struct buf body;
    buf_init(&body, GBNF_BYTES_MAX);
    const bool good = writer->write(writer, ref->target, 0, &body);
    gbnf_write_rule(writer->gbnf, ref->rule, &body);
    buf_clear(&body);
    ref->inside = UINT32_MAX;
    return good;
}

static bool write_ref(struct schema_writer *writer, struct json_value value, struct buf *body) {
    struct json_value target;
    if (!schema_resolve(writer, value, &target)) {
        return false;
    }
    for (size_t i = 0; i < writer->ref_count; i++) {
        if (same_value(writer->refs[i].target, target)) {
            gbnf_append_rule(body, writer->refs[i].rule);
            return writer->refs[i].inside != writer->inside ||
                   schema_invalid(writer, "$ref", "refers to itself without a value between.");
        }
    }
    if (writer->ref_count == SCHEMA_REFS_MAX) {
        return schema_invalid(writer, "$ref", "is one of more than %d.", SCHEMA_REFS_MAX);
    }
    struct schema_ref *ref = &writer->refs[writer->ref_count++];
    *ref = (struct schema_ref){target, gbnf_reserve_rule(writer->gbnf), writer->inside};
    gbnf_append_rule(body, ref->rule);
    return write_target(writer, ref);
}

/* --- A subschema --- */

/* anyOf or oneOf beside rules of its own is left out. */
static bool write_choices_or_types(struct schema_writer *writer, struct json_value schema, unsigned set,
                                   struct buf *body) {
    struct json_value value;
    const bool any_of = json_get(schema, "anyOf", &value), one_of = !any_of && json_get(schema, "oneOf", &value);
    const unsigned guess = schema_types_guess(schema);
    if ((any_of || one_of) && guess == 0) {
        return any_of ? schema_write_any_of(writer, value, set, body) : schema_write_one_of(writer, value, set, body);
    }
    return ((!any_of && !one_of) || schema_leave_out(writer, any_of ? "anyOf" : "oneOf", "this beside other rules")) &&
           write_types(writer, schema, set == 0 ? guess : set, body);
}

static bool write_keywords(struct schema_writer *writer, struct json_value schema, unsigned types_around,
                           struct buf *body) {
    struct json_value value;
    unsigned set;
    if (!check_keywords(writer, schema) || !schema_types(writer, schema, &set)) {
        return false;
    }
    set = set == 0 ? types_around : set;
    if (json_get(schema, "$ref", &value)) {
        return (!has_own_rules(schema) || schema_leave_out(writer, NULL, "a reference beside other rules")) &&
               write_ref(writer, value, body);
    }
    if (json_get(schema, "const", &value)) {
        append_value(body, value);
        return true;
    }
    if (json_get(schema, "enum", &value)) {
        return write_enum(writer, value, set, body);
    }
    return json_get(schema, "allOf", &value) ? schema_write_all_of(writer, schema, value, set, body)
                                             : write_choices_or_types(writer, schema, set, body);
}

static bool write_schema(struct schema_writer *writer, struct json_value schema, unsigned types_around,
                         struct buf *body) {
    bool any;
    if (++writer->nodes > SCHEMA_NODES_MAX || writer->gbnf->text.overflow || body->overflow) {
        return err_set_field(writer->err, ERR_TOO_LARGE, writer->path,
                             "%s: the schema is too large. At most %d subschemas, and a grammar of %d KiB.",
                             writer->source->field, SCHEMA_NODES_MAX, GBNF_BYTES_MAX / 1024);
    }
    if (json_as_bool(schema, &any)) {
        if (!any) {
            return schema_invalid(writer, NULL, "is false: no value fits.");
        }
        gbnf_append_common(writer->gbnf, body, GBNF_VALUE);
        return true;
    }
    if (json_type_of(schema) != JSON_OBJECT) {
        return schema_wrong_type(writer, NULL, "an object", schema);
    }
    return write_keywords(writer, schema, types_around, body);
}

bool schema_append(const struct schema_source *source, struct gbnf *gbnf, struct buf *body, struct err *err) {
    struct schema_writer *writer = MEM_NEW(struct schema_writer); /* large, for all the references */
    writer->write = write_schema;
    writer->source = source;
    writer->gbnf = gbnf;
    writer->err = err;
    (void)schema_enter(writer, "%s", source->field);
    const bool good = write_schema(writer, source->schema, source->object ? SCHEMA_OBJECT : 0, body) &&
                      (schema_is_finite(writer, source->schema) ||
                       schema_invalid(writer, NULL, "allows only values without end: it requires itself."));
    free(writer);
    return good;
}
