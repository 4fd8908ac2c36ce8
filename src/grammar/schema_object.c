#include "grammar/schema_object.h"

#include "base/json_write.h"
#include "base/mem.h"

#include <stdlib.h>

/* A property of an object, in the order in which it is written. */
struct property {
    struct str name;
    struct json_value schema;
    bool has_schema; /* false: required, and described nowhere */
    bool required;
    size_t part;
};

/* An object on its way into the grammar. */
struct object {
    const struct json_value *parts;
    size_t part_count;
    struct property *properties; /* owned */
    size_t count, capacity;
    struct json_value more; /* additionalProperties, of the first part that has it */
    bool has_more, closed;
    uint32_t least, most; /* properties */
};

static bool add(struct schema_writer *writer, struct object *object, const struct property *property) {
    for (size_t i = 0; i < object->count; i++) {
        struct property *known = &object->properties[i];
        if (!str_equal(known->name, property->name)) {
            continue;
        }
        known->required = known->required || property->required;
        const bool twice = known->has_schema && property->has_schema;
        if (property->has_schema && !known->has_schema) {
            known->schema = property->schema;
            known->has_schema = true;
        }
        return !twice || schema_leave_out(writer, "allOf", "a property with several schemas");
    }
    if (object->count == object->capacity) {
        object->capacity = object->capacity > 0 ? 2 * object->capacity : 16;
        object->properties = mem_realloc(object->properties, object->capacity * sizeof(object->properties[0]));
    }
    object->properties[object->count++] = *property;
    return true;
}

static bool read_properties(struct schema_writer *writer, struct object *object, size_t part) {
    struct json_iterator iterator;
    struct json_value properties;
    struct property property = {.has_schema = true, .part = part};
    if (!json_get(object->parts[part], "properties", &properties)) {
        return true;
    }
    if (json_type_of(properties) != JSON_OBJECT) {
        return schema_wrong_type(writer, "properties", "an object", properties);
    }
    for (json_iterate(properties, &iterator); json_next(&iterator, &property.name, &property.schema);) {
        if (!add(writer, object, &property)) {
            return false;
        }
    }
    return true;
}

/* Draft 3 had "required": true within a property. */
static bool read_required(struct schema_writer *writer, struct object *object, size_t part) {
    struct json_iterator iterator;
    struct json_value required, item;
    struct property property = {.required = true, .part = part};
    if (!json_get(object->parts[part], "required", &required) || json_type_of(required) == JSON_BOOL) {
        return true;
    }
    if (json_type_of(required) != JSON_ARRAY) {
        return schema_wrong_type(writer, "required", "an array of names", required);
    }
    for (json_iterate(required, &iterator); json_next(&iterator, NULL, &item);) {
        if (!json_as_str(item, &property.name)) {
            return schema_wrong_type(writer, "required", "an array of names", item);
        }
        if (!add(writer, object, &property)) {
            return false;
        }
    }
    return true;
}

static bool read_part(struct schema_writer *writer, struct object *object, size_t part) {
    struct json_value value;
    bool given, allowed;
    uint32_t least = 0, most = UINT32_MAX;
    if (!read_properties(writer, object, part) || !read_required(writer, object, part) ||
        !schema_count(writer, object->parts[part], "minProperties", &given, &least) ||
        !schema_count(writer, object->parts[part], "maxProperties", &given, &most)) {
        return false;
    }
    object->least = least > object->least ? least : object->least;
    object->most = most < object->most ? most : object->most;
    if (json_get(object->parts[part], "additionalProperties", &value)) {
        const bool closes = json_as_bool(value, &allowed) && !allowed;
        object->closed = object->closed || closes;
        if (!closes && !object->has_more) {
            object->more = value;
            object->has_more = true;
        }
    }
    return true;
}

/* --- Without named properties --- */

static bool write_map(struct schema_writer *writer, const struct object *object, struct buf *body) {
    const uint32_t most = object->most > GBNF_REPEAT_MAX ? UINT32_MAX : object->most;
    const uint32_t least = object->least > GBNF_REPEAT_MAX ? GBNF_REPEAT_MAX : object->least;
    struct buf member;
    if (object->closed || most == 0) {
        gbnf_append_literal(body, STR("{}"));
        return object->least == 0 || schema_invalid(writer, "minProperties", "is more than there may be.");
    }
    if (!object->has_more && least == 0 && most == UINT32_MAX) {
        gbnf_append_common(writer->gbnf, body, GBNF_OBJECT);
        return true;
    }
    buf_init(&member, GBNF_BYTES_MAX);
    gbnf_append_common(writer->gbnf, &member, GBNF_STRING);
    gbnf_append_literal(&member, STR(":"));
    gbnf_append_blank(&member);
    bool good = true;
    if (object->has_more) {
        const size_t before = schema_enter(writer, ".additionalProperties");
        good = writer->write(writer, object->more, 0, &member);
        schema_leave(writer, before);
    } else {
        gbnf_append_common(writer->gbnf, &member, GBNF_VALUE);
    }
    const uint32_t rule = gbnf_add_rule(writer->gbnf, &member);
    buf_clear(&member);
    gbnf_append_literal(body, STR("{"));
    buf_append_cstr(body, least == 0 ? " (" : "");
    gbnf_append_rule(body, rule);
    if (most > 1) {
        buf_append_cstr(body, " (");
        gbnf_append_literal(body, STR(","));
        gbnf_append_blank(body);
        gbnf_append_rule(body, rule);
        buf_append_cstr(body, ")");
        gbnf_append_times(body, least > 0 ? least - 1 : 0, most == UINT32_MAX ? UINT32_MAX : most - 1);
    }
    buf_append_cstr(body, least == 0 ? ")?" : "");
    gbnf_append_literal(body, STR("}"));
    return good;
}

