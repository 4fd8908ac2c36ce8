/* The words of a chat must not act as the template's control tokens: a user who types "<|im_end|>" must not end the
 * turn. The template's output is one text, so what came from where is lost in it. Therefore a random marker is put into
 * each control token's text inside the contents, behind its first byte, before the template runs. Afterwards the text
 * is cut at the markers, which vanish, and the pieces are tokenized one by one: a control token's text that a cut goes
 * through is plain text. The model still reads exactly what the user wrote, and contents without such texts (nearly
 * all) are tokenized in one piece. */
#include "engine/llama_child/prompt.h"

#include "base/buf.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/random.h"
#include "engine/llama_child/plain.h"
#include "engine/llama_child/tool_text.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROMPT_MARKER_LENGTH = 24,
    PROMPT_TEXT_MAX = 2 * LIMIT_LINK_MESSAGE_BYTES,
    PROMPT_PIECE_MAX = 256,
    PROMPT_TOKEN_BYTES = 16, /* a text with more bytes than this for each token of the context is hardly going to fit */
};

struct prompter {
    const struct model *model;
    struct str *specials; /* texts of control tokens, owned */
    size_t special_count;
    bool first_bytes[256]; /* which bytes they begin with */
    char marker[PROMPT_MARKER_LENGTH + 1];
    struct buf text;
    struct json_parser *json;
};

