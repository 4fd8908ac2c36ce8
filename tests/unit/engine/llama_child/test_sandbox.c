/* Inside the sandbox: each case runs in a process of its own, which reports with its exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "engine/llama_child/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODEL NATARIS_SOURCE_DIR "/models/nataris-demo-2m-q8_0.gguf"
#define OTHER NATARIS_SOURCE_DIR "/README.md"
#define MIB ((size_t)1024 * 1024)

enum { GOOD = 0, BAD = 1, ENTER_FAILED = 2 };

static bool has_landlock(void) {
    return syscall(444, NULL, 0, 1) >= 1; /* landlock_create_ruleset: which version is there */
}

static void skip_without_landlock(void) {
    if (!has_landlock()) {
        print_message("SKIPPED: this kernel has no Landlock\n");
        skip();
    }
}

static int run_confined(bool (*attempt)(void)) {
    int status = 0;
    const bool landlock = has_landlock(); /* inside, the question would be refused */
    pid_t child = fork();
    if (child == 0) {
        struct sandbox sandbox = sandbox_enter(MODEL);
        bool entered = sandbox.seccomp && sandbox.capabilities && sandbox.landlock == landlock;
        _exit(!entered ? ENTER_FAILED : attempt() ? GOOD : BAD);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool can_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static bool reads_the_model(void) {
    char magic[4] = "";
    int fd = open(MODEL, O_RDONLY | O_CLOEXEC);
    return read(fd, magic, sizeof(magic)) == 4 && memcmp(magic, "GGUF", 4) == 0 &&
           mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED;
}

static void test_the_model_can_be_read(void **state) {
    (void)state;
    assert_int_equal(run_confined(reads_the_model), GOOD);
}

static bool reads_nothing_else(void) {
    return !can_open(OTHER, O_RDONLY) && !can_open("/etc/passwd", O_RDONLY) && !can_open("/proc/self/maps", O_RDONLY) &&
           !can_open("/", O_RDONLY | O_DIRECTORY) && !can_open("/dev/null", O_RDONLY);
}

static void test_nothing_else_can_be_read(void **state) {
    (void)state;
    skip_without_landlock();
    assert_true(can_open(OTHER, O_RDONLY));
    assert_int_equal(run_confined(reads_nothing_else), GOOD);
}

static bool writes_nothing(void) {
    char fresh[64];
    snprintf(fresh, sizeof(fresh), "/tmp/nataris-sandbox-%d", (int)getpid());
    return !can_open(MODEL, O_RDWR) && !can_open(OTHER, O_WRONLY) && !can_open("/dev/null", O_WRONLY) &&
           !can_open(fresh, O_RDWR | O_CREAT) && !can_open("/tmp", O_TMPFILE | O_RDWR) && mkdir(fresh, 0700) != 0 &&
           truncate(MODEL, 0) != 0 && unlink(MODEL) != 0 && rename(MODEL, fresh) != 0 && symlink(MODEL, fresh) != 0;
}

static void test_nothing_can_be_written(void **state) {
    (void)state;
    assert_int_equal(run_confined(writes_nothing), GOOD);
    assert_int_equal(access(MODEL, R_OK), 0);
}

static bool opens_no_socket(void) {
    int pair[2];
    return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM && socket(AF_INET6, SOCK_DGRAM, 0) < 0 &&
           socket(AF_UNIX, SOCK_STREAM, 0) < 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0;
}

static void test_no_sockets(void **state) {
    (void)state;
    assert_int_equal(run_confined(opens_no_socket), GOOD);
}

static bool starts_nothing(void) {
    char *arguments[] = {(char *)"/bin/true", NULL}, *none[] = {NULL};
    return execve("/bin/true", arguments, none) != 0 && errno == EPERM && kill(getppid(), 0) != 0;
}

static void test_no_programs_and_no_signals(void **state) {
    (void)state;
    assert_int_equal(run_confined(starts_nothing), GOOD);
}

static void *answer(void *context) {
    *(int *)context = 42;
    return NULL;
}

static bool starts_threads_but_no_process(void) {
    pthread_t thread;
    int said = 0;
    return pthread_create(&thread, NULL, answer, &said) == 0 && pthread_join(thread, NULL) == 0 && said == 42 &&
           fork() < 0 && errno == EPERM;
}

static void test_threads_but_no_processes(void **state) {
    (void)state;
    assert_int_equal(run_confined(starts_threads_but_no_process), GOOD);
}

static bool gets_no_new_code(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, 4096, PROT_READ) == 0 &&
           mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0 && errno == EPERM &&
           mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static void test_no_new_code(void **state) {
    (void)state;
    assert_int_equal(run_confined(gets_no_new_code), GOOD);
}

/* What nobody has thought of is refused, and what is younger than the list does not exist. */
static bool knows_few_calls(void) {
    enum { CLONE3 = 435, OPENAT2 = 437, FUTEX_WAITV = 449, NOT_YET = 999 };
    static const long REFUSED[] = {__NR_ptrace, __NR_mount,      __NR_setns,    __NR_keyctl,
                                   __NR_bpf,    __NR_getdents64, __NR_chroot,   __NR_mknodat,
                                   __NR_dup3,   __NR_ioctl,      __NR_execveat, __NR_faccessat,
                                   __NR_capset, __NR_setresuid,  __NR_unshare,  __NR_memfd_create};
    static const long YOUNGER[] = {CLONE3, OPENAT2, FUTEX_WAITV, NOT_YET};
    bool good = true;
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        errno = 0;
        good = good && syscall(REFUSED[i], 0L, 0L, 0L, 0L, 0L) == -1 && errno == EPERM;
    }
    for (size_t i = 0; i < COUNT_OF(YOUNGER); i++) {
        errno = 0;
        good = good && syscall(YOUNGER[i], 0L, 0L, 0L, 0L, 0L) == -1 && errno == ENOSYS;
    }
    return good;
}

static void test_few_system_calls(void **state) {
    (void)state;
    assert_int_equal(run_confined(knows_few_calls), GOOD);
}

/* Its own signals and limits, nobody else's. */
static bool touches_only_itself(void) {
    struct rlimit limit;
    return syscall(__NR_tgkill, getpid(), syscall(__NR_gettid), 0) == 0 &&
           syscall(__NR_tgkill, getppid(), getppid(), 0) != 0 && prlimit(0, RLIMIT_DATA, NULL, &limit) == 0 &&
           prlimit(getppid(), RLIMIT_DATA, NULL, &limit) != 0;
}

static void test_only_itself(void **state) {
    (void)state;
    assert_int_equal(run_confined(touches_only_itself), GOOD);
}

static bool leaves_no_core(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
}

static void test_no_core_file(void **state) {
    (void)state;
    assert_int_equal(run_confined(leaves_no_core), GOOD);
}

static void *take(size_t bytes) {
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* The model's own file may be larger than the limit: it is mapped, not held. */
static bool is_held_to_its_limit(void) {
    sandbox_limit_memory(64 * MIB);
    bool small = take(16 * MIB) != MAP_FAILED;
    bool large = take(128 * MIB) != MAP_FAILED;
    bool mapped = mmap(NULL, 256 * MIB, PROT_READ, MAP_SHARED, open(MODEL, O_RDONLY | O_CLOEXEC), 0) != MAP_FAILED;
    sandbox_limit_memory(1024 * MIB); /* only lower, also as root */
    return small && !large && mapped && take(128 * MIB) == MAP_FAILED;
}

static void test_memory_limit(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("SKIPPED: sanitizers take more memory than any limit\n");
    skip();
#endif
    assert_int_equal(run_confined(is_held_to_its_limit), GOOD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_model_can_be_read),
        cmocka_unit_test(test_nothing_else_can_be_read),
        cmocka_unit_test(test_nothing_can_be_written),
        cmocka_unit_test(test_no_sockets),
        cmocka_unit_test(test_no_programs_and_no_signals),
        cmocka_unit_test(test_threads_but_no_processes),
        cmocka_unit_test(test_no_new_code),
        cmocka_unit_test(test_few_system_calls),
        cmocka_unit_test(test_only_itself),
        cmocka_unit_test(test_no_core_file),
        cmocka_unit_test(test_memory_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
