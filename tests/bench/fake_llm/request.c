/* Reads the head of a request; see request.h. */
#include "request.h"

#include <ctype.h>
#include <stdlib.h>

#define HEAD_MAX (64u << 10)
#define BODY_MAX (64u << 20)

/* Returns 0, or the negative status to refuse the request with. */
static int read_header(struct request *request, struct slice line, size_t *body_size)
{
	const char *colon = slice_find(line, ":");

	if (!colon || memchr(line.data, '\r', line.size) || memchr(line.data, 0, line.size))
		return -400;
	struct slice name = { line.data, (size_t)(colon - line.data) };
	struct slice value = slice_trim((struct slice){ colon + 1, line.size - name.size - 1 });
	if (slice_is_nocase(name, "transfer-encoding"))
		return -411;
	if (slice_is_nocase(name, "content-length")) {
		char digits[24] = "", *end;
		if (!value.size || value.size >= sizeof(digits) || !isdigit((unsigned char)value.data[0]))
			return -400;
		memcpy(digits, value.data, value.size);
		*body_size = strtoul(digits, &end, 10);
		return *end ? -400 : *body_size > BODY_MAX ? -413 : 0;
	}
	if (slice_is_nocase(name, "connection"))
		request->keep_alive = slice_is_nocase(value, "keep-alive") ||
							  (!request->http10 && !slice_is_nocase(value, "close"));
	else if (slice_is_nocase(name, "expect"))
		request->expects_continue = slice_is_nocase(value, "100-continue");
	else if (slice_is_nocase(name, "authorization"))
		request->authorization = value;
	else if (slice_is_nocase(name, "api-key"))
		request->api_key = value;
	else if (slice_is_nocase(name, "x-api-key"))
		request->x_api_key = value;
	return 0;
}

static bool read_request_line(struct request *request, struct slice line)
{
	const char *first = memchr(line.data, ' ', line.size);
	const char *last = memrchr(line.data, ' ', line.size);

	if (!first || first == last || first[1] != '/')
		return false;
	struct slice version = { last + 1, line.size - (size_t)(last + 1 - line.data) };
	request->method = (struct slice){ line.data, (size_t)(first - line.data) };
	request->target = (struct slice){ first + 1, (size_t)(last - first - 1) };
	request->path = request->target;
	const char *mark = slice_find(request->target, "?");
	if (mark) {
		request->path.size = (size_t)(mark - request->target.data);
		request->query = (struct slice){ mark + 1, request->target.size - request->path.size - 1 };
	}
	request->http10 = slice_is(version, "HTTP/1.0");
	request->keep_alive = !request->http10;
	return request->http10 || slice_is(version, "HTTP/1.1");
}

int read_head(struct slice in, struct request *request)
{
	const char *end = slice_find(in, "\r\n\r\n");
	size_t body_size = 0;

	if (!end)
		return in.size > HEAD_MAX ? -431 : 0;
	*request = (struct request){ .head = { in.data, (size_t)(end - in.data) + 2 } };
	for (const char *at = in.data; at < end + 2;) {
		const char *stop = slice_find((struct slice){ at, (size_t)(end + 2 - at) }, "\r\n");
		struct slice line = { at, (size_t)(stop - at) };
		int status = 0;
		if (at > in.data)
			status = read_header(request, line, &body_size);
		else if (!read_request_line(request, line))
			status = -400;
		if (status < 0)
			return status;
		at = stop + 2;
	}
	request->body = (struct slice){ end + 4, body_size };
	request->size = (size_t)(end + 4 - in.data) + body_size;
	return 1;
}
