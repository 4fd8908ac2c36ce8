/* The model folder of this device: what is listed, removed and pinned. */
#include "cmd/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

#include <sys/stat.h>

/* A whole model of its owner's, last used in 2026. */
static void put(struct command_fixture *fixture, const char *id) {
    const struct timespec times[2] = {{.tv_sec = 1767225600}, {.tv_sec = 1767225600}};
    char name[128];
    snprintf(name, sizeof(name), "models/%s.gguf", id);
    temp_tree_write(&fixture->tree, name, "GGUF and more");
    assert_int_equal(utimensat(AT_FDCWD, temp_tree_path(&fixture->tree, name), times, 0), 0);
}

static void nothing_is_here(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "model|list");
    assert_printed(fixture, "No models in %s. 'nataris catalog' lists what 'nataris model pull' can fetch.\n",
                   temp_tree_path(&fixture->tree, "models"));
    command_fixture_expect(fixture, COMMAND_OK, "model|list|--json");
    assert_printed(fixture, "{\"folder\":\"%s\",\"models\":[],\"bytes\":0,\"quota_bytes\":null,\"free_bytes\":0}\n",
                   temp_tree_path(&fixture->tree, "models"));
}

static void a_row_for_each_model(void **state) {
    struct command_fixture *fixture = *state;
    put(fixture, "mine");
    put(fixture, "yours");
    command_fixture_expect(fixture, COMMAND_OK, "model|pin|yours");
    command_fixture_expect(fixture, COMMAND_OK, "model|list|--model-quota|1G");
    assert_prints(fixture,
                  "ID                                 STATE               SIZE  LAST USED (UTC)\n"
                  "mine                               unknown             13 B  2026-01-01 00:00  \n"
                  "yours                              unknown             13 B  2026-01-01 00:00  pinned \n\n"
                  "26 B of 1.0 GB in %s; room for ",
                  temp_tree_path(&fixture->tree, "models"));
    command_fixture_expect(fixture, COMMAND_OK, "model|list");
    assert_prints(fixture, "\n26 B in %s; room for ", temp_tree_path(&fixture->tree, "models"));
}

static void as_json(void **state) {
    struct command_fixture *fixture = *state;
    put(fixture, "mine");
    command_fixture_expect(fixture, COMMAND_OK, "model|list|--json|--model-quota|1000");
    assert_prints(fixture,
                  "{\"folder\":\"%s\",\"models\":[{\"id\":\"mine\",\"state\":\"unknown\",\"bytes\":13,"
                  "\"bytes_total\":13,\"last_used_at\":\"2026-01-01T00:00:00.000Z\",\"pinned\":false,\"in_use\":false,"
                  "\"fetching\":false}],\"bytes\":13,\"quota_bytes\":1000,\"free_bytes\":987}\n",
                  temp_tree_path(&fixture->tree, "models"));
}

static void what_has_come_of_a_model(void **state) {
    struct command_fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "models/smollm2-135m-instruct-q4_1.gguf.part", "");
    assert_int_equal(truncate(temp_tree_path(&fixture->tree, "models/smollm2-135m-instruct-q4_1.gguf.part"), 49181216),
                     0);
    command_fixture_expect(fixture, COMMAND_OK, "model|list");
    assert_prints(fixture, "smollm2-135m-instruct-q4_1         partial 50%%      49.2 MB  ");
    command_fixture_expect(fixture, COMMAND_OK, "model|list|--json");
    assert_prints(fixture, "\"state\":\"partial\",\"bytes\":49181216,\"bytes_total\":98362432,");
}

static void removed_ones_are_gone(void **state) {
    struct command_fixture *fixture = *state;
    put(fixture, "mine");
    put(fixture, "qwen2.5-0.5b-instruct-q6_k");
    command_fixture_expect(fixture, COMMAND_FAILED, "model|rm|mine|absent|nataris-fast");
    assert_printed(fixture, "mine is removed.\nqwen2.5-0.5b-instruct-q6_k is removed.\n");
    assert_complains(fixture, "absent");
    assert_false(file_exists(temp_tree_path(&fixture->tree, "models/mine.gguf")));
}

static void pins(void **state) {
    struct command_fixture *fixture = *state;
    put(fixture, "mine");
    command_fixture_expect(fixture, COMMAND_OK, "model|pin|mine");
    assert_printed(fixture, "mine is pinned.\n");
    assert_true(file_exists(temp_tree_path(&fixture->tree, "models/mine.gguf.pinned")));
    command_fixture_expect(fixture, COMMAND_OK, "model|unpin|mine");
    assert_printed(fixture, "mine is not pinned.\n");
    assert_false(file_exists(temp_tree_path(&fixture->tree, "models/mine.gguf.pinned")));
    command_fixture_refuse(fixture, COMMAND_FAILED, "absent", "model|pin|absent");
}

static void a_name_and_a_folder_are_needed(void **state) {
    struct command_fixture *fixture = *state;
    static const char WORDS[] = "nataris: NAME is missing: 'nataris model list' has the models here\n";
    temp_tree_write(&fixture->tree, "plain", "");
    command_fixture_refuse(fixture, COMMAND_USAGE, WORDS, "model|rm");
    command_fixture_refuse(fixture, COMMAND_USAGE, WORDS, "model|pin");
    command_fixture_refuse(fixture, COMMAND_USAGE, WORDS, "model|unpin");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/plain", "model|list|--models|@/plain");
    command_fixture_refuse(fixture, COMMAND_FAILED, "nataris: ", "model|rm|../up");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(nothing_is_here),
        COMMAND_TEST(a_row_for_each_model),
        COMMAND_TEST(as_json),
        COMMAND_TEST(what_has_come_of_a_model),
        COMMAND_TEST(removed_ones_are_gone),
        COMMAND_TEST(pins),
        COMMAND_TEST(a_name_and_a_folder_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
