/* A socket for ICMP echo of one family and all targets: unprivileged where the system allows it,
 * raw otherwise. It moves bytes; what they mean is wire/icmp.h's business.
 *
 *     icmp_socket_open(4, &socket, &why);
 *     sent = icmp_socket_send(socket, packets, n, &error);
 *     while ((n = icmp_socket_receive(socket, arrivals)) > 0) ...
 *
 * A raw socket hears the errors of routers as packets; an unprivileged one is told of them by the
 * kernel, in its error queue (ip(7), IP_RECVERR). */
#ifndef SYS_ICMP_SOCKET_H
#define SYS_ICMP_SOCKET_H

#include "base/addr.h"
#include "base/err.h"
#include "base/utc.h"

struct icmp_socket;

/* ERR_DENIED if neither kind of socket is permitted; `why` says how to cure it. */
enum err icmp_socket_open(int family, struct icmp_socket **out, struct why *why);
void icmp_socket_close(struct icmp_socket *socket); /* NULL is fine */
int icmp_socket_fd(const struct icmp_socket *socket);

/* The identifier that our requests have; the kernel puts it in where the socket is unprivileged. A raw
 * socket may be used with any other too. */
uint16_t icmp_socket_ident(const struct icmp_socket *socket);
bool icmp_socket_is_raw(const struct icmp_socket *socket);

enum { ICMP_BATCH = 64 };

struct icmp_outgoing {
    struct addr to;
    const uint8_t *bytes;
    size_t n;
};

/* Sends up to ICMP_BATCH packets at once. Returns how many of them the kernel took, from the first
 * on; if that is 0, *error (an errno) says why it refused the first one. */
size_t icmp_socket_send(struct icmp_socket *socket, const struct icmp_outgoing *packets, size_t n,
                        int *error);

struct icmp_arrival {
    const uint8_t *bytes; /* valid until the next receive */
    size_t n;
    struct utc received; /* by the kernel's time stamp */
    struct addr from;    /* who sent it; of an error: the router; family 0 if not told */
    int ttl;             /* 0 if not told */
    bool has_ip_header;  /* the bytes begin with an IPv4 header and not with the ICMP type */
    /* An error from the queue: the bytes are our request, from its ICMP type on, as far as it was
     * quoted. */
    bool is_error;
    bool is_local; /* our own kernel says so, no router */
    uint8_t type, code;
    struct addr to; /* where the request was going */
};

/* What has arrived, without waiting: up to ICMP_BATCH. 0 if there is nothing (more). */
size_t icmp_socket_receive(struct icmp_socket *socket, struct icmp_arrival arrivals[ICMP_BATCH]);

/* Packets that the kernel had to drop, since we did not read in time; wraps. */
uint32_t icmp_socket_overflow(const struct icmp_socket *socket);

#endif
