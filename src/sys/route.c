#include "sys/route.h"

#include "base/mem.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr attribute;
    uint8_t addr[16];
};

static struct request request_for(const struct addr *addr)
{
    size_t bytes = addr_bits(addr) / 8;
    struct request request = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = addr->family == 4 ? AF_INET : AF_INET6,
                  .rtm_dst_len = (uint8_t)addr_bits(addr)},
        .attribute = {.rta_type = RTA_DST, .rta_len = (uint16_t)RTA_LENGTH(bytes)},
    };
    memcpy(request.addr, addr->bytes, bytes);
    request.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof request.route) + RTA_LENGTH(bytes));
    return request;
}

/* A cable that is pulled out leaves its routes in place. */
static bool is_running(int fd, int interface)
{
    struct ifreq request = {.ifr_ifindex = interface};
    if (ioctl(fd, SIOCGIFNAME, &request) || ioctl(fd, SIOCGIFFLAGS, &request))
        return true; /* not known to be down */
    return request.ifr_flags & IFF_UP && request.ifr_flags & IFF_RUNNING;
}

static enum route_kind kind_of_route(int fd, struct nlmsghdr *header)
{
    const struct rtmsg *route = NLMSG_DATA(header);
    if (route->rtm_type == RTN_LOCAL)
        return ROUTE_OWN;
    if (route->rtm_type != RTN_UNICAST)
        return ROUTE_NONE;
    enum route_kind kind = ROUTE_LINK;
    struct rtattr *at = RTM_RTA(route);
    unsigned left = (unsigned)RTM_PAYLOAD(header);
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        if (at->rta_type == RTA_GATEWAY || at->rta_type == RTA_VIA || at->rta_type == RTA_MULTIPATH)
            kind = ROUTE_GATEWAY;
        if (at->rta_type == RTA_OIF && RTA_PAYLOAD(at) == sizeof(int)) {
            int interface;
            memcpy(&interface, RTA_DATA(at), sizeof interface);
            if (!is_running(fd, interface))
                return ROUTE_NONE;
        }
    }
    return kind;
}

static enum route_kind kind_of_reply(int fd, struct nlmsghdr *header, size_t n)
{
    if (!NLMSG_OK(header, n))
        return ROUTE_UNKNOWN;
    if (header->nlmsg_type == RTM_NEWROUTE)
        return kind_of_route(fd, header);
    if (header->nlmsg_type != NLMSG_ERROR)
        return ROUTE_UNKNOWN;
    switch (-((const struct nlmsgerr *)NLMSG_DATA(header))->error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EACCES: /* prohibit */
    case EINVAL: /* blackhole */
        return ROUTE_NONE;
    default:
        return ROUTE_UNKNOWN;
    }
}

struct route_asker {
    int fd; /* -1: to be opened (again) */
    uint32_t seq;
};

struct route_asker *route_asker_new(void)
{
    struct route_asker *asker = mem_new(1, sizeof *asker);
    asker->fd = -1;
    return asker;
}

static void close_socket(struct route_asker *asker)
{
    if (asker->fd >= 0)
        close(asker->fd);
    asker->fd = -1;
}

void route_asker_free(struct route_asker *asker)
{
    if (!asker)
        return;
    close_socket(asker);
    free(asker);
}

/* False if there is no answer to this very request: then the socket is not to be relied upon. */
static bool exchange(struct route_asker *asker, const struct addr *addr, enum route_kind *kind)
{
    struct request request = request_for(addr);
    _Alignas(struct nlmsghdr) char reply[4096];
    struct nlmsghdr *header = (struct nlmsghdr *)reply;
    request.header.nlmsg_seq = ++asker->seq;
    /* The kernel has answered by the time that send() returns; it is never waited for. */
    if (send(asker->fd, &request, request.header.nlmsg_len, 0) <= 0)
        return false;
    ssize_t n = recv(asker->fd, reply, sizeof reply, MSG_DONTWAIT);
    if (n < (ssize_t)sizeof *header || header->nlmsg_seq != asker->seq)
        return false;
    *kind = kind_of_reply(asker->fd, header, (size_t)n);
    return true;
}

enum route_kind route_ask(struct route_asker *asker, const struct addr *addr)
{
    enum route_kind kind = ROUTE_UNKNOWN;
    if (asker->fd < 0)
        asker->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (asker->fd >= 0 && !exchange(asker, addr, &kind))
        close_socket(asker);
    return kind;
}

enum route_kind route_to(const struct addr *addr)
{
    struct route_asker asker = {.fd = -1};
    enum route_kind kind = route_ask(&asker, addr);
    close_socket(&asker);
    return kind;
}
