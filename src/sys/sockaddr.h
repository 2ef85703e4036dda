/* Addresses between our form and the kernel's. */
#ifndef SYS_SOCKADDR_H
#define SYS_SOCKADDR_H

#include "base/addr.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static inline socklen_t sockaddr_from(const struct addr *addr, uint16_t port,
                                      struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, addr->bytes, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, addr->bytes, 16);
    return sizeof *in6;
}

/* Family 0 if it is neither IPv4 nor IPv6. An IPv4 address in IPv6 form stays as it is. */
static inline struct addr addr_from_sockaddr(const void *sockaddr)
{
    struct addr addr = {0};
    const struct sockaddr *any = (const struct sockaddr *)sockaddr;
    if (any->sa_family == AF_INET) {
        addr.family = 4;
        memcpy(addr.bytes, &((const struct sockaddr_in *)sockaddr)->sin_addr, 4);
    } else if (any->sa_family == AF_INET6) {
        addr.family = 6;
        memcpy(addr.bytes, &((const struct sockaddr_in6 *)sockaddr)->sin6_addr, 16);
    }
    return addr;
}

#endif
