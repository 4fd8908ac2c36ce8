/* Model files are hostile input (llama.cpp has had several flaws in its GGUF parser), so the child gives up what it
 * does not need before it opens one: network, starting programs, changing files. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SANDBOX_H
#define NATARIS_ENGINE_LLAMA_CHILD_SANDBOX_H

#include <stdbool.h>

/* For this thread and those it starts. False where the kernel has no seccomp filters. */
bool sandbox_enter(void);

#endif
