#include "format/functions.h"

#include "call/tools.h"
#include "format/refused.h"
#include "grammar/calls.h"
#include "grammar/schema.h"
#include "wire/field.h"

#include <stdio.h>
#include <string.h>

enum { FUNCTION_NAME_BYTES = 64 };

/* How a form calls what is read here. */
struct functions_words {
    const char *format, *type, *outer, *name, *strict, *schema;
};

static const struct functions_words nested_words = {"response_format",
                                                    "response_format.type",
                                                    "response_format.json_schema",
                                                    "response_format.json_schema.name",
                                                    "response_format.json_schema.strict",
                                                    "response_format.json_schema.schema"};
static const struct functions_words flat_words = {"text.format",      "text.format.type",   "text.format",
                                                  "text.format.name", "text.format.strict", "text.format.schema"};

struct functions_reader {
    const struct fields_content *content;
    struct arena *arena;
    struct err *err;
    const char *list; /* "tools", or "functions" */
    struct call_tool *tools;
    struct calls_tool *callable; /* the same, for the grammar */
    size_t count, index;         /* index: of the one that is read, among them those that were left out */
    enum functions_choice choice;
    struct str chosen;
    struct schema_source schema; /* of the answer, in place of response_format */
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

/* "tools[2].function.name", and where it stands in the tool itself, or in the older form, "tools[2].name". */
static struct field_path path_of(const struct functions_reader *reader, const char *member) {
    struct field_path path;
    const bool older = reader->content->tools.document == NULL;
    snprintf(path.text, sizeof(path.text), "%s[%zu]%s%s", reader->list, reader->index,
             older || reader->content->flat ? "" : ".function", member);
    return path;
}

static bool is_name_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
           c == '.';
}

static bool name_read(struct functions_reader *reader, struct json_value function, struct str *out) {
    const struct field_path field = path_of(reader, ".name");
    struct json_value value;
    if (!json_get_given(function, "name", &value)) {
        return field_invalid(reader->err, field.text, "is required.");
    }
    if (!json_as_str(value, out)) {
        return field_wrong_type(reader->err, field.text, "a string", value);
    }
    bool fits = out->len >= 1 && out->len <= FUNCTION_NAME_BYTES;
    for (size_t i = 0; fits && i < out->len; i++) {
        fits = is_name_byte(out->data[i]);
    }
    if (!fits) {
        return field_invalid(reader->err, field.text, "must be 1 to %d letters, digits, underscores and hyphens.",
                             FUNCTION_NAME_BYTES);
    }
    for (size_t i = 0; i < reader->count; i++) {
        if (str_equal(reader->tools[i].name, *out)) {
            const char *other = reader->callable[i].field;
            return field_invalid(reader->err, field.text, "is the name of %.*s], too.", (int)strcspn(other, "]"),
                                 other);
        }
    }
    return true;
}

static bool parameters_read(struct functions_reader *reader, struct json_value function, struct call_tool *tool,
                            struct calls_tool *callable) {
    const struct field_path field = path_of(reader, ".parameters");
    struct buf text;
    (void)str_copy(callable->field, sizeof(callable->field), str_from(field.text));
    if (!json_get_given(function, "parameters", &callable->parameters)) {
        return true;
    }
    if (json_type_of(callable->parameters) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field.text, "an object", callable->parameters);
    }
    buf_init(&text, LIMIT_HTTP_BODY_BYTES);
    json_serialize(callable->parameters, &text);
    tool->parameters = text.overflow ? (struct str){NULL, 0} : arena_copy(reader->arena, buf_str(&text));
    buf_clear(&text);
    return tool->parameters.data != NULL || out_of_room(reader->err);
}

static bool function_read(struct functions_reader *reader, struct json_value function) {
    struct call_tool *tool = &reader->tools[reader->count];
    struct calls_tool *callable = &reader->callable[reader->count];
    struct json_value value;
    *tool = (struct call_tool){.name = STR(""), .description = STR(""), .parameters = STR("")};
    if (json_type_of(function) != JSON_OBJECT) {
        return field_wrong_type(reader->err, path_of(reader, "").text, "an object", function);
    }
    if (!name_read(reader, function, &tool->name)) {
        return false;
    }
    if (json_get_given(function, "description", &value) && !json_as_str(value, &tool->description)) {
        return field_wrong_type(reader->err, path_of(reader, ".description").text, "a string", value);
    }
    if (json_get_given(function, "strict", &value) && !json_as_bool(value, &callable->strict)) {
        return field_wrong_type(reader->err, path_of(reader, ".strict").text, "true or false", value);
    }
    if (!fields_copy(reader->arena, tool->name, &tool->name, reader->err) ||
        !fields_copy(reader->arena, tool->description, &tool->description, reader->err) ||
        !parameters_read(reader, function, tool, callable)) {
        return false;
    }
    callable->name = tool->name;
    reader->count++;
    return true;
}

