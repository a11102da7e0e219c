#include "request.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRINGS_MAX 4096

union control {
	char space[CMSG_SPACE(sizeof(int) * (OE__FDS_MAX + 1))];
	struct cmsghdr align;
};

struct packet *packet_receive(int socket)
{
	static struct packet packet;
	union control control;
	struct iovec part = { packet.bytes, sizeof(packet.bytes) };
	struct msghdr message = { .msg_iov = &part,
		                      .msg_iovlen = 1,
		                      .msg_control = control.space,
		                      .msg_controllen = sizeof(control.space) };

	packet.fd_count = 0;
	packet.size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	if (packet.size < 0)
		return NULL;
	const struct cmsghdr *header = packet.size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS) {
		packet.fd_count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(packet.fds, CMSG_DATA(header), packet.fd_count * sizeof(int));
	}
	return &packet;
}

void packet_close(struct packet *packet)
{
	for (unsigned i = 0; i < packet->fd_count; i++)
		close(packet->fds[i]);
	packet->fd_count = 0;
}

bool packet_send(int socket, const struct packet *packet, int more)
{
	union control control = { { 0 } };
	struct iovec part = { (void *)(uintptr_t)packet->bytes, (size_t)packet->size };
	unsigned count = packet->fd_count + (more >= 0);
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count > OE__FDS_MAX + 1)
		return false;
	if (count > 0) {
		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(header), packet->fds, sizeof(int) * packet->fd_count);
		if (more >= 0)
			memcpy(CMSG_DATA(header) + sizeof(int) * packet->fd_count, &more, sizeof(more));
	}
	ssize_t sent;
	while ((sent = sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR)
		continue;
	return sent == packet->size;
}

char *request_parse(struct start *start, struct packet *packet)
{
	static char *strings[STRINGS_MAX + 2];
	struct oe__request *request = &start->request;
	size_t size = (size_t)packet->size, used = 0;

	if (size < sizeof(*request))
		return NULL;
	memcpy(request, packet->bytes, sizeof(*request));
	char *at = packet->bytes + sizeof(*request), *end = packet->bytes + size;
	size_t arguments = request->argument_count, variables = request->variable_count;
	if (arguments == 0 || arguments > STRINGS_MAX || variables > STRINGS_MAX - arguments ||
	    request->fd_count > packet->fd_count || request->fd_count > OE__FDS_MAX)
		return NULL;
	start->fd_count = request->fd_count;
	memcpy(start->fds, packet->fds, start->fd_count * sizeof(int));
	start->arguments = &strings[0];
	start->variables = &strings[arguments + 1];
	for (size_t i = 0; i < arguments + variables + 1; i++) {
		char *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
		if (!stop)
			return NULL;
		if (i == arguments)
			strings[used++] = NULL;
		if (i < arguments + variables)
			strings[used++] = at;
		else
			start->directory = at;
		at = stop + 1;
	}
	strings[used] = NULL;
	return at;
}
