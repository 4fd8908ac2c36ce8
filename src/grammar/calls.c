#include "grammar/calls.h"

#include "grammar/schema.h"

/* The name and what follows it, up to the end of the call. */
static bool append_tool(const struct calls_tool *tool, struct gbnf *gbnf, struct buf *body, struct err *err) {
    gbnf_append_literal(body, tool->name);
    gbnf_append_literal(body, STR("\","));
    gbnf_append_blank(body);
    gbnf_append_literal(body, STR("\"arguments\":"));
    gbnf_append_blank(body);
    if (json_type_of(tool->parameters) == JSON_NULL) {
        gbnf_append_literal(body, STR("{}"));
        return true;
    }
    const struct schema_source source = {
        .schema = tool->parameters, .field = tool->field, .strict = tool->strict, .object = true};
    return schema_append(&source, gbnf, body, err);
}

bool calls_append(const struct calls_tool *tools, size_t count, struct gbnf *gbnf, struct buf *body, struct err *err) {
    gbnf_append_literal(body, STR("{\"name\":"));
    gbnf_append_blank(body);
    gbnf_append_literal(body, STR("\""));
    buf_append_cstr(body, " (");
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(body, i > 0 ? " |" : "");
        if (!append_tool(&tools[i], gbnf, body, err)) {
            return false;
        }
    }
    buf_append_cstr(body, ")");
    gbnf_append_literal(body, STR("}"));
    return true;
}
