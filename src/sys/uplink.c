#include "sys/uplink.h"

#include "base/mem.h"
#include "sys/sockaddr.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two hosts that are nowhere near: a.root-servers.net. They are not sent anything. */
static const struct addr world4 = {.family = 4, .bytes = {198, 41, 0, 4}};
static const struct addr world6 = {
    .family = 6, .bytes = {0x20, 0x01, 0x05, 0x03, 0xba, 0x3e, [13] = 0x02, [15] = 0x30}};

/* Changes come in bursts, and a router's table changes all the time. */
#define SETTLE_NS (250 * NS_PER_MS)

union message {
    struct nlmsghdr header;
    uint8_t bytes[4096];
};

static void add_attribute(union message *message, unsigned short type, const void *value, size_t n)
{
    uint8_t *at = message->bytes + NLMSG_ALIGN(message->header.nlmsg_len);
    struct rtattr attribute = {.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(n)};
    memcpy(at, &attribute, sizeof attribute);
    memcpy(at + RTA_LENGTH(0), value, n);
    message->header.nlmsg_len =
        (uint32_t)(NLMSG_ALIGN(message->header.nlmsg_len) + RTA_ALIGN(RTA_LENGTH(n)));
}

static int family_of(const struct addr *addr)
{
    return addr->family == 4 ? AF_INET : AF_INET6;
}

/* Sends a request, and gets the first message of the answer in its place: the kernel has answered by the time
 * that send() returns. False if it is not of the type. */
static bool ask(union message *message, uint16_t type)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return false;
    ssize_t n = send(fd, message, message->header.nlmsg_len, 0);
    if (n > 0)
        n = recv(fd, message, sizeof *message, MSG_DONTWAIT);
    close(fd);
    size_t size = n > 0 ? (size_t)n : 0;
    return size >= sizeof message->header && NLMSG_OK(&message->header, size) &&
           message->header.nlmsg_type == type;
}

static void take_route(const struct rtattr *at, unsigned left, struct uplink *out)
{
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        size_t n = RTA_PAYLOAD(at);
        if (at->rta_type == RTA_OIF && n == sizeof out->interface) {
            memcpy(&out->interface, RTA_DATA(at), n);
        } else if (at->rta_type == RTA_GATEWAY && (n == 4 || n == 16)) {
            out->gateway = (struct addr){.family = n == 4 ? 4 : 6};
            memcpy(out->gateway.bytes, RTA_DATA(at), n);
        } else if (at->rta_type == RTA_VIA &&
                   (n == 2 + 4 || n == 2 + 16)) { /* of the other family */
            out->gateway = (struct addr){.family = n == 2 + 4 ? 4 : 6};
            memcpy(out->gateway.bytes, (const uint8_t *)RTA_DATA(at) + 2, n - 2);
        }
    }
}

static void look_up_route(int family, struct uplink *out)
{
    const struct addr *world = family == 4 ? &world4 : &world6;
    struct rtmsg body = {.rtm_family = (uint8_t)family_of(world),
                         .rtm_dst_len = (uint8_t)addr_bits(world)};
    union message message = {.header = {.nlmsg_type = RTM_GETROUTE,
                                        .nlmsg_flags = NLM_F_REQUEST,
                                        .nlmsg_len = NLMSG_LENGTH(sizeof body)}};
    memcpy(NLMSG_DATA(&message.header), &body, sizeof body);
    add_attribute(&message, RTA_DST, world->bytes, addr_bits(world) / 8);
    if (!ask(&message, RTM_NEWROUTE))
        return;
    const struct rtmsg *route = NLMSG_DATA(&message.header);
    if (route->rtm_type == RTN_UNICAST)
        take_route(RTM_RTA(route), (unsigned)RTM_PAYLOAD(&message.header), out);
}

static enum neighbour neighbour_of(unsigned state)
{
    if (state & NUD_FAILED)
        return NEIGHBOUR_FAILED;
    if (state & (NUD_REACHABLE | NUD_PERMANENT))
        return NEIGHBOUR_REACHABLE;
    return state & (NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_INCOMPLETE) ? NEIGHBOUR_UNSURE
                                                                        : NEIGHBOUR_UNKNOWN;
}

