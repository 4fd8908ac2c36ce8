/* Server-sent events, whatever pieces they come in. */
#include "engine/upstream_sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    struct buf all; /* events, each with a bar behind it */
    size_t count, most;
};

static bool on_event(void *context, struct str data) {
    struct seen *seen = context;
    buf_append_str(&seen->all, data);
    buf_append_cstr(&seen->all, "|");
    return ++seen->count < seen->most;
}

static const char STREAM[] = ": hello\n\nevent: message\r\ndata: one\r\n\r\ndata:two\ndata: lines\nid: 7\n\n\n\n"
                             "data:\n\nretry: 5\n\ndata:  blank\n\ndata: last";

static void pieces_of_any_length(void **state) {
    (void)state;
    for (size_t step = 1; step <= sizeof(STREAM); step++) {
        struct seen seen = {.most = SIZE_MAX};
        struct upstream_sse sse;
        buf_init(&seen.all, 4096);
        upstream_sse_init(&sse, on_event, &seen);
        for (size_t at = 0; at < sizeof(STREAM) - 1; at += step) {
            const size_t left = sizeof(STREAM) - 1 - at;
            assert_true(upstream_sse_feed(&sse, (struct str){STREAM + at, left < step ? left : step}));
        }
        assert_int_equal(seen.count, 4);
        assert_true(upstream_sse_end(&sse));
        assert_string_equal(buf_cstr(&seen.all), "one|two\nlines|| blank|last|");
        assert_true(upstream_sse_end(&sse)); /* once is enough */
        assert_int_equal(seen.count, 5);
        upstream_sse_clear(&sse);
        buf_clear(&seen.all);
    }
}

static void nothing_comes_when_no_more_is_wanted(void **state) {
    struct seen seen = {.most = 2};
    struct upstream_sse sse;
    (void)state;
    buf_init(&seen.all, 4096);
    upstream_sse_init(&sse, on_event, &seen);
    assert_false(upstream_sse_feed(&sse, STR("data: 1\n\ndata: 2\n\ndata: 3\n\n")));
    assert_int_equal(seen.count, 2);
    upstream_sse_clear(&sse);
    buf_clear(&seen.all);
}

static void lines_and_events_have_a_bound(void **state) {
    struct seen seen = {.most = SIZE_MAX};
    struct upstream_sse sse;
    char *text = malloc(UPSTREAM_EVENT_MAX + 16);
    (void)state;
    memset(text, 'x', UPSTREAM_EVENT_MAX + 16);
    memcpy(text, "data: ", 6);
    buf_init(&seen.all, 4096);
    upstream_sse_init(&sse, on_event, &seen);
    assert_true(upstream_sse_feed(&sse, (struct str){text, UPSTREAM_EVENT_MAX}));
    assert_false(upstream_sse_feed(&sse, STR("y")));
    upstream_sse_clear(&sse);
    upstream_sse_init(&sse, on_event, &seen);
    text[UPSTREAM_EVENT_MAX / 2] = '\n';
    assert_true(upstream_sse_feed(&sse, (struct str){text, UPSTREAM_EVENT_MAX / 2 + 1}));
    assert_true(upstream_sse_feed(&sse, (struct str){text, UPSTREAM_EVENT_MAX / 2 + 1}));
    assert_false(upstream_sse_feed(&sse, (struct str){text, UPSTREAM_EVENT_MAX / 2 + 1}));
    assert_int_equal(seen.count, 0);
    upstream_sse_clear(&sse);
    buf_clear(&seen.all);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_of_any_length),
                                       cmocka_unit_test(nothing_comes_when_no_more_is_wanted),
                                       cmocka_unit_test(lines_and_events_have_a_bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
