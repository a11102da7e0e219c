#ifndef OE__BASE_LOCALE_H
#define OE__BASE_LOCALE_H

/*
 * Numbers are written and read as in the "C" locale, whatever the host has set: a file must not
 * depend on who runs us. The switch is the calling thread's and ends with the scope. Any thread.
 */

#include <locale.h>

locale_t oe__locale_plain(void); /* made once, kept for ever */

static inline void oe__auto_locale(const locale_t *before)
{
	(void)uselocale(*before);
}

/* For the rest of the scope. */
#define OE__LOCALE_PLAIN()                                                                         \
	__attribute__((cleanup(oe__auto_locale), unused)) locale_t oe__locale_before =                 \
		uselocale(oe__locale_plain())

#endif /* OE__BASE_LOCALE_H */
