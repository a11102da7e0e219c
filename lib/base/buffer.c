#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/locale.h"

#define FIRST_CAPACITY 256

int oe__buffer_reserve(struct oe__buffer *buffer, size_t more)
{
	size_t size_max = buffer->size_max > 0 ? buffer->size_max : OE__FILE_MAX;

	if (buffer->status < 0)
		return buffer->status;
	if (more > size_max || buffer->size > size_max - more)
		return buffer->status = OE_ERR_LIMIT;
	size_t wanted = buffer->size + more + 1; /* one for the NUL */
	if (wanted <= buffer->capacity)
		return 0;
	size_t capacity = buffer->capacity > 0 ? buffer->capacity * 2 : FIRST_CAPACITY;
	if (capacity < wanted)
		capacity = wanted;
	char *data = oe__realloc(buffer->data, capacity);
	if (!data)
		return buffer->status = OE_ERR_NOMEM;
	buffer->data = data;
	buffer->capacity = capacity;
	return 0;
}

int oe__buffer_append(struct oe__buffer *buffer, const void *data, size_t size)
{
	int status = oe__buffer_reserve(buffer, size);
	if (status < 0)
		return status;
	if (size > 0)
		memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	buffer->data[buffer->size] = '\0';
	return 0;
}

int oe__buffer_text(struct oe__buffer *buffer, const char *text)
{
	return oe__buffer_append(buffer, text, strlen(text));
}

int oe__buffer_char(struct oe__buffer *buffer, char c)
{
	return oe__buffer_append(buffer, &c, 1);
}

int oe__buffer_vprintf(struct oe__buffer *buffer, const char *format, va_list arguments)
{
	va_list again;

	if (oe__buffer_reserve(buffer, 0) < 0)
		return buffer->status;
	OE__LOCALE_PLAIN();
	va_copy(again, arguments);
	int size = vsnprintf(buffer->data + buffer->size, buffer->capacity - buffer->size, format,
	                     arguments);
	if (size < 0) {
		buffer->status = OE_ERR_INVALID;
	} else if (oe__buffer_reserve(buffer, (size_t)size) == 0) {
		/* Once more if the first try was cut; the room is there now. */
		(void)vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
		buffer->size += (size_t)size;
	} else {
		buffer->data[buffer->size] = '\0';
	}
	va_end(again);
	return buffer->status;
}

int oe__buffer_printf(struct oe__buffer *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	oe__buffer_vprintf(buffer, format, arguments);
	va_end(arguments);
	return buffer->status;
}

void oe__buffer_truncate(struct oe__buffer *buffer, size_t size)
{
	if (size < buffer->size) {
		buffer->size = size;
		buffer->data[size] = '\0';
	}
}

void oe__buffer_clear(struct oe__buffer *buffer)
{
	buffer->status = 0;
	oe__buffer_truncate(buffer, 0);
}

void oe__buffer_done(struct oe__buffer *buffer)
{
	oe__free(buffer->data);
	*buffer = (struct oe__buffer)OE__BUFFER_INIT(buffer->size_max);
}

char *oe__buffer_steal(struct oe__buffer *buffer, size_t *size)
{
	char *data = NULL;

	if (oe__buffer_append(buffer, "", 0) == 0) {
		data = buffer->data;
		if (size)
			*size = buffer->size;
		buffer->data = NULL;
	}
	oe__buffer_done(buffer);
	return data;
}

const char *oe__buffer_string(const struct oe__buffer *buffer)
{
	return buffer->data && buffer->size > 0 ? buffer->data : "";
}
