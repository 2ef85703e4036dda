#include "sys/tcp_tap.h"

#include "base/mem.h"
#include "sys/sockaddr.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <unistd.h>

enum { PACKET_MAX = 128 /* the headers: 60 bytes of each at most */ };
enum { FLAGS_AT = 13, SYN = 0x02, RST = 0x04, ACK = 0x10 };

struct tcp_tap {
    int fd;
    int family;
    uint8_t bytes[TCP_TAP_BATCH][PACKET_MAX];
    struct sockaddr_storage from[TCP_TAP_BATCH];
    _Alignas(struct cmsghdr) char control[TCP_TAP_BATCH][64];
};

/* A filter of raw IPv4 sockets sees the IP header first, one of IPv6 only what follows it. */
static int filter(int fd, int family)
{
    struct sock_filter program[] = {
        family == 4 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0)
                    : (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, FLAGS_AT),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | RST | ACK),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, RST, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN | ACK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, PACKET_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog code = {sizeof program / sizeof *program, program};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code);
}

static enum err tell_denied(int family, int error, struct why *why)
{
    if (error != EACCES && error != EPERM)
        return why_set(why, ERR_IO, "cannot open a raw socket for TCP, IP version %d: %s", family,
                       strerror(error));
    return why_set(
        why, ERR_DENIED,
        "raw sockets are not permitted here, so it cannot be told whether the reset of a TCP "
        "connection came from as far away as the host's other packets; all else works. To permit "
        "it, "
        "give the program the right with `setcap cap_net_raw+ep PROGRAM` (systemd: "
        "AmbientCapabilities=CAP_NET_RAW)");
}

enum err tcp_tap_open(int family, struct tcp_tap **out, struct why *why)
{
    int on = 1;
    int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    IPPROTO_TCP);
    if (fd < 0)
        return tell_denied(family, errno, why);
    if (filter(fd, family)) {
        enum err err = why_set(why, ERR_IO, "cannot filter what a raw socket for TCP gets: %s",
                               strerror(errno));
        close(fd);
        return err;
    }
    if (family == 6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
    struct tcp_tap *tap = mem_new(1, sizeof *tap);
    tap->fd = fd;
    tap->family = family;
    *out = tap;
    return ERR_OK;
}

void tcp_tap_close(struct tcp_tap *tap)
{
    if (!tap)
        return;
    close(tap->fd);
    free(tap);
}

static uint8_t read_hops(struct msghdr *header)
{
    int hops = 0;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at))
        if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_HOPLIMIT)
            memcpy(&hops, CMSG_DATA(at), sizeof hops);
    return (uint8_t)hops;
}

size_t tcp_tap_receive(struct tcp_tap *tap, struct tcp_arrival arrivals[TCP_TAP_BATCH])
{
    struct mmsghdr headers[TCP_TAP_BATCH] = {0};
    struct iovec parts[TCP_TAP_BATCH];
    for (size_t i = 0; i < TCP_TAP_BATCH; i++) {
        parts[i] = (struct iovec){tap->bytes[i], PACKET_MAX};
        headers[i].msg_hdr = (struct msghdr){.msg_name = &tap->from[i],
                                             .msg_namelen = sizeof tap->from[i],
                                             .msg_iov = &parts[i],
                                             .msg_iovlen = 1,
                                             .msg_control = tap->control[i],
                                             .msg_controllen = sizeof tap->control[i]};
    }
    int n = recvmmsg(tap->fd, headers, TCP_TAP_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        arrivals[i] = (struct tcp_arrival){
            .bytes = tap->bytes[i],
            .n = headers[i].msg_len,
            .from = addr_from_sockaddr(&tap->from[i]),
            .ttl = read_hops(&headers[i].msg_hdr),
            .has_ip_header = tap->family == 4,
        };
    return n > 0 ? (size_t)n : 0;
}