static bool tool_read(struct functions_reader *reader, struct json_value item) {
    char field[ERR_FIELD_MAX];
    struct json_value type, function;
    struct str name;
    snprintf(field, sizeof(field), "tools[%zu]", reader->index);
    if (json_type_of(item) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field, "an object", item);
    }
    const bool typed = json_get_given(item, "type", &type) && json_as_str(type, &name) && name.len > 0;
    if (typed && reader->content->flat && !str_equal(name, STR("function"))) {
        return true; /* a tool of the server's own: agents offer those whoever serves them */
    }
    if (!typed || !str_equal(name, STR("function"))) {
        snprintf(field, sizeof(field), "tools[%zu].type", reader->index);
        return field_invalid(reader->err, field, "must be \"function\".");
    }
    if (reader->content->flat) {
        return function_read(reader, item);
    }
    return json_get_given(item, "function", &function)
               ? function_read(reader, function)
               : field_invalid(reader->err, path_of(reader, "").text, "is required.");
}

static bool list_read(struct functions_reader *reader) {
    const struct fields_content *content = reader->content;
    const bool older = !is_given(content->tools);
    const struct json_value list = older ? content->functions : content->tools;
    struct json_iterator iterator;
    struct json_value item;
    reader->list = older ? "functions" : "tools";
    if (!is_given(list)) {
        return true;
    }
    if (!older && is_given(content->functions) && !refused_is_empty(content->functions)) {
        return field_invalid(reader->err, "functions", "and tools mean the same; send tools.");
    }
    if (json_type_of(list) != JSON_ARRAY) {
        return field_wrong_type(reader->err, reader->list, "an array", list);
    }
    const size_t count = json_count(list);
    if (count > FUNCTIONS_MAX) {
        return field_invalid(reader->err, reader->list, "must hold at most %d tools.", FUNCTIONS_MAX);
    }
    reader->tools = ARENA_ARRAY(reader->arena, struct call_tool, count + 1);
    reader->callable = ARENA_ARRAY(reader->arena, struct calls_tool, count + 1);
    if (reader->tools == NULL || reader->callable == NULL) {
        return out_of_room(reader->err);
    }
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item); reader->index++) {
        if (!(older ? function_read(reader, item) : tool_read(reader, item))) {
            return false;
        }
    }
    return true;
}

/* --- The choice --- */

static bool choice_name(struct functions_reader *reader, const char *field, struct json_value choice) {
    struct json_value value = choice;
    if (str_equal_cstr(str_from(field), "tool_choice") && json_get_given(choice, "function", &value)) {
        choice = value;
    }
    if (!json_get_given(choice, "name", &value) || !json_as_str(value, &reader->chosen)) {
        return field_invalid(reader->err, field, "must be \"none\", \"auto\", \"required\", or name a function.");
    }
    for (size_t i = 0; i < reader->count; i++) {
        if (str_equal(reader->tools[i].name, reader->chosen)) {
            reader->choice = FUNCTIONS_NAMED;
            return true;
        }
    }
    return field_invalid(reader->err, field, "names a function that is not in %s.", reader->list);
}

static bool choice_read(struct functions_reader *reader) {
    static const struct {
        struct str name;
        enum functions_choice choice;
    } choices[] = {
        {STR("auto"), FUNCTIONS_AUTO},
        {STR("none"), FUNCTIONS_NONE},
        {STR("required"), FUNCTIONS_REQUIRED},
        {STR("any"), FUNCTIONS_REQUIRED},
    };
    const bool older = !is_given(reader->content->tool_choice);
    const struct json_value choice = older ? reader->content->function_call : reader->content->tool_choice;
    const char *field = older ? "function_call" : "tool_choice";
    struct str name;
    if (!is_given(choice)) {
        return true;
    }
    if (json_type_of(choice) == JSON_OBJECT) {
        return choice_name(reader, field, choice);
    }
    if (!json_as_str(choice, &name)) {
        return field_wrong_type(reader->err, field, "a string or an object", choice);
    }
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        if (str_equal(choices[i].name, name)) {
            reader->choice = choices[i].choice;
            return reader->choice != FUNCTIONS_REQUIRED || reader->count > 0 ||
                   field_invalid(reader->err, field, "asks for a call, but there are no tools.");
        }
    }
    return field_invalid(reader->err, field, "must be \"none\", \"auto\", \"required\", or name a function.");
}

