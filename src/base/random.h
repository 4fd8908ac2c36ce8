/* Randomness from the operating system's CSPRNG (through OpenSSL). base/random_source.h has the seeded generator. */
#ifndef NATARIS_BASE_RANDOM_H
#define NATARIS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ends the process when the system has no randomness: nothing safe can go on without it. */
void random_bytes(void *out, size_t len);
/* A number that nobody can guess, for a few hundred instructions instead of some thousand. */
uint64_t random_number(void);
/* The same for a few bytes: from a store that each thread keeps, since a call of the generator costs far more. */
void random_few(void *out, size_t len);
/* `length` random base62 characters and a NUL; `out` has length + 1 bytes. Unbiased. */
void random_base62(char *out, size_t length);

#ifdef __cplusplus
}
#endif
#endif
