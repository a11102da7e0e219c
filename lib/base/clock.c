#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define YEAR_0     -62167219200.0 /* seconds since 1970 */
#define YEAR_10000 253402300800.0

int64_t oe__clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t oe__clock_ms(void)
{
	return oe__clock_ns() / 1000000;
}

double oe__clock_wall(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void oe__clock_text(double wall, char out[OE__CLOCK_TEXT_SIZE])
{
	/* Within four digits of a year; what is not a number is not either. */
	if (!(wall >= YEAR_0 && wall < YEAR_10000)) {
		(void)snprintf(out, OE__CLOCK_TEXT_SIZE, "?");
		return;
	}
	int64_t ms = (int64_t)floor(wall * 1000.0), rest = ms % 1000;
	if (rest < 0)
		rest += 1000;
	time_t seconds = (time_t)((ms - rest) / 1000);
	struct tm parts;
	(void)gmtime_r(&seconds, &parts);
	(void)snprintf(out, OE__CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	               (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
	               (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100,
	               (unsigned)parts.tm_min % 100, (unsigned)parts.tm_sec % 100, (unsigned)rest % 1000);
}
