/* Routes as JSON Lines: one object an element, members in this order, those that do not apply left out.
 *
 *     type        announce, withdraw, table (an entry of a dump), state, end_of_rib; open, notification, keepalive,
 *                 route_refresh
 *     time        RFC 3339 in UTC, with as many decimals as it has
 *     collector, peer, peer_asn (not of the few records that do not say whose they are), sent (true: by the
 *     collector, or the router of a BMP session, to the peer)
 *     table       of BMP: pre-policy, post-policy, loc-rib, adj-rib-out, adj-rib-out-pre-policy
 *     distinguisher  of BMP, where it is not 0: which of a router's instances the peer is of, "64500:1"
 *     prefix, path_id (with ADD-PATH)
 *     path        "64500 4837 {131279,131280}", origin_asn (not where the path ends in a set)
 *     origin      igp, egp, incomplete
 *     next_hop, med, local_pref, communities, large_communities, extended_communities ("rt:64500:1", "soo:...",
 *     or 16 digits after "0x"), atomic_aggregate, aggregator {asn, address}
 *     family      of end_of_rib: ipv4, ipv6; left out of others
 *     safi        multicast, or unicast_and_multicast
 *     originated  of table: when it came
 *     faulty      true: a withdrawal that was announced with a wrong attribute (RFC 7606, 2)
 *     from, to    of state: idle, connect, active, opensent, openconfirm, established, or a number; RIS
 *                 Live does not always tell from which
 *     code, subcode of notification; asn, hold_time, bgp_id of open
 *
 * What an observation log has, too, is called and written as it is there. */
#ifndef APP_ROUTE_JSON_H
#define APP_ROUTE_JSON_H

#include "app/route_line.h"

/* Of a name that a user gives; longer ones are cut. */
enum { ROUTE_COLLECTOR_MAX = 255 };

struct route_json;

struct route_json *route_json_new(void);
void route_json_free(struct route_json *json);

/* Writes a line of at most ROUTE_LINE_MAX bytes and returns its end. */
char *route_json_line(struct route_json *json, const struct route_file *file,
                      const struct element *element, char *at);

#endif
