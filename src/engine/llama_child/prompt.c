#include "engine/llama_child/prompt.h"

#include "base/buf.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/random.h"
#include "engine/llama_child/plain.h"
#include "engine/llama_child/tool_text.h"
#include "engine/prompt_guard.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROMPT_TEXT_MAX = 2 * LIMIT_LINK_MESSAGE_BYTES,
    PROMPT_TOKEN_BYTES = 16, /* a text with more bytes than this for each token of the context is hardly going to fit */
};

struct prompter {
    const struct model *model;
    struct prompt_guard guard;
    char tool_mark[PROMPT_GUARD_MARKER_LENGTH + 1]; /* another one than the guard's, which stands beside users' words */
    struct buf text;
    struct json_parser *json;
};

/* User-defined tokens are plain text in most models ("\n\n", "<table>"), control tokens in some: "<|user|>", and
 * "<start_of_turn>" in files whose maker has not typed it as one. */
static bool is_special(unsigned attributes, struct str text) {
    if ((attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0) {
        return true;
    }
    return (attributes & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0 &&
           (str_starts_with(text, STR("<|")) ||
            (str_starts_with(text, STR("<")) && memchr(text.data, '_', text.len) != NULL));
}

static void fill_guard(struct prompt_guard *guard, const struct llama_vocab *vocab) {
    char marker[PROMPT_GUARD_MARKER_LENGTH + 1];
    random_base62(marker, PROMPT_GUARD_MARKER_LENGTH);
    prompt_guard_init(guard, marker);
    for (llama_token token = 0; token < llama_vocab_n_tokens(vocab); token++) {
        const struct str text = str_from(llama_vocab_get_text(vocab, token));
        const unsigned attributes = (unsigned)llama_vocab_get_attr(vocab, token);
        if (is_special(attributes, text)) {
            prompt_guard_add_special(guard, text);
        } else if ((attributes & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0) {
            prompt_guard_add_tag(guard, text);
        }
    }
    prompt_guard_add_tag(guard, STR("<think>")); /* in many models' templates, whether they are tokens or not */
    prompt_guard_add_tag(guard, STR("</think>"));
    prompt_guard_sort(guard);
}

struct prompter *prompter_new(const struct model *model) {
    struct prompter *prompter = MEM_NEW(struct prompter);
    prompter->model = model;
    fill_guard(&prompter->guard, model->vocab);
    random_base62(prompter->tool_mark, PROMPT_GUARD_MARKER_LENGTH);
    buf_init(&prompter->text, PROMPT_TEXT_MAX);
    prompter->json = json_parser_new(LIMIT_LINK_MESSAGE_BYTES, LIMIT_JSON_DEPTH);
    return prompter;
}

void prompter_free(struct prompter *prompter) {
    prompt_guard_clear(&prompter->guard);
    buf_clear(&prompter->text);
    json_parser_free(prompter->json);
    free(prompter);
}

/* What is guarded of a request. */
struct guarding {
    struct prompter *prompter;
    struct arena *arena;
    bool full; /* the arena is */
    bool odd;  /* arguments of a call are no JSON that we read, so a template must not be made to read them */
};

static struct str guard(struct guarding *guarding, struct str text, enum prompt_guard_kind kind) {
    const struct str out = prompt_guard_text(&guarding->prompter->guard, guarding->arena, text, kind);
    guarding->full = guarding->full || (out.data == NULL && text.len > 0);
    return out;
}

/* Templates may read the arguments as JSON. What they read is what we have written; texts that our parser refuses (too
 * deep, a byte order mark in front) and another one may take are never given to a template as arguments. */
static struct str guard_arguments(struct guarding *guarding, struct str text) {
    struct json_value root;
    if (text.len == 0) {
        return text;
    }
    if (!json_parse(guarding->prompter->json, text, &root, NULL)) {
        guarding->odd = true;
        return guard(guarding, text, PROMPT_GUARD_PROSE);
    }
    if (memchr(text.data, '\\', text.len) == NULL) {
        return guard(guarding, text, PROMPT_GUARD_JSON);
    }
    struct buf plain;
    buf_init(&plain, LIMIT_LINK_MESSAGE_BYTES);
    json_serialize(root, &plain);
    const struct str copy = plain.overflow ? (struct str){NULL, 0} : arena_copy(guarding->arena, buf_str(&plain));
    buf_clear(&plain);
    guarding->full = guarding->full || copy.data == NULL;
    return guarding->full ? copy : guard(guarding, copy, PROMPT_GUARD_JSON);
}

/* Some templates read results as JSON where they can. The marks at the ends of prose keep them from it. */
static struct str guard_content(struct guarding *guarding, const struct gen_message *message) {
    struct json_value root;
    const bool json =
        message->role == GEN_ROLE_TOOL && json_parse(guarding->prompter->json, message->content, &root, NULL);
    return guard(guarding, message->content, json ? PROMPT_GUARD_JSON : PROMPT_GUARD_PROSE);
}

static const struct gen_tool_call *guard_calls(struct guarding *guarding, const struct gen_message *message) {
    struct gen_tool_call *calls = ARENA_ARRAY(guarding->arena, struct gen_tool_call, message->tool_call_count);
    guarding->full = guarding->full || calls == NULL;
    for (size_t i = 0; !guarding->full && i < message->tool_call_count; i++) {
        const struct gen_tool_call *call = &message->tool_calls[i];
        calls[i].id = guard(guarding, call->id, PROMPT_GUARD_WORD);
        calls[i].name = guard(guarding, call->name, PROMPT_GUARD_WORD);
        calls[i].arguments = guard_arguments(guarding, call->arguments);
    }
    return calls;
}

/* NULL: the arena is full. */
static const struct gen_message *guard_messages(struct guarding *guarding, const struct gen_request *request) {
    struct gen_message *copies = ARENA_ARRAY(guarding->arena, struct gen_message, request->message_count);
    for (size_t i = 0; copies != NULL && !guarding->full && i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        copies[i] = *message;
        copies[i].content = guard_content(guarding, message);
        copies[i].tool_call_id = guard(guarding, message->tool_call_id, PROMPT_GUARD_WORD);
        if (message->tool_call_count > 0) {
            copies[i].tool_calls = guard_calls(guarding, message);
        }
    }
    return guarding->full ? NULL : copies;
}

static bool append_piece(const struct prompter *prompter, struct prompt *prompt, struct str text, bool parse_special) {
    size_t capacity = text.len + 2; /* a token is a byte at least; some tokenizers put a blank in front */
    if (text.len == 0) {
        return true;
    }
    prompt->tokens = mem_realloc(prompt->tokens, (prompt->count + capacity) * sizeof(*prompt->tokens));
    int32_t count =
        shim_tokenize(prompter->model->vocab, text, prompt->tokens + prompt->count, (int32_t)capacity, parse_special);
    if (count < 0) {
        return false;
    }
    prompt->count += (uint32_t)count;
    return true;
}

/* Megabytes take the tokenizer seconds, in which this thread hears no cancel. A long text is counted in pieces only
 * until it is clear that it does not fit; *estimate is then about its length in tokens, otherwise 0. */
static bool estimate_length(const struct prompter *prompter, struct str text, uint32_t *estimate) {
    uint32_t context = prompter->model->plan.context_length;
    size_t step = (size_t)context * PROMPT_TOKEN_BYTES, done = 0;
    struct prompt scratch = {0};
    bool good = true;
    *estimate = 0;
    while (good && text.len > step && done < text.len && scratch.count <= context) {
        size_t length = text.len - done < step ? text.len - done : step;
        while (done + length < text.len && ((uint8_t)text.data[done + length] & 0xC0) == 0x80) {
            length--; /* not inside a UTF-8 character */
        }
        good = append_piece(prompter, &scratch, (struct str){text.data + done, length}, true);
        done += length;
    }
    if (good && scratch.count > context) {
        *estimate = (uint32_t)((uint64_t)scratch.count * text.len / done);
    }
    free(scratch.tokens);
    return good;
}

static bool append_tokens(const struct prompter *prompter, struct prompt *prompt, struct str text, bool parse_special) {
    uint32_t estimate;
    if (!estimate_length(prompter, text, &estimate)) {
        return false;
    }
    prompt->count += estimate;
    return estimate > 0 || append_piece(prompter, prompt, text, parse_special);
}

/* Tokenizes the template's text piece by piece, as the guard cuts it, until it is clear that it does not fit. */
static bool append_chat(struct prompter *prompter, struct prompt *prompt) {
    struct prompt_guard_cuts cuts = {0};
    prompt_guard_strip(&prompter->guard, &prompter->text, &cuts);
    const struct str text = buf_str(&prompter->text);
    size_t done = 0;
    bool good = true;
    for (size_t i = 0; good && done < text.len && prompt->count <= prompter->model->plan.context_length; i++) {
        const size_t end = i < cuts.count ? cuts.at[i] : text.len;
        good = append_tokens(prompter, prompt, (struct str){text.data + done, end - done}, true);
        done = end;
    }
    prompt_guard_cuts_clear(&cuts);
    if (good && done > 0 && done < text.len) {
        prompt->count = (uint32_t)((uint64_t)prompt->count * text.len / done);
    }
    return good;
}

static bool render(struct prompter *prompter, const struct gen_message *messages, size_t count, struct err *err) {
    buf_reset(&prompter->text);
    return shim_templates_apply(prompter->model->templates, messages, count, &prompter->text, err);
}

/* Whether the template says all of the calls and results. */
static bool knows_tools(struct prompter *prompter, const struct gen_message *messages, size_t count,
                        struct arena *arena) {
    const struct str mark = {prompter->tool_mark, PROMPT_GUARD_MARKER_LENGTH};
    size_t words;
    const struct gen_message *trial = tool_text_trial(messages, count, mark, arena, &words);
    return trial != NULL && render(prompter, trial, count, NULL) &&
           tool_text_is_whole(buf_str(&prompter->text), mark, words, arena);
}

/* As the template has it, when it says all of them. */
static bool render_given(struct prompter *prompter, const struct gen_message *messages, size_t count,
                         struct arena *arena, struct err *err) {
    const bool tools = tool_text_is_needed(messages, count);
    return (!tools || knows_tools(prompter, messages, count, arena)) && render(prompter, messages, count, err) &&
           (count == 1 && messages[0].role == GEN_ROLE_USER
                ? true
                : plain_is_whole(messages, count, buf_str(&prompter->text)));
}

/* In the shape that changes least of those of which the template says all. A template that says none of them whole gets
 * the first one that it does not refuse: it may have written some texts in a way of its own. */
static bool render_plain(struct prompter *prompter, const struct gen_message *messages, size_t count,
                         struct arena *arena, struct err *err) {
    const bool tools = tool_text_is_needed(messages, count);
    const struct gen_message *first = NULL;
    size_t first_count = 0;
    if (!tools && render(prompter, messages, count, err)) {
        first = messages;
        first_count = count;
    }
    for (enum plain_shape shape = tools ? PLAIN_TOOLS : PLAIN_ONE_SYSTEM; shape < PLAIN_SHAPES; shape++) {
        size_t made_count;
        const struct gen_message *made = plain_make(shape, messages, count, arena, &made_count);
        if (made == NULL) {
            return err_set(err, ERR_INVALID, "the messages are too long");
        }
        if (!render(prompter, made, made_count, first == NULL ? err : NULL)) {
            continue;
        }
        if (plain_is_whole(made, made_count, buf_str(&prompter->text))) {
            return true;
        }
        if (first == NULL) {
            first = made;
            first_count = made_count;
        }
    }
    return first != NULL && render(prompter, first, first_count, err);
}

static bool make_chat(struct prompter *prompter, const struct gen_request *request, struct arena *arena,
                      struct prompt *prompt, struct err *err) {
    struct guarding guarding = {.prompter = prompter, .arena = arena};
    const struct gen_message *messages = guard_messages(&guarding, request);
    const size_t count = request->message_count;
    if (messages == NULL) {
        return err_set_field(err, ERR_INVALID, "messages", "the messages are too long");
    }
    if ((guarding.odd || !render_given(prompter, messages, count, arena, err)) &&
        !render_plain(prompter, messages, count, arena, err)) {
        char reason[ERR_MESSAGE_MAX];
        str_copy(reason, sizeof(reason), str_from(err != NULL ? err->message : ""));
        return err_set_field(err, ERR_INVALID, "messages", "%s", reason);
    }
    return append_chat(prompter, prompt) ||
           err_set_field(err, ERR_INVALID, "messages", "the messages cannot be tokenized");
}

/* Some tokenizers put a blank in front of a text. Here that would be one too many, for the text goes on behind the
 * prompt: it is tokenized behind a line feed, which is then taken away. */
static bool append_without_blank(struct prompter *prompter, struct prompt *prompt, struct str text) {
    struct prompt front = {0}, whole = {0};
    buf_reset(&prompter->text);
    buf_append_cstr(&prompter->text, "\n");
    buf_append_str(&prompter->text, text);
    bool good = append_piece(prompter, &front, STR("\n"), false) &&
                append_piece(prompter, &whole, buf_str(&prompter->text), false);
    bool apart = good && front.tokens != NULL && whole.tokens != NULL && whole.count >= front.count &&
                 memcmp(whole.tokens, front.tokens, front.count * sizeof(*front.tokens)) == 0;
    if (apart) {
        uint32_t count = whole.count - front.count;
        prompt->tokens = mem_realloc(prompt->tokens, (prompt->count + count + 1) * sizeof(*prompt->tokens));
        memcpy(prompt->tokens + prompt->count, whole.tokens + front.count, count * sizeof(*prompt->tokens));
        prompt->count += count;
    } else if (good) { /* the line feed became part of another token: such vocabularies add no blank */
        good = append_piece(prompter, prompt, text, false);
    }
    free(front.tokens);
    free(whole.tokens);
    return good;
}

/* The answer so far. It is tokenized apart from the prompt, as it was generated apart from it, and never holds control
 * tokens: those have no text in an answer. */
static bool append_continued(struct prompter *prompter, struct prompt *prompt, struct str text) {
    uint32_t before = prompt->count, estimate = 0;
    enum llama_vocab_type type = llama_vocab_type(prompter->model->vocab);
    bool good = true;
    if (text.len == 0 || before > prompter->model->plan.context_length) {
        return true;
    }
    if (!estimate_length(prompter, text, &estimate)) {
        return false;
    }
    if (estimate > 0) {
        prompt->count += estimate;
    } else if (type == LLAMA_VOCAB_TYPE_SPM || type == LLAMA_VOCAB_TYPE_UGM) {
        good = append_without_blank(prompter, prompt, text);
    } else {
        good = append_piece(prompter, prompt, text, false);
    }
    prompt->continued = prompt->count - before;
    return good;
}

bool prompter_make(struct prompter *prompter, const struct gen_request *request, struct arena *arena,
                   struct prompt *prompt, struct err *err) {
    *prompt = (struct prompt){0};
    if (llama_vocab_get_add_bos(prompter->model->vocab)) {
        prompt->tokens = mem_alloc(sizeof(*prompt->tokens));
        prompt->tokens[prompt->count++] = llama_vocab_bos(prompter->model->vocab);
    }
    bool made;
    if (request->message_count > 0) {
        made = make_chat(prompter, request, arena, prompt, err);
    } else {
        made = append_tokens(prompter, prompt, request->prompt, false) ||
               err_set_field(err, ERR_INVALID, "prompt", "the prompt cannot be tokenized");
    }
    if (made && prompt->count == 0) {
        made =
            err_set_field(err, ERR_INVALID, request->message_count > 0 ? "messages" : "prompt", "the prompt is empty");
    }
    if (made && !append_continued(prompter, prompt, request->continue_text)) {
        made = err_set_field(err, ERR_INVALID, "continue_text", "the text to continue cannot be tokenized");
    }
    if (!made) {
        free(prompt->tokens);
        *prompt = (struct prompt){0};
    }
    return made;
}
