#include "sys/icmp_socket.h"

#include "base/mem.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/sockaddr.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PACKET_MAX = 1280,        /* our requests are small, and errors quote no more (RFC 4443, 2.4) */
    RECEIVE_BUFFER = 2 << 20, /* thousands of answers while the loop is busy */
};

struct inbox {
    uint8_t bytes[PACKET_MAX];
    struct sockaddr_storage from;
    _Alignas(struct cmsghdr) char control[512];
};

struct icmp_socket {
    int fd;
    int family;
    bool is_raw;
    uint16_t ident;
    struct inbox inboxes[ICMP_BATCH];
    struct mmsghdr headers[ICMP_BATCH];
    struct iovec parts[ICMP_BATCH];
};

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* Keeps everything from a raw socket that is neither a reply nor an error. */
static void filter_raw(int fd, int family)
{
    if (family == 4) {
        struct icmp_filter filter = {~(1U << ICMP_ECHOREPLY | 1U << ICMP_DEST_UNREACH |
                                       1U << ICMP_TIME_EXCEEDED | 1U << ICMP_PARAMETERPROB)};
        setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
        return;
    }
    struct icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    for (int type = ICMP6_DST_UNREACH; type <= ICMP6_PARAM_PROB; type++)
        ICMP6_FILTER_SETPASS(type, &filter);
    setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
}

static void set_options(const struct icmp_socket *socket)
{
    int fd = socket->fd;
    set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)) /* beyond rmem_max, if we may */
        set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    if (socket->family == 4) {
        set(fd, IPPROTO_IP, IP_RECVTTL, 1);
        /* What is never fragmented needs no identification (RFC 6864, section 4.1), which the kernel
         * would draw for each packet. */
        set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    } else {
        set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    }
    if (socket->is_raw)
        filter_raw(fd, socket->family);
    else if (socket->family == 4)
        set(fd, IPPROTO_IP, IP_RECVERR, 1);
    else
        set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

/* An unprivileged socket's identifier is its port, which it gets when it is bound. */
static uint16_t bind_ident(int fd, int family)
{
    struct sockaddr_storage own = {.ss_family = (sa_family_t)(family == 4 ? AF_INET : AF_INET6)};
    socklen_t length = sizeof own;
    if (bind(fd, (struct sockaddr *)&own, length) ||
        getsockname(fd, (struct sockaddr *)&own, &length))
        return 0;
    return ntohs(family == 4 ? ((struct sockaddr_in *)&own)->sin_port
                             : ((struct sockaddr_in6 *)&own)->sin6_port);
}

static enum err tell_denied(int family, int error, struct why *why)
{
    if (error != EACCES && error != EPERM)
        return why_set(why, ERR_IO, "cannot open a socket for ICMP version %d: %s", family,
                       strerror(error));
    return why_set(
        why, ERR_DENIED,
        "ICMP echo is not permitted here, so hosts cannot be pinged; either allow it to everybody "
        "with `sysctl -w net.ipv4.ping_group_range='0 2147483647'`, or give the program the right "
        "with `setcap cap_net_raw+ep PROGRAM` (systemd: AmbientCapabilities=CAP_NET_RAW)");
}

enum err icmp_socket_open(int family, struct icmp_socket **out, struct why *why)
{
    int domain = family == 4 ? AF_INET : AF_INET6;
    int protocol = family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    bool is_raw = false;
    int fd = socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        is_raw = true;
        fd = socket(domain, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    }
    if (fd < 0)
        return tell_denied(family, errno, why);
    struct icmp_socket *opened = mem_new(1, sizeof *opened);
    opened->fd = fd;
    opened->family = family;
    opened->is_raw = is_raw;
    opened->ident = is_raw ? (uint16_t)entropy_u64() : bind_ident(fd, family);
    set_options(opened);
    *out = opened;
    return ERR_OK;
}

void icmp_socket_close(struct icmp_socket *socket)
{
    if (!socket)
        return;
    close(socket->fd);
    free(socket);
}

int icmp_socket_fd(const struct icmp_socket *socket)
{
    return socket->fd;
}

uint16_t icmp_socket_ident(const struct icmp_socket *socket)
{
    return socket->ident;
}

bool icmp_socket_is_raw(const struct icmp_socket *socket)
{
    return socket->is_raw;
}

/* Asked of the kernel and not read beside the packets (SO_RXQ_OVFL), where it would be told only
 * with the next one that finds room. */
uint32_t icmp_socket_overflow(const struct icmp_socket *socket)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof info;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, info, &length))
        return 0;
    return info[SK_MEMINFO_DROPS];
}

/* ip(7) and ipv6(7): both take an int. */
struct hops_control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(int))];
};