bool functions_unused(const struct fields_content *content) {
    struct str choice;
    return json_as_str(is_given(content->tool_choice) ? content->tool_choice : content->function_call, &choice) &&
           str_equal(choice, STR("none"));
}

/* --- The grammar --- */

/* <tool_call>, a call, </tool_call>; one of `tools`. */
static bool append_calls(const struct functions_reader *reader, struct gbnf *gbnf, struct buf *root) {
    const struct calls_tool *tools = reader->callable;
    size_t count = reader->count;
    for (size_t i = 0; reader->choice == FUNCTIONS_NAMED && i < reader->count; i++) {
        if (str_equal(reader->callable[i].name, reader->chosen)) {
            tools = &reader->callable[i];
            count = 1;
        }
    }
    struct buf body;
    buf_init(&body, GBNF_BYTES_MAX);
    gbnf_append_literal(&body, STR("<tool_call>\n"));
    const bool good = calls_append(tools, count, gbnf, &body, reader->err);
    gbnf_append_literal(&body, STR("\n</tool_call>"));
    const uint32_t rule = gbnf_add_rule(gbnf, &body);
    buf_clear(&body);
    gbnf_append_rule(root, rule);
    if (reader->choice == FUNCTIONS_REQUIRED && !reader->content->one_call) {
        buf_append_cstr(root, " (");
        gbnf_append_literal(root, STR("\n"));
        gbnf_append_rule(root, rule);
        buf_append_cstr(root, ")");
        gbnf_append_times(root, 0, FUNCTIONS_CALLS_MAX - 1);
    }
    return good;
}

static const struct functions_words *words_of(const struct functions_reader *reader) {
    return reader->content->flat ? &flat_words : &nested_words;
}

static bool schema_read(const struct functions_reader *reader, struct json_value format, struct gbnf *gbnf,
                        struct buf *root) {
    const struct functions_words *words = words_of(reader);
    struct schema_source source = {.field = words->schema};
    struct json_value outer = format, value;
    struct str name;
    if (!reader->content->flat && !json_get_given(format, "json_schema", &outer)) {
        return field_invalid(reader->err, words->outer, "is required.");
    }
    if (json_type_of(outer) != JSON_OBJECT) {
        return field_wrong_type(reader->err, words->outer, "an object", outer);
    }
    if (json_get_given(outer, "name", &value) &&
        !field_string(reader->err, words->name, value, FUNCTION_NAME_BYTES, &name)) {
        return false;
    }
    if (json_get_given(outer, "strict", &value) && !json_as_bool(value, &source.strict)) {
        return field_wrong_type(reader->err, words->strict, "true or false", value);
    }
    if (!json_get_given(outer, "schema", &source.schema)) {
        return field_invalid(reader->err, source.field, "is required.");
    }
    return schema_append(&source, gbnf, root, reader->err);
}

/* Appends what "response_format" asks for; *given stays false when that is text. */
static bool append_format(const struct functions_reader *reader, struct gbnf *gbnf, struct buf *root, bool *given) {
    const struct functions_words *words = words_of(reader);
    const struct json_value format = reader->content->response_format;
    struct json_value value;
    struct str type;
    if (is_given(reader->schema.schema)) {
        *given = true;
        return schema_append(&reader->schema, gbnf, root, reader->err);
    }
    if (!is_given(format)) {
        return true;
    }
    if (json_type_of(format) != JSON_OBJECT) {
        return field_wrong_type(reader->err, words->format, "an object", format);
    }
    if (!json_get_given(format, "type", &value)) {
        return field_invalid(reader->err, words->type, "is required.");
    }
    if (!field_string(reader->err, words->type, value, LIMIT_NAME_BYTES, &type)) {
        return false;
    }
    *given = !str_equal(type, STR("text"));
    if (str_equal(type, STR("json_object"))) {
        gbnf_append_common(gbnf, root, GBNF_OBJECT);
        return true;
    }
    if (str_equal(type, STR("json_schema"))) {
        return schema_read(reader, format, gbnf, root);
    }
    return !*given || field_invalid(reader->err, words->type, "must be \"text\", \"json_object\" or \"json_schema\".");
}

