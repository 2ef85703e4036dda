/* A target: one thing that is asked. Written the same in configuration, command line, log and API:
 *
 *     icmp:ADDRESS   tcp:ADDRESS:PORT   tls:HOST:PORT   smtp:HOST[:PORT]   dns:SERVER/NAME/TYPE
 *     trace:ADDRESS  http://...         https://...         dns+tcp:SERVER/NAME/TYPE
 *     zone:NAME[:PORT]   trace+udp:ADDRESS[:PORT]   trace+tcp:ADDRESS:PORT   block:NETWORK/24
 *     self:CHECK
 *
 * dns asks by UDP, and by TCP if the answer does not fit; dns+tcp by TCP alone. zone is a zone as a whole:
 * its delegation, all its name servers (at this port) and its signatures. trace finds the way by ICMP echo,
 * trace+udp by datagrams to a port where nothing should listen, trace+tcp by connecting. block is a whole
 * network of IPv4, of which some addresses are asked in each round until it is clear whether it answers. self is
 * what the vantage asks itself (model/own_checks.def).
 * IPv6 addresses stand in brackets where a port follows: tcp:[2001:db8::1]:443. */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include "base/addr.h"
#include "base/err.h"
#include "model/model.h"

#include <stdint.h>

enum target_kind {
    TARGET_ICMP,
    TARGET_TCP,
    TARGET_TLS,
    TARGET_SMTP,
    TARGET_DNS,
    TARGET_ZONE,
    TARGET_TRACE,
    TARGET_HTTP,
    TARGET_HTTPS,
    TARGET_BLOCK,
    TARGET_SELF,
    TARGET_KIND_COUNT
};

/* A part of the target's text: [text + at, text + at + n). */
struct part {
    uint16_t at, n;
};

enum { TARGET_TEXT_MAX = 2048 };

struct target {
    uint8_t kind; /* enum target_kind */
    uint8_t
        layer; /* host for icmp and block, path for trace, name for dns and zone, control for self, else service */
    uint8_t check; /* enum own_check; self */
    bool is_tcp;   /* dns: by TCP alone; trace: by TCP */
    uint16_t
        port; /* the default of the kind where none is written; 0 for icmp, block, trace by ICMP */
    struct part host; /* without brackets; the server for dns; what is asked itself for zone */
    struct part name; /* dns: the owner name; zone: the zone; http(s): path and query */
    struct part type; /* dns: the record type in capitals as written */
    struct addr
        addr; /* of the host, if that is an address (block: the first of the network); family 0 if it is a name */
};

/* A whole network or zone, and not what lies at one address. */
static inline bool target_is_whole(const struct target *target)
{
    return target->kind == TARGET_BLOCK || target->kind == TARGET_ZONE;
}

const char *target_kind_name(enum target_kind kind);

/* On failure `why` names what was found, what was expected and, for an unknown kind, the nearest one. */
enum err target_parse(const char *text, size_t n, struct target *out, struct why *why);

#endif
