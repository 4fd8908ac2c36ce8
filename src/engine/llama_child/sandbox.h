/* Model files are hostile input (llama.cpp has had several flaws in its GGUF parser), so the child gives up what it
 * does not need before it opens one: network, starting programs, all files but the model, changing files, memory
 * without end. Libraries are loaded before. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SANDBOX_H
#define NATARIS_ENGINE_LLAMA_CHILD_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

struct sandbox {
    bool seccomp;      /* only the system calls that it needs (seccomp.h) */
    bool landlock;     /* of all files only the model can be opened, for reading */
    bool capabilities; /* none is left */
};

/* For this thread and those it starts; what the kernel does not have is left out. No core files, either way. */
struct sandbox sandbox_enter(const char *model_path);
/* Further memory of our own fails from now on: private pages that can be written, so the model's file, which is mapped
 * and can be read again, does not count. Can only be lowered. */
void sandbox_limit_memory(uint64_t bytes);

#endif
