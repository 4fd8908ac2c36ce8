#include "provider/python.h"

#include "base/buf.h"
#include "base/environment.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 200,
    PIECE = 64 * 1024,
    WORDS_KEPT = 4096,
    ARGUMENTS_MAX = 16,
    EXIT_NO_PYTHON = 127,
    EXIT_NO_FOLDER = 126
};

struct child {
    pid_t pid;
    int out, errors;  /* our ends of its pipes; -1 once closed */
    struct buf words; /* the last it said */
};

/* Where python3 is, and how the owner has told pip to reach packages. */
static const char *const KEPT[] = {"PATH",        "HOME",      "PIP_*",         "XDG_CONFIG_HOME", "http_proxy",
                                   "https_proxy", "all_proxy", "no_proxy",      "HTTP_PROXY",      "HTTPS_PROXY",
                                   "ALL_PROXY",   "NO_PROXY",  "SSL_CERT_FILE", "SSL_CERT_DIR",    "REQUESTS_CA_BUNDLE",
                                   NULL};

/* Between fork and exec: only calls that are safe there, as other threads may have held locks. */
static void become_python(char **arguments, char **environment, const struct python_run *run, int out, int errors) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    if (run->file_bytes_max > 0) {
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = run->file_bytes_max, .rlim_max = run->file_bytes_max});
    }
    if (chdir(run->temp_folder) != 0) {
        _exit(EXIT_NO_FOLDER);
    }
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
    }
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    execvpe("python3", arguments, environment);
    _exit(EXIT_NO_PYTHON);
}

static bool child_start(struct child *child, const struct python_run *run, struct err *err) {
    int out[2];
    int errors[2];
    /* Isolated: neither variables nor modules that lie about may change what it does. */
    char *arguments[ARGUMENTS_MAX + 3] = {(char *)"python3", (char *)"-I"};
    char temp_entry[1100];
    for (size_t i = 0; i < ARGUMENTS_MAX && run->arguments[i] != NULL; i++) {
        arguments[i + 2] = (char *)run->arguments[i];
    }
    snprintf(temp_entry, sizeof(temp_entry), "TMPDIR=%s", run->temp_folder);
    if (pipe2(out, O_CLOEXEC) != 0) {
        return err_set_errno(err, errno, "cannot start python3");
    }
    if (pipe2(errors, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return err_set_errno(err, errno, "cannot start python3");
    }
    const char *const extra[] = {temp_entry, "LC_ALL=C.UTF-8", NULL};
    char **environment = environment_make(KEPT, extra);
    child->pid = fork();
    if (child->pid == 0) {
        become_python(arguments, environment, run, out[1], errors[1]);
    }
    int cause = errno;
    environment_free(environment);
    close(out[1]);
    close(errors[1]);
    child->out = out[0];
    child->errors = errors[0];
    if (child->pid < 0) {
        close(out[0]);
        close(errors[0]);
        return err_set_errno(err, cause, "cannot start python3");
    }
    setpgid(child->pid, child->pid); /* the child does it, too: whoever comes first */
    buf_init(&child->words, WORDS_KEPT + PIECE);
    return true;
}

static void keep_words(struct child *child, const char *data, size_t len) {
    buf_append(&child->words, data, len);
    if (child->words.len > WORDS_KEPT) {
        buf_consume(&child->words, child->words.len - WORDS_KEPT);
    }
}

/* Takes what one pipe has; closes it at its end. */
static bool read_pipe(struct child *child, int *pipe, const struct python_run *run, struct err *err) {
    char piece[PIECE];
    ssize_t got = read(*pipe, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) {
        return true;
    }
    if (got <= 0) {
        close(*pipe);
        *pipe = -1;
        return true;
    }
    if (pipe == &child->out && run->on_output != NULL) {
        return run->on_output(run->context, piece, (size_t)got, err);
    }
    keep_words(child, piece, (size_t)got);
    return true;
}

static bool follow(struct child *child, const struct python_run *run, const struct fetch_control *control,
                   struct err *err) {
    while (child->out >= 0 || child->errors >= 0) {
        struct pollfd ends[] = {{child->out, POLLIN, 0}, {child->errors, POLLIN, 0}};
        if (poll(ends, COUNT_OF(ends), TICK_MS) < 0 && errno != EINTR) {
            return err_set_errno(err, errno, "cannot read from python3");
        }
        if (atomic_load(&control->cancelled)) {
            return err_set(err, ERR_CLOSED, "stopped");
        }
        if ((ends[0].revents != 0 && !read_pipe(child, &child->out, run, err)) ||
            (ends[1].revents != 0 && !read_pipe(child, &child->errors, run, err))) {
            return false;
        }
        if (run->on_tick != NULL) {
            run->on_tick(run->context);
        }
    }
    return true;
}

/* The line that says most: the last that begins with "ERROR:" (pip's way), else the last. */
static struct str telling_line(struct str words) {
    const struct str mark = STR("ERROR: ");
    struct str best = STR("");
    bool best_is_error = false;
    while (words.len > 0) {
        struct str line;
        str_split(words, '\n', &line, &words);
        line = str_trim(line);
        bool is_error = str_starts_with(line, mark);
        if (line.len > 0 && (is_error || !best_is_error)) {
            best = is_error ? (struct str){line.data + mark.len, line.len - mark.len} : line;
            best_is_error = is_error;
        }
    }
    return best;
}

static bool is_pip_missing(struct str line) {
    const struct str words = STR("No module named pip");
    return line.len > 0 && memmem(line.data, line.len, words.data, words.len) != NULL;
}

static bool judge(const struct child *child, int status, struct err *err) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return true;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PYTHON) {
        return err_set(err, ERR_UNSUPPORTED, "there is no python3 on this machine (Debian: apt install python3-pip)");
    }
    struct str line = telling_line(buf_str(&child->words));
    if (is_pip_missing(line)) {
        return err_set(err, ERR_UNSUPPORTED, "python3 has no pip (Debian: apt install python3-pip)");
    }
    if (WIFSIGNALED(status)) {
        return err_set(err, ERR_UNAVAILABLE, "python3 was killed by signal %d", WTERMSIG(status));
    }
    return err_set(err, ERR_UNAVAILABLE, "python3 failed: %.*s", STR_ARG(line));
}

/* `ended`: it closed its output, so it is about to exit; else it is made to. */
static int child_end(struct child *child, bool ended) {
    int status = 0;
    if (!ended) {
        kill(-child->pid, SIGKILL);
    }
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (child->out >= 0) {
        close(child->out);
    }
    if (child->errors >= 0) {
        close(child->errors);
    }
    return status;
}

bool python_run(const struct python_run *run, const struct fetch_control *control, struct err *err) {
    struct child child = {.pid = -1, .out = -1, .errors = -1};
    if (!child_start(&child, run, err)) {
        return false;
    }
    bool ended = follow(&child, run, control, err);
    int status = child_end(&child, ended);
    bool worked = ended && judge(&child, status, err);
    buf_clear(&child.words);
    return worked;
}
