#include "format/refused.h"

#include "base/compiler.h"

#include <stdio.h>

/* clang-format off */
const struct refused_field REFUSED_FIELDS[] = {
    /* A grammar that the answer must keep to. */
    {STR("guided_json"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("guided_regex"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("guided_choice"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("guided_grammar"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("guided_decoding"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("structured_outputs"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("structured_output"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("structural_tag"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("grammar"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("grammar_string"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("ebnf"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("regex"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("json_schema"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("json_mode"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("schema"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("response_schema"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("output_schema"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("output_format"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("output_config"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("response_mime_type"), REFUSED_BUT_WORD, 0, "text/plain"},
    {STR("format"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("text"), REFUSED_BUT_EMPTY, 0, NULL},
    /* Thinking before the answer: the models offered do not. */
    {STR("reasoning"), REFUSED_BUT_OFF, 0, NULL},
    {STR("reasoning_budget"), REFUSED_BUT_OFF, 0, NULL},
    {STR("include_reasoning"), REFUSED_BUT_OFF, 0, NULL},
    {STR("thinking"), REFUSED_BUT_OFF, 0, NULL},
    {STR("thinking_budget"), REFUSED_BUT_OFF, 0, NULL},
    {STR("thinking_budget_tokens"), REFUSED_BUT_OFF, 0, NULL},
    {STR("thinking_config"), REFUSED_BUT_OFF, 0, NULL},
    {STR("enable_thinking"), REFUSED_BUT_OFF, 0, NULL},
    {STR("think"), REFUSED_BUT_OFF, 0, NULL},
    {STR("chat_template_kwargs"), REFUSED_BUT_OFF, 0, NULL},
    {STR("verbosity"), REFUSED_BUT_WORD, 0, "medium"},
    /* How the messages become a prompt. */
    {STR("chat_template"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("template"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("prompt_template"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("instruction_template"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("raw"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("add_generation_prompt"), REFUSED_BUT_TRUE, 0, NULL},
    {STR("continue_final_message"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("continue"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("system"), REFUSED_BUT_EMPTY, 0, "a message of role system"},
    {STR("system_prompt"), REFUSED_BUT_EMPTY, 0, "a message of role system"},
    {STR("system_instruction"), REFUSED_BUT_EMPTY, 0, "a message of role system"},
    {STR("instructions"), REFUSED_BUT_EMPTY, 0, "a message of role system"},
    {STR("character"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("preset"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("safe_prompt"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("transforms"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("truncate"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("truncate_prompt_tokens"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("context_management"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("input"), REFUSED_BUT_EMPTY, 0, "messages"},
    {STR("inputs"), REFUSED_BUT_EMPTY, 0, "messages"},
    {STR("contents"), REFUSED_BUT_EMPTY, 0, "messages"},
    {STR("context"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("documents"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("images"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("previous_response_id"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("conversation"), REFUSED_BUT_EMPTY, 0, "conversation_id"},
    /* Searching, and tools of the server. */
    {STR("web_search_options"), REFUSED_ALWAYS, 0, NULL},
    {STR("web_search"), REFUSED_BUT_OFF, 0, NULL},
    {STR("enable_search"), REFUSED_BUT_OFF, 0, NULL},
    {STR("search_parameters"), REFUSED_BUT_OFF, 0, NULL},
    {STR("search_domain_filter"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("data_sources"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("plugins"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("mcp_servers"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("lora"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("lora_request"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("lora_path"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("adapter_id"), REFUSED_BUT_EMPTY, 0, NULL},
    /* Samplers. */
    {STR("typical_p"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("typical"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("tfs"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("tfs_z"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("top_a"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("top_n_sigma"), REFUSED_BUT_NUMBER, -1, NULL},
    {STR("top_n_sigma"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("nsigma"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("mirostat"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("mirostat_mode"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("mirostat_tau"), REFUSED_BUT_NUMBER, 5, NULL},
    {STR("mirostat_eta"), REFUSED_BUT_NUMBER, 0.1, NULL},
    {STR("dry_multiplier"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("dry_base"), REFUSED_BUT_NUMBER, 1.75, NULL},
    {STR("dry_allowed_length"), REFUSED_BUT_NUMBER, 2, NULL},
    {STR("dry_penalty_last_n"), REFUSED_BUT_NUMBER, -1, NULL},
    {STR("dry_penalty_last_n"), REFUSED_BUT_NUMBER, 64, NULL},
    {STR("dry_range"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("xtc_probability"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("xtc_threshold"), REFUSED_BUT_NUMBER, 0.1, NULL},
    {STR("dynatemp_range"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("dynatemp_exponent"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("dynamic_temperature"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("smoothing_factor"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("smoothing_curve"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("epsilon_cutoff"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("eta_cutoff"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("penalty_alpha"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("guidance_scale"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("cfg_scale"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("negative_prompt"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("do_sample"), REFUSED_BUT_TRUE, 0, "temperature 0"},
    {STR("temperature_last"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("samplers"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("sampler_order"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("sampler_priority"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("use_beam_search"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("num_beams"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("beam_width"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("length_penalty"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("early_stopping"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("diversity_penalty"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("no_repeat_ngram_size"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("encoder_repetition_penalty"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("rep_pen"), REFUSED_BUT_NUMBER, 1, "repeat_penalty"},
    {STR("repeat_last_n"), REFUSED_BUT_NUMBER, 64, NULL},
    {STR("penalty_last_n"), REFUSED_BUT_NUMBER, 64, NULL},
    {STR("repetition_penalty_range"), REFUSED_BUT_NUMBER, 64, NULL},
    {STR("penalize_nl"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("random_seed"), REFUSED_ALWAYS, 0, "seed"},
    /* Tokens that must or must not come. */
    {STR("allowed_token_ids"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("bad_words"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("bad_words_ids"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("banned_tokens"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("banned_strings"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("custom_token_bans"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("suppress_tokens"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("sequence_bias"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("logits_processors"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("custom_logit_processor"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("watermark"), REFUSED_BUT_EMPTY, 0, NULL},
    /* Where the answer ends. */
    {STR("ignore_eos"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("ban_eos_token"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("min_tokens"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("min_new_tokens"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("min_length"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("n_predict"), REFUSED_ALWAYS, 0, "max_tokens"},
    {STR("num_predict"), REFUSED_ALWAYS, 0, "max_tokens"},
    {STR("max_new_tokens"), REFUSED_ALWAYS, 0, "max_tokens"},
    {STR("max_output_tokens"), REFUSED_ALWAYS, 0, "max_tokens"},
    {STR("max_tokens_to_sample"), REFUSED_ALWAYS, 0, "max_tokens"},
    {STR("max_gen_len"), REFUSED_ALWAYS, 0, "max_tokens"},
    {STR("max_length"), REFUSED_ALWAYS, 0, "max_tokens"},
    {STR("max_time"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("t_max_predict_ms"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("stop_sequences"), REFUSED_BUT_EMPTY, 0, "stop"},
    {STR("stop_sequence"), REFUSED_BUT_EMPTY, 0, "stop"},
    {STR("stop_strings"), REFUSED_BUT_EMPTY, 0, "stop"},
    {STR("stopping_strings"), REFUSED_BUT_EMPTY, 0, "stop"},
    {STR("custom_stopping_strings"), REFUSED_BUT_EMPTY, 0, "stop"},
    {STR("stop_words"), REFUSED_BUT_EMPTY, 0, "stop"},
    {STR("stop_regex"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("stop_token_ids"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("include_stop_str_in_output"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("no_stop_trim"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("skip_special_tokens"), REFUSED_BUT_TRUE, 0, NULL},
    /* What the answer holds beside its text, and how many there are. */
    {STR("best_of"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("num_completions"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("num_return_sequences"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("num_generations"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("candidate_count"), REFUSED_BUT_NUMBER, 1, NULL},
    {STR("echo"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("return_full_text"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("suffix"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("prediction"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("audio"), REFUSED_ALWAYS, 0, NULL},
    {STR("prompt_logprobs"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("return_logprob"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("return_logprobs"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("top_logprobs_num"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("n_probs"), REFUSED_BUT_NUMBER, 0, NULL},
    {STR("details"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("return_token_ids"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("return_tokens"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("return_hidden_states"), REFUSED_BUT_EMPTY, 0, NULL},
    {STR("deferred"), REFUSED_BUT_EMPTY, 0, NULL},
    /* Fields of their own inside another one. */
    {STR("options"), REFUSED_BUT_EMPTY, 0, "its members as fields of the request"},
    {STR("parameters"), REFUSED_BUT_EMPTY, 0, "its members as fields of the request"},
    {STR("sampling_params"), REFUSED_BUT_EMPTY, 0, "its members as fields of the request"},
    {STR("generation_config"), REFUSED_BUT_EMPTY, 0, "its members as fields of the request"},
    {STR("extra_body"), REFUSED_BUT_EMPTY, 0, "its members as fields of the request"},
};
/* clang-format on */

const size_t REFUSED_FIELD_COUNT = COUNT_OF(REFUSED_FIELDS);

static bool is_filler(char c) {
    return c == '_' || c == '-';
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool refused_same_name(struct str a, struct str b) {
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.len && is_filler(a.data[i])) {
            i++;
        }
        while (k < b.len && is_filler(b.data[k])) {
            k++;
        }
        if (i == a.len || k == b.len) {
            return i == a.len && k == b.len;
        }
        if (lower(a.data[i++]) != lower(b.data[k++])) {
            return false;
        }
    }
}

bool refused_is_empty(struct json_value value) {
    struct str text;
    bool flag;
    switch (json_type_of(value)) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return json_as_bool(value, &flag) && !flag;
    case JSON_STRING:
        return json_as_str(value, &text) && text.len == 0;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_count(value) == 0;
    case JSON_NUMBER:
        break;
    }
    return false;
}

static bool is_number(struct json_value value, double neutral) {
    double number;
    return json_as_double(value, &number) && !(number < neutral) && !(number > neutral);
}

static bool is_off_word(struct json_value value) {
    static const struct str words[] = {STR("none"), STR("off"), STR("disabled"), STR("false")};
    struct str word;
    for (size_t i = 0; json_as_str(value, &word) && i < COUNT_OF(words); i++) {
        if (str_equal_nocase(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* One level deep: {"type": "disabled"}, {"effort": "none", "max_tokens": 0}. */
static bool is_off(struct json_value value) {
    struct json_iterator iterator;
    struct json_value member;
    if (refused_is_empty(value) || is_number(value, 0) || is_off_word(value)) {
        return true;
    }
    if (json_type_of(value) != JSON_OBJECT) {
        return false;
    }
    for (json_iterate(value, &iterator); json_next(&iterator, NULL, &member);) {
        if (!refused_is_empty(member) && !is_number(member, 0) && !is_off_word(member)) {
            return false;
        }
    }
    return true;
}

static bool asks_for_nothing(const struct refused_field *field, struct json_value value) {
    struct str word;
    bool flag;
    switch (field->nothing) {
    case REFUSED_BUT_EMPTY:
        return refused_is_empty(value);
    case REFUSED_BUT_NUMBER:
        return refused_is_empty(value) || is_number(value, field->neutral);
    case REFUSED_BUT_TRUE:
        return json_as_bool(value, &flag) && flag;
    case REFUSED_BUT_OFF:
        return is_off(value);
    case REFUSED_BUT_WORD:
        return refused_is_empty(value) ||
               (json_as_str(value, &word) && str_equal_nocase(word, str_from(field->instead)));
    case REFUSED_ALWAYS:
        break;
    }
    return false;
}

bool refused_set(struct err *err, struct str name, const char *instead) {
    char field[ERR_FIELD_MAX];
    (void)str_copy(field, sizeof(field), name);
    if (instead != NULL) {
        return err_set_field(err, ERR_UNSUPPORTED, field, "%s is not supported yet. Use %s.", field, instead);
    }
    return err_set_field(err, ERR_UNSUPPORTED, field, "%s is not supported yet. Send the request without it.", field);
}

bool refused_check(struct str name, struct json_value value, bool *known, struct err *err) {
    const struct refused_field *asked = NULL;
    *known = false;
    for (size_t i = 0; i < REFUSED_FIELD_COUNT; i++) {
        const struct refused_field *field = &REFUSED_FIELDS[i];
        if (!refused_same_name(field->name, name)) {
            continue;
        }
        *known = true;
        if (json_type_of(value) == JSON_NULL || asks_for_nothing(field, value)) {
            return true;
        }
        asked = field;
    }
    return asked == NULL || refused_set(err, name, asked->nothing == REFUSED_BUT_WORD ? NULL : asked->instead);
}
