#include "engine/counter.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/llama_process.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { COUNTER_TICK_MS = 100 };

struct question {
    uint64_t number;
    struct buf frame;   /* empty once it was sent, or when it is too large to be */
    counter_told *told; /* NULL: forgotten */
    void *context;
    uint64_t due_ms;
    size_t bytes;  /* of its texts, while it is not hopeless */
    bool hopeless; /* too large, or one too many */
    struct question *next, *prev;
};

struct counter {
    struct loop *loop;
    struct llama_process_options options; /* its strings are owned */
    struct llama_process *process;        /* NULL: none */
    bool ready, refused, closing;
    bool ending; /* its process is, by our will */
    bool failing, ticking;
    struct question *questions; /* in the order in which they were sent, then those that wait to be */
    size_t count, bytes;        /* of all of them */
    uint64_t last_number, used_ms, pause_ms, start_at_ms;
    uint32_t wait_ms, pause_min_ms;
    struct loop_timer *tick;
    struct loop_deferred deferred;
    void (*on_closed)(void *context);
    void *closed_context;
};

static void question_free(struct counter *counter, struct question *question) {
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the analyzer does not follow the links backwards */
    DL_DELETE(counter->questions, question);
    counter->count--;
    counter->bytes -= question->bytes;
    buf_clear(&question->frame);
    free(question);
}

static void question_end(struct counter *counter, struct question *question, const uint32_t *tokens, size_t count) {
    counter_told *told = question->told;
    void *context = question->context;
    question_free(counter, question);
    if (told != NULL) {
        told(context, tokens, count);
    }
}

/* Nobody of those that wait now has an answer; those who ask from inside of theirs do. */
static void end_all(struct counter *counter) {
    for (size_t left = counter->count; left > 0 && counter->questions != NULL; left--) {
        question_end(counter, counter->questions, NULL, 0);
    }
}

static struct question *question_find(const struct counter *counter, uint64_t number) {
    struct question *question;
    DL_FOREACH (counter->questions, question) {
        if (question->number == number) {
            return question;
        }
    }
    return NULL;
}

static void send_waiting(struct counter *counter) {
    struct question *question;
    if (!counter->ready || counter->process == NULL || counter->ending) {
        return;
    }
    DL_FOREACH (counter->questions, question) {
        llama_process_send(counter->process, &question->frame); /* leaves it empty */
    }
}

/* --- The child --- */

static void take_counted(struct counter *counter, const struct llama_frame *frame) {
    struct question *question = question_find(counter, frame->job);
    uint32_t tokens[COUNTER_TEXTS_MAX];
    const size_t count = frame->payload.len / sizeof(*tokens);
    if (question == NULL || count > COUNTER_TEXTS_MAX) {
        return; /* it was too late, or nonsense: what waits is due all the same */
    }
    memcpy(tokens, frame->payload.data, count * sizeof(*tokens));
    question_end(counter, question, count > 0 ? tokens : NULL, count);
}

static void on_frame(void *context, const struct llama_frame *frame) {
    struct counter *counter = context;
    if (frame->kind == LLAMA_FRAME_READY) {
        counter->ready = true;
        counter->pause_ms = counter->pause_min_ms;
        send_waiting(counter);
    } else if (frame->kind == LLAMA_FRAME_REFUSED) {
        counter->refused = frame->payload.len > 0 && frame->payload.data[0] != 0;
    } else if (frame->kind == LLAMA_FRAME_COUNTED) {
        take_counted(counter, frame);
    }
}

static void on_exit_of_child(void *context, const char *why) {
    struct counter *counter = context;
    const uint64_t now_ms = loop_now_ms(counter->loop);
    counter->process = NULL;
    counter->ready = false;
    if (counter->closing) {
        loop_defer(counter->loop, &counter->deferred);
        return;
    }
    if (!counter->ending || counter->failing) {
        LOG_WARN_EVENT("counter.child_ended", LOG_TEXT("why", why), LOG_TEXT("model", counter->options.model_path));
        counter->start_at_ms = now_ms + counter->pause_ms;
        counter->pause_ms = counter->pause_ms * 2 < COUNTER_PAUSE_MAX_MS ? counter->pause_ms * 2 : COUNTER_PAUSE_MAX_MS;
    }
    counter->ending = counter->failing = false;
    end_all(counter);
}

