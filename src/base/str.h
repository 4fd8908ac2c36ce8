/* A borrowed run of bytes: not owned, not NUL-terminated unless said so. */
#ifndef NATARIS_BASE_STR_H
#define NATARIS_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct str {
    const char *data;
    size_t len;
};

#define STR(literal) ((struct str){.data = (literal), .len = sizeof(literal) - 1})
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).data

struct str str_from(const char *text); /* NULL gives the empty string */
bool str_equal(struct str a, struct str b);
bool str_equal_cstr(struct str a, const char *b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts_with(struct str s, struct str prefix);
struct str str_trim(struct str s); /* spaces and tabs at both ends */
/* Copy into a fixed buffer, cut to the whole characters that fit, always NUL-terminated. Returns false when it was
 * cut. */
bool str_copy(char *out, size_t out_size, struct str s);
/* Whole string as an unsigned decimal number, at most `max`; false otherwise (sign, blank, overflow, empty). */
bool str_parse_u64(struct str s, uint64_t max, uint64_t *out);
/* Splits at the first `separator`: *head is what is before, *tail after it. False (and *head = s) when there is none.
 */
bool str_split(struct str s, char separator, struct str *head, struct str *tail);

#ifdef __cplusplus
}
#endif
#endif
