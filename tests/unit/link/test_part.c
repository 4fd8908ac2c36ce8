/* Limits of parts; what they are made of is in tests/vectors/link.json. */
#include "link/part.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BIG = 4 * LIMIT_DELTA_BYTES };

struct fixture {
    struct buf parts;
    char *bytes; /* of BIG bytes 'x' */
    struct str text, others;
    struct err err;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){.bytes = mem_alloc(BIG)};
    memset(fixture.bytes, 'x', BIG);
    buf_init(&fixture.parts, BIG);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    buf_clear(&f->parts);
    free(f->bytes);
    return 0;
}

static bool read_parts(struct fixture *f, uint32_t tokens) {
    err_clear(&f->err);
    return link_parts_read(buf_str(&f->parts), tokens, &f->text, &f->others, &f->err);
}

static void add_text(struct fixture *f, size_t len) {
    uint8_t head[LINK_PART_HEAD];
    (void)link_part_put_head(head, LINK_PART_TEXT, len);
    buf_append(&f->parts, head, sizeof(head));
    buf_append(&f->parts, f->bytes, len);
}

static void test_text_is_bounded(void **state) {
    struct fixture *f = *state;
    add_text(f, LIMIT_DELTA_BYTES);
    assert_true(read_parts(f, 1));
    assert_int_equal(f->text.len, LIMIT_DELTA_BYTES);
    assert_ptr_equal(f->text.data, f->parts.data + LINK_PART_HEAD); /* not copied */
    assert_int_equal(f->others.len, 0);
    buf_reset(&f->parts);
    add_text(f, LIMIT_DELTA_BYTES + 1);
    assert_false(read_parts(f, 1));
    assert_string_equal(f->err.field, "text");
    assert_string_equal(f->err.message, "delta with more than 65536 bytes of text");
}

static void test_other_texts_are_bounded(void **state) {
    struct fixture *f = *state;
    for (size_t len = LIMIT_DELTA_BYTES; len <= LIMIT_DELTA_BYTES + 1; len++) {
        buf_reset(&f->parts);
        link_parts_add_reasoning(&f->parts, (struct str){f->bytes, len});
        assert_int_equal(read_parts(f, 1), len == LIMIT_DELTA_BYTES);
        buf_reset(&f->parts);
        link_parts_add_tool_call(
            &f->parts, &(struct link_tool_call){.id = STR("i"), .name = STR("n"), .arguments = {f->bytes, len}});
        assert_int_equal(read_parts(f, 1), len == LIMIT_DELTA_BYTES);
    }
}

static void test_names_are_bounded(void **state) {
    struct fixture *f = *state;
    for (size_t len = LIMIT_NAME_BYTES; len <= LIMIT_NAME_BYTES + 1; len++) {
        const struct str name = {f->bytes, len};
        buf_reset(&f->parts);
        link_parts_add_tool_call(&f->parts,
                                 &(struct link_tool_call){.id = name, .name = STR(""), .arguments = STR("")});
        assert_int_equal(read_parts(f, 1), len == LIMIT_NAME_BYTES);
        buf_reset(&f->parts);
        link_parts_add_tool_call(&f->parts,
                                 &(struct link_tool_call){.id = STR(""), .name = name, .arguments = STR("")});
        assert_int_equal(read_parts(f, 1), len == LIMIT_NAME_BYTES);
    }
    for (size_t len = LIMIT_AUDIO_FORMAT_BYTES; len <= LIMIT_AUDIO_FORMAT_BYTES + 1; len++) {
        buf_reset(&f->parts);
        link_parts_add_audio(&f->parts, &(struct link_audio){.format = {f->bytes, len}, .bytes = STR("")});
        assert_int_equal(read_parts(f, 1), len == LIMIT_AUDIO_FORMAT_BYTES);
    }
}

static void test_count_is_bounded(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < LIMIT_DELTA_PARTS; i++) {
        link_parts_add_reasoning(&f->parts, STR(""));
    }
    assert_true(read_parts(f, 1));
    link_parts_add_reasoning(&f->parts, STR(""));
    assert_false(read_parts(f, 1));
    assert_string_equal(f->err.message, "delta of too many parts");
}

static void add_logprobs(struct fixture *f, const struct gen_token_logprobs *token) {
    struct buf encoded;
    buf_init(&encoded, 1 << 16);
    gen_logprobs_append(&encoded, token);
    link_parts_add_logprobs(&f->parts, buf_str(&encoded));
    buf_clear(&encoded);
}

static void test_other_tokens_are_bounded(void **state) {
    struct fixture *f = *state;
    struct gen_token_logprobs token = {.other_count = LIMIT_LOGPROB_OTHERS};
    struct str logprobs;
    struct link_part part;
    for (size_t i = 0; i < LIMIT_LOGPROB_OTHERS; i++) {
        token.others[i] = (struct gen_logprob){.id = (uint32_t)i, .logprob = -1.0F, .bytes = STR("")};
    }
    token.taken = (struct gen_logprob){.id = 7, .bytes = {f->bytes, LIMIT_LOGPROB_TOKEN_BYTES}};
    add_logprobs(f, &token);
    assert_true(read_parts(f, 1));
    assert_true(link_parts_next(&f->others, &part));
    logprobs = part.logprobs;
    token = (struct gen_token_logprobs){.other_count = 0};
    assert_true(gen_logprobs_next(&logprobs, &token));
    assert_int_equal(token.other_count, LIMIT_LOGPROB_OTHERS);
    assert_int_equal(token.others[LIMIT_LOGPROB_OTHERS - 1].id, LIMIT_LOGPROB_OTHERS - 1);
    assert_false(gen_logprobs_next(&logprobs, &token));
    buf_reset(&f->parts);
    token = (struct gen_token_logprobs){.taken = {.bytes = {f->bytes, LIMIT_LOGPROB_TOKEN_BYTES + 1}}};
    add_logprobs(f, &token);
    assert_false(read_parts(f, 1));
}

/* A delta with 65,535 tokens may have no log-probabilities, but a part for them that is empty is not one for each. */
static void test_counts_belong_to_the_tokens(void **state) {
    struct fixture *f = *state;
    link_parts_add_logprobs(&f->parts, STR(""));
    link_parts_add_token_ids(&f->parts, NULL, 0);
    assert_true(read_parts(f, 0));
    assert_false(read_parts(f, 1));
    assert_string_equal(f->err.field, "logprobs");
}

static void test_full_buffer(void **state) {
    struct fixture *f = *state;
    buf_clear(&f->parts);
    buf_init(&f->parts, LINK_PART_HEAD + 1);
    link_parts_add_reasoning(&f->parts, STR("ab"));
    assert_true(f->parts.overflow);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_text_is_bounded),  CASE(test_other_texts_are_bounded),  CASE(test_names_are_bounded),
        CASE(test_count_is_bounded), CASE(test_other_tokens_are_bounded), CASE(test_counts_belong_to_the_tokens),
        CASE(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
