#include "format/orchestration.h"

#include "base/money.h"
#include "format/functions.h"
#include "wire/field.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum { FIELD_PREFIX = sizeof("orchestration.") - 1 };

void orchestration_init(struct orchestration *asked) {
    *asked = (struct orchestration){
        .automatic = true, .kind = CORE_WORKFLOW_AGENT, .max_steps = ORCHESTRATION_STEPS_DEFAULT, .max_cost_nano = -1};
}

bool orchestration_kind_read(struct str name, bool *automatic, enum core_workflow_kind *kind) {
    *automatic = str_equal_nocase(name, STR("auto"));
    *kind = CORE_WORKFLOW_AGENT;
    for (int i = 0; !*automatic && i < CORE_WORKFLOW_KINDS; i++) {
        if (str_equal_nocase(name, str_from(core_workflow_kind_name((enum core_workflow_kind)i)))) {
            *kind = (enum core_workflow_kind)i;
            return true;
        }
    }
    return *automatic;
}

/* As the client's members are read. */
struct orchestration_fields {
    bool enabled;
    bool automatic;
    enum core_workflow_kind kind;
    struct field_integer max_steps;
    int64_t max_cost_nano;
};

static bool workflow_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct orchestration_fields *fields = place;
    struct str name;
    if (!json_as_str(value, &name)) {
        return field_wrong_type(err, rule->name.data, "a string", value);
    }
    return orchestration_kind_read(name, &fields->automatic, &fields->kind) ||
           field_invalid(err, rule->name.data,
                         "must be \"research\", \"code\", \"agent\", \"map_reduce\" or \"auto\".");
}

static bool cost_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    int64_t *nano = place;
    if (json_type_of(value) != JSON_NUMBER) {
        return field_wrong_type(err, rule->name.data, "a number", value);
    }
    /* A cap is never rounded up, and one that is not 0 never to nothing. */
    double number;
    return (json_as_double(value, &number) && field_usd(value, true, nano) && (*nano > 0 || number == 0)) ||
           field_invalid(err, rule->name.data, "must be 0, or from 0.000000001 to %" PRId64 ".",
                         INT64_MAX / MONEY_NANO_PER_USD);
}

#define AT(member) .offset = offsetof(struct orchestration_fields, member)

/* The names are those of err->field; a member's is what follows "orchestration.". */
static const struct field_rule rules[] = {
    {STR("orchestration.enabled"), field_read_bool, AT(enabled)},
    {STR("orchestration.workflow"), workflow_read, .offset = 0},
    {STR("orchestration.max_steps"), field_read_integer, AT(max_steps), 1, CORE_WORKFLOW_STEPS_MAX},
    {STR("orchestration.max_cost_usd"), cost_read, AT(max_cost_nano)},
};

static const struct field_rule *rule_find(struct str name, size_t *index) {
    for (*index = 0; *index < COUNT_OF(rules); *index += 1) {
        const struct str whole = rules[*index].name;
        if (str_equal(name, (struct str){whole.data + FIELD_PREFIX, whole.len - FIELD_PREFIX})) {
            return &rules[*index];
        }
    }
    return NULL;
}

static bool member_unknown(struct str name, struct err *err) {
    char member[ERR_FIELD_MAX - FIELD_PREFIX], field[ERR_FIELD_MAX];
    (void)str_copy(member, sizeof(member), name);
    snprintf(field, sizeof(field), "orchestration.%s", member);
    return field_invalid(err, field, "is unknown; there are enabled, workflow, max_steps and max_cost_usd.");
}

bool orchestration_read(struct json_value value, struct orchestration *out, struct err *err) {
    struct orchestration_fields fields = {.automatic = true,
                                          .kind = CORE_WORKFLOW_AGENT,
                                          .max_steps.value = ORCHESTRATION_STEPS_DEFAULT,
                                          .max_cost_nano = -1};
    bool seen[COUNT_OF(rules)] = {false};
    struct json_iterator iterator;
    struct str name;
    struct json_value member;
    size_t index;
    if (json_type_of(value) != JSON_OBJECT) {
        return field_wrong_type(err, "orchestration", "an object", value);
    }
    for (json_iterate(value, &iterator); json_next(&iterator, &name, &member);) {
        const struct field_rule *rule = rule_find(name, &index);
        if (rule == NULL) {
            return member_unknown(name, err);
        }
        const bool skip = seen[index] || json_type_of(member) == JSON_NULL;
        seen[index] = true;
        if (!skip && !rule->read(rule, member, (char *)&fields + rule->offset, err)) {
            return false;
        }
    }
    out->enabled = fields.enabled;
    out->automatic = fields.automatic;
    out->kind = fields.kind;
    out->max_steps = (uint32_t)fields.max_steps.value;
    out->max_cost_nano = fields.max_cost_nano;
    return true;
}

