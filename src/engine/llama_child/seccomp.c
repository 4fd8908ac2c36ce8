#include "engine/llama_child/seccomp.h"

#include "base/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SECCOMP_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SECCOMP_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef SECCOMP_ARCH

enum {
    PROGRAM_MAX = 320,
    X32_CALLS = 0x40000000,      /* the same calls as on x86-64 under other numbers */
    YOUNGER_CALLS = 424,         /* pidfd_send_signal; from here on numbers are the same on every architecture */
    NAME_OF_MEMORY = 0x53564d41, /* PR_SET_VMA */
};

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short length;
};

static void add(struct program *program, struct sock_filter instruction) {
    if (program->length < PROGRAM_MAX) {
        program->code[program->length++] = instruction;
    }
}

static void add_answer(struct program *program, uint32_t answer) {
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

/* Of the call's number, or the low half of an argument (both architectures are little-endian). */
static void add_load(struct program *program, size_t place) {
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)place));
}

static size_t argument(unsigned index) {
    return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);
}

static void add_allowed(struct program *program, const int *calls, size_t count) {
    for (size_t i = 0; i < count; i++) {
        add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1));
        add_answer(program, SECCOMP_RET_ALLOW);
    }
}

/* A call that is allowed when the low half of an argument has none of the bits. */
static void add_without_bits(struct program *program, int call, unsigned index, uint32_t bits) {
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4));
    add_load(program, argument(index));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0));
    add_answer(program, SECCOMP_RET_ALLOW);
    add_answer(program, SECCOMP_RET_ERRNO | EPERM);
}

/* A call that is allowed when the low half of an argument is one of two values. */
static void add_with_value(struct program *program, int call, unsigned index, uint32_t value, uint32_t other) {
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 5));
    add_load(program, argument(index));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1));
    add_answer(program, SECCOMP_RET_ALLOW);
    add_answer(program, SECCOMP_RET_ERRNO | EPERM);
}

/* A new thread, not a new process. glibc tries clone3 first, whose flags a filter cannot see, and falls back. */
static void add_threads(struct program *program) {
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4));
    add_load(program, argument(0));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    add_answer(program, SECCOMP_RET_ALLOW);
    add_answer(program, SECCOMP_RET_ERRNO | EPERM);
}

static const int ALLOWED[] = {
    /* the channel, the model's file, the log */
    __NR_read,
    __NR_write,
    __NR_readv,
    __NR_writev,
    __NR_pread64,
    __NR_lseek,
    __NR_close,
    __NR_sendto,
    __NR_recvfrom,
    __NR_fstat,
    __NR_newfstatat,
    __NR_statx,
    __NR_fadvise64,
    __NR_readahead,
    __NR_fcntl,
    __NR_ppoll,
    __NR_shutdown,
    /* memory; mmap and mprotect are below */
    __NR_munmap,
    __NR_mremap,
    __NR_brk,
    __NR_madvise,
    __NR_mincore,
    __NR_mlock,
    __NR_munlock,
    /* threads */
    __NR_futex,
    __NR_set_robust_list,
    __NR_get_robust_list,
    __NR_rseq,
    __NR_membarrier,
    __NR_sched_yield,
    __NR_sched_getaffinity,
    __NR_sched_setaffinity,
    __NR_sched_getparam,
    __NR_sched_getscheduler,
    __NR_sched_get_priority_max,
    __NR_sched_get_priority_min,
    __NR_getpriority,
    __NR_getcpu,
    __NR_gettid,
    __NR_exit,
    __NR_exit_group,
    __NR_restart_syscall,
    /* signals of its own */
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_sigaltstack,
    /* time, and what it may know of itself and the machine */
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_gettimeofday,
    __NR_getpid,
    __NR_getppid,
    __NR_getuid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getegid,
    __NR_getrandom,
    __NR_getrusage,
    __NR_sysinfo,
    __NR_uname,
    __NR_times,
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    __NR_pipe2,
    __NR_readlinkat, /* how a sanitizer asks whether memory is there, and for its own name */
#ifdef __NR_open
    __NR_pipe,
    __NR_readlink,
#endif
#endif
#ifdef __NR_open
    __NR_poll,
    __NR_stat,
    __NR_lstat,
    __NR_time,
#endif
};

static void fill(struct program *program) {
    add_load(program, offsetof(struct seccomp_data, arch));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_ARCH, 1, 0));
    add_answer(program, SECCOMP_RET_ERRNO | EPERM);
    add_load(program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1));
    add_answer(program, SECCOMP_RET_ERRNO | EPERM);
#endif
    add_allowed(program, ALLOWED, COUNT_OF(ALLOWED));
    add_without_bits(program, __NR_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
#ifdef __NR_open
    add_without_bits(program, __NR_open, 1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
#endif
    add_without_bits(program, __NR_mmap, 2, PROT_EXEC); /* no code but what was loaded before */
    add_without_bits(program, __NR_mprotect, 2, PROT_EXEC);
    add_threads(program);
    add_with_value(program, __NR_tgkill, 0, (uint32_t)getpid(), (uint32_t)getpid()); /* abort() */
    add_with_value(program, __NR_prlimit64, 0, 0, (uint32_t)getpid());
    add_with_value(program, __NR_prctl, 0, PR_SET_NAME, NAME_OF_MEMORY);
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, YOUNGER_CALLS, 0, 1));
    add_answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    add_answer(program, SECCOMP_RET_ERRNO | EPERM);
}

bool seccomp_enter(void) {
    struct program program = {.length = 0};
    fill(&program);
    struct sock_fprog filter = {.len = program.length, .filter = program.code};
    return program.length < PROGRAM_MAX &&
           (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

#else

bool seccomp_enter(void) {
    return false;
}

#endif
