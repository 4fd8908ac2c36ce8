#include "format/fields.h"

#include "format/refused.h"
#include "format/sampling.h"
#include "wire/field.h"

#include <stdio.h>
#include <string.h>

/* A request's fields as they are read; strings are borrowed from the document. */
struct body_fields {
    struct str model, conversation_id;
    struct json_value job_form; /* not looked at */
    struct json_value logit_bias;
    struct fields_content content;
    const struct fields_own *own;
    struct field_integer max_tokens, max_completion_tokens, top_k, seed, n;
    struct field_real temperature, top_p, min_p, frequency_penalty, presence_penalty, repeat_penalty,
        repetition_penalty;
    struct str stop[LIMIT_STOP_STRINGS];
    size_t stop_count, unknown_count;
    bool stream, stream_options_given, include_usage;
    char region[CORE_REGION_SIZE];
    bool verified;
};

/* An empty one stops nothing: clients send it from an empty field of their settings. */
static bool stop_read_one(struct body_fields *fields, const char *field, struct json_value value, struct err *err) {
    struct str *stop = &fields->stop[fields->stop_count];
    if (!field_string(err, field, value, LIMIT_STOP_BYTES, stop)) {
        return false;
    }
    fields->stop_count += stop->len > 0;
    return true;
}

static bool stop_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct body_fields *fields = place;
    const char *field = rule->name.data;
    if (json_type_of(value) == JSON_STRING) {
        return stop_read_one(fields, field, value, err);
    }
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(err, field, "a string or an array of strings", value);
    }
    if (json_count(value) > LIMIT_STOP_STRINGS) {
        return field_invalid(err, field, "must hold at most %d strings.", LIMIT_STOP_STRINGS);
    }
    struct json_iterator iterator;
    struct json_value item;
    size_t index = 0;
    for (json_iterate(value, &iterator); json_next(&iterator, NULL, &item); index++) {
        char item_field[ERR_FIELD_MAX];
        snprintf(item_field, sizeof(item_field), "%s[%zu]", field, index);
        if (!stop_read_one(fields, item_field, item, err)) {
            return false;
        }
    }
    return true;
}

static bool stream_options_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct body_fields *fields = place;
    struct json_iterator iterator;
    struct json_value member;
    struct str name;
    fields->stream_options_given = true;
    if (json_type_of(value) != JSON_OBJECT) {
        return field_wrong_type(err, rule->name.data, "an object", value);
    }
    for (json_iterate(value, &iterator); json_next(&iterator, &name, &member);) {
        if (!str_equal(name, STR("include_usage")) && !refused_is_empty(member)) {
            ignored_add(&fields->content.ignored, "stream_options.", name);
        }
    }
    return !json_get_given(value, "include_usage", &member) || json_as_bool(member, &fields->include_usage) ||
           field_wrong_type(err, "stream_options.include_usage", "true or false", member);
}

static bool n_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct field_integer *n = place;
    if (!field_read_integer(rule, value, place, err)) {
        return false;
    }
    return n->value == 1 || err_set_field(err, ERR_UNSUPPORTED, rule->name.data,
                                          "n above 1 is not supported yet. Send the request n times instead.");
}

static bool parallel_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct body_fields *fields = place;
    bool parallel = true;
    const bool good = field_read_bool(rule, value, &parallel, err);
    fields->content.one_call = !parallel;
    return good;
}

/* How long to think: no model here has a template that knows of it, so it changes nothing, and the answer says so.
 * Clients send it with every request, whatever the model. */
static bool effort_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    static const char *const efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh"};
    struct body_fields *fields = place;
    struct str effort;
    if (!field_string(err, rule->name.data, value, LIMIT_NAME_BYTES, &effort)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(efforts); i++) {
        if (str_equal_cstr(effort, efforts[i])) {
            if (i > 0) {
                ignored_add(&fields->content.ignored, "", rule->name);
            }
            return true;
        }
    }
    return field_invalid(err, rule->name.data, "must be none, minimal, low, medium, high or xhigh.");
}

