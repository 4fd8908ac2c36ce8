/* What `nataris job explain` is told, of generations that live and of those that have ended. */
#include "gateway/operator/explain.h"

#include "unit/gateway/operator/operator_fixture.h"

/* The connected devices: so many of the table are there. */
struct devices {
    uint64_t handles[2];
    struct store_device devices[2];
    size_t count;
};

static const struct store_device *find_device(void *context, uint64_t handle) {
    const struct devices *devices = context;
    for (size_t i = 0; i < devices->count; i++) {
        if (devices->handles[i] == handle) {
            return &devices->devices[i];
        }
    }
    return NULL;
}

static void tell(struct operator_fixture *fixture, struct devices *devices, const struct story *story,
                 uint64_t generation) {
    const struct explain explain = {
        .core = fixture->core, .stories = fixture->stories, .find_device = find_device, .context = devices};
    struct json_writer writer;
    operator_begin(fixture, &writer);
    explain_write(&explain, story, generation, &writer);
}

static struct devices one_device(uint64_t handle, const char *name) {
    struct devices devices = {.handles = {handle}, .devices = {{.id = "prov_1"}}, .count = 1};
    (void)str_copy(devices.devices[0].name, sizeof(devices.devices[0].name), str_from(name));
    return devices;
}

static void test_one_that_lives(void **state) {
    struct operator_fixture *fixture = *state;
    struct devices devices = one_device(operator_join(fixture, CORE_MODEL_WARM), "laptop");
    const uint64_t generation = operator_ask(fixture, "chatcmpl-1");
    tell(fixture, &devices, fixture->story, generation);
    operator_assert_has(fixture, "{\"id\":\"chatcmpl-1\",\"model\":\"tiny\",\"outcome\":null,\"steps\":[");
    operator_assert_has(fixture, "\"state\":\"placed\",\"attempt\":1,\"continues\":false,\"provider_id\":\"prov_1\","
                                 "\"name\":\"laptop\",\"candidates\":[{");
    operator_assert_has(fixture, "\"chosen\":true,\"gate\":\"none\",\"finish_ms\":");
    operator_assert_has(fixture, "\"why\":\"won, ready in ");
    operator_assert_has(fixture, "\"now\":[{\"provider_id\":\"prov_1\",\"name\":\"laptop\",\"chosen\":true,"
                                 "\"gate\":\"slots\",\"why\":\"all of its slots are taken\"}]");
    operator_assert_has(fixture, "\"devices_with_model\":1}");
}

/* What has been weighed and who was kept out by what. */
static void test_who_was_kept_out(void **state) {
    struct operator_fixture *fixture = *state;
    struct devices devices = one_device(operator_join(fixture, CORE_MODEL_WARM), "laptop");
    devices.handles[1] = operator_join(fixture, CORE_MODEL_DOWNLOADING);
    devices.devices[1] = (struct store_device){.id = "prov_2", .name = "phone"};
    devices.count = 2;
    const uint64_t generation = operator_ask(fixture, "chatcmpl-1");
    tell(fixture, &devices, fixture->story, generation);
    operator_assert_has(fixture,
                        "\"name\":\"phone\",\"chosen\":false,\"gate\":\"model\",\"why\":\"it does not have the "
                        "model yet\"}");
    operator_assert_has(fixture, "\"devices_with_model\":2}");
}

/* The device holds the conversation's beginning from the time before. */
static void test_the_beginning_is_there(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    struct devices devices = one_device(provider, "laptop");
    operator_answer(fixture, provider, operator_ask(fixture, "chatcmpl-1"), 4);
    story_keep(fixture->stories, fixture->story, "completed");
    const uint64_t generation = operator_ask(fixture, "chatcmpl-2");
    tell(fixture, &devices, fixture->story, generation);
    operator_assert_has(fixture, "\"cached\":true,\"yields\":\"none\",\"why\":\"won, ready in ");
    operator_assert_has(fixture, "%; it holds the beginning of this conversation\"");
}

static void test_one_that_has_ended(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    struct devices devices = one_device(provider, "laptop");
    operator_answer(fixture, provider, operator_ask(fixture, "chatcmpl-1"), 2);
    story_keep(fixture->stories, fixture->story, "completed");
    tell(fixture, &devices, fixture->story, CORE_NO_HANDLE);
    fixture->story = NULL;
    operator_assert_has(fixture, "\"outcome\":\"completed\"");
    operator_assert_has(fixture, "{\"at_ms\":10,\"from\":\"prefill\",\"state\":\"streaming\",\"why\":\"first token\"}");
    operator_assert_lacks(fixture, "\"now\"");
}

/* Names are as they were when the device left; they may hold anything. */
static void test_its_device_has_gone_since(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    struct devices devices = one_device(provider, "an old\x1b[2J \"phone\"");
    const uint64_t generation = operator_ask(fixture, "chatcmpl-1");
    stories_device_gone(fixture->stories, provider, &devices.devices[0]);
    devices.count = 0;
    tell(fixture, &devices, fixture->story, generation);
    operator_assert_has(fixture, "\"provider_id\":\"prov_1\",\"name\":\"an old\\u001b[2J \\\"phone\\\"\"");
}

/* So many devices have gone since that this one's name is forgotten: its generation is told all the same. */
static void test_its_device_is_forgotten(void **state) {
    struct operator_fixture *fixture = *state;
    const struct store_device another = {.id = "prov_9", .name = "another"};
    struct devices devices = one_device(operator_join(fixture, CORE_MODEL_WARM), "laptop");
    const uint64_t generation = operator_ask(fixture, "chatcmpl-1");
    stories_device_gone(fixture->stories, devices.handles[0], &devices.devices[0]);
    for (uint64_t i = 1; i <= STORIES_KEPT; i++) {
        stories_device_gone(fixture->stories, devices.handles[0] + i, &another);
    }
    devices.count = 0;
    tell(fixture, &devices, fixture->story, generation);
    operator_assert_has(fixture, "\"provider_id\":null,\"name\":null");
    operator_assert_lacks(fixture, "another");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        OPERATOR_TEST(test_one_that_lives),
        OPERATOR_TEST(test_who_was_kept_out),
        OPERATOR_TEST(test_the_beginning_is_there),
        OPERATOR_TEST(test_one_that_has_ended),
        OPERATOR_TEST(test_its_device_has_gone_since),
        OPERATOR_TEST(test_its_device_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
