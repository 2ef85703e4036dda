/* Who resets a connection: the host that was asked, or something on the way in its name? A packet's TTL tells from how far
 * away it came, and a reset with another one than the host's other packets have is one that others may have sent; a
 * path that has changed meanwhile looks the same, so that it is told and not judged.
 *
 * Needs a tap (sys/tcp_tap.h); without one nothing is known. What came for a connection is kept until others take its
 * place, and so is the TTL of a host: both in tables of a fixed size, to which the outside has no key. */
#ifndef SOURCE_PROBE_RESET_WATCH_H
#define SOURCE_PROBE_RESET_WATCH_H

#include "source/probe/account.h"
#include "sys/loop.h"
#include "sys/tcp_tap.h"

struct reset_watch;

/* Takes over the taps of IPv4 and IPv6; NULL: there is none. */
struct reset_watch *reset_watch_new(struct loop *loop, struct tcp_tap *const taps[2]);
void reset_watch_free(struct reset_watch *watch); /* NULL is fine */

struct connection {
    struct addr peer;
    uint16_t peer_port, own_port;
};

/* With which TTL a packet came for this connection; 0: none did, or it is not known. */
uint8_t reset_watch_reset(struct reset_watch *watch, const struct connection *connection);
uint8_t reset_watch_accept(struct reset_watch *watch, const struct connection *connection);

/* Tells the account of the reset that ended a connection, and how its TTL compares with that of the host's other
 * packets, the SYN+ACK of the same connection above all. */
void reset_watch_tell(struct reset_watch *watch, const struct connection *connection,
                      struct account *account, int64_t elapsed_ns);

/* With which TTL packets of the host come that are no resets. */
void reset_watch_note(struct reset_watch *watch, const struct addr *host, int ttl);
uint8_t reset_watch_host(const struct reset_watch *watch,
                         const struct addr *host); /* 0: not known */

#endif
