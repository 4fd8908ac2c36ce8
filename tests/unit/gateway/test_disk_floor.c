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
        cmocka_unit_test(test_the_disk_is_looked_at_when_it_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