static bool modalities_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)place;
    struct json_iterator iterator;
    struct json_value item;
    struct str name;
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(err, rule->name.data, "an array of strings", value);
    }
    for (json_iterate(value, &iterator); json_next(&iterator, NULL, &item);) {
        if (!json_as_str(item, &name)) {
            return field_wrong_type(err, rule->name.data, "an array of strings", item);
        }
        if (!str_equal(name, STR("text"))) {
            return err_set_field(err, ERR_UNSUPPORTED, rule->name.data,
                                 "modalities is not supported yet, except [\"text\"].");
        }
    }
    return true;
}

static bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A country as in ISO 3166-1: "DE". */
static bool region_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct body_fields *fields = place;
    struct str region;
    if (!field_string(err, rule->name.data, value, LIMIT_NAME_BYTES, &region)) {
        return false;
    }
    if (region.len != CORE_REGION_SIZE - 1 || !is_letter(region.data[0]) || !is_letter(region.data[1])) {
        return field_invalid(err, rule->name.data, "must be a country code of two letters, such as \"DE\".");
    }
    for (size_t i = 0; i < region.len; i++) {
        fields->region[i] = (char)(region.data[i] & ~0x20);
    }
    return true;
}

static bool privacy_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct body_fields *fields = place;
    struct str level;
    if (!field_string(err, rule->name.data, value, LIMIT_NAME_BYTES, &level)) {
        return false;
    }
    fields->verified = str_equal(level, STR("verified"));
    return fields->verified || str_equal(level, STR("standard")) ||
           field_invalid(err, rule->name.data, "must be \"standard\" or \"verified\".");
}

#define AT(member) .offset = offsetof(struct body_fields, member)
#define WHOLE .offset = 0 /* the rule stores at several places, or nowhere */

static const struct field_rule body_rules[] = {
    {STR("model"), field_read_str, AT(model), .max_bytes = LIMIT_MODEL_ID_BYTES},
    {STR("messages"), field_read_json, AT(content.messages)},
    {STR("prompt"), field_read_json, AT(content.prompt)},
    {STR("max_tokens"), field_read_integer, AT(max_tokens), 1, LIMIT_MAX_TOKENS},
    {STR("max_completion_tokens"), field_read_integer, AT(max_completion_tokens), 1, LIMIT_MAX_TOKENS},
    {STR("temperature"), field_read_real, AT(temperature), 0, 2},
    {STR("top_p"), field_read_real, AT(top_p), 0, 1},
    {STR("stream"), field_read_bool, AT(stream)},
    {STR("stream_options"), stream_options_read, WHOLE},
    {STR("stop"), stop_read, WHOLE},
    {STR("seed"), field_read_int64, AT(seed)},
    {STR("n"), n_read, AT(n), 1, 4},
    {STR("frequency_penalty"), field_read_real, AT(frequency_penalty), -2, 2},
    {STR("presence_penalty"), field_read_real, AT(presence_penalty), -2, 2},
    {STR("conversation_id"), field_read_str, AT(conversation_id), .max_bytes = LIMIT_NAME_BYTES},
    /* Not OpenAI's, but widely sent. */
    {STR("top_k"), field_read_integer, AT(top_k), 0, 1000},
    {STR("repeat_penalty"), field_read_real, AT(repeat_penalty), 0.1, 2},
    {STR("repetition_penalty"), field_read_real, AT(repetition_penalty), 0.1, 2},
    {STR("min_p"), field_read_real, AT(min_p), 0, 1},
    {STR("logit_bias"), field_read_json, AT(logit_bias)},
    {STR("logprobs"), field_read_json, AT(content.logprobs)},
    {STR("top_logprobs"), field_read_json, AT(content.top_logprobs)},
    /* Where the answer may be made. */
    {STR("region"), region_read, WHOLE},
    {STR("privacyLevel"), privacy_read, WHOLE},
    /* Without effect on the answer. */
    {STR("user"), field_read_ignored_str, .max_bytes = LIMIT_NAME_BYTES},
    {STR("metadata"), field_read_ignored, .type = JSON_OBJECT},
    {STR("store"), field_read_ignored, .type = JSON_BOOL},
    /* What kind of job a body of POST /v1/jobs is; read there. */
    {STR("endpoint"), field_read_json, AT(job_form)},
    {STR("type"), field_read_json, AT(job_form)},
    /* These would change the answer. */
    {STR("modalities"), modalities_read, WHOLE},
    {STR("reasoning_effort"), effort_read, WHOLE},
    /* What the answer is to be: text, JSON, or calls (format/functions.h). */
    {STR("tools"), field_read_json, AT(content.tools)},
    {STR("tool_choice"), field_read_json, AT(content.tool_choice)},
    {STR("parallel_tool_calls"), parallel_read, WHOLE},
    {STR("functions"), field_read_json, AT(content.functions)},
    {STR("function_call"), field_read_json, AT(content.function_call)},
    {STR("response_format"), field_read_json, AT(content.response_format)},
    /* A chat that a workflow answers. */
    {STR("orchestration"), field_read_json, AT(content.orchestration)},
};

