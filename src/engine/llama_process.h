/* One run of the child executable nataris-llama: started with a socket pair, spoken to in frames, reaped. */
#ifndef NATARIS_ENGINE_LLAMA_PROCESS_H
#define NATARIS_ENGINE_LLAMA_PROCESS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/llama_frames.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct llama_process;

struct llama_process_options {
    const char *child_path, *model_path;
    uint32_t slots, context_length, threads; /* 0: the child's choice */
    uint64_t memory_limit;
    bool count; /* vocabulary only: it counts (engine/counter.h), and nothing else of these options matters */
};

struct llama_process_events {
    void (*on_frame)(void *context, const struct llama_frame *frame);
    /* Called once, last, also after llama_process_close: nothing of the process is left and it is freed after this.
     * `why` such as "signal 9" or "exit status 3". */
    void (*on_exit)(void *context, const char *why);
};

/* nataris-llama beside this program, or where it is installed. ERR_NOT_FOUND. */
MUST_CHECK bool llama_process_find_child(char out[FILE_PATH_MAX], struct err *err);
/* `events` must outlive the process; the options are copied. */
MUST_CHECK bool llama_process_start(struct llama_process **out, struct loop *loop,
                                    const struct llama_process_options *options,
                                    const struct llama_process_events *events, void *context, struct err *err);
/* Takes over the bytes of `frames` and leaves it empty. */
void llama_process_send(struct llama_process *process, struct buf *frames);
/* Closes the channel, which ends the child; kills it when it is still there after two seconds. No more frames come. */
void llama_process_close(struct llama_process *process);

#endif
