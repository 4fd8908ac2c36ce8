/* Writes down every call of a function of ours, and what is read and written in between, for tools/path.py. Linked into
 * `nataris` by the preset "trace" alone, and at work when NATARIS_TRACE_CALLS names a file. It takes the place of the C
 * library's read, write and writev, which libuv calls; what passes is looked at for NATARIS_TRACE_MARK. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define UNTRACED __attribute__((no_instrument_function))

enum { RECORDS_MAX = 16 * 1024 * 1024 };
enum record_kind { RECORD_NONE, RECORD_CALL, RECORD_READ, RECORD_WRITE };

struct record {
    uint32_t kind;
    uint32_t thread;
    int32_t fd;
    uint32_t marked; /* the bytes read or written hold the mark */
    uint64_t value;  /* where the function lies in the program, or how many bytes */
};

extern const char __executable_start; /* the linker's */

static struct record *records;
static const char *mark;
static size_t mark_length;
static atomic_size_t record_count;
static _Thread_local uint32_t thread_id;

void __cyg_profile_func_enter(void *function, void *caller) UNTRACED;
void __cyg_profile_func_exit(void *function, void *caller) UNTRACED;

__attribute__((constructor)) UNTRACED static void trace_open(void) {
    const char *path = getenv("NATARIS_TRACE_CALLS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (file < 0) {
        return;
    }
    const size_t size = RECORDS_MAX * sizeof(struct record);
    if (ftruncate(file, (off_t)size) == 0) {
        void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        records = map == MAP_FAILED ? NULL : map;
    }
    close(file);
    mark = getenv("NATARIS_TRACE_MARK");
    mark_length = mark ? strlen(mark) : 0;
}

UNTRACED static void trace_add(enum record_kind kind, int fd, bool marked, uint64_t value) {
    if (!records) {
        return;
    }
    if (thread_id == 0) {
        thread_id = (uint32_t)syscall(SYS_gettid);
    }
    size_t at = atomic_fetch_add(&record_count, 1);
    if (at < RECORDS_MAX) {
        records[at] = (struct record){(uint32_t)kind, thread_id, fd, marked, value};
    }
}

UNTRACED static bool trace_has_mark(const void *data, long length) {
    return mark_length > 0 && length > 0 && memmem(data, (size_t)length, mark, mark_length) != NULL;
}

void __cyg_profile_func_enter(void *function, void *caller) {
    (void)caller;
    trace_add(RECORD_CALL, -1, false, (uint64_t)((const char *)function - &__executable_start));
}

void __cyg_profile_func_exit(void *function, void *caller) {
    (void)function;
    (void)caller;
}

UNTRACED ssize_t read(int fd, void *out, size_t size) {
    long length = syscall(SYS_read, fd, out, size);
    if (length > 0) {
        trace_add(RECORD_READ, fd, trace_has_mark(out, length), (uint64_t)length);
    }
    return length;
}

UNTRACED ssize_t write(int fd, const void *data, size_t size) {
    trace_add(RECORD_WRITE, fd, trace_has_mark(data, (long)size), size);
    return syscall(SYS_write, fd, data, size);
}

UNTRACED ssize_t writev(int fd, const struct iovec *parts, int count) {
    bool marked = false;
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        marked = marked || trace_has_mark(parts[i].iov_base, (long)parts[i].iov_len);
        size += parts[i].iov_len;
    }
    trace_add(RECORD_WRITE, fd, marked, size);
    return syscall(SYS_writev, fd, parts, count);
}
