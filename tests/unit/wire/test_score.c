#include "wire/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static struct json_parser *parser;
static struct arena arena;

static int open_parser(void **state) {
    (void)state;
    parser = json_parser_new(1024 * 1024, LIMIT_JSON_DEPTH);
    arena_init(&arena, 1024 * 1024);
    return 0;
}

static int close_parser(void **state) {
    (void)state;
    json_parser_free(parser);
    arena_clear(&arena);
    return 0;
}

static struct json_value parse(const char *text) {
    struct json_value root;
    struct err err = {0};
    if (!json_parse(parser, str_from(text), &root, &err)) {
        fail_msg("%s", err.message);
    }
    return root;
}

static void answers_come_back(void **state) {
    (void)state;
    const uint32_t ids[] = {0, 151643, 0x7FFFFFFF};
    const struct gen_answer answer = {.ids = ids, .count = 3, .text = STR("a \"b\"\n"), .finish = GEN_FINISH_LENGTH};
    struct json_writer writer;
    struct buf out;
    struct gen_answer read;
    struct err err = {0};
    buf_init(&out, 4096);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    gen_answer_write(&answer, &writer);
    json_end_object(&writer);
    assert_true(gen_answer_read(parse(buf_cstr(&out)), &arena, &read, &err));
    assert_int_equal(read.count, 3);
    assert_memory_equal(read.ids, ids, sizeof(ids));
    assert_true(str_equal(read.text, answer.text));
    assert_int_equal(read.finish, GEN_FINISH_LENGTH);
    buf_clear(&out);
}

static void what_is_no_answer_is_refused(void **state) {
    static const char *const texts[] = {
        "{}",
        "{\"finish\":\"stop\",\"text\":\"\"}",
        "{\"finish\":\"else\",\"text\":\"\",\"token_ids\":[]}",
        "{\"finish\":\"stop\",\"text\":5,\"token_ids\":[]}",
        "{\"finish\":\"stop\",\"text\":\"\",\"token_ids\":7}",
        "{\"finish\":\"stop\",\"text\":\"\",\"token_ids\":[-1]}",
        "{\"finish\":\"stop\",\"text\":\"\",\"token_ids\":[1.5]}",
        "{\"finish\":\"stop\",\"text\":\"\",\"token_ids\":[2147483648]}",
        "{\"finish\":\"stop\",\"text\":\"\",\"token_ids\":[\"1\"]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct gen_answer answer;
        struct err err = {0};
        assert_false(gen_answer_read(parse(texts[i]), &arena, &answer, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void too_many_ids_are_refused(void **state) {
    (void)state;
    struct buf text;
    struct gen_answer answer;
    struct err err = {0};
    buf_init(&text, 1024 * 1024);
    buf_append_cstr(&text, "{\"finish\":\"stop\",\"text\":\"\",\"token_ids\":[0");
    for (int i = 0; i < LIMIT_SCORE_TOKENS; i++) {
        buf_append_cstr(&text, ",1");
    }
    buf_append_cstr(&text, "]}");
    assert_false(gen_answer_read(parse(buf_cstr(&text)), &arena, &answer, &err));
    assert_string_equal(err.field, "token_ids");
    buf_clear(&text);
}

static void scores_come_back(void **state) {
    (void)state;
    const struct gen_score score = {
        .tokens = 40, .near = 2, .far = 3, .spells = true, .ratios = {-1.5, 2.25, -1e-9, 15.9}};
    struct json_writer writer;
    struct buf out;
    struct gen_score read;
    struct err err = {0};
    buf_init(&out, 4096);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    gen_score_write(&score, &writer);
    json_end_object(&writer);
    assert_true(gen_score_read(parse(buf_cstr(&out)), &read, &err));
    assert_int_equal(read.tokens, 40);
    assert_int_equal(read.near, 2);
    assert_int_equal(read.far, 3);
    assert_true(read.spells);
    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
        assert_true(read.ratios[i] == score.ratios[i]);
    }
    buf_clear(&out);
}

static void numbers_that_no_score_has_are_refused(void **state) {
    static const char *const texts[] = {
        "\"tokens\":4,\"near\":3,\"far_tokens\":2,\"flatter\":0,\"flattest\":0,\"sharper\":0,\"far\":0",
        "\"tokens\":-4,\"near\":0,\"far_tokens\":0,\"flatter\":0,\"flattest\":0,\"sharper\":0,\"far\":0",
        "\"tokens\":4,\"near\":0,\"far_tokens\":0,\"flatter\":1e300,\"flattest\":0,\"sharper\":0,\"far\":0",
        "\"tokens\":4,\"near\":0,\"far_tokens\":0,\"flatter\":0,\"flattest\":0,\"sharper\":0",
        "\"tokens\":4,\"near\":0,\"far_tokens\":0,\"flatter\":\"0\",\"flattest\":0,\"sharper\":0,\"far\":0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[256];
        struct gen_score score;
        struct err err = {0};
        snprintf(text, sizeof(text), "{\"spells\":true,%s}", texts[i]);
        assert_false(gen_score_read(parse(text), &score, &err));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_back),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(too_many_ids_are_refused),
        cmocka_unit_test(scores_come_back),
        cmocka_unit_test(numbers_that_no_score_has_are_refused),
    };
    return cmocka_run_group_tests(tests, open_parser, close_parser);
}
