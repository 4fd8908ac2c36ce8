#include "format/tools.h"

#include "base/buf.h"
#include "wire/field.h"

#include <stdio.h>

enum { TOOL_NAME_BYTES = 64 };

/* Where a tool is read: "tools[2]" and what follows it name the field at fault. */
struct tool_reader {
    struct arena *arena;
    struct err *err;
    size_t index;
    char field[ERR_FIELD_MAX];
};

static const char *reader_field(struct tool_reader *reader, const char *rest) {
    snprintf(reader->field, sizeof(reader->field), "tools[%zu]%s", reader->index, rest);
    return reader->field;
}

static bool out_of_room(struct err *err) {
    return err_set(err, ERR_TOO_LARGE, "The request is too large.");
}

static bool is_name_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static bool name_read(struct tool_reader *reader, struct json_value function, struct str *out) {
    const char *field = reader_field(reader, ".function.name");
    struct json_value value;
    if (!json_get_given(function, "name", &value)) {
        return field_invalid(reader->err, field, "is required.");
    }
    if (!json_as_str(value, out)) {
        return field_wrong_type(reader->err, field, "a string", value);
    }
    bool fits = out->len >= 1 && out->len <= TOOL_NAME_BYTES;
    for (size_t i = 0; fits && i < out->len; i++) {
        fits = is_name_byte(out->data[i]);
    }
    return fits || field_invalid(reader->err, field, "must be 1 to %d letters, digits, underscores and hyphens.",
                                 TOOL_NAME_BYTES);
}

/* The names of a JSON schema's properties: "a, b", and the only one. Borrowed or in the arena. */
static bool names_join(struct tool_reader *reader, struct json_value properties, struct orchestration_tool *tool) {
    struct json_iterator iterator;
    struct json_value item;
    struct str name = STR("");
    struct buf names;
    buf_init(&names, ORCHESTRATION_TOOL_BYTES);
    for (json_iterate(properties, &iterator); json_next(&iterator, &name, &item);) {
        buf_append_str(&names, names.len > 0 ? STR(", ") : STR(""));
        buf_append_str(&names, name);
        tool->only = name;
    }
    if (json_count(properties) != 1) {
        tool->only = STR("");
    }
    const bool overflow = names.overflow;
    tool->parameters = arena_copy(reader->arena, buf_str(&names));
    buf_clear(&names);
    if (overflow) {
        return field_invalid(reader->err, reader_field(reader, ".function"), "must be at most %d bytes long.",
                             ORCHESTRATION_TOOL_BYTES);
    }
    return tool->parameters.data != NULL || out_of_room(reader->err);
}

static bool parameters_read(struct tool_reader *reader, struct json_value function, struct orchestration_tool *tool) {
    struct json_value parameters, properties;
    if (!json_get_given(function, "parameters", &parameters)) {
        return true;
    }
    if (json_type_of(parameters) != JSON_OBJECT) {
        return field_wrong_type(reader->err, reader_field(reader, ".function.parameters"), "an object", parameters);
    }
    if (!json_get_given(parameters, "properties", &properties)) {
        return true;
    }
    if (json_type_of(properties) != JSON_OBJECT) {
        return field_wrong_type(reader->err, reader_field(reader, ".function.parameters.properties"), "an object",
                                properties);
    }
    return names_join(reader, properties, tool);
}

static bool function_read(struct tool_reader *reader, struct json_value function, struct orchestration_tool *tool) {
    struct json_value description;
    *tool = (struct orchestration_tool){STR(""), STR(""), STR(""), STR("")};
    if (!name_read(reader, function, &tool->name)) {
        return false;
    }
    if (json_get_given(function, "description", &description) && !json_as_str(description, &tool->description)) {
        return field_wrong_type(reader->err, reader_field(reader, ".function.description"), "a string", description);
    }
    if (!parameters_read(reader, function, tool)) {
        return false;
    }
    if (tool->name.len + tool->description.len + tool->parameters.len > ORCHESTRATION_TOOL_BYTES) {
        return field_invalid(reader->err, reader_field(reader, ".function"),
                             "must be at most %d bytes long: name, description and names of parameters.",
                             ORCHESTRATION_TOOL_BYTES);
    }
    tool->name = arena_copy(reader->arena, tool->name);
    tool->description = arena_copy(reader->arena, tool->description);
    tool->only = arena_copy(reader->arena, tool->only);
    return (tool->name.data != NULL && tool->description.data != NULL && tool->only.data != NULL) ||
           out_of_room(reader->err);
}

static bool tool_read(struct tool_reader *reader, struct json_value item, struct orchestration_tool *tool) {
    struct json_value type, function;
    struct str name;
    if (json_type_of(item) != JSON_OBJECT) {
        return field_wrong_type(reader->err, reader_field(reader, ""), "an object", item);
    }
    if (!json_get_given(item, "type", &type) || !json_as_str(type, &name) || !str_equal(name, STR("function"))) {
        return field_invalid(reader->err, reader_field(reader, ".type"), "must be \"function\".");
    }
    if (!json_get_given(item, "function", &function)) {
        return field_invalid(reader->err, reader_field(reader, ".function"), "is required.");
    }
    if (json_type_of(function) != JSON_OBJECT) {
        return field_wrong_type(reader->err, reader_field(reader, ".function"), "an object", function);
    }
    return function_read(reader, function, tool);
}

/* A name stands for one tool, in any case of letters: models do not keep to it. */
static bool name_is_new(struct tool_reader *reader, const struct orchestration_tool *tools) {
    for (size_t i = 0; i < reader->index; i++) {
        if (str_equal_nocase(tools[i].name, tools[reader->index].name)) {
            return field_invalid(reader->err, reader_field(reader, ".function.name"), "is the name of tools[%zu], too.",
                                 i);
        }
    }
    return true;
}

bool tools_read(struct json_value value, struct arena *arena, const struct orchestration_tool **tools, size_t *count,
                struct err *err) {
    struct tool_reader reader = {.arena = arena, .err = err};
    struct json_iterator iterator;
    struct json_value item;
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(err, "tools", "an array", value);
    }
    *count = json_count(value);
    if (*count > ORCHESTRATION_TOOLS_MAX) {
        return field_invalid(err, "tools", "must hold at most %d tools.", ORCHESTRATION_TOOLS_MAX);
    }
    struct orchestration_tool *made = ARENA_ARRAY(arena, struct orchestration_tool, *count);
    *tools = made;
    if (made == NULL) {
        return out_of_room(err);
    }
    for (json_iterate(value, &iterator); json_next(&iterator, NULL, &item); reader.index++) {
        if (!tool_read(&reader, item, &made[reader.index]) || !name_is_new(&reader, made)) {
            return false;
        }
    }
    return true;
}
