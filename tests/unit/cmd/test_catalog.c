/* What the network offers, and what of it is here. */
#include "cmd/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "catalog/catalog.h"
#include "support/command_fixture.h"

static void a_row_for_each_model(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "catalog");
    assert_prints(fixture, "ID                                      SIZE       RAM  CONTEXT  LICENSE      PROMPT   "
                           "ANSWER  HERE\n");
    assert_prints(fixture, "qwen2.5-0.5b-instruct-q6_k          650.4 MB  872.4 MB    32768  Apache-2.0     0.05      "
                           "0.1  no\n  also called nataris-fast\n");
    assert_prints(fixture, "\n\nPrices are in USD per million tokens.\n");
    for (size_t i = 0; i < catalog_count(); i++) {
        assert_prints(fixture, "\n%-34s ", catalog_at(i)->id);
    }
}

/* An unfinished download counts as being here. */
static void what_is_here(void **state) {
    struct command_fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "models/qwen2.5-0.5b-instruct-q6_k.gguf.part", "some");
    temp_tree_write(&fixture->tree, "models/mine.gguf", "GGUF");
    command_fixture_expect(fixture, COMMAND_OK, "catalog");
    assert_prints(fixture, "0.05      0.1  partial\n");
    assert_prints_not(fixture, "mine");
    command_fixture_expect(fixture, COMMAND_OK, "catalog|--models|@/other");
    assert_prints(fixture, "0.05      0.1  no\n");
}

static void built_in_models_lie_beside_the_program(void **state) {
    struct command_fixture *fixture = *state;
    const struct catalog_model *model = catalog_find(str_from(CATALOG_BUILT_IN_MODEL));
    char name[FILE_PATH_MAX];
    snprintf(name, sizeof(name), "share/models/%s", model->sources[0].location);
    temp_tree_write(&fixture->tree, name, "GGUF");
    setenv("NATARIS_SHARE", temp_tree_path(&fixture->tree, "share"), 1);
    command_fixture_expect(fixture, COMMAND_OK, "catalog");
    unsetenv("NATARIS_SHARE");
    assert_prints(fixture, "  built in\n");
}

static void as_json(void **state) {
    struct command_fixture *fixture = *state;
    struct json_value root;
    command_fixture_expect(fixture, COMMAND_OK, "catalog|--json");
    struct json_parser *parser = json_parser_new(COMMAND_FIXTURE_OUTPUT, 8);
    assert_true(json_parse(parser, buf_str(&fixture->output), &root, &fixture->err));
    assert_int_equal(json_count(root), catalog_count());
    json_parser_free(parser);
    assert_prints(fixture, "{\"id\":\"qwen2.5-0.5b-instruct-q6_k\",\"aliases\":[\"nataris-fast\"],\"description\":\"");
    assert_prints(fixture, "\"prompt_usd_per_million\":0.05,\"completion_usd_per_million\":0.1,\"here\":null}");
}

static void a_folder_that_is_none(void **state) {
    struct command_fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "plain", "");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/plain", "catalog|--models|@/plain");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(a_row_for_each_model),
        COMMAND_TEST(what_is_here),
        COMMAND_TEST(built_in_models_lie_beside_the_program),
        COMMAND_TEST(as_json),
        COMMAND_TEST(a_folder_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
