#include "net/http_room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Alone half of it, two a third each: whoever comes next always finds some. */
static void test_nobody_fills_the_room(void **state) {
    (void)state;
    struct http_room room = {.limit = 1200};
    struct http_share *first = http_room_share(&room, 1), *second = http_room_share(&room, 2);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(http_room_hold(&room, first, 100), HTTP_HELD);
    }
    assert_int_equal(http_room_hold(&room, first, 100), HTTP_SHARE_FULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(http_room_hold(&room, second, 100), HTTP_HELD);
    }
    assert_int_equal(http_room_hold(&room, second, 100), HTTP_SHARE_FULL);
    assert_int_equal(http_room_hold(&room, first, 1), HTTP_SHARE_FULL);
    http_room_give(&room, first, 300);
    assert_int_equal(http_room_hold(&room, second, 100), HTTP_HELD);
    http_room_give(&room, first, 300);
    http_room_give(&room, second, 400);
    http_share_release(&room, first);
    http_share_release(&room, second);
    assert_int_equal(room.held, 0);
    assert_null(room.shares);
}

static void test_a_share_is_one_for_all_of_an_owner(void **state) {
    (void)state;
    struct http_room room = {.limit = 100};
    struct http_share *share = http_room_share(&room, 7);
    assert_ptr_equal(http_room_share(&room, 7), share);
    http_share_release(&room, share);
    assert_int_equal(http_room_hold(&room, share, 50), HTTP_HELD);
    http_room_give(&room, share, 50);
    http_share_release(&room, share);
    http_share_release(&room, NULL);
    assert_null(room.shares);
}

static void test_what_was_nobodys_becomes_a_share(void **state) {
    (void)state;
    struct http_room room = {.limit = 100};
    struct http_share *share = http_room_share(&room, 7);
    assert_int_equal(http_room_hold(&room, NULL, 100), HTTP_HELD);
    assert_int_equal(http_room_hold(&room, NULL, 1), HTTP_ROOM_FULL);
    assert_int_equal(http_room_assign(&room, share, 1), HTTP_SHARE_FULL);
    http_room_give(&room, NULL, 60);
    assert_int_equal(http_room_assign(&room, share, 40), HTTP_HELD);
    assert_int_equal(http_room_hold(&room, share, 20), HTTP_SHARE_FULL);
    assert_int_equal(http_room_hold(&room, share, 10), HTTP_HELD);
    http_room_give(&room, share, 50);
    http_share_release(&room, share);
}

static void test_without_a_limit_all_is_held(void **state) {
    (void)state;
    struct http_room room = {0};
    struct http_share *share = http_room_share(&room, 7);
    assert_int_equal(http_room_hold(&room, share, 1 << 30), HTTP_HELD);
    http_room_give(&room, share, 1 << 30);
    http_share_release(&room, share);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_fills_the_room),
        cmocka_unit_test(test_a_share_is_one_for_all_of_an_owner),
        cmocka_unit_test(test_what_was_nobodys_becomes_a_share),
        cmocka_unit_test(test_without_a_limit_all_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
