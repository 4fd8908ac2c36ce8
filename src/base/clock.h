/* The clocks. Only shells read them; the core is handed the time. */
#ifndef NATARIS_BASE_CLOCK_H
#define NATARIS_BASE_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */
/* "2026-01-31T23:59:59.123Z" into a buffer of at least CLOCK_TEXT_SIZE bytes. */
enum { CLOCK_TEXT_SIZE = 32 };
void clock_format_utc(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
