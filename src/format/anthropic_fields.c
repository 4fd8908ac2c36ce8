#include "format/anthropic_fields.h"

#include "format/anthropic_envelope.h"
#include "format/fields.h"
#include "format/refused.h"
#include "wire/field.h"

#include <stdio.h>

struct body_fields {
    struct str model;
    struct field_integer max_tokens, top_k;
    struct field_real temperature, top_p;
    struct str stop[LIMIT_STOP_STRINGS];
    size_t stop_count, unknown_count;
    bool stream;
    struct anthropic_content content;
};

static bool stop_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct body_fields *fields = place;
    struct json_iterator iterator;
    struct json_value item;
    size_t index = 0;
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(err, rule->name.data, "an array of strings", value);
    }
    if (json_count(value) > LIMIT_STOP_STRINGS) {
        return field_invalid(err, rule->name.data, "must hold at most %d strings.", LIMIT_STOP_STRINGS);
    }
    for (json_iterate(value, &iterator); json_next(&iterator, NULL, &item); index++) {
        struct str *stop = &fields->stop[fields->stop_count];
        char field[ERR_FIELD_MAX];
        snprintf(field, sizeof(field), "stop_sequences[%zu]", index);
        if (!field_string(err, field, item, LIMIT_STOP_BYTES, stop)) {
            return false;
        }
        fields->stop_count += stop->len > 0; /* an empty one stops nothing */
    }
    return true;
}

/* An opaque name of who asks; it goes nowhere. */
static bool metadata_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)place;
    enum { USER_ID_BYTES = 1024 };
    struct json_value user;
    struct str id;
    if (json_type_of(value) != JSON_OBJECT) {
        return field_wrong_type(err, rule->name.data, "an object", value);
    }
    return !json_get_given(value, "user_id", &user) || field_string(err, "metadata.user_id", user, USER_ID_BYTES, &id);
}

/* Models here do not think in blocks of their own: asking for it costs nothing, and gets an answer without. */
static bool thinking_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct body_fields *fields = place;
    struct json_value type;
    struct str name;
    if (json_type_of(value) != JSON_OBJECT) {
        return field_wrong_type(err, rule->name.data, "an object", value);
    }
    if (!json_get_given(value, "type", &type)) {
        return field_invalid(err, "thinking.type", "is required.");
    }
    if (!field_string(err, "thinking.type", type, LIMIT_NAME_BYTES, &name)) {
        return false;
    }
    if (!str_equal(name, STR("disabled"))) {
        ignored_add(&fields->content.ignored, "", rule->name);
    }
    return true;
}

#define AT(member) .offset = offsetof(struct body_fields, member)
#define WHOLE .offset = 0 /* the rule stores at several places, or nowhere */

static const struct field_rule body_rules[] = {
    {STR("model"), field_read_str, AT(model), .max_bytes = LIMIT_MODEL_ID_BYTES},
    {STR("messages"), field_read_json, AT(content.messages)},
    {STR("system"), field_read_json, AT(content.system)},
    {STR("max_tokens"), field_read_integer, AT(max_tokens), 1, LIMIT_MAX_TOKENS},
    {STR("stream"), field_read_bool, AT(stream)},
    {STR("tools"), field_read_json, AT(content.tools)},
    {STR("tool_choice"), field_read_json, AT(content.tool_choice)},
    {STR("temperature"), field_read_real, AT(temperature), 0, 1},
    {STR("top_p"), field_read_real, AT(top_p), 0, 1},
    {STR("top_k"), field_read_integer, AT(top_k), 0, 1000},
    {STR("stop_sequences"), stop_read, WHOLE},
    {STR("metadata"), metadata_read, WHOLE},
    {STR("thinking"), thinking_read, WHOLE},
    {STR("output_config"), field_read_json, AT(content.output_config)},
    {STR("output_format"), field_read_json, AT(content.output_format)},
    {STR("cache_control"), field_read_ignored, .type = JSON_OBJECT},
};

