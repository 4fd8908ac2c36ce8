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
#include <unistd.h>

/* Landlock as the kernel has it (landlock(7)), since the headers that we are built with may be older. What a kernel
 * does not know is masked out by its version. */
struct landlock_rules {
    uint64_t handled_files, handled_network, scoped;
};

struct landlock_below {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum {
    LANDLOCK_CALL_CREATE = 444, /* the same on every architecture */
    LANDLOCK_CALL_ADD = 445,
    LANDLOCK_CALL_RESTRICT = 446,
    LANDLOCK_VERSION_QUERY = 1,
    LANDLOCK_BELOW = 1,
    LANDLOCK_READ_FILE = 1 << 2,
    LANDLOCK_NETWORK = 3, /* bind and connect TCP */
    LANDLOCK_SCOPES = 3,  /* abstract sockets and signals stay inside */
};

static uint64_t landlock_file_rights(long version) {
    static const int BITS[] = {0, 13, 14, 15, 15, 16}; /* rights known to versions 1 to 5 */
    return (UINT64_C(1) << BITS[version < 5 ? version : 5]) - 1;
}

static void landlock_allow_reading(int rules, const char *path) {
    struct landlock_below below = {.allowed = LANDLOCK_READ_FILE, .parent = open(path, O_PATH | O_CLOEXEC)};
    if (below.parent >= 0) { /* a model that is not there is reported when it is opened */
        syscall(LANDLOCK_CALL_ADD, rules, LANDLOCK_BELOW, &below, 0);
        close(below.parent);
    }
}

/* Needs PR_SET_NO_NEW_PRIVS. */
static bool landlock_enter(const char *model_path) {
    long version = syscall(LANDLOCK_CALL_CREATE, NULL, 0, LANDLOCK_VERSION_QUERY);
    if (version < 1) {
        return false;
    }
    struct landlock_rules rules = {.handled_files = landlock_file_rights(version),
                                   .handled_network = version >= 4 ? LANDLOCK_NETWORK : 0,
                                   .scoped = version >= 6 ? LANDLOCK_SCOPES : 0};
    int fd = (int)syscall(LANDLOCK_CALL_CREATE, &rules, sizeof(rules), 0);
    if (fd < 0) {
        return false;
    }
    landlock_allow_reading(fd, model_path);
    bool entered = syscall(LANDLOCK_CALL_RESTRICT, fd, 0) == 0;
    close(fd);
    return entered;
}

void sandbox_limit_memory(uint64_t bytes) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their shadow takes terabytes of addresses */
    struct rlimit now;
    if (getrlimit(RLIMIT_DATA, &now) == 0 && bytes < now.rlim_max) {
        setrlimit(RLIMIT_DATA, &(struct rlimit){bytes, bytes});
    }
#else
    (void)bytes;
#endif
}

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

static bool seccomp_enter(void) {
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
        REFUSE_CALL(__NR_socketpair),
        REFUSE_CALL(__NR_connect),
        REFUSE_CALL(__NR_bind),
        REFUSE_CALL(__NR_listen),
        REFUSE_CALL(__NR_execve),
        REFUSE_CALL(__NR_execveat),
        REFUSE_CALL(__NR_ptrace),
        REFUSE_CALL(__NR_process_vm_readv),
        REFUSE_CALL(__NR_process_vm_writev),
        REFUSE_CALL(__NR_pidfd_getfd),
        REFUSE_CALL(__NR_bpf),
        REFUSE_CALL(__NR_perf_event_open),
        REFUSE_CALL(__NR_userfaultfd),
        REFUSE_CALL(__NR_unshare),
        REFUSE_CALL(__NR_setns),
        REFUSE_CALL(__NR_mount),
        REFUSE_CALL(__NR_keyctl),
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
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#else
static bool seccomp_enter(void) {
    return false;
}
#endif

struct sandbox sandbox_enter(const char *model_path) {
    struct sandbox sandbox = {0};
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a core file would hold prompts */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        sandbox.landlock = landlock_enter(model_path);
        sandbox.seccomp = seccomp_enter();
    }
    return sandbox;
}