static void look_up_neighbour(struct uplink *out)
{
    struct ndmsg body = {.ndm_family = (uint8_t)family_of(&out->gateway),
                         .ndm_ifindex = out->interface};
    union message message = {.header = {.nlmsg_type = RTM_GETNEIGH,
                                        .nlmsg_flags = NLM_F_REQUEST,
                                        .nlmsg_len = NLMSG_LENGTH(sizeof body)}};
    memcpy(NLMSG_DATA(&message.header), &body, sizeof body);
    add_attribute(&message, NDA_DST, out->gateway.bytes, addr_bits(&out->gateway) / 8);
    if (!ask(&message, RTM_NEWNEIGH))
        return;
    const struct ndmsg *neighbour = NLMSG_DATA(&message.header);
    out->neighbour = neighbour_of(neighbour->ndm_state);
}

/* One that only reaches the wire itself does not count. */
static bool is_far_reaching(const struct ifaddrs *at, int family)
{
    if (!at->ifa_addr || at->ifa_addr->sa_family != (family == 4 ? AF_INET : AF_INET6))
        return false;
    struct addr addr = addr_from_sockaddr(at->ifa_addr);
    return !addr_is_link_local(&addr);
}

static bool has_address(const char *name, int family)
{
    struct ifaddrs *all;
    bool is_found = false;
    if (getifaddrs(&all))
        return true; /* not known to have none */
    for (const struct ifaddrs *at = all; at && !is_found; at = at->ifa_next)
        is_found = strcmp(at->ifa_name, name) == 0 && is_far_reaching(at, family);
    freeifaddrs(all);
    return is_found;
}

void uplink_look_at(int interface, int family, struct uplink *out)
{
    struct ifreq request = {.ifr_ifindex = interface};
    *out = (struct uplink){.interface = interface};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (ioctl(fd, SIOCGIFNAME, &request) == 0) {
        memcpy(out->name, request.ifr_name, sizeof out->name);
        out->name[sizeof out->name - 1] = '\0';
        out->is_running = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP &&
                          request.ifr_flags & IFF_RUNNING;
        out->has_address = has_address(out->name, family);
    }
    close(fd);
}

void uplink_look(int family, struct uplink *out)
{
    struct uplink way = {0};
    look_up_route(family, &way);
    *out = way;
    if (!way.interface)
        return;
    uplink_look_at(way.interface, family, out);
    out->gateway = way.gateway;
    if (way.gateway.family)
        look_up_neighbour(out);
}

/* The watch. */

struct uplink_watch {
    int fd;
    struct loop_fd *watcher;
    struct loop_timer *settling;
    void (*changed)(void *context);
    void *context;
};

/* What the messages say is of no interest, nor whether some were lost. */
static void drain(const struct uplink_watch *watch)
{
    enum { READS = 4096 };
    uint8_t byte;
    int reads = 0;
    while (reads++ < READS && (recv(watch->fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno == ENOBUFS))
        continue;
}

static void on_settled(void *context)
{
    struct uplink_watch *watch = context;
    drain(watch);
    loop_fd_want(watch->watcher, LOOP_READ);
    watch->changed(watch->context);
}

static void on_message(void *context, int events)
{
    (void)events;
    struct uplink_watch *watch = context;
    loop_fd_want(watch->watcher, 0);
    loop_timer_start(watch->settling, SETTLE_NS, 0);
}

struct uplink_watch *uplink_watch_new(struct loop *loop, void (*changed)(void *context),
                                      void *context)
{
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                 .nl_groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR |
                                              RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                              RTMGRP_IPV6_ROUTE};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&groups, sizeof groups)) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct uplink_watch *watch = mem_new(1, sizeof *watch);
    *watch = (struct uplink_watch){.fd = fd, .changed = changed, .context = context};
    watch->settling = loop_timer_new(loop, on_settled, watch);
    watch->watcher = loop_fd_new(loop, fd, on_message, watch);
    loop_fd_want(watch->watcher, LOOP_READ);
    return watch;
}

void uplink_watch_free(struct uplink_watch *watch)
{
    if (!watch)
        return;
    loop_fd_free(watch->watcher);
    loop_timer_free(watch->settling);
    close(watch->fd);
    free(watch);
}
