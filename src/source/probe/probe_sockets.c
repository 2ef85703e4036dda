#include "source/probe/probe_sockets.h"

void probe_sockets_open(struct probe_sockets *sockets)
{
    struct why why6;
    *sockets = (struct probe_sockets){0};
    enum err failed = icmp_socket_open(4, &sockets->icmp[0], &sockets->no_ping);
    /* A machine that just has no IPv6 is nothing to complain about. */
    if (icmp_socket_open(6, &sockets->icmp[1], &why6) == ERR_DENIED && !failed)
        sockets->no_ping = why6;
    failed = tcp_tap_open(4, &sockets->taps[0], &sockets->no_taps);
    if (tcp_tap_open(6, &sockets->taps[1], &why6) == ERR_DENIED && !failed)
        sockets->no_taps = why6;
}

void probe_sockets_close(struct probe_sockets *sockets)
{
    for (int i = 0; i < 2; i++) {
        icmp_socket_close(sockets->icmp[i]);
        tcp_tap_close(sockets->taps[i]);
    }
    *sockets = (struct probe_sockets){0};
}
