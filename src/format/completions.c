#include "format/completions.h"

#include "base/compiler.h"
#include "base/json_write.h"
#include "format/events.h"
#include "format/fields.h"
#include "format/functions.h"
#include "format/orchestration.h"
#include "format/parts.h"
#include "format/refused.h"
#include "wire/field.h"

#include <stddef.h>
#include <stdio.h>

enum { COMPLETIONS_DEFAULT_MAX_TOKENS = 16 };

/* --- The request --- */

static bool refuse_ids(struct err *err) {
    return err_set_field(err, ERR_UNSUPPORTED, "prompt",
                         "prompt as ids of tokens is not supported: the devices that answer may have different "
                         "vocabularies. Send it as text.");
}

static bool read_text(struct json_value value, const char *field, struct arena *arena, struct str *out,
                      struct err *err) {
    struct str text;
    if (!field_string(err, field, value, SIZE_MAX, &text)) {
        return false;
    }
    if (text.len == 0) {
        return field_invalid(err, field, "must not be empty.");
    }
    return fields_copy(arena, text, out, err);
}

/* Ids of one prompt, or of several. */
static bool is_ids(struct json_value item) {
    return json_type_of(item) == JSON_NUMBER || json_type_of(item) == JSON_ARRAY;
}

static bool read_texts(struct json_value list, struct arena *arena, struct str *items, struct err *err) {
    struct json_iterator iterator;
    struct json_value item;
    size_t count = 0;
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item); count++) {
        char field[ERR_FIELD_MAX];
        snprintf(field, sizeof(field), "prompt[%zu]", count);
        if (is_ids(item)) {
            return refuse_ids(err);
        }
        if (count == LIMIT_PROMPTS) {
            return field_invalid(err, "prompt", "must hold at most %d strings.", LIMIT_PROMPTS);
        }
        if (!read_text(item, field, arena, &items[count], err)) {
            return false;
        }
    }
    return true;
}

static bool read_prompts(struct json_value prompt, struct arena *arena, struct call_prompts *out, struct err *err) {
    const bool list = json_type_of(prompt) == JSON_ARRAY;
    if (json_type_of(prompt) == JSON_NULL) {
        return field_invalid(err, "prompt", "is required.");
    }
    if (!list && json_type_of(prompt) != JSON_STRING) {
        return field_wrong_type(err, "prompt", "a string or an array of strings", prompt);
    }
    out->count = list ? json_count(prompt) : 1;
    if (out->count == 0) {
        return field_invalid(err, "prompt", "must not be empty.");
    }
    struct str *items = ARENA_ARRAY(arena, struct str, LIMIT_PROMPTS);
    out->items = items;
    if (items == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The request is too large.");
    }
    return list ? read_texts(prompt, arena, items, err) : read_text(prompt, "prompt", arena, items, err);
}

/* A number of them here, where a chat has true or false; also 0 asks for those of the tokens that came. */
static bool logprobs_read(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    (void)place;
    return refused_is_empty(value) || refused_set(err, rule->name, NULL);
}

static const struct field_rule own_rules[] = {
    {STR("echo"), field_read_bool, .offset = offsetof(struct call_prompts, echo)},
    {STR("logprobs"), logprobs_read, .offset = 0},
};

static bool completions_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err) {
    struct fields_content content;
    struct call_prompts *prompts = ARENA_NEW(arena, struct call_prompts);
    if (prompts == NULL) {
        return err_set(err, ERR_TOO_LARGE, "The request is too large.");
    }
    const struct fields_own own = {.rules = own_rules, .count = COUNT_OF(own_rules), .target = prompts};
    if (!fields_read_own(body, &own, COMPLETIONS_DEFAULT_MAX_TOKENS, arena, out, &content, err) ||
        !orchestration_refuse(&content, err) || !functions_read_format(&content, arena, out, err)) {
        return false;
    }
    if (!refused_is_empty(content.messages)) {
        return refused_set(err, STR("messages"), "prompt, or POST /v1/chat/completions");
    }
    if (!read_prompts(content.prompt, arena, prompts, err)) {
        return false;
    }
    out->prompts = prompts;
    out->request.prompt = prompts->items[0];
    return fields_end(&content, arena, out, err);
}

/* --- The whole answer --- */

