#include "gateway/provider_scorers.h"

#include "gateway/provider_trust.h"
#include "gateway/providers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FILE_A "00000000000000000000000000000000000000000000000000000000000000aa"
#define FILE_B "00000000000000000000000000000000000000000000000000000000000000bb"

enum { DEVICES = 8 };

struct fixture {
    struct providers providers;
    struct gateway_provider devices[DEVICES];
    uint8_t a[DIGEST_SHA256_SIZE], b[DIGEST_SHA256_SIZE];
};

static void tell(struct gateway_provider *device, const char *file, enum link_model_state state) {
    const struct link_model model = {
        .id = STR("m"), .state = state, .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE), .sha256 = str_from(file)};
    provider_files_set(&device->files, &model, 1);
    provider_trust_told(device);
}

static void fixture_init(struct fixture *f) {
    *f = (struct fixture){.providers = {.all_trusted = true}};
    assert_true(digest_from_hex(STR(FILE_A), f->a, sizeof(f->a)) && digest_from_hex(STR(FILE_B), f->b, sizeof(f->b)));
    for (size_t i = 0; i < DEVICES; i++) {
        f->devices[i].providers = &f->providers;
        provider_trust_join(&f->devices[i]);
    }
}

static void fixture_clear(struct fixture *f) {
    for (size_t i = 0; i < DEVICES; i++) {
        provider_trust_leave(&f->devices[i]);
        provider_files_clear(&f->devices[i].files);
    }
    assert_null(f->providers.scorers); /* the table goes with the last one */
}

static size_t count(const struct fixture *f, const uint8_t *sha256) {
    size_t found = 0;
    const struct provider_scorer *scorer = provider_scorers_of(&f->providers, STR("m"), sha256);
    for (; scorer != NULL; scorer = scorer->next) {
        found++;
    }
    return found;
}

static void test_a_device_is_found_by_the_file_that_it_told_last(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < DEVICES; i++) {
        tell(&f.devices[i], i < 2 ? FILE_B : FILE_A, i == 7 ? LINK_MODEL_COLD : LINK_MODEL_WARM);
    }
    assert_int_equal(count(&f, f.a), 5);
    assert_int_equal(count(&f, f.b), 2);
    assert_int_equal(count(&f, NULL), 7);
    assert_null(provider_scorers_of(&f.providers, STR("n"), f.a));
    tell(&f.devices[0], FILE_A, LINK_MODEL_WARM);
    tell(&f.devices[7], FILE_A, LINK_MODEL_WARM);
    tell(&f.devices[2], FILE_A, LINK_MODEL_COLD);
    assert_int_equal(count(&f, f.a), 6);
    assert_int_equal(count(&f, f.b), 1);
    assert_int_equal(count(&f, NULL), 7);
    fixture_clear(&f);
}

/* Else each status would put it behind all others. */
static void test_who_tells_the_same_again_keeps_its_place(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < DEVICES; i++) {
        tell(&f.devices[i], FILE_A, LINK_MODEL_WARM);
    }
    const struct provider_scorer *first = provider_scorers_of(&f.providers, STR("m"), f.a);
    tell(&f.devices[0], FILE_A, LINK_MODEL_WARM);
    assert_ptr_equal(provider_scorers_of(&f.providers, STR("m"), f.a), first);
    assert_ptr_equal(first->provider, &f.devices[0]);
    fixture_clear(&f);
}

static void test_only_trusted_ones_are_found(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < DEVICES; i++) {
        tell(&f.devices[i], FILE_A, LINK_MODEL_WARM);
    }
    provider_trust_leave(&f.devices[3]);
    provider_trust_leave(&f.devices[3]); /* as it does when it is freed */
    assert_int_equal(count(&f, f.a), DEVICES - 1);
    f.providers.all_trusted = false;
    provider_trust_join(&f.devices[4]);
    assert_int_equal(count(&f, NULL), DEVICES - 2);
    f.devices[4].device.verified = true;
    provider_trust_join(&f.devices[4]);
    assert_int_equal(count(&f, NULL), DEVICES - 1);
    fixture_clear(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_is_found_by_the_file_that_it_told_last),
        cmocka_unit_test(test_who_tells_the_same_again_keeps_its_place),
        cmocka_unit_test(test_only_trusted_ones_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
