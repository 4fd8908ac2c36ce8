#include "format/anthropic_tools.h"

#include "base/buf.h"
#include "format/fields.h"
#include "format/functions.h"
#include "format/refused.h"
#include "wire/field.h"

#include <stdio.h>

enum { TOOL_NAME_BYTES = 128 }; /* as documented */

struct tools_reader {
    struct anthropic_content *content;
    struct arena *arena;
    struct err *err;
    struct functions_asked asked;
};

static bool is_given(struct json_value value) {
    return json_type_of(value) != JSON_NULL;
}

static bool out_of_room(struct err *err) {
    return err_set(err, ERR_TOO_LARGE, "The request is too large.");
}

/* --- The tools --- */

struct field_path {
    char text[ERR_FIELD_MAX];
};

static struct field_path path_of(const struct tools_reader *reader, const char *member) {
    struct field_path path;
    snprintf(path.text, sizeof(path.text), "tools[%zu]%s", reader->asked.count, member);
    return path;
}

static bool is_name_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
           c == '.';
}

static bool name_read(struct tools_reader *reader, struct json_value tool, struct str *out) {
    const struct field_path field = path_of(reader, ".name");
    struct json_value value;
    if (!json_get_given(tool, "name", &value)) {
        return field_invalid(reader->err, field.text, "is required.");
    }
    if (!json_as_str(value, out)) {
        return field_wrong_type(reader->err, field.text, "a string", value);
    }
    bool fits = out->len >= 1 && out->len <= TOOL_NAME_BYTES;
    for (size_t i = 0; fits && i < out->len; i++) {
        fits = is_name_byte(out->data[i]);
    }
    if (!fits) {
        return field_invalid(reader->err, field.text, "must be 1 to %d letters, digits, underscores and hyphens.",
                             TOOL_NAME_BYTES);
    }
    for (size_t i = 0; i < reader->asked.count; i++) {
        if (str_equal(reader->asked.tools[i].name, *out)) {
            return field_invalid(reader->err, field.text, "is the name of tools[%zu], too.", i);
        }
    }
    return true;
}

static bool schema_read(struct tools_reader *reader, struct json_value tool, struct call_tool *out,
                        struct calls_tool *callable) {
    const struct field_path field = path_of(reader, ".input_schema");
    struct buf text;
    (void)str_copy(callable->field, sizeof(callable->field), str_from(field.text));
    if (!json_get_given(tool, "input_schema", &callable->parameters)) {
        return field_invalid(reader->err, field.text, "is required.");
    }
    if (json_type_of(callable->parameters) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field.text, "an object", callable->parameters);
    }
    buf_init(&text, LIMIT_HTTP_BODY_BYTES);
    json_serialize(callable->parameters, &text);
    out->parameters = text.overflow ? (struct str){NULL, 0} : arena_copy(reader->arena, buf_str(&text));
    buf_clear(&text);
    return out->parameters.data != NULL || out_of_room(reader->err);
}

/* Tools of other types run on the owner's servers, or are known to its models by name alone. A model that is not told
 * of one would make its results up, so they are refused. */
static bool type_read(struct tools_reader *reader, struct json_value tool) {
    enum { TYPE_SHOWN_BYTES = 48 };
    const struct field_path field = path_of(reader, ".type");
    struct json_value value;
    struct str type;
    if (!json_get_given(tool, "type", &value)) {
        return true;
    }
    if (!json_as_str(value, &type)) {
        return field_wrong_type(reader->err, field.text, "a string", value);
    }
    if (str_equal(type, STR("custom"))) {
        return true;
    }
    bool shown = type.len > 0 && type.len <= TYPE_SHOWN_BYTES;
    for (size_t i = 0; shown && i < type.len; i++) {
        shown = is_name_byte(type.data[i]);
    }
    return err_set_field(reader->err, ERR_UNSUPPORTED, field.text,
                         "%s: tools of type %.*s are not supported yet. Send tools of your own, with an input_schema.",
                         field.text, STR_ARG(shown ? type : STR("other than custom")));
}

