#include "format/responses.h"

#include "format/functions.h"
#include "format/refused.h"
#include "format/responses_echo.h"
#include "format/responses_events.h"
#include "format/responses_items.h"
#include "format/responses_object.h"

/* OpenAI's has no default: an answer may be as long as the model can. An agent's edit of a file needs the room; it is
 * lowered to fit the context. */
enum { RESPONSES_DEFAULT_MAX_TOKENS = 4096 };

/* --- The fields --- */

/* What other forms call it, or what it would do: refused with what to use. */
static bool refuse_for(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    static const struct {
        struct str name;
        const char *instead;
    } table[] = {
        {STR("messages"), "input, or POST /v1/chat/completions"},
        {STR("prompt"), "input"},
        {STR("max_tokens"), "max_output_tokens"},
        {STR("max_completion_tokens"), "max_output_tokens"},
        {STR("response_format"), "text.format"},
        {STR("functions"), "tools"},
        {STR("function_call"), "tool_choice"},
        {STR("orchestration"), "POST /v1/chat/completions"},
        {STR("conversation"), "previous items in input"},
        {STR("background"), "POST /v1/jobs"},
    };
    (void)place;
    for (size_t i = 0; !refused_is_empty(value) && i < COUNT_OF(table); i++) {
        if (str_equal(table[i].name, rule->name)) {
            return refused_set(err, rule->name, table[i].instead);
        }
    }
    return true;
}

static bool truncation_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct str how;
    (void)place;
    return field_string(err, rule->name.data, value, LIMIT_NAME_BYTES, &how) &&
           (str_equal(how, STR("disabled")) ||
            err_set_field(err, ERR_UNSUPPORTED, rule->name.data,
                          "truncation is not supported yet, except \"disabled\". Send fewer items."));
}

/* What it names is not there to be included, but for the probabilities of tokens, which would be missed. */
static bool include_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct json_iterator iterator;
    struct json_value item;
    struct str name;
    (void)place;
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(err, rule->name.data, "an array of strings", value);
    }
    for (json_iterate(value, &iterator); json_next(&iterator, NULL, &item);) {
        if (!json_as_str(item, &name)) {
            return field_wrong_type(err, rule->name.data, "an array of strings", item);
        }
        if (str_equal(name, STR("message.output_text.logprobs"))) {
            return err_set_field(err, ERR_UNSUPPORTED, rule->name.data,
                                 "include: message.output_text.logprobs is not supported yet. Leave it out.");
        }
    }
    return true;
}

static bool object_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    return field_read_ignored(rule, value, NULL, err) && field_read_json(rule, value, place, err);
}

static bool store_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct responses_store *store = place;
    store->given = true;
    return field_read_bool(rule, value, &store->value, err);
}

#define AT(member) .offset = offsetof(struct responses_asked, member)
#define WHOLE .offset = 0
#define NAME .max_bytes = LIMIT_NAME_BYTES

static const struct field_rule own_rules[] = {
    {STR("input"), field_read_json, AT(input)},
    {STR("instructions"), field_read_str, AT(instructions), .max_bytes = SIZE_MAX},
    {STR("max_output_tokens"), field_read_integer, AT(max_output_tokens), 1, LIMIT_MAX_TOKENS},
    {STR("previous_response_id"), field_read_str, AT(previous), NAME},
    {STR("text"), object_read, AT(text), .type = JSON_OBJECT},
    {STR("reasoning"), object_read, AT(reasoning), .type = JSON_OBJECT},
    {STR("metadata"), object_read, AT(metadata), .type = JSON_OBJECT},
    {STR("include"), include_read, WHOLE},
    {STR("truncation"), truncation_read, WHOLE},
    {STR("store"), store_read, AT(store)},
    {STR("max_tool_calls"), field_read_integer, AT(max_tool_calls), 1, LIMIT_MAX_TOKENS},
    {STR("user"), field_read_str, AT(user), NAME},
    {STR("safety_identifier"), field_read_str, AT(safety_identifier), NAME},
    {STR("prompt_cache_key"), field_read_str, AT(prompt_cache_key), NAME},
    {STR("prompt_cache_retention"), field_read_ignored_str, WHOLE, NAME},
    {STR("service_tier"), field_read_ignored_str, WHOLE, NAME},
    {STR("n"), field_read_integer, AT(n), 1, 1},
    {STR("logprobs"), field_refuse_true, WHOLE},
    {STR("top_logprobs"), field_refuse_nonzero, .min = 0, .max = 20},
    {STR("background"), refuse_for, WHOLE},
    {STR("conversation"), refuse_for, WHOLE},
    {STR("messages"), refuse_for, WHOLE},
    {STR("prompt"), refuse_for, WHOLE},
    {STR("max_tokens"), refuse_for, WHOLE},
    {STR("max_completion_tokens"), refuse_for, WHOLE},
    {STR("response_format"), refuse_for, WHOLE},
    {STR("functions"), refuse_for, WHOLE},
    {STR("function_call"), refuse_for, WHOLE},
    {STR("orchestration"), refuse_for, WHOLE},
};

