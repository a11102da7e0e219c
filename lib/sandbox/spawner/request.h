#ifndef OE__SPAWNER_REQUEST_H
#define OE__SPAWNER_REQUEST_H

/* What the host asks for, as it comes through a socket, and goes on through another one. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "keeper.h"

struct packet {
	ssize_t size; /* 0: the other side has closed its end */
	unsigned fd_count;
	int fds[OE__FDS_MAX + 1];
	_Alignas(16) char bytes[OE__MESSAGE_MAX];
};

/* The next one. It is static: one at a time. @return NULL: errno. */
struct packet *packet_receive(int socket);
void packet_close(struct packet *packet); /* its descriptors */

/* Pass it on, with one descriptor more (-1: none). */
bool packet_send(int socket, const struct packet *packet, int more);

/* The request to start a tree, with its strings as NULL-terminated lists, and its descriptors. @return what
   follows them; NULL if the packet is not whole. */
char *request_parse(struct start *start, struct packet *packet);

#endif /* OE__SPAWNER_REQUEST_H */
