/* Commands run as the program runs them, from their words to the exit status, in a folder of the test's own; what they
 * print is kept. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_COMMAND_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_COMMAND_FIXTURE_H

#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/owner.h"
#include "unit/provider/temp_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_FIXTURE_WORDS = 40, COMMAND_FIXTURE_TEXT = 2048, COMMAND_FIXTURE_OUTPUT = 1024 * 1024 };

struct command_fixture {
    struct temp_tree tree;
    struct buf output, errors; /* of the last command */
    struct err err;
};

/* --- Words: "account|list|--data|@", where "@" is the test's folder and "@/x" a file in it --- */

struct command_words {
    char text[COMMAND_FIXTURE_TEXT];
    char *argv[COMMAND_FIXTURE_WORDS + 1];
    int argc;
};

static void command_words_fill(struct command_words *words, const struct command_fixture *fixture, const char *given) {
    struct buf text;
    struct str word, rest = str_from(given);
    buf_init(&text, sizeof(words->text) - 1);
    buf_append(&text, "nataris", sizeof("nataris"));
    for (bool more = rest.len > 0; more;) {
        more = str_split(rest, '|', &word, &rest);
        if (word.len > 0 && word.data[0] == '@') {
            buf_append_cstr(&text, fixture->tree.path);
            word = (struct str){word.data + 1, word.len - 1};
        }
        buf_append_str(&text, word);
        buf_append(&text, "", 1);
    }
    assert_false(text.overflow);
    memcpy(words->text, text.data, text.len);
    words->argc = 0;
    for (size_t at = 0; at < text.len; at += strlen(words->text + at) + 1) {
        assert_true(words->argc < COMMAND_FIXTURE_WORDS);
        words->argv[words->argc++] = words->text + at;
    }
    words->argv[words->argc] = NULL;
    buf_clear(&text);
}

/* --- In this process --- */

/* What was written to the file so far; closes it. */
static void command_fixture_take(int file, struct buf *out) {
    enum { PIECE = 4096 };
    buf_reset(out);
    (void)lseek(file, 0, SEEK_SET);
    for (;;) {
        char *place = buf_reserve(out, PIECE);
        const ssize_t got = place != NULL ? read(file, place, PIECE) : 0;
        if (got <= 0) {
            break;
        }
        out->len += (size_t)got;
    }
    close(file);
}

struct command_capture {
    FILE *stream;
    int saved, file;
};

static void command_capture_begin(struct command_capture *capture, FILE *stream) {
    (void)fflush(stream);
    capture->stream = stream;
    capture->saved = dup(fileno(stream));
    capture->file = memfd_create("captured", MFD_CLOEXEC);
    assert_true(capture->saved >= 0 && capture->file >= 0);
    assert_true(dup2(capture->file, fileno(stream)) >= 0);
}

static void command_capture_end(struct command_capture *capture, struct buf *out) {
    (void)fflush(capture->stream);
    (void)dup2(capture->saved, fileno(capture->stream));
    close(capture->saved);
    command_fixture_take(capture->file, out);
}

/* What `print` writes on stdout is kept as the fixture's output. */
UNUSED static void command_fixture_print(struct command_fixture *fixture, void (*print)(void *context), void *context) {
    struct command_capture out;
    command_capture_begin(&out, stdout);
    print(context);
    command_capture_end(&out, &fixture->output);
}

/* Returns the exit status. */
UNUSED static int command_fixture_run(struct command_fixture *fixture, const char *words) {
    struct command_words given;
    struct command_capture out, err;
    command_words_fill(&given, fixture, words);
    command_capture_begin(&out, stdout);
    command_capture_begin(&err, stderr);
    const int status = commands_dispatch(given.argc, given.argv);
    command_capture_end(&err, &fixture->errors);
    command_capture_end(&out, &fixture->output);
    return status;
}

/* The text that a format and its arguments make. */
#define COMMAND_FIXTURE_FORMAT(text, format)                                                                           \
    do {                                                                                                               \
        va_list arguments;                                                                                             \
        va_start(arguments, format);                                                                                   \
        assert_in_range(vsnprintf((text), sizeof(text), (format), arguments), 0, sizeof(text) - 1);                    \
        va_end(arguments);                                                                                             \
    } while (0)

/* The command ends with this status. */
UNUSED PRINTF_LIKE(3, 4) static void command_fixture_expect(struct command_fixture *fixture, int status,
                                                            const char *words, ...) {
    char text[COMMAND_FIXTURE_TEXT];
    COMMAND_FIXTURE_FORMAT(text, words);
    const int ended = command_fixture_run(fixture, text);
    if (ended != status) {
        fail_msg("'%s' ended with %d, not %d: %s%s", text, ended, status, buf_cstr(&fixture->output),
                 buf_cstr(&fixture->errors));
    }
}

static void command_fixture_assert_part(struct buf *text, const char *part) {
    if (strstr(buf_cstr(text), part) == NULL) {
        fail_msg("no '%s' in: %s", part, buf_cstr(text));
    }
}

/* Somewhere in the output. */
UNUSED PRINTF_LIKE(2, 3) static void assert_prints(struct command_fixture *fixture, const char *part, ...) {
    char text[COMMAND_FIXTURE_TEXT];
    COMMAND_FIXTURE_FORMAT(text, part);
    command_fixture_assert_part(&fixture->output, text);
}

UNUSED static void assert_prints_not(struct command_fixture *fixture, const char *part) {
    if (strstr(buf_cstr(&fixture->output), part) != NULL) {
        fail_msg("'%s' in: %s", part, buf_cstr(&fixture->output));
    }
}

