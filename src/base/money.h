/* US dollars as text, and as the int64 nano-dollars (10^-9 USD) in which everything is counted. Exact both ways: no
 * floating point, nothing is rounded. */
#ifndef NATARIS_BASE_MONEY_H
#define NATARIS_BASE_MONEY_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MONEY_NANO_PER_USD INT64_C(1000000000)

enum { MONEY_TEXT_SIZE = 24 }; /* "-9223372036.854775808" and its NUL */

/* The whole of `text` as a decimal number as JSON writes them: sign, digits, fraction, exponent ("4.75", "1e-9"). False
 * when it is none, is finer than a nano-dollar, or does not fit. */
MUST_CHECK bool money_parse_usd(struct str text, int64_t *nano);
/* The shortest exact form, which is also a JSON number: "5", "4.75", "-0.000000001". Returns `out`. */
const char *money_format_usd(int64_t nano, char out[MONEY_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
