/* Any bytes as a client's text in a prompt. The first says how it is guarded and what the template does to it: says it,
 * takes tags out, or reads it as JSON; and whether it is an argument of a tool call, which is written anew before a
 * template reads it, or is prose when our parser refuses it (too deep, a byte order mark in front): as in
 * engine/llama_child/prompt.c. Properties: the model reads what the client wrote, and no control token's text of the
 * client's stays in one piece. */
#include "support/guard_world.h"

#include <stdlib.h>

enum { TEXT_BYTES = 1 << 20 };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

/* What of `plain` the same template makes without a guard. */
static void template_text(unsigned how, struct json_parser *json, struct str text, struct buf *out) {
    struct json_value root;
    if (how == 1) {
        guard_world_untag(text, out);
    } else if (how == 2 && json_parse(json, text, &root, NULL)) {
        guard_world_say_json(root, out);
    } else {
        buf_append_str(out, text);
    }
}

/* How the engine guards it; as an argument, with escapes, it becomes what we write of it. */
static enum prompt_guard_kind argument_kind(struct json_parser *json, struct arena *arena, bool argument,
                                            enum prompt_guard_kind otherwise, struct str *text, unsigned *how) {
    struct json_value root;
    struct buf written;
    if (!json_parse(json, *text, &root, NULL)) {
        *how = argument && *how == 2 ? 0 : *how; /* never given to a template as something to read */
        return argument ? PROMPT_GUARD_PROSE : otherwise;
    }
    if (argument && memchr(text->data, '\\', text->len) != NULL) {
        buf_init(&written, TEXT_BYTES);
        json_serialize(root, &written);
        const struct str copy = arena_copy(arena, buf_str(&written));
        check(json_parse(json, copy, &root, NULL));
        *text = copy;
        buf_clear(&written);
    }
    return PROMPT_GUARD_JSON;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct prompt_guard guard;
    static struct json_parser *json;
    if (json == NULL) {
        guard_world_init(&guard);
        json = json_parser_new(TEXT_BYTES, 32);
    }
    if (size < 1 || memmem(data, size, guard.marker, PROMPT_GUARD_MARKER_LENGTH) != NULL) {
        return 0;
    }
    struct str text = {(const char *)data + 1, size - 1};
    unsigned how = data[0] % 3;
    enum prompt_guard_kind kind = data[0] & 0x10 ? PROMPT_GUARD_PROSE : PROMPT_GUARD_WORD;
    struct arena arena;
    struct buf marked, plain;
    struct prompt_guard_cuts cuts = {0};
    arena_init(&arena, TEXT_BYTES);
    kind = argument_kind(json, &arena, (data[0] & 0x20) != 0, kind, &text, &how);
    buf_init(&marked, TEXT_BYTES);
    buf_init(&plain, TEXT_BYTES);
    const struct str guarded = prompt_guard_text(&guard, &arena, text, kind);
    if (guarded.data != NULL && memmem(guarded.data, guarded.len, "\xef\xbb\xbf", 3) == NULL) {
        template_text(how, json, guarded, &marked);
        template_text(how, json, text, &plain);
        prompt_guard_strip(&guard, &marked, &cuts);
        const bool same = str_equal(buf_str(&marked), buf_str(&plain));
        check(same || how == 2 || how == 1);
        check(marked.overflow || !guard_world_leaks(buf_str(&marked), &cuts));
    }
    prompt_guard_cuts_clear(&cuts);
    buf_clear(&marked);
    buf_clear(&plain);
    arena_clear(&arena);
    return 0;
}
