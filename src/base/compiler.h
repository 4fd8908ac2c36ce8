/* Compiler attributes and the few macros everything uses. */
#ifndef NATARIS_BASE_COMPILER_H
#define NATARIS_BASE_COMPILER_H

#define MUST_CHECK __attribute__((warn_unused_result))

/* Parameter f is a printf format, its arguments start at parameter a (both counted from 1). */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* For arrays only: a pointer here is an error of the caller that -Wsizeof-pointer-div reports. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define UNUSED __attribute__((unused))

#endif
