#include "base/compiler.h"
#include "net/http_upload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct http_upload_pace pace = {
    .stretch_ms = 30, .stretch_bytes = 100, .total_ms = 200, .overstay_ms = 50};

static void test_time_is_added_while_it_moves(void **state) {
    (void)state;
    struct http_uploads uploads = {0};
    struct http_upload upload = {0};
    assert_int_equal(http_upload_begin(&uploads, &upload, &pace, 1000), 30);
    assert_int_equal(http_upload_moved(&upload, &pace, 60, 1010), 0);
    assert_int_equal(http_upload_moved(&upload, &pace, 60, 1020), 30); /* 120 bytes in a stretch */
    assert_int_equal(http_upload_moved(&upload, &pace, 99, 1040), 0);  /* the next one begins with nothing */
    assert_int_equal(http_upload_moved(&upload, &pace, 1, 1045), 30);
    http_upload_end(&uploads, &upload);
    assert_null(uploads.list);
}

/* However fast it comes: a body that never ends is not read for ever. */
static void test_time_of_the_whole_is_bounded(void **state) {
    (void)state;
    struct http_uploads uploads = {0};
    struct http_upload upload = {0};
    uint64_t late_ms = 1000 + http_upload_begin(&uploads, &upload, &pace, 1000);
    for (uint64_t now_ms = 1000; now_ms < late_ms; now_ms++) {
        const unsigned more_ms = http_upload_moved(&upload, &pace, 1000, now_ms);
        late_ms = more_ms > 0 ? now_ms + more_ms : late_ms;
    }
    assert_int_equal(late_ms, 1200);
}

/* A byte now and then, just before each deadline. */
static void test_drops_add_no_time(void **state) {
    (void)state;
    struct http_uploads uploads = {0};
    struct http_upload upload = {0};
    (void)http_upload_begin(&uploads, &upload, &pace, 1000);
    for (uint64_t now_ms = 1000; now_ms < 1030; now_ms += 3) {
        assert_int_equal(http_upload_moved(&upload, &pace, 9, now_ms), 0);
    }
}

static void test_without_a_total_there_is_one_stretch(void **state) {
    (void)state;
    static const struct http_upload_pace once = {.stretch_ms = 30};
    struct http_uploads uploads = {0};
    struct http_upload upload = {0};
    assert_int_equal(http_upload_begin(&uploads, &upload, &once, 1000), 30);
    assert_int_equal(http_upload_moved(&upload, &once, 1000000, 1001), 0);
}

static void test_the_oldest_makes_room(void **state) {
    (void)state;
    struct http_uploads uploads = {0};
    struct http_upload first = {0}, second = {0}, never = {0};
    assert_null(http_uploads_overstayed(&uploads, &pace, 1000));
    (void)http_upload_begin(&uploads, &first, &pace, 1000);
    (void)http_upload_begin(&uploads, &second, &pace, 1030);
    assert_null(http_uploads_overstayed(&uploads, &pace, 1050));
    assert_ptr_equal(http_uploads_overstayed(&uploads, &pace, 1051), &first);
    http_upload_end(&uploads, &first);
    assert_null(http_uploads_overstayed(&uploads, &pace, 1051));
    assert_ptr_equal(http_uploads_overstayed(&uploads, &pace, 1081), &second);
    http_upload_end(&uploads, &first);
    http_upload_end(&uploads, &never);
    assert_ptr_equal(uploads.list, &second);
    http_upload_end(&uploads, &second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_is_added_while_it_moves),
        cmocka_unit_test(test_time_of_the_whole_is_bounded),
        cmocka_unit_test(test_drops_add_no_time),
        cmocka_unit_test(test_without_a_total_there_is_one_stretch),
        cmocka_unit_test(test_the_oldest_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