static void set_hops(struct msghdr *header, const struct icmp_outgoing *packet,
                     struct hops_control *control)
{
    int hops = packet->hops;
    if (!hops)
        return;
    header->msg_control = control->bytes;
    header->msg_controllen = sizeof control->bytes;
    struct cmsghdr *message = CMSG_FIRSTHDR(header);
    message->cmsg_level = packet->to.family == 4 ? IPPROTO_IP : IPPROTO_IPV6;
    message->cmsg_type = packet->to.family == 4 ? IP_TTL : IPV6_HOPLIMIT;
    message->cmsg_len = CMSG_LEN(sizeof hops);
    memcpy(CMSG_DATA(message), &hops, sizeof hops);
}

size_t icmp_socket_send(struct icmp_socket *socket, const struct icmp_outgoing *packets, size_t n,
                        int *error)
{
    struct mmsghdr headers[ICMP_BATCH] = {0};
    struct iovec parts[ICMP_BATCH];
    struct sockaddr_storage to[ICMP_BATCH];
    struct hops_control controls[ICMP_BATCH];
    n = n < ICMP_BATCH ? n : ICMP_BATCH;
    for (size_t i = 0; i < n; i++) {
        parts[i] = (struct iovec){(void *)(uintptr_t)packets[i].bytes, packets[i].n};
        struct msghdr *header = &headers[i].msg_hdr;
        header->msg_name = &to[i];
        header->msg_namelen = sockaddr_from(&packets[i].to, 0, &to[i]);
        header->msg_iov = &parts[i];
        header->msg_iovlen = 1;
        set_hops(header, &packets[i], &controls[i]);
    }
    int sent = sendmmsg(socket->fd, headers, (unsigned)n, 0);
    *error = sent < 0 ? errno : 0;
    return sent < 0 ? 0 : (size_t)sent;
}

static void read_queued_error(const struct cmsghdr *control, struct icmp_arrival *arrival)
{
    const struct sock_extended_err *error = (const struct sock_extended_err *)CMSG_DATA(control);
    arrival->is_local =
        error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6;
    arrival->type = error->ee_type;
    arrival->code = error->ee_code;
    arrival->to = arrival->from; /* the queue names the request's destination as the sender */
    arrival->from = (struct addr){0};
    if (!arrival->is_local)
        arrival->from = addr_from_sockaddr(SO_EE_OFFENDER(error));
}

static void read_control(struct msghdr *header, struct icmp_arrival *arrival)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(at), sizeof time);
            arrival->received.ns = (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
        } else if ((at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_TTL) ||
                   (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_HOPLIMIT)) {
            memcpy(&arrival->ttl, CMSG_DATA(at), sizeof arrival->ttl);
        } else if (arrival->is_error &&
                   ((at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
                    (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR))) {
            read_queued_error(at, arrival);
        }
    }
}

static void prepare_inboxes(struct icmp_socket *socket)
{
    for (size_t i = 0; i < ICMP_BATCH; i++) {
        struct inbox *inbox = &socket->inboxes[i];
        socket->parts[i] = (struct iovec){inbox->bytes, sizeof inbox->bytes};
        socket->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &inbox->from,
            .msg_namelen = sizeof inbox->from,
            .msg_iov = &socket->parts[i],
            .msg_iovlen = 1,
            .msg_control = inbox->control,
            .msg_controllen = sizeof inbox->control,
        };
    }
}

static size_t receive(struct icmp_socket *socket, int flags, struct icmp_arrival *arrivals)
{
    prepare_inboxes(socket);
    int n = recvmmsg(socket->fd, socket->headers, ICMP_BATCH, MSG_DONTWAIT | flags, NULL);
    for (int i = 0; i < n; i++) {
        struct mmsghdr *header = &socket->headers[i];
        arrivals[i] = (struct icmp_arrival){
            .bytes = socket->inboxes[i].bytes,
            .n = header->msg_len,
            .from = addr_from_sockaddr(&socket->inboxes[i].from),
            .is_error = flags & MSG_ERRQUEUE,
            .has_ip_header = socket->is_raw && socket->family == 4,
        };
        read_control(&header->msg_hdr, &arrivals[i]);
        if (!utc_is_known(arrivals[i].received))
            arrivals[i].received = clock_utc();
    }
    return n > 0 ? (size_t)n : 0;
}

size_t icmp_socket_receive(struct icmp_socket *socket, struct icmp_arrival arrivals[ICMP_BATCH])
{
    if (!socket->is_raw) {
        size_t errors = receive(socket, MSG_ERRQUEUE, arrivals);
        if (errors)
            return errors;
    }
    size_t n = receive(socket, 0, arrivals);
    /* A pending error is told once by the first call that meets it, in place of what it was to do.
     */
    return n || socket->is_raw ? n : receive(socket, 0, arrivals);
}