void orchestration_write(const struct orchestration *asked, struct json_writer *writer) {
    json_begin_object(writer);
    json_member_bool(writer, "enabled", asked->enabled);
    json_member_bool(writer, "auto", asked->automatic);
    json_member_cstr(writer, "workflow", core_workflow_kind_name(asked->kind));
    json_member_int(writer, "max_steps", asked->max_steps);
    json_member_int(writer, "max_cost_nano", asked->max_cost_nano);
    json_write_key(writer, "tools");
    json_begin_array(writer);
    for (size_t i = 0; i < asked->tool_count; i++) {
        json_begin_object(writer);
        json_member_str(writer, "name", asked->tools[i].name);
        json_member_str(writer, "description", asked->tools[i].description);
        json_member_str(writer, "parameters", asked->tools[i].parameters);
        json_member_str(writer, "only", asked->tools[i].only);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static bool stored_str(struct json_value object, const char *key, struct arena *arena, struct str *out) {
    struct json_value value;
    if (!json_get(object, key, &value) || !json_as_str(value, out)) {
        return false;
    }
    *out = arena_copy(arena, *out);
    return out->data != NULL;
}

static bool stored_tools(struct json_value object, struct arena *arena, struct orchestration *out) {
    struct json_value array, item;
    struct json_iterator iterator;
    if (!json_get(object, "tools", &array) || json_count(array) > ORCHESTRATION_TOOLS_MAX) {
        return false;
    }
    struct orchestration_tool *tools = ARENA_ARRAY(arena, struct orchestration_tool, json_count(array));
    out->tools = tools;
    out->tool_count = 0;
    for (json_iterate(array, &iterator); tools != NULL && json_next(&iterator, NULL, &item);) {
        struct orchestration_tool *tool = &tools[out->tool_count++];
        if (!stored_str(item, "name", arena, &tool->name) ||
            !stored_str(item, "description", arena, &tool->description) ||
            !stored_str(item, "parameters", arena, &tool->parameters) ||
            !stored_str(item, "only", arena, &tool->only)) {
            return false;
        }
    }
    return tools != NULL;
}

bool orchestration_read_stored(struct json_value object, struct arena *arena, struct orchestration *out,
                               struct err *err) {
    struct json_value enabled, automatic, kind, steps, cost;
    struct str name;
    int64_t max_steps = 0;
    bool is_auto = false;
    orchestration_init(out);
    const bool ok = json_get(object, "enabled", &enabled) && json_as_bool(enabled, &out->enabled) &&
                    json_get(object, "workflow", &kind) && json_as_str(kind, &name) &&
                    orchestration_kind_read(name, &is_auto, &out->kind) && json_get(object, "auto", &automatic) &&
                    json_as_bool(automatic, &out->automatic) && json_get(object, "max_steps", &steps) &&
                    json_as_int64(steps, &max_steps) && max_steps >= 1 && max_steps <= CORE_WORKFLOW_STEPS_MAX &&
                    json_get(object, "max_cost_nano", &cost) && json_as_int64(cost, &out->max_cost_nano) &&
                    stored_tools(object, arena, out);
    out->max_steps = (uint32_t)max_steps;
    return ok || err_set(err, ERR_INTERNAL, "the stored orchestration cannot be read");
}

/* --- In a chat --- */

bool orchestration_refuse(const struct fields_content *content, struct err *err) {
    const struct json_value value = content->orchestration;
    struct json_value member;
    bool enabled = false;
    if (json_type_of(value) != JSON_NULL) {
        if (json_type_of(value) != JSON_OBJECT) {
            return field_wrong_type(err, "orchestration", "an object", value);
        }
        if (json_get_given(value, "enabled", &member) && !json_as_bool(member, &enabled)) {
            return field_wrong_type(err, "orchestration.enabled", "true or false", member);
        }
        if (enabled) {
            return err_set_field(err, ERR_UNSUPPORTED, "orchestration.enabled",
                                 "orchestration is not supported yet here. Use POST /v1/chat/completions.");
        }
    }
    return true;
}

static bool tools_take(const struct fields_content *content, struct arena *arena, struct orchestration *out,
                       struct err *err) {
    if (!out->enabled || json_type_of(content->tools) == JSON_NULL) {
        return true;
    }
    if (!tools_read(content->tools, arena, &out->tools, &out->tool_count, err)) {
        return false;
    }
    if (out->tool_count > 0 && !out->automatic && out->kind != CORE_WORKFLOW_AGENT) {
        return err_set_field(err, ERR_UNSUPPORTED, "tools",
                             "tools is not supported yet in a workflow, except in agent and auto.");
    }
    if (functions_unused(content)) {
        out->tool_count = 0;
    }
    return true;
}

bool orchestration_read_content(const struct fields_content *content, struct arena *arena,
                                const struct orchestration **out, struct err *err) {
    *out = NULL;
    if (json_type_of(content->orchestration) == JSON_NULL) { /* as most are */
        return true;
    }
    struct orchestration *asked = ARENA_NEW(arena, struct orchestration);
    if (asked == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The request is too large.");
    }
    *asked = (struct orchestration){.max_steps = ORCHESTRATION_STEPS_DEFAULT, .max_cost_nano = -1};
    *out = asked;
    return orchestration_read(content->orchestration, asked, err) && tools_take(content, arena, asked, err);
}