/* "text": the format of the answer, and how long-winded it should be, of which models know nothing. */
static void text_read(const struct responses_asked *asked, struct fields_content *content) {
    struct json_iterator iterator;
    struct json_value value;
    struct str name, word;
    if (json_type_of(asked->text) == JSON_NULL) {
        return;
    }
    for (json_iterate(asked->text, &iterator); json_next(&iterator, &name, &value);) {
        if (str_equal(name, STR("format"))) {
            content->response_format = value;
        } else if (!refused_is_empty(value) && !(json_as_str(value, &word) && str_equal(word, STR("medium")))) {
            ignored_add(&content->ignored, "text.", name);
        }
    }
}

/* What is accepted as agents send it whoever serves them, and changes nothing: the answer tells. */
static void tell_ignored(const struct responses_asked *asked, struct fields_content *content) {
    struct json_iterator iterator;
    struct json_value tool, value;
    struct str type;
    bool known;
    struct err off;
    if (!refused_check(STR("reasoning"), asked->reasoning, &known, &off)) {
        ignored_add(&content->ignored, "", STR("reasoning"));
    }
    if (json_type_of(content->tools) != JSON_ARRAY) {
        return;
    }
    for (json_iterate(content->tools, &iterator); json_next(&iterator, NULL, &tool);) {
        if (json_get_given(tool, "type", &value) && json_as_str(value, &type) && !str_equal(type, STR("function"))) {
            ignored_add(&content->ignored, "tools[].", type);
        }
    }
}

/* What is asked, whole unless kept answers belong to it. */
static bool history_read(const struct responses_asked *asked, struct arena *arena, struct ignored *ignored,
                         struct call_input *out, struct err *err) {
    struct history *history = ARENA_NEW(arena, struct history);
    if (history == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The request is too large.");
    }
    history->keep = !asked->store.given || asked->store.value;
    history->keep_asked = asked->store.given && asked->store.value;
    out->history = history;
    if (!fields_copy(arena, asked->instructions, &history->instructions, err) ||
        !fields_copy(arena, asked->previous, &history->previous, err) ||
        !responses_items_read(asked->input, arena, ignored, &history->items, &history->count, err)) {
        return false;
    }
    for (size_t i = 0; i < history->count; i++) {
        history->references += history->items[i].reference;
    }
    return history_is_open(history) ||
           history_join(history->instructions, history->items, history->count, arena, &out->request, err);
}

static bool responses_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    struct responses_asked asked = {.instructions = STR(""),
                                    .previous = STR(""),
                                    .user = STR(""),
                                    .safety_identifier = STR(""),
                                    .prompt_cache_key = STR("")};
    const struct fields_own own = {.rules = own_rules, .count = COUNT_OF(own_rules), .target = &asked};
    struct fields_content content;
    if (!fields_read_own(body, &own, RESPONSES_DEFAULT_MAX_TOKENS, arena, out, &content, err)) {
        return false;
    }
    content.flat = true;
    text_read(&asked, &content);
    tell_ignored(&asked, &content);
    if (asked.max_output_tokens.given) {
        out->request.max_tokens_given = true;
        out->request.max_tokens = (uint32_t)asked.max_output_tokens.value;
    }
    return functions_read(&content, arena, out, err) && history_read(&asked, arena, &content.ignored, out, err) &&
           responses_echo(&asked, &content, arena, out, err) && fields_end(&content, arena, out, err);
}

/* --- The whole answer --- */

static void whole(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    struct buf output;
    buf_init(&output, out->limit);
    responses_write_output(answer, &output);
    json_writer_init(&writer, out);
    responses_write_object(&writer, answer, &(struct responses_view){.output = buf_str(&output)});
    out->overflow |= output.overflow;
    buf_clear(&output);
}

const struct format FORMAT_RESPONSES = {
    .name = "responses",
    .path = "/v1/responses",
    .member = NULL, /* "input" is that of embeddings, too */
    .id_prefix = "resp_",
    .object = "response",
    .chunk_object = "response",
    .stored = STORE_GENERATION_RESPONSES,
    .begins_with = "a response (with type \"responses\")",
    .read = responses_read,
    .whole = whole,
    .begin = responses_begin,
    .text = responses_text,
    .note = responses_note,
    .call_start = responses_call_start,
    .call_arguments = responses_call_arguments,
    .end = responses_end,
    .fault = responses_fault,
    .broken = responses_broken,
};
