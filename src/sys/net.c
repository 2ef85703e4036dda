#include "sys/net.h"

#include "sys/clock.h"
#include "sys/sockaddr.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

static void set(int fd, int level, int option)
{
    int on = 1;
    setsockopt(fd, level, option, &on, sizeof on);
}

int net_open(int domain, int type, int protocol, int *error)
{
    int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        *error = errno;
        return -1;
    }
    if (domain == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_RECVERR);
    else if (domain == AF_INET)
        set(fd, IPPROTO_IP, IP_RECVERR);
    return fd;
}

static bool take_way(int fd, int family, const struct net_way *way)
{
    const struct addr any = {.family = (uint8_t)family};
    struct sockaddr_storage own;
    socklen_t length = sockaddr_from(&any, way->own_port, &own);
    if (way->hops)
        net_set_hops(fd, way->hops);
    if (!way->own_port)
        return true;
    set(fd, SOL_SOCKET, SO_REUSEADDR);
    return bind(fd, (struct sockaddr *)&own, length) == 0;
}

int net_connect(enum net_kind kind, const struct addr *to, uint16_t port, int *error)
{
    return net_connect_by(kind, to, port, &(struct net_way){0}, error);
}

int net_connect_by(enum net_kind kind, const struct addr *to, uint16_t port,
                   const struct net_way *way, int *error)
{
    struct sockaddr_storage peer;
    socklen_t length = sockaddr_from(to, port, &peer);
    int type = kind == NET_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = net_open(peer.ss_family, type, 0, error);
    if (fd < 0)
        return -1;
    if (kind == NET_UDP)
        set(fd, SOL_SOCKET, SO_TIMESTAMPNS);
    if (!take_way(fd, to->family, way)) {
        *error = errno;
        close(fd);
        return -1;
    }
    if (connect(fd, (struct sockaddr *)&peer, length) && errno != EINPROGRESS) {
        *error = errno;
        close(fd);
        return -1;
    }
    return fd;
}

int net_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) ? errno : error;
}

bool net_is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

struct net_tcp_info net_tcp_info(int fd)
{
    enum { NS_PER_US = 1000 };
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
        return (struct net_tcp_info){0};
    return (struct net_tcp_info){(int64_t)info.tcpi_rtt * NS_PER_US, info.tcpi_total_retrans};
}

