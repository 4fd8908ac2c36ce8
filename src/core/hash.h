/* uthash as the core uses it: it allocates by base/mem.h, so running out of memory ends the process like everywhere. */
#ifndef NATARIS_CORE_HASH_H
#define NATARIS_CORE_HASH_H

#include "base/mem.h"

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) free(block)
#include <stdlib.h>
#include <uthash.h>

#endif