/* --- With named properties --- */

/* "name": value */
static bool write_member(struct schema_writer *writer, const struct object *object, const struct property *property,
                         uint32_t *rule) {
    struct buf body;
    buf_init(&body, GBNF_BYTES_MAX);
    gbnf_append_string(&body, property->name);
    gbnf_append_literal(&body, STR(":"));
    gbnf_append_blank(&body);
    bool good = true;
    if (property->has_schema) {
        const size_t before = schema_enter(writer, ".properties.%.*s", STR_ARG(property->name));
        good = writer->write(writer, property->schema, 0, &body);
        schema_leave(writer, before);
    } else if (object->has_more) {
        const size_t before = schema_enter(writer, ".additionalProperties");
        good = writer->write(writer, object->more, 0, &body);
        schema_leave(writer, before);
    } else {
        gbnf_append_common(writer->gbnf, &body, GBNF_VALUE);
    }
    *rule = gbnf_add_rule(writer->gbnf, &body);
    buf_clear(&body);
    return good;
}

/* What follows behind a member, from property `next` on: the rule of `after` is that of what follows the next one. */
static uint32_t write_rest(struct gbnf *gbnf, const struct property *next, uint32_t member, uint32_t after, bool last) {
    struct buf body;
    buf_init(&body, GBNF_BYTES_MAX);
    buf_append_cstr(&body, next->required ? "" : " (");
    gbnf_append_literal(&body, STR(","));
    gbnf_append_blank(&body);
    gbnf_append_rule(&body, member);
    buf_append_cstr(&body, next->required ? "" : ")?");
    if (!last) {
        gbnf_append_rule(&body, after);
    }
    const uint32_t rule = gbnf_add_rule(gbnf, &body);
    buf_clear(&body);
    return rule;
}

/* The members from the first to the last: one that may be left out is a choice whether the object begins with it. */
static void write_members(struct gbnf *gbnf, const struct object *object, const uint32_t *members,
                          const uint32_t *rests, struct buf *body) {
    bool begun = false, all_optional = true;
    buf_append_cstr(body, " (");
    for (size_t i = 0; i < object->count && all_optional; i++) {
        all_optional = !object->properties[i].required;
        buf_append_cstr(body, begun ? " |" : "");
        begun = true;
        gbnf_append_rule(body, members[i]);
        if (i + 1 < object->count) {
            gbnf_append_rule(body, rests[i + 1]);
        }
    }
    buf_append_cstr(body, all_optional ? ")?" : ")");
    (void)gbnf;
}

static bool write_properties(struct schema_writer *writer, const struct object *object, struct buf *body) {
    uint32_t *members = mem_calloc(object->count, sizeof(*members)), *rests = mem_calloc(object->count, sizeof(*rests));
    bool good = true;
    for (size_t i = 0; good && i < object->count; i++) {
        good = write_member(writer, object, &object->properties[i], &members[i]);
    }
    for (size_t i = object->count - 1; good && i > 0; i--) {
        const bool last = i + 1 == object->count;
        rests[i] = write_rest(writer->gbnf, &object->properties[i], members[i], last ? 0 : rests[i + 1], last);
    }
    if (good) {
        gbnf_append_literal(body, STR("{"));
        write_members(writer->gbnf, object, members, rests, body);
        gbnf_append_literal(body, STR("}"));
    }
    free(members);
    free(rests);
    return good;
}

/* How many there may be is only known to be kept where the required ones see to it. */
static bool check_counts(struct schema_writer *writer, const struct object *object) {
    uint32_t required = 0;
    for (size_t i = 0; i < object->count; i++) {
        required += object->properties[i].required;
    }
    if (object->count - required > SCHEMA_OPTIONAL_MAX) {
        return schema_invalid(writer, "properties", "has %zu that may be left out; at most %d may.",
                              object->count - required, SCHEMA_OPTIONAL_MAX);
    }
    if (object->most < required) {
        return schema_invalid(writer, "maxProperties", "is less than are required.");
    }
    return (object->least <= required || schema_leave_out(writer, "minProperties", "a number of properties")) &&
           (object->most >= object->count || schema_leave_out(writer, "maxProperties", "a number of properties"));
}

/* One that is required, and for which neither properties nor additionalProperties have room. */
static bool check_required(struct schema_writer *writer, const struct object *object) {
    for (size_t i = 0; i < object->count; i++) {
        if (!object->properties[i].has_schema && object->closed) {
            return schema_invalid(writer, "required", "names a property that the schema does not allow.");
        }
    }
    return true;
}

static bool write_object(struct schema_writer *writer, struct object *object, struct buf *body) {
    for (size_t i = 0; i < object->part_count; i++) {
        if (!read_part(writer, object, i)) {
            return false;
        }
    }
    if (object->least > object->most) {
        return schema_invalid(writer, "minProperties", "is more than maxProperties.");
    }
    if (object->count == 0) {
        return write_map(writer, object, body);
    }
    return check_required(writer, object) && check_counts(writer, object) && write_properties(writer, object, body);
}

bool schema_write_object(struct schema_writer *writer, const struct json_value *parts, size_t count, struct buf *body) {
    struct object object = {.parts = parts, .part_count = count, .most = UINT32_MAX};
    writer->inside++;
    const bool good = write_object(writer, &object, body);
    writer->inside--;
    free(object.properties);
    return good;
}
