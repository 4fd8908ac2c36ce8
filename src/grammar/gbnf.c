#include "grammar/gbnf.h"

#include "base/compiler.h"
#include "base/json_write.h"

#include <inttypes.h>

/* A character of a string stands for itself, but for quotes, backslashes and controls. Escapes by number are only for
 * controls: everything else can be said without, and half a surrogate pair never comes to be. Numbers have no more
 * digits than a double can tell apart. */
static const struct {
    const char *name, *body;
    enum gbnf_common uses[6];
    size_t use_count;
} commons[GBNF_COMMONS] = {
    [GBNF_CHAR] = {"char",
                   "[ -!#-[\\x5D-\\uD7FF\\uE000-\\U0010FFFF] | \"\\\\\" ([\"\\\\/bfnrt] | \"u00\" [01] [0-9a-fA-F])",
                   {0},
                   0},
    [GBNF_STRING] = {"string", "\"\\\"\" char* \"\\\"\"", {GBNF_CHAR}, 1},
    [GBNF_INTEGER] = {"integer", "\"-\"? (\"0\" | [1-9] [0-9]{0,14})", {0}, 0},
    [GBNF_NUMBER] = {"number", "integer (\".\" [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?", {GBNF_INTEGER}, 1},
    [GBNF_BOOLEAN] = {"boolean", "\"true\" | \"false\"", {0}, 0},
    [GBNF_NULL] = {"null", "\"null\"", {0}, 0},
    [GBNF_VALUE] = {"value",
                    "object | array | string | number | boolean | null",
                    {GBNF_OBJECT, GBNF_ARRAY, GBNF_STRING, GBNF_NUMBER, GBNF_BOOLEAN, GBNF_NULL},
                    6},
    [GBNF_OBJECT] = {"object",
                     "\"{\" (string \":\" \" \"? value (\",\" \" \"? string \":\" \" \"? value)*)? \"}\"",
                     {GBNF_STRING, GBNF_VALUE},
                     2},
    [GBNF_ARRAY] = {"array", "\"[\" (value (\",\" \" \"? value)*)? \"]\"", {GBNF_VALUE}, 1},
};

void gbnf_init(struct gbnf *gbnf) {
    *gbnf = (struct gbnf){0};
    buf_init(&gbnf->text, GBNF_BYTES_MAX);
}

void gbnf_clear(struct gbnf *gbnf) {
    buf_clear(&gbnf->text);
}

uint32_t gbnf_reserve_rule(struct gbnf *gbnf) {
    return gbnf->rules++;
}

void gbnf_write_rule(struct gbnf *gbnf, uint32_t rule, const struct buf *body) {
    gbnf->text.overflow |= body->overflow;
    buf_append_format(&gbnf->text, "r%" PRIu32 " ::=", rule);
    buf_append_str(&gbnf->text, buf_str(body));
    buf_append_cstr(&gbnf->text, "\n");
}

uint32_t gbnf_add_rule(struct gbnf *gbnf, const struct buf *body) {
    const uint32_t rule = gbnf_reserve_rule(gbnf);
    gbnf_write_rule(gbnf, rule, body);
    return rule;
}

static void use(struct gbnf *gbnf, enum gbnf_common common) {
    if (gbnf->uses[common]) {
        return;
    }
    gbnf->uses[common] = true;
    for (size_t i = 0; i < commons[common].use_count; i++) {
        use(gbnf, commons[common].uses[i]);
    }
}

bool gbnf_finish(struct gbnf *gbnf, const struct buf *root) {
    gbnf->text.overflow |= root->overflow;
    buf_append_cstr(&gbnf->text, "root ::=");
    buf_append_str(&gbnf->text, buf_str(root));
    buf_append_cstr(&gbnf->text, "\n");
    for (size_t i = 0; i < GBNF_COMMONS; i++) {
        if (gbnf->uses[i]) {
            buf_append_cstr(&gbnf->text, commons[i].name);
            buf_append_cstr(&gbnf->text, " ::= ");
            buf_append_cstr(&gbnf->text, commons[i].body);
            buf_append_cstr(&gbnf->text, "\n");
        }
    }
    return !gbnf->text.overflow;
}

void gbnf_append_rule(struct buf *body, uint32_t rule) {
    buf_append_format(body, " r%" PRIu32, rule);
}

void gbnf_append_common(struct gbnf *gbnf, struct buf *body, enum gbnf_common common) {
    use(gbnf, common);
    buf_append_cstr(body, " ");
    buf_append_cstr(body, commons[common].name);
}

void gbnf_append_literal(struct buf *body, struct str bytes) {
    buf_append_cstr(body, " \"");
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t byte = (uint8_t)bytes.data[i];
        if (byte == '"' || byte == '\\') {
            buf_append_cstr(body, "\\");
            buf_append(body, &bytes.data[i], 1);
        } else if (byte < 0x20 || byte == 0x7F) {
            buf_append_format(body, "\\x%02X", byte);
        } else {
            buf_append(body, &bytes.data[i], 1);
        }
    }
    buf_append_cstr(body, "\"");
}

void gbnf_append_string(struct buf *body, struct str text) {
    struct buf json;
    buf_init(&json, body->limit);
    buf_append_cstr(&json, "\"");
    json_escape(&json, text);
    buf_append_cstr(&json, "\"");
    body->overflow |= json.overflow;
    gbnf_append_literal(body, buf_str(&json));
    buf_clear(&json);
}

void gbnf_append_blank(struct buf *body) {
    buf_append_cstr(body, " \" \"?");
}

void gbnf_append_times(struct buf *body, uint32_t least, uint32_t most) {
    if (least == 0 && most == UINT32_MAX) {
        buf_append_cstr(body, "*");
    } else if (least == 1 && most == UINT32_MAX) {
        buf_append_cstr(body, "+");
    } else if (most == UINT32_MAX) {
        buf_append_format(body, "{%" PRIu32 ",}", least);
    } else if (least != 1 || most != 1) {
        buf_append_format(body, "{%" PRIu32 ",%" PRIu32 "}", least, most);
    }
}
