/* The system calls that llama.cpp needs once its libraries are loaded, and no others (seccomp(2)). */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SECCOMP_H
#define NATARIS_ENGINE_LLAMA_CHILD_SECCOMP_H

#include <stdbool.h>

/* For all threads of this process, for good; needs PR_SET_NO_NEW_PRIVS. Other calls fail with EPERM, those that are
 * younger than the list with ENOSYS, so that a C library that tries one falls back to an older one. False: the kernel
 * cannot, or the architecture is not known here. */
bool seccomp_enter(void);

#endif