static const struct llama_process_events PROCESS_EVENTS = {.on_frame = on_frame, .on_exit = on_exit_of_child};

static void child_start(struct counter *counter) {
    struct err err = {0};
    if (counter->process == NULL && counter_is_able(counter) &&
        !llama_process_start(&counter->process, counter->loop, &counter->options, &PROCESS_EVENTS, counter, &err)) {
        LOG_WARN_EVENT("counter.not_started", LOG_TEXT("error", err.message));
        counter->process = NULL;
        counter->start_at_ms = loop_now_ms(counter->loop) + COUNTER_PAUSE_MAX_MS;
    }
}

static void child_end(struct counter *counter, bool failing) {
    if (counter->process != NULL && !counter->ending) {
        counter->ending = true;
        counter->failing = failing;
        llama_process_close(counter->process);
    }
}

/* --- Time --- */

/* The oldest is due first. One that was sent keeps the child busy, which is therefore ended. */
static void on_tick(void *context) {
    struct counter *counter = context;
    const uint64_t now_ms = loop_now_ms(counter->loop);
    struct question *question;
    for (size_t left = counter->count; left > 0 && (question = counter->questions) != NULL; left--) {
        if (question->due_ms > now_ms) {
            break;
        }
        if (counter->ready && question->frame.len == 0) {
            LOG_WARN_EVENT("counter.too_slow", LOG_TEXT("model", counter->options.model_path));
            child_end(counter, true);
        }
        question_end(counter, question, NULL, 0);
    }
    if (counter->count == 0 && now_ms - counter->used_ms >= COUNTER_IDLE_MS) {
        child_end(counter, false);
    }
    if (counter->count == 0 && counter->process == NULL) {
        counter->ticking = false;
        loop_timer_stop(counter->tick);
    }
}

/* --- Questions --- */

static struct question *question_new(struct counter *counter, counter_told *told, void *context) {
    struct question *question = MEM_NEW(struct question);
    counter->used_ms = loop_now_ms(counter->loop);
    question->number = ++counter->last_number;
    question->told = told;
    question->context = context;
    question->due_ms = counter->used_ms + counter->wait_ms;
    question->hopeless = counter->count >= COUNTER_WAITING_MAX || counter->closing || !counter_is_able(counter);
    buf_init(&question->frame, LLAMA_FRAME_MAX);
    return question;
}

/* Those that cannot be asked are answered at the end of the iteration. */
static uint64_t question_put(struct counter *counter, struct question *question) {
    const uint64_t number = question->number;
    counter->count++;
    DL_APPEND(counter->questions, question);
    question->hopeless |= question->frame.overflow;
    question->bytes = question->hopeless ? 0 : question->frame.len;
    counter->bytes += question->bytes;
    if (question->hopeless) {
        buf_clear(&question->frame);
        loop_defer(counter->loop, &counter->deferred);
        return number;
    }
    child_start(counter);
    send_waiting(counter);
    if (!counter->ticking) {
        counter->ticking = true;
        loop_timer_start(counter->tick, COUNTER_TICK_MS, COUNTER_TICK_MS);
    }
    return number;
}

uint64_t counter_ask_texts(struct counter *counter, const struct str *texts, size_t count, counter_told *told,
                           void *context) {
    struct question *question = question_new(counter, told, context);
    size_t bytes = 0;
    for (size_t i = 0; i < count && bytes <= COUNTER_BYTES_MAX; i++) {
        bytes += texts[i].len;
    }
    question->hopeless |= count == 0 || count > COUNTER_TEXTS_MAX || bytes > COUNTER_BYTES_MAX;
    if (!question->hopeless) {
        const size_t mark = llama_frame_begin(&question->frame, LLAMA_FRAME_COUNT_TEXTS, question->number);
        for (size_t i = 0; i < count; i++) {
            const uint32_t length = (uint32_t)texts[i].len;
            buf_append(&question->frame, &length, sizeof(length));
            buf_append_str(&question->frame, texts[i]);
        }
        llama_frame_end(&question->frame, mark);
    }
    return question_put(counter, question);
}