static bool is_harmless(const struct field_rule *rule) {
    return rule->read == field_read_ignored || rule->read == field_read_ignored_str;
}

/* Of a form's own fields: those were read before. Another spelling of one would be lost. */
static bool own_take(const struct fields_own *own, struct str name, bool *taken, struct err *err) {
    *taken = false;
    for (size_t i = 0; i < own->count && !*taken; i++) {
        if (str_equal(own->rules[i].name, name)) {
            *taken = true;
        } else if (refused_same_name(own->rules[i].name, name) && !is_harmless(&own->rules[i])) {
            return refused_set(err, name, own->rules[i].name.data);
        }
    }
    return true;
}

/* Fields without a rule: those of the table of refused ones, another spelling of one of ours, which would be lost, and
 * all others, which change nothing. */
static bool unknown_take(void *context, struct str name, struct json_value value, struct err *err) {
    struct body_fields *fields = context;
    bool known;
    if (!own_take(fields->own, name, &known, err)) {
        return false;
    }
    if (known) {
        return true;
    }
    if (++fields->unknown_count > LIMIT_UNKNOWN_FIELDS) {
        return err_set(err, ERR_INVALID, "The request has more than %d fields that are not known.",
                       LIMIT_UNKNOWN_FIELDS);
    }
    if (!refused_check(name, value, &known, err)) {
        return false;
    }
    for (size_t i = 0; !known && i < COUNT_OF(body_rules); i++) {
        if (refused_same_name(body_rules[i].name, name) && !is_harmless(&body_rules[i])) {
            return refused_set(err, name, body_rules[i].name.data);
        }
    }
    if (!known) {
        ignored_add(&fields->content.ignored, "", name);
    }
    return true;
}

static bool fields_agree(const struct body_fields *fields, struct err *err) {
    if (fields->model.len == 0) {
        return field_invalid(err, "model", "is required. GET /v1/models lists the models.");
    }
    if (fields->max_tokens.given && fields->max_completion_tokens.given &&
        fields->max_tokens.value != fields->max_completion_tokens.value) {
        return field_invalid(err, "max_completion_tokens", "and max_tokens mean the same and must not differ.");
    }
    if (fields->repeat_penalty.given && fields->repetition_penalty.given &&
        fields->repeat_penalty.value != fields->repetition_penalty.value) {
        return field_invalid(err, "repetition_penalty", "and repeat_penalty mean the same and must not differ.");
    }
    return !fields->stream_options_given || fields->stream ||
           field_invalid(err, "stream_options", "is allowed only with \"stream\": true.");
}

static void take_real(const struct field_real *field, double *out) {
    if (field->given) {
        *out = field->value;
    }
}

