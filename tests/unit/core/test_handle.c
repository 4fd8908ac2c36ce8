#include "unit/core/core_fixture.h"

static void handles_find_their_object_and_are_never_zero(void **state UNUSED) {
    struct core_handles handles;
    int objects[100];
    uint64_t numbers[100];
    core_handles_init(&handles, 100);
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        numbers[i] = core_handles_add(&handles, &objects[i]);
        assert_true(numbers[i] != CORE_NO_HANDLE);
    }
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        assert_ptr_equal(core_handles_get(&handles, numbers[i]), &objects[i]);
    }
    assert_true(core_handles_add(&handles, &objects[0]) == CORE_NO_HANDLE); /* full */
    core_handles_remove(&handles, numbers[50]);
    assert_true(core_handles_add(&handles, &objects[50]) != CORE_NO_HANDLE);
    core_handles_clear(&handles);
}

static void a_handle_of_the_past_is_stale(void **state UNUSED) {
    struct core_handles handles;
    int first, second;
    core_handles_init(&handles, 1);
    uint64_t old = core_handles_add(&handles, &first);
    core_handles_remove(&handles, old);
    assert_null(core_handles_get(&handles, old));
    uint64_t new = core_handles_add(&handles, &second);
    assert_true(new != old);
    assert_null(core_handles_get(&handles, old));
    core_handles_remove(&handles, old); /* removes nobody */
    assert_ptr_equal(core_handles_get(&handles, new), &second);
    assert_int_equal(handles.count, 1);
    core_handles_clear(&handles);
}

static void any_number_may_be_asked_for(void **state UNUSED) {
    struct core_handles handles;
    int object;
    core_handles_init(&handles, 10);
    assert_null(core_handles_get(&handles, 1)); /* the table is empty */
    uint64_t handle = core_handles_add(&handles, &object);
    const uint64_t strangers[] = {
        0, 2, CORE_HANDLE_LIMIT, UINT64_MAX, handle | UINT64_C(1) << 20, handle | UINT64_C(1) << 60};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        assert_null(core_handles_get(&handles, strangers[i]));
    }
    core_handles_clear(&handles);
}

static void handles_stay_below_2_to_53(void **state UNUSED) {
    struct core_handles handles;
    int object;
    core_handles_init(&handles, UINT64_MAX);
    assert_int_equal(handles.limit, CORE_HANDLE_LIMIT);
    core_handles_remove(&handles, core_handles_add(&handles, &object));
    handles.entries[0].uses = UINT32_MAX; /* after four thousand million uses of the index */
    uint64_t handle = core_handles_add(&handles, &object);
    assert_true(handle < UINT64_C(1) << 53);
    assert_ptr_equal(core_handles_get(&handles, handle), &object);
    core_handles_clear(&handles);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_find_their_object_and_are_never_zero),
        cmocka_unit_test(a_handle_of_the_past_is_stale),
        cmocka_unit_test(any_number_may_be_asked_for),
        cmocka_unit_test(handles_stay_below_2_to_53),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
