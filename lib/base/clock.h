#ifndef OE__BASE_CLOCK_H
#define OE__BASE_CLOCK_H

/* Time. Monotonic for deadlines and durations, wall clock only for what people read. */

#include <stdint.h>

int64_t oe__clock_ns(void);   /* monotonic */
int64_t oe__clock_ms(void);   /* monotonic */
double oe__clock_wall(void);  /* seconds since 1970 */

/* 2026-11-23T14:02:11.482Z; "?" outside of the years 0 to 9999 */
#define OE__CLOCK_TEXT_SIZE 32
void oe__clock_text(double wall, char out[OE__CLOCK_TEXT_SIZE]);

#endif /* OE__BASE_CLOCK_H */
