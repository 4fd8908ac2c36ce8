/* Allocation that cannot fail. Running out of memory for small, bounded objects ends the process with a clear line:
 * every acknowledged record is durable, so a crash loses nothing (docs/decisions/0002-out-of-memory.md). What the
 * outside can make large is held in a struct buf or an arena with a limit, and passing that limit is an ordinary error.
 */
#ifndef NATARIS_BASE_MEM_H
#define NATARIS_BASE_MEM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *block, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
/* Zeroed, and begins with a cache line, of which processors have 64 bytes: for what is read a lot while most of it is
 * in no cache. Ends with free, too. */
void *mem_calloc_line(size_t size) __attribute__((malloc, returns_nonnull));
/* A zeroed object of a type. */
#define MEM_NEW(type) ((type *)mem_calloc(1, sizeof(type)))
#define MEM_NEW_LINE(type) ((type *)mem_calloc_line(sizeof(type)))

#ifdef __cplusplus
}
#endif
#endif