/* What only describes a tool, or says how it is sent, changes nothing. */
static void tool_look(struct tools_reader *reader, struct json_value tool) {
    static const char *const known[] = {"type", "name", "description", "input_schema", "strict", "cache_control"};
    struct json_iterator iterator;
    struct json_value value;
    struct str name;
    for (json_iterate(tool, &iterator); json_next(&iterator, &name, &value);) {
        bool is_known = refused_is_empty(value);
        for (size_t i = 0; i < COUNT_OF(known) && !is_known; i++) {
            is_known = str_equal_cstr(name, known[i]);
        }
        if (!is_known) {
            ignored_add(&reader->content->ignored, "tools[].", name);
        }
    }
}

static bool tool_read(struct tools_reader *reader, struct json_value item) {
    struct call_tool *tool = &reader->asked.tools[reader->asked.count];
    struct calls_tool *callable = &reader->asked.callable[reader->asked.count];
    struct json_value value;
    *tool = (struct call_tool){.name = STR(""), .description = STR(""), .parameters = STR("")};
    if (json_type_of(item) != JSON_OBJECT) {
        return field_wrong_type(reader->err, path_of(reader, "").text, "an object", item);
    }
    if (!type_read(reader, item) || !name_read(reader, item, &tool->name)) {
        return false;
    }
    if (json_get_given(item, "description", &value) && !json_as_str(value, &tool->description)) {
        return field_wrong_type(reader->err, path_of(reader, ".description").text, "a string", value);
    }
    if (json_get_given(item, "strict", &value) && !json_as_bool(value, &callable->strict)) {
        return field_wrong_type(reader->err, path_of(reader, ".strict").text, "true or false", value);
    }
    tool_look(reader, item);
    if (!fields_copy(reader->arena, tool->name, &tool->name, reader->err) ||
        !fields_copy(reader->arena, tool->description, &tool->description, reader->err) ||
        !schema_read(reader, item, tool, callable)) {
        return false;
    }
    callable->name = tool->name;
    reader->asked.count++;
    return true;
}

static bool list_read(struct tools_reader *reader) {
    const struct json_value list = reader->content->tools;
    struct json_iterator iterator;
    struct json_value item;
    if (!is_given(list)) {
        return true;
    }
    if (json_type_of(list) != JSON_ARRAY) {
        return field_wrong_type(reader->err, "tools", "an array", list);
    }
    const size_t count = json_count(list);
    if (count > FUNCTIONS_MAX) {
        return field_invalid(reader->err, "tools", "must hold at most %d tools.", FUNCTIONS_MAX);
    }
    reader->asked.tools = ARENA_ARRAY(reader->arena, struct call_tool, count + 1);
    reader->asked.callable = ARENA_ARRAY(reader->arena, struct calls_tool, count + 1);
    if (reader->asked.tools == NULL || reader->asked.callable == NULL) {
        return out_of_room(reader->err);
    }
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item);) {
        if (!tool_read(reader, item)) {
            return false;
        }
    }
    return true;
}

/* --- The choice --- */

static bool choice_name_read(struct tools_reader *reader, struct json_value choice) {
    struct json_value value;
    if (!json_get_given(choice, "name", &value)) {
        return field_invalid(reader->err, "tool_choice.name", "is required.");
    }
    if (!field_string(reader->err, "tool_choice.name", value, TOOL_NAME_BYTES, &reader->asked.chosen)) {
        return false;
    }
    for (size_t i = 0; i < reader->asked.count; i++) {
        if (str_equal(reader->asked.tools[i].name, reader->asked.chosen)) {
            return true;
        }
    }
    return field_invalid(reader->err, "tool_choice.name", "names a tool that is not in tools.");
}

static bool choice_type_read(struct tools_reader *reader, struct json_value choice) {
    static const struct {
        struct str name;
        enum functions_choice choice;
    } choices[] = {
        {STR("auto"), FUNCTIONS_AUTO},
        {STR("any"), FUNCTIONS_REQUIRED},
        {STR("tool"), FUNCTIONS_NAMED},
        {STR("none"), FUNCTIONS_NONE},
    };
    struct json_value value;
    struct str type;
    if (!json_get_given(choice, "type", &value)) {
        return field_invalid(reader->err, "tool_choice.type", "is required.");
    }
    if (!field_string(reader->err, "tool_choice.type", value, LIMIT_NAME_BYTES, &type)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        if (str_equal(choices[i].name, type)) {
            reader->asked.choice = choices[i].choice;
            return true;
        }
    }
    return field_invalid(reader->err, "tool_choice.type", "must be \"auto\", \"any\", \"tool\" or \"none\".");
}

