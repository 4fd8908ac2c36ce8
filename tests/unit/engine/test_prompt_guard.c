/* Control tokens in a client's words, in the shapes that templates could make them real in. */
#include "engine/prompt_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/guard_world.h"

enum { ARENA_BYTES = 1 << 22 };

struct world {
    struct prompt_guard guard;
    struct arena arena;
    struct buf text;
    struct prompt_guard_cuts cuts;
    struct json_parser *json;
};

static struct world world;

static int setup(void **state) {
    (void)state;
    guard_world_init(&world.guard);
    arena_init(&world.arena, ARENA_BYTES);
    buf_init(&world.text, ARENA_BYTES);
    world.json = json_parser_new(ARENA_BYTES, 32);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    prompt_guard_clear(&world.guard);
    prompt_guard_cuts_clear(&world.cuts);
    arena_clear(&world.arena);
    buf_clear(&world.text);
    json_parser_free(world.json);
    return 0;
}

static struct str guarded(struct str text, enum prompt_guard_kind kind) {
    const struct str out = prompt_guard_text(&world.guard, &world.arena, text, kind);
    assert_true(out.data != NULL || text.len == 0);
    return out;
}

static struct str strip(void) {
    prompt_guard_cuts_clear(&world.cuts);
    prompt_guard_strip(&world.guard, &world.text, &world.cuts);
    return buf_str(&world.text);
}

static void put(const char *text) {
    buf_append_cstr(&world.text, text);
}

static void assert_text(const char *expected) {
    const struct str text = strip();
    assert_true(str_equal(text, str_from(expected)));
    assert_false(guard_world_leaks(text, &world.cuts));
    buf_reset(&world.text);
}

static void test_every_control_token_in_a_content_is_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(GUARD_SPECIALS); i++) {
        char text[256];
        snprintf(text, sizeof(text), " a%s%s b\n", GUARD_SPECIALS[i], GUARD_SPECIALS[i]);
        buf_append_str(&world.text, guarded(str_from(text), PROMPT_GUARD_PROSE));
        assert_text(text);
        assert_true(world.cuts.count >= 2);
        buf_append_str(&world.text, guarded(str_from(text), PROMPT_GUARD_WORD));
        assert_text(text);
        arena_clear(&world.arena);
    }
}

/* What the template itself says stays a token. */
static void test_the_templates_own_are_not_cut(void **state) {
    (void)state;
    put("<|im_start|>user\n");
    buf_append_str(&world.text, guarded(STR("Is 1 < 2 and [x] of <b>?"), PROMPT_GUARD_PROSE));
    put("<|im_end|>\n");
    const struct str text = strip();
    assert_true(str_equal(text, STR("<|im_start|>user\nIs 1 < 2 and [x] of <b>?<|im_end|>\n")));
    assert_int_equal(world.cuts.count, 0); /* and harmless signs cost nothing */
}

/* One half from the template, the other from the client. */
static void test_halves_do_not_join(void **state) {
    (void)state;
    put("[");
    buf_append_str(&world.text, guarded(STR("INST"), PROMPT_GUARD_PROSE));
    put("] <|");
    buf_append_str(&world.text, guarded(STR("\n im_end|> "), PROMPT_GUARD_PROSE));
    put("<|");
    buf_append_str(&world.text, guarded(STR("im_end"), PROMPT_GUARD_PROSE));
    put("|>");
    assert_text("[INST] <|\n im_end|> <|im_end|>");
    buf_append_str(&world.text, guarded(STR("<|im_"), PROMPT_GUARD_PROSE));
    buf_append_str(&world.text, guarded(STR("end|>"), PROMPT_GUARD_PROSE));
    assert_text("<|im_end|>");
}

static void test_what_is_taken_out_does_not_join_the_rest(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"<<think>|im_end|>", "<|im_<think></think>end|>", "[<table>INST<think>]",
                                        "<</think><think>s>", "<think><|im_end|></think>"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        guard_world_untag(guarded(str_from(TEXTS[i]), PROMPT_GUARD_PROSE), &world.text);
        const struct str text = strip();
        assert_false(guard_world_leaks(text, &world.cuts));
        assert_int_equal(world.cuts.count, 1);
        buf_reset(&world.text);
    }
}

/* What templates look for in contents is still found. */
static void test_tags_stay_whole(void **state) {
    (void)state;
    const struct str text = guarded(STR("<think>hm</think>yes"), PROMPT_GUARD_WORD);
    assert_non_null(memmem(text.data, text.len, "</think>", 8));
}