static size_t request_bytes(const struct gen_request *request) {
    size_t bytes = request->prompt.len + request->continue_text.len;
    for (size_t i = 0; i < request->message_count; i++) {
        bytes += request->messages[i].content.len;
    }
    return bytes;
}

uint64_t counter_ask_chat(struct counter *counter, const struct gen_request *request, counter_told *told,
                          void *context) {
    struct question *question = question_new(counter, told, context);
    question->hopeless |= request_bytes(request) > COUNTER_BYTES_MAX;
    if (!question->hopeless) {
        struct json_writer writer;
        const size_t mark = llama_frame_begin(&question->frame, LLAMA_FRAME_COUNT_CHAT, question->number);
        json_writer_init(&writer, &question->frame);
        json_begin_object(&writer);
        gen_request_write(request, &writer);
        json_end_object(&writer);
        llama_frame_end(&question->frame, mark);
    }
    return question_put(counter, question);
}

void counter_forget(struct counter *counter, uint64_t number) {
    struct question *question = question_find(counter, number);
    if (question != NULL) {
        question->told = NULL; /* its answer still comes, and is passed over */
    }
}

/* --- Its life --- */

bool counter_is_able(const struct counter *counter) {
    return !counter->refused && !counter->ending && loop_now_ms(counter->loop) >= counter->start_at_ms;
}

size_t counter_backlog(const struct counter *counter) {
    return counter->bytes;
}

static void counter_free(struct counter *counter) {
    void (*on_closed)(void *) = counter->on_closed;
    void *context = counter->closed_context;
    loop_timer_free(counter->tick);
    free((void *)counter->options.child_path);
    free((void *)counter->options.model_path);
    free(counter);
    on_closed(context);
}

/* Those that could not be asked; and the end. */
static void run_deferred(struct loop_deferred *deferred) {
    struct counter *counter = (struct counter *)((char *)deferred - offsetof(struct counter, deferred));
    struct question *question, *next;
    DL_FOREACH_SAFE (counter->questions, question, next) {
        if (question->hopeless) {
            question_end(counter, question, NULL, 0); /* a waiter that asks again has its turn deferred again */
        }
    }
    while (counter->closing && counter->questions != NULL) {
        question_end(counter, counter->questions, NULL, 0);
    }
    if (counter->closing && counter->process == NULL) {
        counter_free(counter);
    }
}

bool counter_open(struct counter **out, const struct counter_options *options, struct err *err) {
    char child_path[FILE_PATH_MAX];
    if (options->child_path != NULL) {
        (void)str_copy(child_path, sizeof(child_path), str_from(options->child_path));
    } else if (!llama_process_find_child(child_path, err)) {
        return false;
    }
    struct counter *counter = MEM_NEW(struct counter);
    counter->loop = options->loop;
    counter->options = (struct llama_process_options){
        .child_path = mem_strdup(child_path), .model_path = mem_strdup(options->model_path), .count = true};
    counter->wait_ms = options->wait_ms > 0 ? options->wait_ms : COUNTER_WAIT_MS;
    counter->pause_min_ms = options->pause_ms > 0 ? options->pause_ms : COUNTER_PAUSE_MIN_MS;
    counter->pause_ms = counter->pause_min_ms;
    counter->tick = loop_timer_new(counter->loop, on_tick, counter);
    counter->deferred.run = run_deferred;
    *out = counter;
    return true;
}

void counter_close(struct counter *counter, void (*on_closed)(void *context), void *context) {
    counter->closing = true;
    counter->on_closed = on_closed;
    counter->closed_context = context;
    loop_timer_stop(counter->tick);
    child_end(counter, false);
    loop_defer(counter->loop, &counter->deferred);
}