static bool choice_read(struct tools_reader *reader) {
    const struct json_value choice = reader->content->tool_choice;
    struct json_value value;
    if (!is_given(choice)) {
        return true;
    }
    if (json_type_of(choice) != JSON_OBJECT) {
        return field_wrong_type(reader->err, "tool_choice", "an object", choice);
    }
    if (!choice_type_read(reader, choice)) {
        return false;
    }
    if (json_get_given(choice, "disable_parallel_tool_use", &value) && !json_as_bool(value, &reader->asked.one_call)) {
        return field_wrong_type(reader->err, "tool_choice.disable_parallel_tool_use", "true or false", value);
    }
    switch (reader->asked.choice) {
    case FUNCTIONS_REQUIRED:
        return reader->asked.count > 0 ||
               field_invalid(reader->err, "tool_choice", "asks for a call, but there are no tools.");
    case FUNCTIONS_NAMED:
        return choice_name_read(reader, choice);
    case FUNCTIONS_AUTO:
    case FUNCTIONS_NONE:
        break;
    }
    return true;
}

/* --- What the answer is of --- */

struct format_field {
    const char *whole, *type, *schema;
};

static bool format_read(struct tools_reader *reader, struct json_value format, const struct format_field *field) {
    struct json_value value;
    struct str type;
    if (json_type_of(format) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field->whole, "an object", format);
    }
    if (!json_get_given(format, "type", &value)) {
        return field_invalid(reader->err, field->type, "is required.");
    }
    if (!field_string(reader->err, field->type, value, LIMIT_NAME_BYTES, &type)) {
        return false;
    }
    if (!str_equal(type, STR("json_schema"))) {
        return field_invalid(reader->err, field->type, "must be \"json_schema\".");
    }
    if (!json_get_given(format, "schema", &reader->asked.schema.schema)) {
        return field_invalid(reader->err, field->schema, "is required.");
    }
    reader->asked.schema.field = field->schema;
    reader->asked.schema.strict = true; /* the form has no other kind */
    return true;
}

/* "output_config": {"format": {...}, "effort": ...}, and its older form "output_format". */
static bool output_read(struct tools_reader *reader) {
    static const struct format_field newer = {"output_config.format", "output_config.format.type",
                                              "output_config.format.schema"};
    static const struct format_field older = {"output_format", "output_format.type", "output_format.schema"};
    const struct json_value config = reader->content->output_config;
    struct json_iterator iterator;
    struct json_value value;
    struct str name;
    if (is_given(config) && json_type_of(config) != JSON_OBJECT) {
        return field_wrong_type(reader->err, "output_config", "an object", config);
    }
    if (is_given(reader->content->output_format) && !format_read(reader, reader->content->output_format, &older)) {
        return false;
    }
    if (!is_given(config)) {
        return true;
    }
    for (json_iterate(config, &iterator); json_next(&iterator, &name, &value);) {
        if (!is_given(value)) {
            continue;
        }
        if (!str_equal(name, STR("format"))) {
            ignored_add(&reader->content->ignored, "output_config.", name);
        } else if (is_given(reader->asked.schema.schema)) {
            return field_invalid(reader->err, "output_format", "and output_config.format mean the same; send one.");
        } else if (!format_read(reader, value, &newer)) {
            return false;
        }
    }
    return true;
}

bool anthropic_tools_read(struct anthropic_content *content, struct arena *arena, struct call_input *out,
                          struct err *err) {
    struct tools_reader reader = {.content = content, .arena = arena, .err = err};
    return list_read(&reader) && choice_read(&reader) && output_read(&reader) &&
           functions_take(&reader.asked, arena, out, err);
}