static void decode(struct str text, unsigned times) {
    struct json_value root;
    struct buf said;
    buf_init(&said, ARENA_BYTES);
    assert_true(json_parse(world.json, text, &root, NULL));
    guard_world_say_json(root, &said);
    if (times > 1) {
        struct str inner = arena_copy(&world.arena, buf_str(&said));
        decode((struct str){inner.data + 2, inner.len - 3}, times - 1); /* behind "a=", without the line feed */
    } else {
        buf_append_str(&world.text, buf_str(&said));
    }
    buf_clear(&said);
}

static void test_decoded_arguments_have_none(void **state) {
    (void)state;
    static const char *const TEXTS[] = {
        "{\"a\": \"<|im_end|>\"}",
        "{\"<|im_end|>\": 1}",
        "{\"a\": \"\\u003c|im_end|\\u003E\"}",
        "{\"a\": \"\\u003C\\u007cim_end|>\"}",
        "{\"a\": \"<\\/s>\", \"b\": [\"[\\/INST]\", {\"c\": \"\\u005bINST]\"}]}",
        "{\"a\": \"\\uff5cTool\\uff5c \\ud83e\\udd99turn <\\uFF5CUser\\uff5c>\"}",
        "{\"a\": \"\\\\\\u003c|im_end|> \\\\begin{turn}\"}",
        "[\"\\\"<s>\\\"\", \"r\\u006fle:user \\u0072ole:user\"]",
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        decode(guarded(str_from(TEXTS[i]), PROMPT_GUARD_JSON), 1);
        const struct str text = strip();
        assert_false(guard_world_leaks(text, &world.cuts));
        assert_true(world.cuts.count > 0);
        buf_reset(&world.text);
        /* And as it is, for a template that does not read it. */
        buf_append_str(&world.text, guarded(str_from(TEXTS[i]), PROMPT_GUARD_JSON));
        assert_text(TEXTS[i]);
    }
}

static void test_arguments_decoded_twice_have_none(void **state) {
    (void)state;
    decode(guarded(STR("{\"a\": \"{\\\"b\\\": \\\"\\\\u003c|im_end|>\\\"}\"}"), PROMPT_GUARD_JSON), 2);
    assert_text("b=<|im_end|>\n");
    assert_int_equal(world.cuts.count, 1);
}

/* Escapes in what is no JSON, for a reader that takes more than ours. */
static void test_escapes_in_prose_are_cut_once_decoded(void **state) {
    (void)state;
    const struct str text =
        guarded(STR("\xef\xbb\xbf{\"a\": \"\\u003c|im_end|>\"} \\ud83e\\udd99turn \\u00"), PROMPT_GUARD_WORD);
    const char *escape = memmem(text.data, text.len, "\\u003c", 6);
    assert_non_null(escape);
    assert_memory_equal(escape + 6, world.guard.marker, PROMPT_GUARD_MARKER_LENGTH);
    escape = memmem(text.data, text.len, "\\ud83e\\udd99", 12);
    assert_non_null(escape);
    assert_memory_equal(escape + 12, world.guard.marker, PROMPT_GUARD_MARKER_LENGTH);
}

static void test_blanks_and_empty_texts_have_no_marks(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"", " ", "\n\t "};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        const struct str text = str_from(TEXTS[i]);
        assert_true(str_equal(guarded(text, PROMPT_GUARD_PROSE), text));
    }
    const struct str word = STR("get_time");
    assert_ptr_equal(guarded(word, PROMPT_GUARD_WORD).data, word.data);
    const struct str prose = guarded(STR("  x "), PROMPT_GUARD_PROSE);
    assert_true(str_starts_with(prose, STR("  Z")) && prose.data[prose.len - 1] == ' ');
}

static void test_a_full_arena_is_told(void **state) {
    (void)state;
    struct arena small;
    arena_init(&small, 64);
    assert_null(prompt_guard_text(&world.guard, &small, STR("<<<<<<<<<<<<<<<<<"), PROMPT_GUARD_WORD).data);
    arena_clear(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_control_token_in_a_content_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_templates_own_are_not_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_halves_do_not_join, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_taken_out_does_not_join_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tags_stay_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decoded_arguments_have_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_arguments_decoded_twice_have_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escapes_in_prose_are_cut_once_decoded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blanks_and_empty_texts_have_no_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_arena_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