/* User-defined tokens are plain text in most models ("\n\n"), control tokens in some ("<|user|>"). */
static bool is_special(const struct llama_vocab *vocab, llama_token token, struct str text) {
    unsigned attributes = (unsigned)llama_vocab_get_attr(vocab, token);
    if (text.len < 2) {
        return false;
    }
    return (attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0 ||
           ((attributes & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0 && str_starts_with(text, STR("<|")));
}

struct prompter *prompter_new(const struct model *model) {
    struct prompter *prompter = MEM_NEW(struct prompter);
    int32_t count = llama_vocab_n_tokens(model->vocab);
    prompter->model = model;
    random_base62(prompter->marker, PROMPT_MARKER_LENGTH);
    buf_init(&prompter->text, PROMPT_TEXT_MAX);
    prompter->json = json_parser_new(LIMIT_LINK_MESSAGE_BYTES, LIMIT_JSON_DEPTH);
    for (llama_token token = 0; token < count; token++) {
        char piece[PROMPT_PIECE_MAX];
        int32_t length = llama_token_to_piece(model->vocab, token, piece, sizeof(piece), 0, true);
        struct str text = {piece, length > 0 ? (size_t)length : 0};
        if (!is_special(model->vocab, token, text)) {
            continue;
        }
        prompter->specials =
            mem_realloc(prompter->specials, (prompter->special_count + 1) * sizeof(*prompter->specials));
        prompter->specials[prompter->special_count++] = (struct str){mem_strndup(text.data, text.len), text.len};
        prompter->first_bytes[(uint8_t)text.data[0]] = true;
    }
    return prompter;
}

void prompter_free(struct prompter *prompter) {
    for (size_t i = 0; i < prompter->special_count; i++) {
        free((void *)prompter->specials[i].data);
    }
    free(prompter->specials);
    buf_clear(&prompter->text);
    json_parser_free(prompter->json);
    free(prompter);
}

static bool special_starts(const struct prompter *prompter, struct str rest) {
    if (!prompter->first_bytes[(uint8_t)rest.data[0]]) {
        return false;
    }
    for (size_t i = 0; i < prompter->special_count; i++) {
        if (str_starts_with(rest, prompter->specials[i])) {
            return true;
        }
    }
    return false;
}

/* `text` itself, or a copy with the marker inside each special text; data is NULL when the arena is full. */
static struct str guard(const struct prompter *prompter, struct arena *arena, struct str text) {
    size_t found = 0;
    for (size_t i = 0; i < text.len; i++) {
        found += special_starts(prompter, (struct str){text.data + i, text.len - i});
    }
    if (found == 0) {
        return text;
    }
    char *copy = arena_alloc(arena, text.len + found * PROMPT_MARKER_LENGTH);
    size_t len = 0;
    for (size_t i = 0; copy != NULL && i < text.len; i++) {
        copy[len++] = text.data[i];
        if (special_starts(prompter, (struct str){text.data + i, text.len - i})) {
            memcpy(copy + len, prompter->marker, PROMPT_MARKER_LENGTH);
            len += PROMPT_MARKER_LENGTH;
        }
    }
    return (struct str){copy, len};
}

/* Templates may read the arguments as JSON, so escapes that could hide a special text are written out first. */
static struct str guard_arguments(struct prompter *prompter, struct arena *arena, struct str text) {
    struct json_value root;
    if (text.len > 0 && memchr(text.data, '\\', text.len) != NULL && json_parse(prompter->json, text, &root, NULL)) {
        struct buf plain;
        buf_init(&plain, LIMIT_LINK_MESSAGE_BYTES);
        json_serialize(root, &plain);
        struct str copy = plain.overflow ? (struct str){NULL, 0} : arena_copy(arena, buf_str(&plain));
        buf_clear(&plain);
        return copy.data != NULL ? guard(prompter, arena, copy) : copy;
    }
    return guard(prompter, arena, text);
}

static bool guard_calls(struct prompter *prompter, struct arena *arena, struct gen_message *message) {
    struct gen_tool_call *calls = ARENA_ARRAY(arena, struct gen_tool_call, message->tool_call_count);
    if (calls == NULL) {
        return false;
    }
    for (size_t i = 0; i < message->tool_call_count; i++) {
        const struct gen_tool_call *call = &message->tool_calls[i];
        calls[i].id = guard(prompter, arena, call->id);
        calls[i].name = guard(prompter, arena, call->name);
        calls[i].arguments = guard_arguments(prompter, arena, call->arguments);
        if ((calls[i].id.data == NULL && call->id.len > 0) || (calls[i].name.data == NULL && call->name.len > 0) ||
            (calls[i].arguments.data == NULL && call->arguments.len > 0)) {
            return false;
        }
    }
    message->tool_calls = calls;
    return true;
}

static const struct gen_message *guard_messages(struct prompter *prompter, const struct gen_request *request,
                                                struct arena *arena) {
    struct gen_message *copies = ARENA_ARRAY(arena, struct gen_message, request->message_count);
    for (size_t i = 0; copies != NULL && i < request->message_count; i++) {
        const struct gen_message *message = &request->messages[i];
        copies[i] = *message;
        copies[i].content = guard(prompter, arena, message->content);
        copies[i].tool_call_id = guard(prompter, arena, message->tool_call_id);
        if ((copies[i].content.data == NULL && message->content.len > 0) ||
            (copies[i].tool_call_id.data == NULL && message->tool_call_id.len > 0) ||
            (message->tool_call_count > 0 && !guard_calls(prompter, arena, &copies[i]))) {
            return NULL;
        }
    }
    return copies;
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

/* Tokenizes the template's text piece by piece, cut at the markers, until it is clear that it does not fit. */
static bool append_chat(const struct prompter *prompter, struct prompt *prompt, struct str text) {
    size_t whole = text.len;
    while (text.len > 0 && prompt->count <= prompter->model->plan.context_length) {
        const char *cut = memmem(text.data, text.len, prompter->marker, PROMPT_MARKER_LENGTH);
        size_t length = cut != NULL ? (size_t)(cut - text.data) : text.len;
        size_t used = cut != NULL ? length + PROMPT_MARKER_LENGTH : length;
        if (!append_tokens(prompter, prompt, (struct str){text.data, length}, true)) {
            return false;
        }
        text = (struct str){text.data + used, text.len - used};
    }
    if (text.len > 0 && text.len < whole) {
        prompt->count = (uint32_t)((uint64_t)prompt->count * whole / (whole - text.len));
    }
    return true;
}

static bool render(struct prompter *prompter, const struct gen_message *messages, size_t count, struct err *err) {
    buf_reset(&prompter->text);
    return shim_templates_apply(prompter->model->templates, messages, count, &prompter->text, err);
}

/* Whether the template says all of the calls and results. */
static bool knows_tools(struct prompter *prompter, const struct gen_message *messages, size_t count,
                        struct arena *arena) {
    const struct str mark = {prompter->marker, PROMPT_MARKER_LENGTH};
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
    const struct gen_message *messages = guard_messages(prompter, request, arena);
    const size_t count = request->message_count;
    if (messages == NULL) {
        return err_set_field(err, ERR_INVALID, "messages", "the messages are too long");
    }
    if (!render_given(prompter, messages, count, arena, err) && !render_plain(prompter, messages, count, arena, err)) {
        char reason[ERR_MESSAGE_MAX];
        str_copy(reason, sizeof(reason), str_from(err != NULL ? err->message : ""));
        return err_set_field(err, ERR_INVALID, "messages", "%s", reason);
    }
    return append_chat(prompter, prompt, buf_str(&prompter->text)) ||
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