static void take_numbers(const struct body_fields *fields, struct gen_request *request) {
    take_real(&fields->temperature, &request->temperature);
    take_real(&fields->top_p, &request->top_p);
    take_real(&fields->min_p, &request->min_p);
    take_real(&fields->frequency_penalty, &request->frequency_penalty);
    take_real(&fields->presence_penalty, &request->presence_penalty);
    take_real(&fields->repeat_penalty, &request->repeat_penalty);
    take_real(&fields->repetition_penalty, &request->repeat_penalty);
    if (fields->top_k.given) {
        request->top_k = (uint32_t)fields->top_k.value;
    }
    if (fields->seed.given) {
        request->seed_given = true;
        request->seed = (uint64_t)fields->seed.value & INT64_MAX; /* all that the wire carries */
    }
    const struct field_integer *max_tokens =
        fields->max_tokens.given ? &fields->max_tokens : &fields->max_completion_tokens;
    if (max_tokens->given) {
        request->max_tokens_given = true;
        request->max_tokens = (uint32_t)max_tokens->value;
    }
}

bool fields_copy(struct arena *arena, struct str text, struct str *out, struct err *err) {
    *out = arena_copy(arena, text);
    return out->data != NULL || err_set(err, ERR_TOO_LARGE, "The request is too large.");
}

bool fields_read_own(struct json_value body, const struct fields_own *own, uint32_t default_max_tokens,
                     struct arena *arena, struct call_input *out, struct fields_content *content, struct err *err) {
    struct body_fields fields = {.own = own};
    const struct field_unknown unknown = {.take = unknown_take, .context = &fields};
    *out = (struct call_input){.label = STR(""), .ignored = STR(""), .echo = STR("")};
    gen_request_init(&out->request);
    out->request.max_tokens = default_max_tokens;
    if (json_type_of(body) != JSON_OBJECT) {
        return err_set(err, ERR_INVALID, "The request body must be a JSON object, not %s.",
                       json_type_name(json_type_of(body)));
    }
    if (!fields_read(body, own->rules, own->count, own->target, err) ||
        !fields_read_all(body, body_rules, COUNT_OF(body_rules), &fields, &unknown, err) ||
        !fields_agree(&fields, err)) {
        return false;
    }
    take_numbers(&fields, &out->request);
    out->stream = out->request.stream = fields.stream;
    out->include_usage = fields.include_usage;
    out->repeat_penalty_given = fields.repeat_penalty.given || fields.repetition_penalty.given;
    memcpy(out->region, fields.region, sizeof(out->region));
    out->verified = fields.verified;
    out->request.stop_count = fields.stop_count;
    for (size_t i = 0; i < fields.stop_count; i++) {
        if (!fields_copy(arena, fields.stop[i], &out->request.stop[i], err)) {
            return false;
        }
    }
    *content = fields.content;
    return sampling_read_biases(fields.logit_bias, arena, &out->request, err) &&
           fields_copy(arena, fields.model, &out->request.model, err) &&
           fields_copy(arena, fields.conversation_id, &out->label, err);
}

bool fields_read_body(struct json_value body, uint32_t default_max_tokens, struct arena *arena, struct call_input *out,
                      struct fields_content *content, struct err *err) {
    const struct fields_own none = {0};
    return fields_read_own(body, &none, default_max_tokens, arena, out, content, err);
}

static bool refuse_untaken(const struct fields_content *content, struct err *err) {
    static const struct field_rule whether = {.name = STR("logprobs")};
    static const struct field_rule number = {.name = STR("top_logprobs"), .min = 0, .max = LIMIT_LOGPROB_OTHERS};
    return content->logprobs_taken || ((json_type_of(content->logprobs) == JSON_NULL ||
                                        field_refuse_true(&whether, content->logprobs, NULL, err)) &&
                                       (json_type_of(content->top_logprobs) == JSON_NULL ||
                                        field_refuse_nonzero(&number, content->top_logprobs, NULL, err)));
}

bool fields_end(const struct fields_content *content, struct arena *arena, struct call_input *out, struct err *err) {
    return refuse_untaken(content, err) && ignored_members(&content->ignored, arena, &out->ignored, err);
}