/* The whole output. */
UNUSED PRINTF_LIKE(2, 3) static void assert_printed(struct command_fixture *fixture, const char *all, ...) {
    char text[COMMAND_FIXTURE_TEXT];
    COMMAND_FIXTURE_FORMAT(text, all);
    assert_string_equal(buf_cstr(&fixture->output), text);
}

/* Somewhere on stderr. */
UNUSED static void assert_complains(struct command_fixture *fixture, const char *part) {
    command_fixture_assert_part(&fixture->errors, part);
}

/* The command fails with this status and these words, and prints nothing. */
UNUSED static void command_fixture_refuse(struct command_fixture *fixture, int status, const char *complaint,
                                          const char *words) {
    command_fixture_expect(fixture, status, "%s", words);
    assert_string_equal(buf_cstr(&fixture->output), "");
    assert_complains(fixture, complaint);
}

/* The member of the output, a flat JSON object, as text without quotes; into `out`. */
UNUSED static const char *command_fixture_member(struct command_fixture *fixture, const char *name, char *out,
                                                 size_t size) {
    char key[64];
    snprintf(key, sizeof(key), "\"%s\":\"", name);
    const char *at = strstr(buf_cstr(&fixture->output), key);
    if (at == NULL) {
        fail_msg("no member %s in: %s", name, buf_cstr(&fixture->output));
        return NULL;
    }
    at += strlen(key);
    assert_true(str_copy(out, size, (struct str){at, strcspn(at, "\"")}));
    return out;
}

/* --- A process of its own: this test's program again, whose main calls commands_dispatch when it has arguments --- */

struct command_process {
    pid_t pid;
    FILE *output;
    int errors; /* a file */
};

UNUSED static void command_process_start(struct command_process *process, const struct command_fixture *fixture,
                                         const char *words) {
    struct command_words given;
    posix_spawn_file_actions_t actions;
    int ends[2];
    command_words_fill(&given, fixture, words);
    process->errors = memfd_create("errors", MFD_CLOEXEC);
    assert_true(process->errors >= 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, process->errors, STDERR_FILENO);
    assert_int_equal(posix_spawn(&process->pid, "/proc/self/exe", &actions, NULL, given.argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    process->output = fdopen(ends[0], "r");
    assert_non_null(process->output);
}

/* The next line that it prints, without its end; fails when there is none. */
UNUSED static const char *command_process_line(struct command_process *process, char *out, size_t size) {
    if (fgets(out, (int)size, process->output) == NULL) {
        fail_msg("the process printed nothing more");
    }
    out[strcspn(out, "\n")] = '\0';
    return out;
}

/* Waits for its end; the rest of its output and its errors are the fixture's. Returns its exit status, or minus the
 * signal that killed it. */
UNUSED static int command_process_end(struct command_process *process, struct command_fixture *fixture) {
    int status = 0;
    buf_reset(&fixture->output);
    for (int byte; (byte = fgetc(process->output)) != EOF;) {
        const char one = (char)byte;
        buf_append(&fixture->output, &one, 1);
    }
    fclose(process->output);
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    command_fixture_take(process->errors, &fixture->errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* --- The folder --- */

/* Nothing of the person who runs the tests is read: neither options from the environment nor models. */
UNUSED static int command_fixture_setup(void **state) {
    struct command_fixture *fixture = mem_calloc(1, sizeof(*fixture));
    assert_int_equal(temp_tree_init(&fixture->tree), 0);
    for (size_t i = 0; environ[i] != NULL;) {
        struct str name, value;
        char copy[128];
        str_split(str_from(environ[i]), '=', &name, &value);
        if (str_starts_with(name, STR("NATARIS_")) && str_copy(copy, sizeof(copy), name)) {
            unsetenv(copy);
        } else {
            i++;
        }
    }
    setenv("NATARIS_MODELS", temp_tree_path(&fixture->tree, "models"), 1);
    buf_init(&fixture->output, COMMAND_FIXTURE_OUTPUT);
    buf_init(&fixture->errors, COMMAND_FIXTURE_OUTPUT);
    log_set_level(LOG_ERROR);
    *state = fixture;
    return 0;
}

UNUSED static int command_fixture_teardown(void **state) {
    struct command_fixture *fixture = *state;
    buf_clear(&fixture->output);
    buf_clear(&fixture->errors);
    temp_tree_clear(&fixture->tree);
    free(fixture);
    return 0;
}

/* The store in the folder, made when missing. To be closed with store_close. */
UNUSED static struct store *command_fixture_store(struct command_fixture *fixture) {
    struct store *store = NULL;
    char path[FILE_PATH_MAX];
    assert_true(owner_store_path(fixture->tree.path, path, &fixture->err));
    assert_true(store_open(&store, path, &fixture->err));
    return store;
}

/* Makes the folder what a gateway leaves: a store and an owner. */
UNUSED static int command_fixture_setup_data(void **state) {
    struct owner owner = {0};
    command_fixture_setup(state);
    struct command_fixture *fixture = *state;
    struct store *store = command_fixture_store(fixture);
    assert_true(owner_ensure(store, fixture->tree.path, &owner, &fixture->err));
    store_close(store);
    return 0;
}

/* Makes an account of this name with $5; its id into `out`. */
UNUSED static const char *command_fixture_account(struct command_fixture *fixture, const char *name, char *out,
                                                  size_t size) {
    command_fixture_expect(fixture, COMMAND_OK, "account|create|%s|--json|--data|@", name);
    return command_fixture_member(fixture, "id", out, size);
}

#define COMMAND_TEST(test) cmocka_unit_test_setup_teardown(test, command_fixture_setup, command_fixture_teardown)
#define DATA_TEST(test) cmocka_unit_test_setup_teardown(test, command_fixture_setup_data, command_fixture_teardown)

#endif
