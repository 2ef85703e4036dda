/* The sockets of the prober that it may take a privilege to open. They are opened first of all, so that
 * the privilege can be given up (sys/privileges.h) before anything else is begun, threads above all. */
#ifndef SOURCE_PROBE_PROBE_SOCKETS_H
#define SOURCE_PROBE_PROBE_SOCKETS_H

#include "base/err.h"
#include "sys/icmp_socket.h"
#include "sys/tcp_tap.h"

/* A zeroed struct has none. */
struct probe_sockets {
    struct icmp_socket *icmp[2]; /* IPv4, IPv6; NULL: cannot be had */
    struct tcp_tap *taps[2];     /* the same */
    struct why no_ping;          /* if hosts cannot be pinged: why, and the cure; else ERR_OK */
    struct why no_taps;          /* if TTLs of TCP packets cannot be known: the same */
};

void probe_sockets_open(struct probe_sockets *sockets);
void probe_sockets_close(struct probe_sockets *sockets);

#endif
