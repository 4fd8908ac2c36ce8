#include "gateway/disk_floor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Not at every byte around the floor from one to the other and back. */
static void test_low_and_well_again(void **state) {
    (void)state;
    struct disk_floor disk = {.floor_bytes = 800};
    disk_floor_see(&disk, 800);
    assert_false(disk.low);
    disk_floor_see(&disk, 799);
    assert_true(disk.low);
    disk_floor_see(&disk, 899);
    assert_true(disk.low);
    disk_floor_see(&disk, 900);
    assert_false(disk.low);
}

struct seen {
    int times;
    bool low, scarce;
};

static void on_change(void *context, const struct disk_floor *disk) {
    struct seen *seen = context;
    seen->times++;
    seen->low = disk->low;
    seen->scarce = disk->scarce;
}

/* Each change is told once: low, scarce, not scarce any more, well. */
static void test_changes_are_told(void **state) {
    static const struct {
        uint64_t free_bytes;
        int times;
        bool low, scarce;
    } STEPS[] = {{5000, 0, false, false}, {799, 1, true, false}, {400, 1, true, false},
                 {399, 2, true, true},    {799, 2, true, true},  {800, 3, true, false},
                 {900, 4, false, false},  {100, 5, true, true},  {5000, 6, false, false}};
    struct seen seen = {0};
    struct disk_floor disk = {.floor_bytes = 800, .on_change = on_change, .context = &seen};
    (void)state;
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        disk_floor_see(&disk, STEPS[i].free_bytes);
        assert_int_equal(seen.times, STEPS[i].times);
        assert_int_equal(seen.low, STEPS[i].low);
        assert_int_equal(seen.scarce, STEPS[i].scarce);
    }
    assert_int_equal(disk.times, 2);
}

static void test_the_disk_is_looked_at_when_it_is_opened(void **state) {
    (void)state;
    struct loop *loop = loop_new();
    struct disk_floor disk = {0};
    disk_floor_open(&disk, loop, "/tmp/nataris.db", UINT64_MAX / 2);
    assert_true(disk.low);
    assert_true(disk.free_bytes > 0);
    disk_floor_clear(&disk);
    disk_floor_open(&disk, loop, "nataris.db", 1);
    assert_false(disk.low);
    disk_floor_clear(&disk);
    disk_floor_open(&disk, loop, "/nowhere/at/all/nataris.db", UINT64_MAX / 2); /* nothing is known: it is not low */
    assert_false(disk.low);
    disk_floor_clear(&disk);
    disk_floor_open(&disk, loop, "/tmp/nataris.db", 0);
    assert_null(disk.timer);
    disk_floor_clear(&disk);
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_low_and_well_again),
        cmocka_unit_test(test_changes_are_told),
        cmocka_unit_test(test_the_disk_is_looked_at_when_it_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
