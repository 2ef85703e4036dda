#include "sys/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
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
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 1},
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

enum route_kind route_to(const struct addr *addr)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return ROUTE_UNKNOWN;
    struct request request = request_for(addr);
    _Alignas(struct nlmsghdr) char reply[4096];
    enum route_kind kind = ROUTE_UNKNOWN;
    /* The kernel has answered by the time that send() returns; it is never waited for. */
    if (send(fd, &request, request.header.nlmsg_len, 0) > 0) {
        ssize_t n = recv(fd, reply, sizeof reply, MSG_DONTWAIT);
        if (n > 0)
            kind = kind_of_reply(fd, (struct nlmsghdr *)reply, (size_t)n);
    }
    close(fd);
    return kind;
}
