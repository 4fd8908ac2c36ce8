#include "gateway/descriptors.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

/* Whatever there is, the admin socket and the database have theirs. */
static void test_what_clients_get_leaves_enough(void **state) {
    (void)state;
    for (unsigned long files = 160; files < 100 * 1000; files += files / 16) {
        struct descriptors descriptors;
        descriptors_divide(&descriptors, files);
        assert_true(descriptors.clients >= 40);
        assert_true(descriptors.clients <= LIMIT_CONNECTIONS);
        assert_true(files < 256 || descriptors.clients + descriptors.webhooks + LIMIT_DESCRIPTORS_KEPT <= files);
        assert_int_equal(descriptors_share(&descriptors, 0), 0);
        assert_int_equal(descriptors_share(&descriptors, 5), 5);
        assert_int_equal(descriptors_share(&descriptors, 1000 * 1000), descriptors.clients / 2);
    }
}

static void test_the_soft_limit_is_raised(void **state) {
    (void)state;
    struct rlimit files;
    struct descriptors descriptors;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = 200;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    descriptors_init(&descriptors);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(files.rlim_cur, files.rlim_max);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_clients_get_leaves_enough),
        cmocka_unit_test(test_the_soft_limit_is_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
