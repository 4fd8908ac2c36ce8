#include "grammar/schema_array.h"

/* What an array's keywords say. */
struct array_shape {
    struct json_value front; /* the array of prefixItems */
    size_t front_count;
    struct json_value items; /* of those behind */
    bool has_items, closed;  /* closed: none are behind */
    uint32_t least, most;    /* of all; most UINT32_MAX: without end */
};

static bool read_items(struct schema_writer *writer, struct json_value schema, struct array_shape *out) {
    struct json_value value;
    bool more;
    if (json_get(schema, "prefixItems", &out->front)) {
        if (json_type_of(out->front) != JSON_ARRAY) {
            return schema_wrong_type(writer, "prefixItems", "an array", out->front);
        }
        out->front_count = json_count(out->front);
    }
    if (json_get(schema, "items", &value) && json_type_of(value) == JSON_ARRAY) { /* drafts before 2020-12 */
        out->front = value;
        out->front_count = json_count(value);
        if (!json_get(schema, "additionalItems", &value)) {
            return true;
        }
    } else if (!json_get(schema, "items", &value)) {
        return true;
    }
    out->closed = json_as_bool(value, &more) && !more;
    out->has_items = !out->closed;
    out->items = value;
    return true;
}

static bool read_shape(struct schema_writer *writer, struct json_value schema, struct array_shape *out) {
    bool has_least, has_most;
    *out = (struct array_shape){.most = UINT32_MAX};
    if (!read_items(writer, schema, out) || !schema_count(writer, schema, "minItems", &has_least, &out->least) ||
        !schema_count(writer, schema, "maxItems", &has_most, &out->most)) {
        return false;
    }
    if (out->least > out->most || (out->closed && out->least > out->front_count)) {
        return schema_invalid(writer, "minItems", "is more than there may be.");
    }
    if (out->least > GBNF_REPEAT_MAX) {
        out->least = GBNF_REPEAT_MAX;
        if (!schema_leave_out(writer, "minItems", "more than 1000 items")) {
            return false;
        }
    }
    if (has_most && out->most > GBNF_REPEAT_MAX) {
        out->most = UINT32_MAX;
        return schema_leave_out(writer, "maxItems", "a limit of more than 1000 items");
    }
    return true;
}

/* Those of prefixItems, all of them or as many as fit, each behind a comma but the first. */
static bool write_front(struct schema_writer *writer, const struct array_shape *shape, struct buf *body,
                        size_t *written) {
    struct json_iterator iterator;
    struct json_value item;
    *written = 0;
    if (shape->front_count == 0) {
        return true;
    }
    for (json_iterate(shape->front, &iterator); *written < shape->most && json_next(&iterator, NULL, &item);
         *written += 1) {
        const size_t before = schema_enter(writer, ".prefixItems[%zu]", *written);
        if (*written > 0) {
            gbnf_append_literal(body, STR(","));
            gbnf_append_blank(body);
        }
        if (!writer->write(writer, item, 0, body)) {
            return false;
        }
        schema_leave(writer, before);
    }
    return true;
}

static bool write_item_rule(struct schema_writer *writer, const struct array_shape *shape, uint32_t *rule) {
    struct buf body;
    buf_init(&body, GBNF_BYTES_MAX);
    const size_t before = schema_enter(writer, ".items");
    bool good = true;
    if (shape->has_items) {
        good = writer->write(writer, shape->items, 0, &body);
    } else {
        gbnf_append_common(writer->gbnf, &body, GBNF_VALUE);
    }
    schema_leave(writer, before);
    *rule = gbnf_add_rule(writer->gbnf, &body);
    buf_clear(&body);
    return good;
}

/* From `least` to `most` of a rule, behind `front` items. */
static void append_list(struct buf *body, uint32_t rule, size_t front, uint32_t least, uint32_t most) {
    const bool optional = front == 0 && least == 0;
    if (front == 0) {
        buf_append_cstr(body, optional ? " (" : "");
        gbnf_append_rule(body, rule);
        least -= least > 0 ? 1 : 0;
        most -= most == UINT32_MAX ? 0 : 1;
    }
    if (most > 0) {
        buf_append_cstr(body, " (");
        gbnf_append_literal(body, STR(","));
        gbnf_append_blank(body);
        gbnf_append_rule(body, rule);
        buf_append_cstr(body, ")");
        gbnf_append_times(body, least, most);
    }
    buf_append_cstr(body, optional ? ")?" : "");
}

static bool write_shape(struct schema_writer *writer, const struct array_shape *shape, struct buf *body) {
    size_t front;
    uint32_t rule;
    gbnf_append_literal(body, STR("["));
    if (!write_front(writer, shape, body, &front)) {
        return false;
    }
    const uint32_t least = shape->least > front ? shape->least - (uint32_t)front : 0;
    const uint32_t most = shape->most == UINT32_MAX ? UINT32_MAX : shape->most - (uint32_t)front;
    const bool wanted = shape->has_items || shape->front_count == 0 || least > 0;
    if (!shape->closed && most > 0 && wanted) {
        if (!write_item_rule(writer, shape, &rule)) {
            return false;
        }
        append_list(body, rule, front, least, most);
    }
    gbnf_append_literal(body, STR("]"));
    return true;
}

bool schema_write_array(struct schema_writer *writer, struct json_value schema, struct buf *body) {
    struct array_shape shape;
    if (!read_shape(writer, schema, &shape)) {
        return false;
    }
    writer->inside++;
    const bool good = write_shape(writer, &shape, body);
    writer->inside--;
    return good;
}