/* Its text is what it goes on with, and before that the prompt, when it was asked for. */
static void write_choice(const struct answer *answer, size_t index, struct json_writer *writer) {
    const struct call_result *result = answer->result;
    const bool several = result->choice_count > 0;
    const struct call_prompts *prompts = answer->prompts;
    json_begin_object(writer);
    json_member_int(writer, "index", (int64_t)index);
    json_write_key(writer, "text");
    buf_append_cstr(writer->out, "\"");
    if (prompts != NULL && prompts->echo && index < prompts->count) {
        json_escape(writer->out, prompts->items[index]);
    }
    json_escape(writer->out, several ? result->choices[index].text : answer->text);
    buf_append_cstr(writer->out, "\"");
    writer->need_comma = true;
    json_member_cstr(writer, "logprobs", NULL);
    json_member_cstr(writer, "finish_reason",
                     parts_finish_word(several ? result->choices[index].finish : result->finish));
    json_end_object(writer);
}

static size_t choice_count(const struct answer *answer) {
    return answer->result->choice_count > 0 ? answer->result->choice_count : 1;
}

static void whole(const struct answer *answer, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", answer->id);
    json_member_cstr(&writer, "object", FORMAT_COMPLETIONS.object);
    json_member_int(&writer, "created", answer->created_ms / 1000);
    json_member_str(&writer, "model", answer->model);
    json_write_key(&writer, "choices");
    json_begin_array(&writer);
    for (size_t i = 0; i < choice_count(answer); i++) {
        write_choice(answer, i, &writer);
    }
    json_end_array(&writer);
    parts_write_usage(&writer, &answer->result->usage);
    parts_write_nataris(&writer, answer);
    json_end_object(&writer);
}

/* --- A stream --- */

/* A chunk with that choice, up to what stands behind it. */
static struct json_writer chunk_open(const struct format_stream *stream, size_t index, struct str text,
                                     const char *finish_reason, struct buf *out) {
    struct json_writer writer = events_open(stream, out);
    json_write_key(&writer, "choices");
    json_begin_array(&writer);
    json_begin_object(&writer);
    json_member_int(&writer, "index", (int64_t)index);
    json_member_str(&writer, "text", text);
    json_member_cstr(&writer, "logprobs", NULL);
    json_member_cstr(&writer, "finish_reason", finish_reason);
    json_end_object(&writer);
    json_end_array(&writer);
    if (stream->include_usage) { /* as in a chat's chunks */
        json_member_cstr(&writer, "usage", NULL);
    }
    return writer;
}

static void write_text(const struct format_stream *stream, struct str text, struct buf *out) {
    struct json_writer writer = chunk_open(stream, stream->choice, text, NULL, out);
    events_close(&writer);
}

/* The prompts, when they are to be said again. */
static void begin(const struct format_stream *stream, struct buf *out) {
    const struct call_prompts *prompts = stream->known.prompts;
    struct format_stream choice = *stream;
    for (size_t i = 0; prompts != NULL && prompts->echo && i < prompts->count; i++) {
        choice.choice = i;
        for (struct str text = prompts->items[i]; text.len > 0;) {
            events_write_piece(&choice, &text, out);
        }
    }
}

static void note(const struct format_stream *stream, struct str nataris, struct buf *out) {
    struct json_writer writer = chunk_open(stream, 0, STR(""), NULL, out);
    json_write_key(&writer, "nataris");
    json_write_raw(&writer, nataris);
    events_close(&writer);
}

static void end(const struct format_stream *stream, const struct answer *answer, struct buf *out) {
    const struct call_result *result = answer->result;
    const size_t count = choice_count(answer);
    for (size_t i = 0; i < count; i++) {
        const enum gen_finish finish = result->choice_count > 0 ? result->choices[i].finish : result->finish;
        struct json_writer writer = chunk_open(stream, i, STR(""), parts_finish_word(finish), out);
        if (i + 1 == count && result->nataris.len > 0) {
            parts_write_nataris(&writer, answer);
        } else if (i + 1 == count && answer->ignored.len > 0) {
            parts_write_ignored(&writer, answer);
        }
        events_close(&writer);
    }
    if (stream->include_usage) {
        struct json_writer writer = events_open(stream, out);
        json_write_key(&writer, "choices");
        json_begin_array(&writer);
        json_end_array(&writer);
        parts_write_usage(&writer, &result->usage);
        events_close(&writer);
    }
    buf_append_cstr(out, EVENT_LAST);
}

const struct format FORMAT_COMPLETIONS = {
    .name = "completions",
    .path = "/v1/completions",
    .id_prefix = "cmpl-",
    .object = "text_completion",
    .chunk_object = "text_completion",
    .stored = STORE_GENERATION_COMPLETIONS,
    .read = completions_read,
    .whole = whole,
    .begin = begin,
    .text = write_text,
    .note = note,
    .end = end,
    .fault = events_write_fault,
};
