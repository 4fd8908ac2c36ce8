#include "unit/core/core_fixture.h"

struct item {
    int number;
    struct core_link link;
};

static int number_at(const struct core_list *list, size_t position) {
    struct core_link *link = core_list_first(list);
    while (position-- > 0) {
        link = core_list_next(list, link);
    }
    return CORE_OF(link, struct item, link)->number;
}

static void a_list_keeps_its_order(void **state UNUSED) {
    struct core_list list;
    struct item items[] = {{.number = 0}, {.number = 1}, {.number = 2}};
    core_list_init(&list);
    assert_null(core_list_first(&list));
    core_list_push_back(&list, &items[1].link);
    core_list_push_back(&list, &items[2].link);
    core_list_push_front(&list, &items[0].link);
    assert_int_equal(list.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(number_at(&list, (size_t)i), i);
    }
    assert_null(core_list_next(&list, &items[2].link));
}

static void what_is_removed_is_in_no_list(void **state UNUSED) {
    struct core_list list;
    struct item items[] = {{.number = 0}, {.number = 1}, {.number = 2}};
    core_list_init(&list);
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        assert_false(core_link_is_listed(&items[i].link));
        core_list_push_back(&list, &items[i].link);
    }
    core_list_remove(&list, &items[1].link);
    assert_false(core_link_is_listed(&items[1].link));
    assert_true(core_link_is_listed(&items[0].link));
    assert_int_equal(number_at(&list, 1), 2);
    core_list_remove(&list, &items[0].link);
    core_list_remove(&list, &items[2].link);
    assert_int_equal(list.count, 0);
    assert_null(core_list_first(&list));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_its_order),
        cmocka_unit_test(what_is_removed_is_in_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
