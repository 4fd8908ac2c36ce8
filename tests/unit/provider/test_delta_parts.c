/* What deltas carry beside their text. */
#include "provider/delta_parts.h"

#include "link/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct str read_parts(const struct link_delta *delta, size_t *ids) {
    struct str text, others, parts;
    struct link_part part;
    struct err err = {0};
    assert_true(link_parts_read(delta->parts, delta->tokens, &text, &others, &err));
    *ids = 0;
    for (parts = others; link_parts_next(&parts, &part);) {
        *ids += part.kind == LINK_PART_TOKEN_IDS;
    }
    return link_parts_logprobs(others);
}

static void keep(struct delta_parts *parts, uint32_t tokens, uint32_t others) {
    struct gen_token_logprobs token = {.taken = {.bytes = STR("word")}, .other_count = others};
    struct buf encoded;
    buf_init(&encoded, 1 << 22);
    for (uint32_t i = 0; i < others; i++) {
        token.others[i] = (struct gen_logprob){.bytes = STR("another word")};
    }
    for (uint32_t i = 0; i < tokens; i++) {
        gen_logprobs_append(&encoded, &token);
    }
    delta_parts_keep(parts, buf_str(&encoded));
    buf_clear(&encoded);
}

static void ids_and_logprobs(void **state) {
    static uint32_t ids[2000];
    struct delta_parts parts;
    size_t with_ids = 0;
    (void)state;
    delta_parts_init(&parts);
    struct link_delta delta = {.job = 1, .tokens = 2, .text = STR("a b"), .parts = STR("")};
    delta_parts_fill(&parts, ids, &delta);
    assert_int_equal(read_parts(&delta, &with_ids).len, 0);
    assert_int_equal(with_ids, 1);
    keep(&parts, 2, 20);
    delta_parts_fill(&parts, ids, &delta);
    assert_true(gen_logprobs_are_of(read_parts(&delta, &with_ids), 2));
    assert_int_equal(with_ids, 1);
    delta_parts_fill(&parts, NULL, &delta); /* they were of the one before */
    assert_int_equal(read_parts(&delta, &with_ids).len + with_ids, 0);
    keep(&parts, 2000, 20); /* more than a message holds */
    delta.tokens = 2000;
    delta_parts_fill(&parts, ids, &delta);
    assert_int_equal(read_parts(&delta, &with_ids).len, 0);
    assert_int_equal(with_ids, 1);
    delta_parts_clear(&parts);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ids_and_logprobs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
