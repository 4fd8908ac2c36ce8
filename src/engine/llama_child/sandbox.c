#include "engine/llama_child/sandbox.h"

#include "base/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#define X32_CALLS 0x40000000
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef SANDBOX_ARCH
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define REFUSE_CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), REFUSE
/* Opening for writing; the flags are argument `index` (little-endian: the low half comes first). */
#define REFUSE_WRITING(number, index)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 4), LOAD(args[index]),                                            \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1), REFUSE, LOAD(nr)

bool sandbox_enter(void) {
    const struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0),
        REFUSE,
        LOAD(nr),
#ifdef __x86_64__
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1), /* the same calls under other numbers */
        REFUSE,
#endif
        REFUSE_CALL(__NR_socket),
        REFUSE_CALL(__NR_connect),
        REFUSE_CALL(__NR_bind),
        REFUSE_CALL(__NR_execve),
        REFUSE_CALL(__NR_execveat),
        REFUSE_CALL(__NR_ptrace),
        REFUSE_CALL(__NR_process_vm_readv),
        REFUSE_CALL(__NR_process_vm_writev),
        REFUSE_CALL(__NR_kill),
        REFUSE_CALL(__NR_unlinkat),
        REFUSE_CALL(__NR_renameat2),
        REFUSE_CALL(__NR_mkdirat),
        REFUSE_CALL(__NR_linkat),
        REFUSE_CALL(__NR_symlinkat),
        REFUSE_CALL(__NR_fchmodat),
        REFUSE_CALL(__NR_truncate),
        REFUSE_CALL(__NR_io_uring_setup),
        REFUSE_CALL(__NR_openat2),
#ifdef __NR_open
        REFUSE_CALL(__NR_creat),
        REFUSE_CALL(__NR_unlink),
        REFUSE_CALL(__NR_rename),
        REFUSE_CALL(__NR_mkdir),
        REFUSE_CALL(__NR_rmdir),
        REFUSE_CALL(__NR_link),
        REFUSE_CALL(__NR_symlink),
        REFUSE_CALL(__NR_chmod),
        REFUSE_WRITING(__NR_open, 1),
#endif
        REFUSE_CALL(__NR_renameat),
        REFUSE_WRITING(__NR_openat, 2),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = COUNT_OF(filter), .filter = (struct sock_filter *)(uintptr_t)filter};
    /* A core file would hold prompts. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#else
bool sandbox_enter(void) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    return false;
}
#endif
