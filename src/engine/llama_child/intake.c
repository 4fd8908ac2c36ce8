#include "engine/llama_child/intake.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/llama_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

enum { INTAKE_READ_BYTES = 64 * 1024 };

static void refuse_job(struct intake *intake, uint64_t id, const struct job_refusal *refusal) {
    struct buf frame;
    buf_init(&frame, LLAMA_FRAME_MAX);
    llama_frame_append_failed(&frame, id, refusal->failure, refusal->param, refusal->message);
    outbox_send(intake->outbox, &frame);
    buf_clear(&frame);
}

static void add_cancel(struct intake *intake, uint64_t id) {
    struct intake_batch *waiting = &intake->waiting;
    if (waiting->cancel_count == intake->cancel_capacity) {
        intake->cancel_capacity = intake->cancel_capacity > 0 ? intake->cancel_capacity * 2 : 16;
        waiting->cancels = mem_realloc(waiting->cancels, intake->cancel_capacity * sizeof(*waiting->cancels));
    }
    waiting->cancels[waiting->cancel_count++] = id;
}

bool intake_promise(struct intake *intake) {
    pthread_mutex_lock(&intake->lock);
    bool promised = intake->unpromised > 0;
    intake->unpromised -= promised;
    pthread_mutex_unlock(&intake->lock);
    return promised;
}

void intake_give_back(struct intake *intake) {
    pthread_mutex_lock(&intake->lock);
    intake->unpromised++;
    pthread_mutex_unlock(&intake->lock);
}

/* Before the batcher has it, so that nothing is said of it earlier. */
static void accept_job(struct intake *intake, struct job *job) {
    struct buf frame;
    job->promised = intake_promise(intake);
    if (job->promised) {
        buf_init(&frame, LLAMA_FRAME_MAX);
        job_append_accept(job, &frame);
        outbox_send(intake->outbox, &frame);
        buf_clear(&frame);
    }
}

static void handle_frame(struct intake *intake, const struct llama_frame *frame) {
    struct job *job = NULL;
    struct job_refusal refusal;
    pthread_mutex_lock(&intake->lock);
    struct job_maker *maker = intake->maker;
    pthread_mutex_unlock(&intake->lock);
    const bool scores = frame->kind == LLAMA_FRAME_SCORE;
    if ((scores || frame->kind == LLAMA_FRAME_JOB) && maker != NULL) {
        job = job_maker_make(maker, frame, &refusal);
        if (job == NULL) {
            refuse_job(intake, frame->job, &refusal);
            return;
        }
        if (!scores) {
            accept_job(intake, job);
        }
    }
    pthread_mutex_lock(&intake->lock);
    if (job != NULL) {
        DL_APPEND(intake->waiting.jobs, job);
    } else {
        add_cancel(intake, frame->job);
    }
    atomic_store_explicit(&intake->pending, true, memory_order_release);
    pthread_cond_signal(&intake->changed);
    pthread_mutex_unlock(&intake->lock);
    if (job == NULL) {
        step_watch_cancel(&intake->step, frame->job); /* after `pending`: what it misses, the batcher sees there */
    }
}

static void handle_bytes(struct intake *intake, struct buf *input) {
    size_t done = 0;
    for (;;) {
        struct llama_frame frame;
        size_t used = 0;
        struct str rest = {input->data + done, input->len - done};
        enum llama_frame_result result = llama_frame_take(rest, &frame, &used);
        if (result == LLAMA_FRAME_BROKEN) {
            LOG_ERROR_EVENT("llama.frame_broken");
            _exit(1);
        }
        if (result == LLAMA_FRAME_INCOMPLETE) {
            break;
        }
        handle_frame(intake, &frame);
        done += used;
    }
    buf_consume(input, done);
}

static void *run(void *context) {
    struct intake *intake = context;
    struct buf input;
    buf_init(&input, (size_t)LLAMA_FRAME_MAX + INTAKE_READ_BYTES);
    for (;;) {
        char *place = buf_reserve(&input, INTAKE_READ_BYTES);
        ssize_t count = place != NULL ? read(intake->fd, place, INTAKE_READ_BYTES) : 0;
        if (count > 0) {
            input.len += (size_t)count;
            handle_bytes(intake, &input);
        } else if (count == 0 || errno != EINTR) {
            _exit(0); /* not exit(): other threads are in the middle of their work */
        }
    }
    return NULL;
}

void intake_start(struct intake *intake, int fd, struct outbox *outbox) {
    pthread_t thread;
    *intake = (struct intake){.fd = fd, .outbox = outbox};
    step_watch_init(&intake->step);
    pthread_mutex_init(&intake->lock, NULL);
    pthread_cond_init(&intake->changed, NULL);
    if (pthread_create(&thread, NULL, run, intake) != 0) {
        LOG_ERROR_EVENT("llama.thread_failed");
        _exit(1);
    }
    pthread_detach(thread);
}

void intake_use_model(struct intake *intake, const struct model *model) {
    struct job_maker *maker = job_maker_new(model);
    pthread_mutex_lock(&intake->lock);
    intake->maker = maker;
    intake->unpromised = model->plan.slots;
    pthread_mutex_unlock(&intake->lock);
}

bool intake_has_news(const struct intake *intake) {
    return atomic_load_explicit(&intake->pending, memory_order_acquire);
}

void intake_take(struct intake *intake, bool wait, struct intake_batch *out) {
    *out = (struct intake_batch){0};
    if (!wait && !intake_has_news(intake)) {
        return;
    }
    pthread_mutex_lock(&intake->lock);
    while (wait && intake->waiting.jobs == NULL && intake->waiting.cancel_count == 0) {
        pthread_cond_wait(&intake->changed, &intake->lock);
    }
    *out = intake->waiting;
    intake->waiting = (struct intake_batch){0};
    intake->cancel_capacity = 0;
    atomic_store_explicit(&intake->pending, false, memory_order_relaxed);
    pthread_mutex_unlock(&intake->lock);
}