/* Calls where they must come, and both where the format is given and calls may come. */
static bool append_root(const struct functions_reader *reader, struct gbnf *gbnf, struct buf *root, bool *given) {
    const bool must_call = reader->choice == FUNCTIONS_REQUIRED || reader->choice == FUNCTIONS_NAMED;
    if (must_call) {
        *given = true;
        return append_calls(reader, gbnf, root);
    }
    if (!append_format(reader, gbnf, root, given)) {
        return false;
    }
    if (*given && reader->count > 0 && reader->choice == FUNCTIONS_AUTO) {
        buf_append_cstr(root, " |");
        return append_calls(reader, gbnf, root);
    }
    return true;
}

static bool grammar_make(const struct functions_reader *reader, struct call_input *out) {
    struct gbnf gbnf;
    struct buf root;
    bool given = false;
    gbnf_init(&gbnf);
    buf_init(&root, GBNF_BYTES_MAX);
    bool good = append_root(reader, &gbnf, &root, &given);
    if (good && given) {
        good = (gbnf_finish(&gbnf, &root) ||
                err_set_field(reader->err, ERR_TOO_LARGE,
                              is_given(reader->schema.schema)              ? reader->schema.field
                              : is_given(reader->content->response_format) ? words_of(reader)->format
                                                                           : reader->list,
                              "The schemas make a grammar of more than %d KiB.", GBNF_BYTES_MAX / 1024)) &&
               fields_copy(reader->arena, buf_str(&gbnf.text), &out->request.grammar, reader->err);
    }
    buf_clear(&root);
    gbnf_clear(&gbnf);
    return good;
}

/* A strict tool's schema must be one that can be kept to, also when the model need not call. */
static bool strict_check(const struct functions_reader *reader) {
    bool good = true;
    for (size_t i = 0; good && i < reader->count; i++) {
        struct gbnf gbnf;
        struct buf body;
        if (!reader->callable[i].strict) {
            continue;
        }
        gbnf_init(&gbnf);
        buf_init(&body, GBNF_BYTES_MAX);
        good = calls_append(&reader->callable[i], 1, &gbnf, &body, reader->err);
        buf_clear(&body);
        gbnf_clear(&gbnf);
    }
    return good;
}

static bool tools_keep(const struct functions_reader *reader, struct call_input *out) {
    if (reader->count == 0 || reader->choice == FUNCTIONS_NONE) {
        return true;
    }
    struct call_tools *tools = ARENA_NEW(reader->arena, struct call_tools);
    struct str *names = ARENA_ARRAY(reader->arena, struct str, reader->count);
    if (tools == NULL || names == NULL) {
        return out_of_room(reader->err);
    }
    for (size_t i = 0; i < reader->count; i++) {
        names[i] = reader->tools[i].name;
    }
    *tools = (struct call_tools){.items = reader->tools,
                                 .count = reader->count,
                                 .names = {names, reader->count},
                                 .one_call = reader->content->one_call || reader->choice == FUNCTIONS_NAMED};
    out->tools = tools;
    return true;
}

bool functions_read(const struct fields_content *content, struct arena *arena, struct call_input *out,
                    struct err *err) {
    struct functions_reader reader = {.content = content, .arena = arena, .err = err, .list = "tools"};
    return list_read(&reader) && choice_read(&reader) && strict_check(&reader) && grammar_make(&reader, out) &&
           tools_keep(&reader, out);
}

static bool refuse_filled(const char *name, struct json_value value, struct err *err) {
    return !is_given(value) || refused_is_empty(value) || field_unsupported(err, name);
}

bool functions_read_format(const struct fields_content *content, struct arena *arena, struct call_input *out,
                           struct err *err) {
    const struct functions_reader reader = {.content = content, .arena = arena, .err = err, .list = "tools"};
    return refuse_filled("tools", content->tools, err) && refuse_filled("functions", content->functions, err) &&
           grammar_make(&reader, out);
}

bool functions_take(const struct functions_asked *asked, struct arena *arena, struct call_input *out, struct err *err) {
    const struct fields_content content = {.one_call = asked->one_call};
    const struct functions_reader reader = {.content = &content,
                                            .arena = arena,
                                            .err = err,
                                            .list = "tools",
                                            .tools = asked->tools,
                                            .callable = asked->callable,
                                            .count = asked->count,
                                            .choice = asked->choice,
                                            .chosen = asked->chosen,
                                            .schema = asked->schema};
    return strict_check(&reader) && grammar_make(&reader, out) && tools_keep(&reader, out);
}
