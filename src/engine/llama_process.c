#include "engine/llama_process.h"

#include "base/compiler.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROCESS_KILL_AFTER_MS = 2000, PROCESS_READ_BYTES = 64 * 1024, PROCESS_ARGUMENTS_MAX = 12 };

struct llama_process {
    struct loop *loop;
    const struct llama_process_events *events;
    void *context;
    uv_process_t process;
    uv_pipe_t channel;
    struct loop_timer *kill_timer;
    struct buf input;
    unsigned open_handles;
    bool exited, channel_done, closing;
    char why[48];
};

static void on_handle_closed(uv_handle_t *handle) {
    struct llama_process *process = (struct llama_process *)handle->data;
    if (--process->open_handles > 0) {
        return;
    }
    loop_timer_free(process->kill_timer);
    process->events->on_exit(process->context, process->why);
    buf_clear(&process->input);
    free(process);
}

/* What the child said last must be heard before its end is acted on: both the exit and the channel's end are
 * awaited. */
static void finish_if_gone(struct llama_process *process) {
    if (process->exited && process->channel_done && !uv_is_closing((uv_handle_t *)&process->process)) {
        loop_timer_stop(process->kill_timer);
        uv_close((uv_handle_t *)&process->process, on_handle_closed);
    }
}

static void end_channel(struct llama_process *process) {
    if (!process->channel_done) {
        process->channel_done = true;
        uv_close((uv_handle_t *)&process->channel, on_handle_closed);
        loop_timer_start(process->kill_timer, PROCESS_KILL_AFTER_MS, 0);
    }
    finish_if_gone(process);
}

static void on_process_exit(uv_process_t *handle, int64_t status, int signal_number) {
    struct llama_process *process = (struct llama_process *)handle->data;
    process->exited = true;
    if (signal_number != 0) {
        snprintf(process->why, sizeof(process->why), "signal %d", signal_number);
    } else {
        snprintf(process->why, sizeof(process->why), "exit status %" PRId64, status);
    }
    finish_if_gone(process);
}

static void on_kill_timer(void *context) {
    struct llama_process *process = context;
    if (!process->exited) {
        uv_process_kill(&process->process, SIGKILL);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
    struct llama_process *process = (struct llama_process *)handle->data;
    (void)suggested;
    char *place = buf_reserve(&process->input, PROCESS_READ_BYTES);
    *out = uv_buf_init(place, place != NULL ? PROCESS_READ_BYTES : 0);
}

static void handle_frames(struct llama_process *process) {
    size_t done = 0;
    while (!process->closing) {
        struct llama_frame frame;
        size_t used = 0;
        struct str rest = {process->input.data + done, process->input.len - done};
        enum llama_frame_result result = llama_frame_take(rest, &frame, &used);
        if (result == LLAMA_FRAME_BROKEN) {
            LOG_ERROR_EVENT("llama.frame_broken");
            uv_process_kill(&process->process, SIGKILL);
            end_channel(process);
            return;
        }
        if (result == LLAMA_FRAME_INCOMPLETE) {
            break;
        }
        process->events->on_frame(process->context, &frame);
        done += used;
    }
    buf_consume(&process->input, done);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes) {
    struct llama_process *process = (struct llama_process *)stream->data;
    (void)bytes;
    if (count < 0) {
        end_channel(process);
        return;
    }
    process->input.len += (size_t)count;
    handle_frames(process);
}

static void add_argument(char **arguments, size_t *count, const char *name, uint64_t value) {
    if (value > 0) {
        char text[24];
        snprintf(text, sizeof(text), "%" PRIu64, value);
        arguments[(*count)++] = mem_strdup(name);
        arguments[(*count)++] = mem_strdup(text);
    }
}

/* What the child finds from anywhere; a file that is not there keeps its name, which the child tells. */
static char *absolute(const char *path) {
    char *found = realpath(path, NULL);
    return found != NULL ? found : mem_strdup(path);
}

/* An empty folder to start in. It is removed as soon as the child is there, so nobody can ever put anything into it. */
static bool make_folder(char out[FILE_PATH_MAX]) {
    const char *place = getenv("TMPDIR");
    const int length =
        snprintf(out, FILE_PATH_MAX, "%s/nataris-XXXXXX", place != NULL && *place == '/' ? place : "/tmp");
    return length < FILE_PATH_MAX && mkdtemp(out) != NULL;
}

static int start(struct llama_process *process, uv_process_options_t *options) {
    /* A sanitizer's options are of no use to anybody else. */
    static const char *const KEPT[] = {"ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", NULL};
    static const char *const EXTRA[] = {"LC_ALL=C", NULL};
    char folder[FILE_PATH_MAX];
    const bool made = make_folder(folder);
    options->cwd = made ? folder : "/";
    options->env = environment_make(KEPT, EXTRA);
    const int status = uv_spawn(loop_uv(process->loop), &process->process, options);
    environment_free(options->env);
    if (made) {
        rmdir(folder);
    }
    return status;
}

static int spawn(struct llama_process *process, const struct llama_process_options *options) {
    char *arguments[PROCESS_ARGUMENTS_MAX] = {0};
    size_t count = 0;
    arguments[count++] = absolute(options->child_path);
    if (options->count) {
        arguments[count++] = mem_strdup("--count");
    }
    arguments[count++] = mem_strdup("--model");
    arguments[count++] = absolute(options->model_path);
    add_argument(arguments, &count, "--slots", options->slots);
    add_argument(arguments, &count, "--context", options->context_length);
    add_argument(arguments, &count, "--threads", options->threads);
    add_argument(arguments, &count, "--memory", options->memory_limit);
    uv_stdio_container_t stdio[LLAMA_CHANNEL_FD + 1] = {
        [STDIN_FILENO] = {.flags = UV_IGNORE},
        [STDOUT_FILENO] = {.flags = UV_IGNORE},
        [STDERR_FILENO] = {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO}, /* its log lines have our form */
        [LLAMA_CHANNEL_FD] = {.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE),
                              .data.stream = (uv_stream_t *)&process->channel},
    };
    uv_process_options_t spawn_options = {.exit_cb = on_process_exit,
                                          .file = arguments[0],
                                          .args = arguments,
                                          .stdio_count = LLAMA_CHANNEL_FD + 1,
                                          .stdio = stdio};
    int status = start(process, &spawn_options);
    for (size_t i = 0; i < count; i++) {
        free(arguments[i]);
    }
    return status;
}

