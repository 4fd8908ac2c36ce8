#include "engine/script.h"

#include "base/mem.h"
#include "grammar/sample.h"

#include <stdlib.h>
#include <string.h>

enum {
    SCRIPT_TOKENS_MIN = 12,
    SCRIPT_TOKENS_SPREAD = 20,
    SCRIPT_NUMBER_MAX = 10 * 1000 * 1000,
    SCRIPT_VOCABULARY = 4096 /* words of a text of its own that can be named */
};

static const char DIRECTIVE[] = "[[script";

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static uint32_t count_words(struct str text) {
    uint32_t count = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        bool blank = is_blank(text.data[i]);
        count += !blank && !inside;
        inside = !blank;
    }
    return count;
}

uint32_t script_count_prompt(const struct gen_request *request) {
    uint32_t count = count_words(request->prompt);
    for (size_t i = 0; i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        count += count_words(message->content);
        for (size_t k = 0; k < message->tool_call_count; k++) {
            count += count_words(message->tool_calls[k].name) + count_words(message->tool_calls[k].arguments);
        }
    }
    return count;
}

/* Reads the quoted text at the start of *rest with its escapes \" \\ \n. */
static bool read_quoted(struct str *rest, struct str *out) {
    if (rest->len == 0 || rest->data[0] != '"') {
        return false;
    }
    char *text = mem_alloc(rest->len);
    size_t len = 0;
    for (size_t i = 1; i < rest->len; i++) {
        char c = rest->data[i];
        if (c == '"') {
            *rest = (struct str){rest->data + i + 1, rest->len - i - 1};
            *out = (struct str){text, len};
            return true;
        }
        if (c == '\\' && i + 1 < rest->len) {
            i++;
            c = rest->data[i] == 'n' ? '\n' : rest->data[i];
        }
        text[len++] = c;
    }
    free(text);
    return false;
}

static bool set_number(struct script *script, struct str key, struct str value, bool own) {
    uint64_t number = 0;
    if (!str_parse_u64(value, SCRIPT_NUMBER_MAX, &number)) {
        return false;
    }
    if (str_equal_cstr(key, "tokens")) {
        script->tokens = (uint32_t)number;
    } else if (str_equal_cstr(key, "rate")) {
        script->rate = (double)number;
    } else if (str_equal_cstr(key, "prefill")) {
        script->prefill_ms = (uint32_t)number;
    } else if (str_equal_cstr(key, "after")) {
        script->late = true;
        script->after = (uint32_t)number;
    } else if (str_equal_cstr(key, "lie")) {
        script->lie = (uint32_t)number;
    } else if (own && str_equal_cstr(key, "exit")) {
        script->exits = true;
        script->exit_after = (uint32_t)number;
    } else {
        return false;
    }
    return true;
}

static bool set_option(struct script *script, struct str option, bool own) {
    struct str key, value;
    if (!str_split(option, '=', &key, &value)) {
        bool silent = str_equal_cstr(key, "silent"), loops = str_equal_cstr(key, "loop");
        script->silent = script->silent || silent;
        script->loops = script->loops || loops;
        return silent || loops;
    }
    if (str_equal_cstr(key, "fail")) {
        script->fails = true;
        return gen_failure_from_name(value, &script->failure);
    }
    return set_number(script, key, value, own);
}

/* `rest` is what follows the directive's name, up to the end of the message; or the device's own words. */
static bool read_directive(struct script *script, struct str rest, bool own, struct err *err) {
    for (;;) {
        rest = str_trim(rest);
        if (str_starts_with(rest, STR("]]")) || (own && rest.len == 0)) {
            return true;
        }
        if (str_starts_with(rest, STR("text="))) {
            rest = (struct str){rest.data + 5, rest.len - 5};
            free((void *)script->text.data);
            script->text = (struct str){0};
            if (!read_quoted(&rest, &script->text)) {
                return err_set(err, ERR_INVALID, "the script directive's text has no end");
            }
            script->tokens = count_words(script->text);
            continue;
        }
        size_t length = 0;
        while (length < rest.len && !is_blank(rest.data[length]) && rest.data[length] != ']') {
            length++;
        }
        if (!set_option(script, (struct str){rest.data, length}, own)) {
            return err_set(err, ERR_INVALID, "unknown or unfinished script directive");
        }
        rest = (struct str){rest.data + length, rest.len - length};
    }
}

static struct str last_user_text(const struct gen_request *request) {
    for (size_t i = request->message_count; i > 0; i--) {
        if (request->messages[i - 1].role == GEN_ROLE_USER) {
            return request->messages[i - 1].content;
        }
    }
    return request->prompt;
}

