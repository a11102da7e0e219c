#include "base/locale.h"

#include <pthread.h>

static locale_t plain;
static pthread_once_t plain_once = PTHREAD_ONCE_INIT;

static void make_plain(void)
{
	plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t oe__locale_plain(void)
{
	pthread_once(&plain_once, make_plain);
	return plain;
}
