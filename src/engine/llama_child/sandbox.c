#include "engine/llama_child/sandbox.h"

#include "engine/llama_child/seccomp.h"

#include <errno.h>
#include <fcntl.h>
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

/* Capabilities (capabilities(7)) as the kernel takes them, two words of 32 of each kind. */
struct capability_head {
    uint32_t version;
    int32_t process;
};

struct capability_sets {
    uint32_t effective, permitted, inheritable;
};

enum { CAPABILITY_VERSION_3 = 0x20080522, CAPABILITY_READ_SEARCH = 2, CAPABILITIES_MAX = 63 };

static bool capabilities_set(uint32_t permitted, uint32_t effective) {
    struct capability_head head = {.version = CAPABILITY_VERSION_3};
    const struct capability_sets sets[2] = {{.effective = effective, .permitted = permitted}};
    return syscall(SYS_capset, &head, sets) == 0;
}

/* All of them; where root's model lies in another user's private folder, the right to read it stays, which Landlock
 * holds to that file. */
static bool capabilities_drop(const char *model_path) {
    const uint32_t reading = UINT32_C(1) << CAPABILITY_READ_SEARCH;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (unsigned long i = 0; i <= CAPABILITIES_MAX; i++) {
        prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* without the right to: none is gained over NO_NEW_PRIVS either */
    }
    if (!capabilities_set(reading, 0)) {
        return capabilities_set(0, 0); /* an ordinary user's process has none to keep */
    }
    const int fd = open(model_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        return capabilities_set(reading, reading);
    }
    if (fd >= 0) {
        close(fd);
    }
    return capabilities_set(0, 0);
}

struct sandbox sandbox_enter(const char *model_path) {
    struct sandbox sandbox = {0};
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a core file would hold prompts */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        sandbox.capabilities = capabilities_drop(model_path);
        sandbox.landlock = landlock_enter(model_path);
        sandbox.seccomp = seccomp_enter();
    }
    return sandbox;
}