/* Fields of other forms, which would change the answer: what this form has in their place. */
static const struct {
    struct str name;
    const char *instead;
} foreign[] = {
    {STR("stop"), "stop_sequences"},
    {STR("max_completion_tokens"), "max_tokens"},
    {STR("parallel_tool_calls"), "tool_choice.disable_parallel_tool_use"},
    {STR("response_format"), "output_config.format"},
    {STR("functions"), "tools"},
    {STR("function_call"), "tool_choice"},
    {STR("prompt"), "messages"},
    {STR(ANTHROPIC_THREAD), "the whole conversation in messages"},
    {STR("n"), NULL},
    {STR("seed"), NULL},
    {STR("min_p"), NULL},
    {STR("frequency_penalty"), NULL},
    {STR("presence_penalty"), NULL},
    {STR("repeat_penalty"), NULL},
    {STR("repetition_penalty"), NULL},
    {STR("logit_bias"), NULL},
    {STR("logprobs"), NULL},
    {STR("top_logprobs"), NULL},
    {STR("modalities"), NULL},
    {STR("orchestration"), "POST /v1/chat/completions"},
    {STR("conversation_id"), "POST /v1/chat/completions"},
    {STR("region"), "POST /v1/chat/completions"},
    {STR("privacyLevel"), "POST /v1/chat/completions"},
};

/* They change nothing in the answer, or what they change is of no use here: named as ignored. */
static bool is_harmless(struct str name) {
    static const struct str harmless[] = {STR("context_management")};
    for (size_t i = 0; i < COUNT_OF(harmless); i++) {
        if (str_equal(harmless[i], name)) {
            return true;
        }
    }
    return false;
}

/* A request that is stored as a job has these two (jobs/job.h). */
static bool is_of_jobs(struct str name) {
    return str_equal(name, STR("endpoint")) || str_equal(name, STR("type"));
}

static bool unknown_take(void *context, struct str name, struct json_value value, struct err *err) {
    struct body_fields *fields = context;
    bool known = false;
    if (++fields->unknown_count > LIMIT_UNKNOWN_FIELDS) {
        return err_set(err, ERR_INVALID, "The request has more than %d fields that are not known.",
                       LIMIT_UNKNOWN_FIELDS);
    }
    if (is_of_jobs(name)) {
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(body_rules); i++) {
        if (refused_same_name(body_rules[i].name, name)) {
            return refused_set(err, name, body_rules[i].name.data);
        }
    }
    if (!is_harmless(name) && !refused_check(name, value, &known, err)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(foreign) && !known; i++) {
        if (refused_same_name(foreign[i].name, name)) {
            return refused_is_empty(value) || refused_set(err, name, foreign[i].instead);
        }
    }
    if (!known) {
        ignored_add(&fields->content.ignored, "", name);
    }
    return true;
}

static void take_numbers(const struct body_fields *fields, struct gen_request *request) {
    if (fields->temperature.given) {
        request->temperature = fields->temperature.value;
    } else {
        request->temperature = 1; /* as documented */
    }
    if (fields->top_p.given) {
        request->top_p = fields->top_p.value;
    }
    if (fields->top_k.given) {
        request->top_k = (uint32_t)fields->top_k.value;
    }
    /* The most that may come, and not what must fit: agents ask for more than most contexts have, and newer models of
     * the owner's end at the context's end, too. */
    if (fields->max_tokens.given) {
        request->max_tokens = (uint32_t)fields->max_tokens.value;
    }
}

bool anthropic_fields_read(struct json_value body, bool counted, struct arena *arena, struct call_input *out,
                           struct anthropic_content *content, struct err *err) {
    struct body_fields fields = {0};
    const struct field_unknown unknown = {.take = unknown_take, .context = &fields};
    *out = (struct call_input){.label = STR(""), .ignored = STR("")};
    gen_request_init(&out->request);
    if (json_type_of(body) != JSON_OBJECT) {
        return err_set(err, ERR_INVALID, "The request body must be a JSON object, not %s.",
                       json_type_name(json_type_of(body)));
    }
    if (!fields_read_all(body, body_rules, COUNT_OF(body_rules), &fields, &unknown, err)) {
        return false;
    }
    if (fields.model.len == 0) {
        return field_invalid(err, "model", "is required. GET /v1/models lists the models.");
    }
    if (!fields.max_tokens.given && !counted) {
        return field_invalid(err, "max_tokens", "is required.");
    }
    take_numbers(&fields, &out->request);
    out->stream = out->request.stream = fields.stream;
    out->request.stop_count = fields.stop_count;
    for (size_t i = 0; i < fields.stop_count; i++) {
        if (!fields_copy(arena, fields.stop[i], &out->request.stop[i], err)) {
            return false;
        }
    }
    *content = fields.content;
    return fields_copy(arena, fields.model, &out->request.model, err);
}
