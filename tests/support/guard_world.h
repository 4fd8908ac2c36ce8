/* What chat templates do to texts, and whether a control token's text outlived the guard: for the unit test and the
 * fuzz target of engine/prompt_guard. Header only, for both have rules of their own. */
#ifndef NATARIS_TESTS_SUPPORT_GUARD_WORLD_H
#define NATARIS_TESTS_SUPPORT_GUARD_WORLD_H

#include "base/buf.h"
#include "base/json_read.h"
#include "engine/prompt_guard.h"

#include <string.h>

/* As the vocabularies of widely used models spell them. */
static const char *const GUARD_SPECIALS[] = {
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<s>",
    "</s>",
    "<unk>",
    "[INST]",
    "[/INST]",
    "[TOOL_CALLS]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[SYSTEM_PROMPT]",
    "[ARGS]",
    "[gMASK]",
    "<sop>",
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|python_tag|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<bos>",
    "<eos>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|channel|>",
    "<|message|>",
    "<|return|>",
    "<|call|>",
    "<|START_OF_TURN_TOKEN|>",
    "<|CHATBOT_TOKEN|>",
    "<\xef\xbd\234begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>",
    "<\xef\xbd\x9cUser\xef\xbd\x9c>",
    "\xef\xbd\x9cTool\xef\xbd\x9c",
    "\xf0\x9f\xa6\x99turn",
    "role:user",
    "\\begin{turn}",
};

static inline void guard_world_init(struct prompt_guard *guard) {
    prompt_guard_init(guard, "Zq3XvB7kTnL0mWcR5yHsD9fJ");
    for (size_t i = 0; i < sizeof(GUARD_SPECIALS) / sizeof(*GUARD_SPECIALS); i++) {
        prompt_guard_add_special(guard, str_from(GUARD_SPECIALS[i]));
    }
    prompt_guard_add_tag(guard, STR("<think>"));
    prompt_guard_add_tag(guard, STR("</think>"));
    prompt_guard_add_tag(guard, STR("<table>"));
    prompt_guard_sort(guard);
}

/* Whether a piece between cuts has a control token's text. */
static inline bool guard_world_leaks(struct str text, const struct prompt_guard_cuts *cuts) {
    size_t from = 0;
    for (size_t i = 0; i <= cuts->count; i++) {
        const size_t end = i < cuts->count ? cuts->at[i] : text.len;
        for (size_t k = 0; k < sizeof(GUARD_SPECIALS) / sizeof(*GUARD_SPECIALS); k++) {
            if (memmem(text.data + from, end - from, GUARD_SPECIALS[k], strlen(GUARD_SPECIALS[k])) != NULL) {
                return true;
            }
        }
        from = end;
    }
    return false;
}

/* A template that takes every <think>, </think> and <table> out. */
static inline void guard_world_untag(struct str text, struct buf *out) {
    static const char *const TAGS[] = {"<think>", "</think>", "<table>"};
    for (size_t at = 0; at < text.len;) {
        size_t taken = 0;
        for (size_t k = 0; k < sizeof(TAGS) / sizeof(*TAGS); k++) {
            if (str_starts_with((struct str){text.data + at, text.len - at}, str_from(TAGS[k]))) {
                taken = strlen(TAGS[k]);
            }
        }
        buf_append(out, text.data + at, taken > 0 ? 0 : 1);
        at += taken > 0 ? taken : 1;
    }
}

/* A template that reads JSON and says its members, one behind the other. */
static inline void guard_world_say_json(struct json_value value, struct buf *out) {
    struct json_iterator it;
    struct json_value item;
    struct str key, text;
    if (json_as_str(value, &text)) {
        buf_append_str(out, text);
        return;
    }
    if (json_type_of(value) != JSON_OBJECT && json_type_of(value) != JSON_ARRAY) {
        json_serialize(value, out);
        return;
    }
    for (json_iterate(value, &it); json_next(&it, &key, &item);) {
        buf_append_str(out, key);
        buf_append_cstr(out, "=");
        guard_world_say_json(item, out);
        buf_append_cstr(out, "\n");
    }
}

#endif
