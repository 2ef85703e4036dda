/* What one look at a zone has shown: its delegation by the parent, its own name servers, what each of
 * their addresses answered, and what its signatures are worth. A value; how it is put together is in
 * zone.c, what it comes to is here, and pure. */
#ifndef SOURCE_ZONE_ZONE_VIEW_H
#define SOURCE_ZONE_ZONE_VIEW_H

#include "source/probe/account.h"
#include "source/dns/dns_message.h"
#include "source/dns/dnssec.h"
#include "source/probe/question.h"

/* The largest zones have 13 servers with two addresses each. */
enum { ZONE_NAMES_MAX = 24, ZONE_SERVERS_MAX = 32, ZONE_ADDRS_MAX = 4 };

/* The name of a name server. `parent` and `own`: the addresses that the parent and the zone itself give it,
 * where they give any. */
struct zone_name {
    char text[DNS_NAME_TEXT];
    bool is_at_parent, is_in_zone;
    bool has_no_address; /* says the resolver */
    bool is_unknown;     /* ... or it could not be asked */
    struct addr parent[ZONE_ADDRS_MAX], own[ZONE_ADDRS_MAX];
    uint8_t parent_count, own_count;
};

/* What a server answered to the question for the SOA. OK only with authority. */
struct zone_heard {
    enum outcome outcome; /* NONE: it was not asked, or there was no time for an answer */
    uint16_t code;
    int64_t rtt_ns;
};

/* One address of a name server. */
struct zone_server {
    uint8_t name;
    struct addr addr;
    struct zone_heard udp, tcp;
    uint32_t serial;
    bool is_stale; /* has been behind the others for longer than it should (RFC 1035, 3.3.13) */
    int64_t
        expires_s;  /* when it drops the zone at the latest, if it goes on like this; 0: unknown */
    bool has_names; /* it told the zone's name servers: */
    uint32_t names; /* a bit for each */
    enum dnssec dnssec; /* what all that it gives is worth */
};

/* How a resolver takes the zone. */
enum zone_resolver {
    RESOLVER_UNASKED,
    RESOLVER_ANSWERS,
    RESOLVER_VALIDATES,
    RESOLVER_REJECTS, /* gives nothing, unless it is told not to validate: bogus to it */
    RESOLVER_FAILS,
};

struct zone_view {
    char parent[DNS_NAME_TEXT]; /* "" while it is not found */
    enum outcome delegation;    /* OK, or why there is none */
    uint16_t delegation_code;
    bool is_remembered;  /* it is an earlier one: `parent` could not be asked, or no root server */
    bool is_parent_seen; /* else its server has the zone too, and answers in its place */
    struct zone_name names[ZONE_NAMES_MAX];
    size_t name_count;
    struct zone_server servers[ZONE_SERVERS_MAX];
    size_t server_count;
    bool is_more;                                  /* than there is room for */
    uint32_t serial, refresh_s, retry_s, expire_s; /* of the newest SOA */
    bool is_signed;                                /* signatures were seen */
    bool is_anchored;                              /* something says that it has to be signed */
    char broken_at[DNS_NAME_TEXT]; /* the zone above at which the chain breaks; "" if it does not */
    enum dnssec chain;             /* down to this zone */
    int64_t signed_from_s, signed_until_s; /* of what ends first; 0: unknown */
    enum zone_resolver resolver;
    enum outcome resolver_outcome;
};

/* Finds or adds a name; -1 if there is no room. */
int zone_view_name(struct zone_view *view, const char *text);
/* Is a behind b? RFC 1982, section 3.2; of two that are a half turn apart neither is. */
bool zone_serial_is_behind(uint32_t a, uint32_t b);

/* What it comes to: outcome, stage, code, value (the newest serial) and round-trip time (the fastest
 * server's). */
void zone_view_judge(const struct zone_view *view, struct answer *out);
void zone_view_tell(const struct zone_view *view, struct account *account);

#endif
