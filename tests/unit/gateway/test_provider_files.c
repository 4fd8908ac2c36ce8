#include "gateway/provider_files.h"

#include "catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KNOWN "nataris-demo-2m"
#define FILE_A "00000000000000000000000000000000000000000000000000000000000000aa"

static void the_told_file_counts_else_the_catalogs(void **state) {
    (void)state;
    const uint32_t generate = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE);
    const uint32_t both = generate | LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE);
    const struct link_model models[] = {
        {.id = STR(KNOWN), .state = LINK_MODEL_WARM, .kinds = generate},
        {.id = STR("mine"), .state = LINK_MODEL_WARM, .kinds = both, .sha256 = STR(FILE_A)},
        {.id = STR("cold"), .state = LINK_MODEL_COLD, .kinds = both, .sha256 = STR(FILE_A)},
        {.id = STR("nothing-known"), .state = LINK_MODEL_WARM, .kinds = both},
    };
    struct provider_files files = {0};
    uint8_t catalogs[DIGEST_SHA256_SIZE];
    provider_files_set(&files, models, 4);
    assert_true(digest_from_hex(str_from(catalog_find(STR(KNOWN))->sha256), catalogs, sizeof(catalogs)));
    const struct provider_file *known = provider_files_find(&files, STR(KNOWN));
    assert_memory_equal(known->sha256, catalogs, sizeof(catalogs));
    assert_false(known->scores || known->tells_ids);
    const struct provider_file *mine = provider_files_find(&files, STR("mine"));
    assert_int_equal(mine->sha256[31], 0xaa);
    assert_true(mine->scores && mine->tells_ids);
    const struct provider_file *cold = provider_files_find(&files, STR("cold"));
    assert_true(!cold->scores && cold->tells_ids);
    assert_null(provider_files_find(&files, STR("nothing-known")));
    provider_files_set(&files, models, 1);
    assert_null(provider_files_find(&files, STR("mine")));
    provider_files_set(&files, NULL, 0);
    assert_null(provider_files_find(&files, STR(KNOWN)));
    provider_files_clear(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_told_file_counts_else_the_catalogs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