static bool read_request(struct script *script, const struct gen_request *request, struct err *err) {
    struct str text = last_user_text(request);
    const char *found = text.len > 0 ? memmem(text.data, text.len, DIRECTIVE, sizeof(DIRECTIVE) - 1) : NULL;
    if (found == NULL) {
        return true;
    }
    size_t skip = (size_t)(found - text.data) + sizeof(DIRECTIVE) - 1;
    return read_directive(script, (struct str){text.data + skip, text.len - skip}, false, err);
}

/* What keeps to the grammar, and goes on with what another device has said, where no directive says what is said. Of a
 * grammar that has no short text, or is too large, it is words. */
static void take_grammar(struct script *script, const struct gen_request *request) {
    struct buf text;
    struct err err;
    if (request->grammar.len == 0 || script->text.len > 0 || script->loops) {
        return;
    }
    buf_init(&text, request->continue_text.len + SAMPLE_BYTES_MAX);
    if (sample_append(request->grammar, request->continue_text, &text, &err)) {
        script->text = (struct str){mem_strndup(buf_cstr(&text), text.len), text.len};
        script->tokens = count_words(script->text);
    }
    buf_clear(&text);
}

bool script_init(struct script *script, const struct gen_request *request, const struct script_device *device,
                 struct err *err) {
    struct str last =
        request->message_count > 0 ? request->messages[request->message_count - 1].content : request->prompt;
    uint64_t hash = script_hash(last);
    *script = (struct script){.seed = hash,
                              .tokens = (uint32_t)(SCRIPT_TOKENS_MIN + hash % SCRIPT_TOKENS_SPREAD),
                              .rate = device->rate,
                              .prefill_ms = device->prefill_ms,
                              .lie = 1};
    if (request->bias_count > 0) {
        script->bias = script_bias_new(request);
    }
    const bool good = read_request(script, request, err) &&
                      (device->words == NULL || read_directive(script, str_from(device->words), true, err));
    take_grammar(script, request);
    return good;
}

bool script_check(const char *words, struct err *err) {
    struct script script = {0};
    bool good = read_directive(&script, str_from(words), true, err);
    script_clear(&script);
    return good;
}

void script_clear(struct script *script) {
    free((void *)script->text.data);
    script_bias_free(script->bias);
    *script = (struct script){0};
}

/* A word of the literal text with the blanks before it, and after the last one the blanks behind it. */
static struct str next_literal(struct script *script) {
    struct str text = script->text;
    size_t start = script->text_used, at = start;
    while (at < text.len && is_blank(text.data[at])) {
        at++;
    }
    while (at < text.len && !is_blank(text.data[at])) {
        at++;
    }
    if (script->produced + 1 == script->tokens) {
        at = text.len;
    }
    script->text_used = at;
    return (struct str){text.data + start, at - start};
}

bool script_next(struct script *script, struct str *token) {
    if (script->rest.len > 0) {
        *token = script->right = script->rest;
        script->rest = (struct str){0};
        return true;
    }
    if (script->produced >= script->tokens) {
        return false;
    }
    if (script->text.len > 0) {
        *token = next_literal(script);
    } else {
        const uint64_t seed = script->seed + (script->loops ? 0 : script->produced);
        *token = script_word(seed, script->produced == 0);
    }
    script->right = *token;
    script->right_seed = script->seed + script->produced;
    if (script->bias != NULL) {
        *token = script_bias_choose(script->bias, script->seed + script->produced, script->produced == 0, *token);
    }
    script->produced++;
    return true;
}

void script_append_logprobs(const struct script *script, struct str token, uint32_t top, struct buf *out) {
    script_logprobs_append(out, script->right_seed, script->produced == 1, script->right, token, top);
}

bool script_knows_biases(const struct script *script) {
    struct script own = *script; /* it owns nothing */
    struct str token;
    own.bias = NULL;
    for (uint32_t i = 0; script->bias != NULL && script->text.len > 0 && i < SCRIPT_VOCABULARY; i++) {
        if (script_next(&own, &token)) {
            script_bias_know(script->bias, token);
        }
    }
    return script->bias == NULL || script_bias_all_known(script->bias);
}

void script_continue(struct script *script, struct str text) {
    const struct script start = *script;
    struct str token = {0};
    while (text.len > 0 && script_next(script, &token)) {
        size_t common = token.len < text.len ? token.len : text.len;
        if (memcmp(token.data, text.data, common) != 0) {
            break;
        }
        text = (struct str){text.data + common, text.len - common};
        script->rest = (struct str){token.data + common, token.len - common};
    }
    if (text.len > 0) {
        *script = start;
    }
}
