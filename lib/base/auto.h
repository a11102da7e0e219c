#ifndef OE__BASE_AUTO_H
#define OE__BASE_AUTO_H

/*
 * Release by scope.
 *
 *     OE__AUTO(string) char *text = NULL;     freed at the end of the scope
 *     *out = OE__STEAL(text);                 handed over instead
 */

#define OE__AUTO(name) __attribute__((cleanup(oe__auto_##name)))

/* For handles: `release` takes the pointer and accepts NULL. */
#define OE__AUTO_POINTER(name, type, release)                                                      \
	static inline void oe__auto_##name(void *slot)                                                 \
	{                                                                                              \
		release(*(type *)slot);                                                                    \
	}

/* For values on the stack: `release` takes the address and accepts a zeroed value. */
#define OE__AUTO_VALUE(name, type, release)                                                        \
	static inline void oe__auto_##name(type *slot)                                                 \
	{                                                                                              \
		release(slot);                                                                             \
	}

#define OE__STEAL(pointer)                                                                         \
	__extension__({                                                                                \
		__typeof__(pointer) oe__stolen = (pointer);                                                \
		(pointer) = NULL;                                                                          \
		oe__stolen;                                                                                \
	})

#define OE__COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The object that embeds `member` at `pointer`. */
#define OE__CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif /* OE__BASE_AUTO_H */