static bool is_received_error(const struct cmsghdr *control)
{
    return (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
           (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
}

static bool read_fault(const struct cmsghdr *control, struct net_icmp_fault *out)
{
    const struct sock_extended_err *error = (const struct sock_extended_err *)CMSG_DATA(control);
    bool is_icmp6 = error->ee_origin == SO_EE_ORIGIN_ICMP6;
    if (!is_icmp6 && error->ee_origin != SO_EE_ORIGIN_ICMP)
        return false;
    *out = (struct net_icmp_fault){
        .from = addr_from_sockaddr(SO_EE_OFFENDER(error)),
        .family = is_icmp6 ? 6 : 4,
        .type = error->ee_type,
        .code = error->ee_code,
    };
    return true;
}

bool net_icmp_fault(int fd, struct net_icmp_fault *out)
{
    enum { QUEUE_LOOKS = 16 }; /* a peer that sends errors without end does not hold us up */
    for (int i = 0; i < QUEUE_LOOKS; i++) {
        _Alignas(struct cmsghdr) char control[512];
        struct msghdr header = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return false;
        struct cmsghdr *at = CMSG_FIRSTHDR(&header);
        for (; at; at = CMSG_NXTHDR(&header, at))
            if (is_received_error(at) && read_fault(at, out))
                return true;
    }
    return false;
}

long net_send(int fd, const void *bytes, size_t n, int *error)
{
    ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
    *error = sent < 0 ? errno : 0;
    return (long)sent;
}

static struct utc time_of(struct msghdr *header)
{
    struct utc received = clock_utc();
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        struct timespec time;
        memcpy(&time, CMSG_DATA(at), sizeof time);
        received.ns = (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
    }
    return received;
}

/* `sender` and `received` may be NULL. */
static long receive(int fd, void *bytes, size_t n, struct sockaddr_storage *sender,
                    struct utc *received, int *error)
{
    _Alignas(struct cmsghdr) char control[256];
    struct iovec part = {bytes, n};
    struct msghdr header = {.msg_name = sender,
                            .msg_namelen = sender ? sizeof *sender : 0,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &header, MSG_DONTWAIT);
    *error = got < 0 ? errno : 0;
    if (got >= 0 && received)
        *received = time_of(&header);
    return (long)got;
}

long net_receive(int fd, void *bytes, size_t n, struct utc *received, int *error)
{
    return receive(fd, bytes, n, NULL, received, error);
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

int net_open_udp(int family, int *error)
{
    int fd = net_open(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0, error);
    if (fd >= 0)
        set(fd, SOL_SOCKET, SO_TIMESTAMPNS);
    return fd;
}

long net_send_to(int fd, const struct addr *to, uint16_t port, const void *bytes, size_t n,
                 int *error)
{
    struct sockaddr_storage peer;
    socklen_t length = sockaddr_from(to, port, &peer);
    ssize_t sent = sendto(fd, bytes, n, MSG_NOSIGNAL, (struct sockaddr *)&peer, length);
    *error = sent < 0 ? errno : 0;
    return (long)sent;
}

long net_receive_from(int fd, void *bytes, size_t n, struct net_sender *from, int *error)
{
    struct sockaddr_storage sender = {0};
    long got = receive(fd, bytes, n, &sender, &from->received, error);
    from->addr = addr_from_sockaddr(&sender);
    from->port = port_of(&sender);
    return got;
}

static int listen_at(const struct addr *at, uint16_t port, int *error)
{
    enum { BACKLOG = 16 };
    struct sockaddr_storage own;
    int both = 0;
    struct addr any = {.family = 6};
    socklen_t length = sockaddr_from(at->family ? at : &any, port, &own);
    int fd = net_open(own.ss_family, SOCK_STREAM, 0, error);
    if (fd < 0)
        return -1;
    set(fd, SOL_SOCKET, SO_REUSEADDR); /* a restart must not wait for old connections */
    if (!at->family)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
    if (bind(fd, (struct sockaddr *)&own, length) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    *error = errno;
    close(fd);
    return -1;
}

int net_listen(const struct addr *at, uint16_t port, int *error)
{
    struct addr any4 = {.family = 4};
    int fd = listen_at(at, port, error);
    bool has_no_v6 = fd < 0 && (*error == EAFNOSUPPORT || *error == EADDRNOTAVAIL);
    return has_no_v6 && !at->family ? listen_at(&any4, port, error) : fd;
}

uint16_t net_port(int fd)
{
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &length))
        return 0;
    return port_of(&own);
}

/* The port that a socket at this address of ours gets; 0 if none, as where it is not ours. */
static uint16_t bound_port(enum net_kind kind, const struct addr *addr)
{
    struct sockaddr_storage own;
    socklen_t length = sockaddr_from(addr, 0, &own);
    int error, fd = net_open(own.ss_family, kind == NET_TCP ? SOCK_STREAM : SOCK_DGRAM, 0, &error);
    if (fd < 0)
        return 0;
    uint16_t port = bind(fd, (struct sockaddr *)&own, length) == 0 ? net_port(fd) : 0;
    close(fd);
    return port;
}

uint16_t net_free_port(enum net_kind kind, int family)
{
    return bound_port(kind, &(struct addr){.family = (uint8_t)family});
}

bool net_is_ours(const struct addr *addr)
{
    return bound_port(NET_UDP, addr) != 0;
}

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, 2.5.5.2 */

static struct addr map_addr(const struct addr *addr)
{
    struct addr outer = {.family = 6};
    memcpy(outer.bytes, mapped, sizeof mapped);
    memcpy(outer.bytes + sizeof mapped, addr->bytes, 4);
    return outer;
}

/* Seconds of silence, then so many questions, so far apart: NET_SILENCE_NS in all. */
void net_keep_alive(int fd)
{
    static const int idle = 5, interval = 2, count = 3;
    set(fd, SOL_SOCKET, SO_KEEPALIVE);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

void net_allow_silence(int fd, int64_t silence_ns)
{
    enum { IDLE = 5, LEAST_INTERVAL = 5, COUNT_MOST = 100 /* of the kernel's 127 */ };
    int idle = IDLE, left = (int)(silence_ns / NS_PER_S) - IDLE;
    int interval = left / COUNT_MOST > LEAST_INTERVAL ? left / COUNT_MOST : LEAST_INTERVAL;
    int count = left > interval ? left / interval : 1;
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

void net_set_hops(int fd, int hops)
{
    setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
    setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops);
}

static int domain_of(int fd)
{
    int domain = 0;
    socklen_t length = sizeof domain;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
    return domain;
}

int net_require_md5(int fd, const struct addr *peer, const char *key)
{
    struct tcp_md5sig signature = {.tcpm_keylen = (uint16_t)strlen(key)};
    struct sockaddr_storage address;
    struct addr wanted = *peer;
    if (signature.tcpm_keylen > sizeof signature.tcpm_key)
        return EINVAL;
    if (peer->family == 4 && domain_of(fd) == AF_INET6)
        wanted = map_addr(peer);
    sockaddr_from(&wanted, 0, &address);
    memcpy(&signature.tcpm_addr, &address, sizeof address);
    memcpy(signature.tcpm_key, key, signature.tcpm_keylen);
    return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &signature, sizeof signature) ? errno : 0;
}

void net_end_sending(int fd)
{
    shutdown(fd, SHUT_WR);
}

int net_accept(int fd, struct addr *from, int *error)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int got = accept4(fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    *error = got < 0 ? errno : 0;
    if (got < 0)
        return -1;
    net_keep_alive(got);
    *from = addr_from_sockaddr(&peer);
    if (from->family == 6 && memcmp(from->bytes, mapped, sizeof mapped) == 0) {
        struct addr inner = {.family = 4};
        memcpy(inner.bytes, from->bytes + sizeof mapped, 4);
        *from = inner;
    }
    return got;
}

struct addr net_own_addr(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &size))
        return (struct addr){0};
    return addr_from_sockaddr(&own);
}

struct addr net_addr(const void *sockaddr)
{
    return addr_from_sockaddr(sockaddr);
}
