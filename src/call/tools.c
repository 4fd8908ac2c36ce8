#include "call/tools.h"

#include "base/json_write.h"
#include "wire/limits.h"

#include <string.h>

static void write_tool(const struct call_tool *tool, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "type", "function");
    json_write_key(&writer, "function");
    json_begin_object(&writer);
    json_member_str(&writer, "name", tool->name);
    json_member_str(&writer, "description", tool->description);
    json_write_key(&writer, "parameters");
    json_write_raw(&writer,
                   tool->parameters.len > 0 ? tool->parameters : STR("{\"type\":\"object\",\"properties\":{}}"));
    json_end_object(&writer);
    json_end_object(&writer);
}

static void write_text(const struct call_tools *tools, struct str system, struct buf *out) {
    buf_append_str(out, system.len > 0 ? system : STR("You are a helpful assistant."));
    buf_append_cstr(out, "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
                         "You are provided with function signatures within <tools></tools> XML tags:\n<tools>");
    for (size_t i = 0; i < tools->count; i++) {
        buf_append_cstr(out, "\n");
        write_tool(&tools->items[i], out);
    }
    buf_append_cstr(out, "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
                         "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
                         "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>");
}

bool tools_tell(const struct call_tools *tools, struct arena *arena, struct gen_request *request) {
    const bool has_system = request->message_count > 0 && request->messages[0].role == GEN_ROLE_SYSTEM;
    const size_t added = has_system ? 0 : 1;
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, request->message_count + added);
    struct buf text;
    if (messages == NULL) {
        return false;
    }
    memcpy(messages + added, request->messages, request->message_count * sizeof(*messages));
    if (added > 0) {
        messages[0] = (struct gen_message){.role = GEN_ROLE_SYSTEM, .content = STR(""), .tool_call_id = STR("")};
    }
    buf_init(&text, 2 * LIMIT_HTTP_BODY_BYTES);
    write_text(tools, messages[0].content, &text);
    messages[0].content = text.overflow ? (struct str){NULL, 0} : arena_copy(arena, buf_str(&text));
    buf_clear(&text);
    request->messages = messages;
    request->message_count += added;
    return messages[0].content.data != NULL;
}

bool tools_copy_names(struct arena *arena, const struct call_tools *tools, const struct call_tools **out) {
    *out = NULL;
    if (tools == NULL) {
        return true;
    }
    struct call_tools *copy = ARENA_NEW(arena, struct call_tools);
    struct str *names = ARENA_ARRAY(arena, struct str, tools->names.count);
    if (copy == NULL || names == NULL) {
        return false;
    }
    for (size_t i = 0; i < tools->names.count; i++) {
        names[i] = arena_copy(arena, tools->names.items[i]);
        if (names[i].data == NULL) {
            return false;
        }
    }
    *copy = (struct call_tools){.names = {names, tools->names.count}, .one_call = tools->one_call};
    *out = copy;
    return true;
}
