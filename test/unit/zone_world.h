/* For the tests of zones: small name servers on loopback, which hold zones as a file would give them, sign
 * them, delegate, and fail as they are told.
 *
 *     zone_world_start(&world);
 *     struct held *kp = zone_world_hold(&world, "kp.", "@ SOA ns1 root 7 10 5 3600 60\n@ NS ns1\n...");
 *     held_sign(kp, now - 10, now + 1000);
 *     struct named *ns1 = zone_world_serve(&world, 2);        at 127.0.1.2
 *     named_hold(ns1, kp);
 *     ... while no question is under way, all of it may be changed ...
 *     zone_world_stop(&world); */
#ifndef TEST_UNIT_ZONE_WORLD_H
#define TEST_UNIT_ZONE_WORLD_H

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdint.h>

enum { WORLD_ZONES = 8, WORLD_SERVERS = 8 };

struct held {
    char origin[64];
    ldns_rr_list *records; /* with the signatures, if it is signed */
    ldns_key *key;         /* NULL: it is not */
    bool is_stripped;      /* delegations come without DS records, and without a proof */
};

struct named {
    unsigned long thread;
    int udp, tcp, stop[2];
    uint16_t port;
    const struct held *zones[WORLD_ZONES];
    size_t zone_count;
    /* How it fails. */
    bool is_silent, has_no_tcp, has_no_edns;
    bool is_resolver;  /* answers with RA from its first zone, and: */
    bool is_validator; /* ... SERVFAIL to who does not ask with CD */
    uint8_t rcode;     /* answers so to everything; 0: does not */
    unsigned asked;
};

struct zone_world {
    uint16_t port;
    struct held zones[WORLD_ZONES];
    struct named servers[WORLD_SERVERS];
    size_t zone_count, server_count;
};

void zone_world_start(struct zone_world *world);
void zone_world_stop(struct zone_world *world);
/* Lines of a zone file without TTL and class; "@" is the zone, names without a dot at the end lie in it. */
struct held *zone_world_hold(struct zone_world *world, const char *origin, const char *lines);
struct named *zone_world_serve(struct zone_world *world, unsigned last_octet);
void named_hold(struct named *server, const struct held *zone);

/* Other records in place of those that it had; unsigned. */
void held_set(struct held *zone, const char *lines);
/* Signs everything but what is delegated, with NSEC for that, with a new key if there is none. */
void held_sign(struct held *zone, int64_t from_s, int64_t until_s);
/* The DS record of a signed zone, as a line for its parent and as a trust anchor. */
const char *held_ds(const struct held *zone);

#endif
