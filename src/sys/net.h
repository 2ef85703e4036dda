/* TCP and UDP sockets: for probing, which never wait and tell who reported a failure, and for
 * listening. Errors are errno values; a descriptor belongs to the caller, who closes it. */
#ifndef SYS_NET_H
#define SYS_NET_H

#include "base/addr.h"
#include "base/utc.h"

enum net_kind { NET_TCP, NET_UDP };

/* A socket by the system's own constants, which does not wait and keeps what routers say about it
 * for net_icmp_fault(). -1 with *error. */
int net_open(int domain, int type, int protocol, int *error);

/* Opens a socket and begins to connect it. Returns the descriptor, or -1 with *error: then it was
 * our own machine that failed (no way there, no descriptors, forbidden). A UDP socket gets a port
 * that cannot be foreseen, hears only its peer, and is connected at once. */
int net_connect(enum net_kind kind, const struct addr *to, uint16_t port, int *error);

/* The same from a port of ours and with a TTL: 0 for either as the system has it. A port may be used again as soon
 * as what used it was closed. */
struct net_way {
    uint16_t own_port;
    uint8_t hops;
};
int net_connect_by(enum net_kind kind, const struct addr *to, uint16_t port,
                   const struct net_way *way, int *error);
/* A port of ours that nobody uses just now; 0 if there is none. */
uint16_t net_free_port(enum net_kind kind, int family);

/* Whether it is an address of this machine. */
bool net_is_ours(const struct addr *addr);

/* Our side of a connection. */
struct addr net_own_addr(int fd);

/* The error that a socket has met since this was asked last (a refused connection); 0 for none. */
int net_error(int fd);
bool net_is_connected(int fd);

/* What the kernel knows of a TCP connection, or of the attempt at one (tcp(7), TCP_INFO). */
struct net_tcp_info {
    int64_t rtt_ns;       /* of the handshake, as long as nothing else was sent; 0: none yet */
    unsigned retransmits; /* packets that were sent again */
};
struct net_tcp_info net_tcp_info(int fd);

/* What was said by ICMP about what this socket sent. */
struct net_icmp_fault {
    struct addr from; /* who said it; family 0 if it was our own kernel */
    uint8_t family;   /* 4 or 6 */
    uint8_t type, code;
};
/* The next one. False if there is none (more). */
bool net_icmp_fault(int fd, struct net_icmp_fault *out);

/* Bytes moved, or -1 with *error (EAGAIN: not now). 0 is the end of a TCP stream. *received (may be
 * NULL) is when they came, by the kernel's time stamp where it has one. */
long net_send(int fd, const void *bytes, size_t n, int *error);
long net_receive(int fd, void *bytes, size_t n, struct utc *received, int *error);

/* A UDP socket of family 4 or 6 with a port that cannot be foreseen, which hears everybody: so that who
 * answers from another address than he was asked at is seen. -1 with *error. */
int net_open_udp(int family, int *error);
long net_send_to(int fd, const struct addr *to, uint16_t port, const void *bytes, size_t n,
                 int *error);
/* As net_receive(), and from whom. */
struct net_sender {
    struct addr addr;
    uint16_t port;
    struct utc received;
};
long net_receive_from(int fd, void *bytes, size_t n, struct net_sender *from, int *error);

/* Listens for TCP connections. Family 0: at all addresses, of both families where there are both;
 * port 0: at any that is free. -1 with *error. */
int net_listen(const struct addr *at, uint16_t port, int *error);
uint16_t net_port(int fd); /* of our side */
/* Makes a TCP connection tell by an error of its own that the other side is gone without a word:
 * NET_SILENCE_NS after the last sign of life. */
#define NET_SILENCE_NS (11 * NS_PER_S)
void net_keep_alive(int fd);
/* The next connection, kept alive. -1 with *error (EAGAIN: there is none now). */
int net_accept(int fd, struct addr *from, int *error);

/* The same for a connection whose other side may be silent for so long; one that has started anew
 * answers, and is found out within seconds. */
void net_allow_silence(int fd, int64_t silence_ns);

/* Through how many routers what is sent may go; of a listening socket also that of its connections. */
void net_set_hops(int fd, int hops);
/* Connections with this address must be signed with this key (TCP MD5, RFC 2385), others are as if not
 * there. For a listening socket, before anybody connects. 0 or an errno value: ENOPROTOOPT where the
 * kernel has no such thing. */
enum { NET_MD5_KEY_MAX = 80 };
int net_require_md5(int fd, const struct addr *peer, const char *key);
/* Nothing more will be sent; what the other side sends can still be read. */
void net_end_sending(int fd);

/* From a socket address of the system. Family 0 if it is neither IPv4 nor IPv6. */
struct addr net_addr(const void *sockaddr);

#endif