static void on_failed_start(uv_handle_t *handle) {
    struct llama_process *process = (struct llama_process *)handle->data;
    if (--process->open_handles == 0) {
        loop_timer_free(process->kill_timer);
        free(process);
    }
}

bool llama_process_start(struct llama_process **out, struct loop *loop, const struct llama_process_options *options,
                         const struct llama_process_events *events, void *context, struct err *err) {
    struct llama_process *process = MEM_NEW(struct llama_process);
    process->loop = loop;
    process->events = events;
    process->context = context;
    process->open_handles = 2;
    process->process.data = process->channel.data = process;
    buf_init(&process->input, 2 * ((size_t)LLAMA_FRAME_MAX + PROCESS_READ_BYTES));
    process->kill_timer = loop_timer_new(loop, on_kill_timer, process);
    uv_pipe_init(loop_uv(loop), &process->channel, 0);
    int status = spawn(process, options);
    if (status != 0) {
        uv_close((uv_handle_t *)&process->process, on_failed_start);
        uv_close((uv_handle_t *)&process->channel, on_failed_start);
        return err_set(err, status == UV_ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot start %s: %s", options->child_path,
                       uv_strerror(status));
    }
    uv_read_start((uv_stream_t *)&process->channel, on_alloc, on_read);
    *out = process;
    return true;
}

bool llama_process_find_child(char out[FILE_PATH_MAX], struct err *err) {
    static const char *const PLACES[] = {"nataris-llama", "../libexec/nataris/nataris-llama"};
    char folder[FILE_PATH_MAX];
    if (!file_executable_folder(folder, err)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        if (!file_join(out, folder, PLACES[i], err)) {
            return false;
        }
        if (file_exists(out)) {
            return true;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "nataris-llama is not installed beside this program");
}

struct write_request {
    uv_write_t uv;
    char *data;
};

static void on_written(uv_write_t *uv, int status) {
    struct write_request *request = (struct write_request *)uv->data;
    (void)status; /* a child that does not read any more is noticed by its end */
    free(request->data);
    free(request);
}

void llama_process_send(struct llama_process *process, struct buf *frames) {
    if (process->channel_done || frames->len == 0) {
        buf_clear(frames); /* the child has ended: its jobs fail when that is seen */
        return;
    }
    struct write_request *request = MEM_NEW(struct write_request);
    uv_buf_t bytes = uv_buf_init(frames->data, (unsigned)frames->len);
    request->data = frames->data;
    request->uv.data = request;
    buf_init(frames, frames->limit);
    if (uv_write(&request->uv, (uv_stream_t *)&process->channel, &bytes, 1, on_written) != 0) {
        on_written(&request->uv, 0);
    }
}

void llama_process_close(struct llama_process *process) {
    process->closing = true;
    end_channel(process);
}
