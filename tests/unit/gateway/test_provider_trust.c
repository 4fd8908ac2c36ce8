/* Who is believed about whose answers. */
#include "gateway/provider_trust.h"

#include "gateway/providers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char A_FILE[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char OTHER_FILE[] = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct trust_world {
    struct providers providers;
    struct gateway_provider verified, second, stranger;
};

/* Nothing is sent to it: a link is all that matters. */
static void join(struct trust_world *world, struct gateway_provider *provider, const char *account, bool verified,
                 const char *sha256) {
    const struct link_model model = {.id = STR("model"),
                                     .state = LINK_MODEL_WARM,
                                     .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE),
                                     .sha256 = str_from(sha256)};
    provider->providers = &world->providers;
    provider->peer = (void *)world;
    provider->device = (struct store_device){.verified = verified, .standing = STORE_STANDING_SERVING};
    (void)str_copy(provider->device.account_id, STORE_ID_MAX, str_from(account));
    provider_files_set(&provider->files, &model, 1);
    provider_trust_join(provider);
}

static void leave(struct gateway_provider *provider) {
    provider_trust_leave(provider);
    provider_files_clear(&provider->files);
}

static bool is_scored(const struct gateway_provider *provider) {
    return provider_trust_any(provider, STR("model"), provider_files_find(&provider->files, STR("model"))->sha256);
}

/* Bob has had one device verified, and has others. */
static void test_nobody_scores_the_owners_other_devices(void **state) {
    struct trust_world world = {0};
    (void)state;
    join(&world, &world.verified, "acct_bob", true, A_FILE);
    join(&world, &world.second, "acct_bob", false, A_FILE);
    join(&world, &world.stranger, "acct_carol", false, A_FILE);
    assert_true(is_scored(&world.stranger));
    assert_int_equal(provider_trust_judged(&world.stranger, STR("model")), PROVIDER_JUDGED);
    assert_false(is_scored(&world.second));
    assert_int_equal(provider_trust_judged(&world.second, STR("model")), PROVIDER_JUDGED_BY_NONE);
    leave(&world.stranger);
    join(&world, &world.stranger, "acct_carol", true, A_FILE);
    assert_true(is_scored(&world.second));
    assert_int_equal(provider_trust_judged(&world.second, STR("model")), PROVIDER_JUDGED);
    leave(&world.stranger);
    leave(&world.second);
    leave(&world.verified);
}

static void test_another_file_evades(void **state) {
    struct trust_world world = {0};
    (void)state;
    join(&world, &world.verified, "acct_bob", true, A_FILE);
    join(&world, &world.stranger, "acct_carol", false, OTHER_FILE);
    assert_false(is_scored(&world.stranger));
    assert_int_equal(provider_trust_judged(&world.stranger, STR("model")), PROVIDER_JUDGED_EVADED);
    world.verified.device.standing = STORE_STANDING_QUARANTINED;
    assert_int_equal(provider_trust_judged(&world.stranger, STR("model")), PROVIDER_JUDGED_BY_NONE);
    leave(&world.stranger);
    leave(&world.verified);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_scores_the_owners_other_devices),
        cmocka_unit_test(test_another_file_evades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
