#include "base/mem.h"

#include "base/compiler.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noreturn)) static void mem_exhausted(void) {
    static const char line[] = "nataris: out of memory\n";
    /* Nothing that allocates may run any more, so neither stdio nor the log. */
    ssize_t written UNUSED = write(STDERR_FILENO, line, sizeof(line) - 1);
    abort();
}

void *mem_alloc(size_t size) {
    void *block = malloc(size > 0 ? size : 1);
    if (block == NULL) {
        mem_exhausted();
    }
    return block;
}

void *mem_calloc(size_t count, size_t size) {
    void *block = count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);
    if (block == NULL) {
        mem_exhausted();
    }
    return block;
}

void *mem_calloc_line(size_t size) {
    enum { LINE = 64 };
    void *block = NULL;
    if (posix_memalign(&block, LINE, size > 0 ? size : 1) != 0) {
        mem_exhausted();
    }
    return memset(block, 0, size);
}

void *mem_realloc(void *block, size_t size) {
    void *moved = realloc(block, size > 0 ? size : 1);
    if (moved == NULL) {
        mem_exhausted();
    }
    return moved;
}

char *mem_strdup(const char *text) {
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t length) {
    char *copy = mem_alloc(length + 1);
    if (length > 0) {
        memcpy(copy, text, length);
    }
    copy[length] = '\0';
    return copy;
}
