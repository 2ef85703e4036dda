#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "zone_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- zones ---- */

static ldns_rdf *dname(const char *text)
{
    ldns_rdf *name = ldns_dname_new_frm_str(text);
    assert_non_null(name);
    return name;
}

static void add_line(struct held *zone, const ldns_rdf *origin, const char *line)
{
    ldns_rr *record = NULL;
    ldns_rdf *own_origin = ldns_rdf_clone(origin);
    ldns_status status = ldns_rr_new_frm_str(&record, line, 60, own_origin, NULL);
    if (status != LDNS_STATUS_OK)
        fail_msg("'%s': %s", line, ldns_get_errorstr_by_id(status));
    ldns_rr_list_push_rr(zone->records, record);
    ldns_rdf_deep_free(own_origin);
}

void held_set(struct held *zone, const char *lines)
{
    char line[1024];
    ldns_rdf *origin = dname(zone->origin);
    ldns_rr_list_deep_free(zone->records);
    zone->records = ldns_rr_list_new();
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        assert_true(n < sizeof line);
        memcpy(line, lines, n);
        line[n] = '\0';
        if (n)
            add_line(zone, origin, line);
        lines += n + (lines[n] == '\n');
    }
    ldns_rdf_deep_free(origin);
}

struct held *zone_world_hold(struct zone_world *world, const char *origin, const char *lines)
{
    assert_true(world->zone_count < WORLD_ZONES);
    struct held *zone = &world->zones[world->zone_count++];
    snprintf(zone->origin, sizeof zone->origin, "%s", origin);
    held_set(zone, lines);
    return zone;
}

/* Names with NS records below the zone itself are delegated, and so is what lies below them. */
static const ldns_rdf *delegation_of(const struct held *zone, const ldns_rdf *name)
{
    ldns_rdf *origin = dname(zone->origin);
    const ldns_rdf *found = NULL;
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        const ldns_rdf *owner = ldns_rr_owner(record);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_NS && ldns_dname_compare(owner, origin) != 0 &&
            (ldns_dname_compare(name, owner) == 0 || ldns_dname_is_subdomain(name, owner)))
            found = owner;
    }
    ldns_rdf_deep_free(origin);
    return found;
}

static void make_key(struct held *zone)
{
    enum { ZONE_AND_SEP = 257, BITS = 256 };
    zone->key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, BITS);
    assert_non_null(zone->key);
    ldns_key_set_pubkey_owner(zone->key, dname(zone->origin));
    ldns_key_set_flags(zone->key, ZONE_AND_SEP);
    ldns_rr *public = ldns_key2rr(zone->key);
    ldns_key_set_keytag(zone->key, ldns_calc_keytag(public));
    ldns_rr_free(public);
}

static ldns_rr_list *set_of(const struct held *zone, const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_rr_list *set = ldns_rr_list_new();
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        if (ldns_rr_get_type(record) == type &&
            ldns_dname_compare(ldns_rr_owner(record), owner) == 0)
            ldns_rr_list_push_rr(set, record);
    }
    return set;
}

static bool is_first_of_set(const struct held *zone, size_t index)
{
    const ldns_rr *record = ldns_rr_list_rr(zone->records, index);
    for (size_t i = 0; i < index; i++) {
        const ldns_rr *other = ldns_rr_list_rr(zone->records, i);
        if (ldns_rr_get_type(other) == ldns_rr_get_type(record) &&
            ldns_dname_compare(ldns_rr_owner(other), ldns_rr_owner(record)) == 0)
            return false;
    }
    return true;
}

/* What a delegation has, so that it is proven what it has not (RFC 4035, section 2.3). */
static void add_proof(struct held *zone, const ldns_rdf *owner)
{
    ldns_rr_list *there = set_of(zone, owner, LDNS_RR_TYPE_NSEC);
    ldns_rr_list *types = set_of(zone, owner, LDNS_RR_TYPE_NS);
    ldns_rr_list *ds = set_of(zone, owner, LDNS_RR_TYPE_DS);
    ldns_rdf *origin = dname(zone->origin);
    ldns_rr_list_push_rr_list(types, ds);
    if (!ldns_rr_list_rr_count(there)) {
        ldns_rr *proof = ldns_create_nsec((ldns_rdf *)owner, origin, types);
        ldns_rr_set_ttl(proof, 60);
        ldns_rr_list_push_rr(zone->records, proof);
    }
    ldns_rdf_deep_free(origin);
    ldns_rr_list_free(there);
    ldns_rr_list_free(types);
    ldns_rr_list_free(ds);
}

static void add_proofs(struct held *zone)
{
    ldns_rdf *origin = dname(zone->origin);
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_NS &&
            ldns_dname_compare(ldns_rr_owner(record), origin) != 0)
            add_proof(zone, ldns_rr_owner(record));
    }
    ldns_rdf_deep_free(origin);
}

void held_sign(struct held *zone, int64_t from_s, int64_t until_s)
{
    add_proofs(zone);
    if (!zone->key)
        make_key(zone);
    ldns_key_set_inception(zone->key, (uint32_t)from_s);
    ldns_key_set_expiration(zone->key, (uint32_t)until_s);
    ldns_rr *public = ldns_key2rr(zone->key);
    ldns_rr_set_ttl(public, 60);
    ldns_rr_list_push_rr(zone->records, public);
    ldns_key_list *keys = ldns_key_list_new();
    ldns_key_list_push_key(keys, zone->key);
    size_t count = ldns_rr_list_rr_count(zone->records);
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        bool is_parents = ldns_rr_get_type(record) == LDNS_RR_TYPE_DS ||
                          ldns_rr_get_type(record) == LDNS_RR_TYPE_NSEC;
        if (!is_first_of_set(zone, i) ||
            (delegation_of(zone, ldns_rr_owner(record)) && !is_parents))
            continue;
        ldns_rr_list *set = set_of(zone, ldns_rr_owner(record), ldns_rr_get_type(record));
        ldns_rr_list *signatures = ldns_sign_public(set, keys);
        ldns_rr_list_push_rr_list(zone->records, signatures);
        ldns_rr_list_free(signatures);
        ldns_rr_list_free(set);
    }
    ldns_key_list_set_key_count(keys, 0); /* the key is the zone's */
    ldns_key_list_free(keys);
}

const char *held_ds(const struct held *zone)
{
    static char text[512];
    ldns_rr *public = ldns_key2rr(zone->key);
    ldns_rr *ds = ldns_key_rr2ds(public, LDNS_SHA256);
    char *line = ldns_rr2str(ds);
    snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
    free(line);
    ldns_rr_free(ds);
    ldns_rr_free(public);
    return text;
}

/* ---- answers ---- */

static bool is_about(const ldns_rr *record, const ldns_rdf *name, ldns_rr_type type, bool is_signed)
{
    ldns_rr_type own = ldns_rr_get_type(record);
    const ldns_rdf *covered = own == LDNS_RR_TYPE_RRSIG ? ldns_rr_rrsig_typecovered(record) : NULL;
    bool is_signature = covered && is_signed && ldns_rdf2rr_type(covered) == type;
    return (own == type || is_signature) && ldns_dname_compare(ldns_rr_owner(record), name) == 0;
}

static size_t put(ldns_pkt *reply, ldns_pkt_section section, const struct held *zone,
                  const ldns_rdf *name, ldns_rr_type type, bool is_signed)
{
    size_t n = 0;
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        if (!is_about(record, name, type, is_signed))
            continue;
        ldns_pkt_push_rr(reply, section, ldns_rr_clone(record));
        n++;
    }
    return n;
}

static void put_glue(ldns_pkt *reply, ldns_pkt_section section, const struct held *zone)
{
    const ldns_rr_list *servers =
        section == LDNS_SECTION_ANSWER ? ldns_pkt_answer(reply) : ldns_pkt_authority(reply);
    for (size_t i = 0; i < ldns_rr_list_rr_count(servers); i++) {
        const ldns_rr *record = ldns_rr_list_rr(servers, i);
        if (ldns_rr_get_type(record) != LDNS_RR_TYPE_NS)
            continue;
        put(reply, LDNS_SECTION_ADDITIONAL, zone, ldns_rr_rdf(record, 0), LDNS_RR_TYPE_A, false);
        put(reply, LDNS_SECTION_ADDITIONAL, zone, ldns_rr_rdf(record, 0), LDNS_RR_TYPE_AAAA, false);
    }
}

static bool has_name(const struct held *zone, const ldns_rdf *name)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rdf *owner = ldns_rr_owner(ldns_rr_list_rr(zone->records, i));
        if (ldns_dname_compare(owner, name) == 0 || ldns_dname_is_subdomain(owner, name))
            return true;
    }
    return false;
}

/* What stands for every name that is not there (RFC 4592). */
static void put_wildcard(ldns_pkt *reply, const struct held *zone, const ldns_rdf *name,
                         ldns_rr_type type)
{
    ldns_rdf *star = dname("*"), *origin = dname(zone->origin);
    assert_int_equal(ldns_dname_cat(star, origin), LDNS_STATUS_OK);
    size_t n = put(reply, LDNS_SECTION_ANSWER, zone, star, type, false);
    for (size_t i = 0; i < n; i++) {
        ldns_rr *record = ldns_rr_list_rr(ldns_pkt_answer(reply), i);
        ldns_rdf_deep_free(ldns_rr_owner(record));
        ldns_rr_set_owner(record, ldns_rdf_clone(name));
    }
    if (!has_name(zone, star))
        ldns_pkt_set_rcode(reply, LDNS_RCODE_NXDOMAIN);
    ldns_rdf_deep_free(star);
    ldns_rdf_deep_free(origin);
}

static void fill_reply(ldns_pkt *reply, const struct held *zone, const ldns_rdf *name,
                       ldns_rr_type type, bool is_signed)
{
    const ldns_rdf *delegated = delegation_of(zone, name);
    ldns_rdf *origin = dname(zone->origin);
    bool is_parents =
        type == LDNS_RR_TYPE_DS && delegated && ldns_dname_compare(delegated, name) == 0;
    if (delegated && !is_parents) {
        put(reply, LDNS_SECTION_AUTHORITY, zone, delegated, LDNS_RR_TYPE_NS, false);
        if (is_signed && !zone->is_stripped &&
            !put(reply, LDNS_SECTION_AUTHORITY, zone, delegated, LDNS_RR_TYPE_DS, true))
            put(reply, LDNS_SECTION_AUTHORITY, zone, delegated, LDNS_RR_TYPE_NSEC, true);
        put_glue(reply, LDNS_SECTION_AUTHORITY, zone);
    } else {
        ldns_pkt_set_aa(reply, true);
        if (!put(reply, LDNS_SECTION_ANSWER, zone, name, type, is_signed))
            put(reply, LDNS_SECTION_AUTHORITY, zone, origin, LDNS_RR_TYPE_SOA, is_signed);
        if (is_parents && is_signed)
            put(reply, LDNS_SECTION_AUTHORITY, zone, name, LDNS_RR_TYPE_NSEC, true);
        if (type == LDNS_RR_TYPE_NS)
            put_glue(reply, LDNS_SECTION_ANSWER, zone);
        if (!has_name(zone, name))
            put_wildcard(reply, zone, name, type);
    }
    ldns_rdf_deep_free(origin);
}

/* The zone closest to a name; for what only the parent has, the one above. */
static const struct held *zone_for(const struct named *server, const ldns_rdf *name,
                                   ldns_rr_type type)
{
    const struct held *best = NULL;
    for (size_t i = 0; i < server->zone_count; i++) {
        ldns_rdf *origin = dname(server->zones[i]->origin);
        bool is_it = ldns_dname_compare(name, origin) == 0;
        bool fits = (is_it && type != LDNS_RR_TYPE_DS) || ldns_dname_is_subdomain(name, origin);
        if (fits && (!best || strlen(server->zones[i]->origin) > strlen(best->origin)))
            best = server->zones[i];
        ldns_rdf_deep_free(origin);
    }
    return best;
}

static void answer(const struct named *server, const ldns_pkt *query, ldns_pkt *reply)
{
    const ldns_rr *asked = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    const struct held *zone = zone_for(server, ldns_rr_owner(asked), ldns_rr_get_type(asked));
    bool is_signed = ldns_pkt_edns(query) && ldns_pkt_edns_do(query);
    ldns_pkt_set_ra(reply, server->is_resolver);
    if (server->rcode)
        ldns_pkt_set_rcode(reply, server->rcode);
    else if (server->has_no_edns && ldns_pkt_edns(query))
        ldns_pkt_set_rcode(reply, LDNS_RCODE_FORMERR);
    else if (server->is_validator && !ldns_pkt_cd(query))
        ldns_pkt_set_rcode(reply, LDNS_RCODE_SERVFAIL);
    else if (!zone || ldns_rr_get_class(asked) != LDNS_RR_CLASS_IN)
        ldns_pkt_set_rcode(reply, LDNS_RCODE_REFUSED);
    else
        fill_reply(reply, zone, ldns_rr_owner(asked), ldns_rr_get_type(asked), is_signed);
    if (server->is_resolver)
        ldns_pkt_set_aa(reply, false);
    if (ldns_pkt_edns(query) && !server->has_no_edns) {
        ldns_pkt_set_edns_udp_size(reply, 1232);
        ldns_pkt_set_edns_do(reply, is_signed);
    }
}

/* The reply to a query, for free(); 0: none. */
static size_t reply_to(struct named *server, const uint8_t *bytes, size_t n, uint8_t **out)
{
    ldns_pkt *query = NULL;
    size_t size = 0;
    server->asked++;
    if (server->is_silent || ldns_wire2pkt(&query, bytes, n) != LDNS_STATUS_OK)
        return 0;
    ldns_pkt *reply = ldns_pkt_new();
    ldns_pkt_set_id(reply, ldns_pkt_id(query));
    ldns_pkt_set_qr(reply, true);
    ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION,
                     ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(query), 0)));
    answer(server, query, reply);
    if (ldns_pkt2wire(out, reply, &size) != LDNS_STATUS_OK)
        size = 0;
    ldns_pkt_free(query);
    ldns_pkt_free(reply);
    return size;
}

/* ---- servers ---- */

/* What does not fit into a datagram is left out: header and question remain, and TC. */
static size_t cut(uint8_t *reply, size_t size)
{
    enum { HEADER = 12, TC = 2, MOST = 1232 };
    size_t at = HEADER;
    if (size <= MOST)
        return size;
    while (reply[at])
        at += reply[at] + 1U;
    reply[2] |= TC;
    memset(reply + 6, 0, HEADER - 6);
    return at + 5;
}

static void serve_udp(struct named *server)
{
    uint8_t bytes[512], *reply = NULL;
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(server->udp, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
    size_t size = n > 0 ? reply_to(server, bytes, (size_t)n, &reply) : 0;
    if (size)
        sendto(server->udp, reply, cut(reply, size), 0, (struct sockaddr *)&from, length);
    free(reply);
}

static void serve_tcp(struct named *server)
{
    uint8_t bytes[514], length[2], *reply = NULL;
    int fd = accept(server->tcp, NULL, NULL);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ssize_t n = fd >= 0 && poll(&readable, 1, 1000) == 1 ? read(fd, bytes, sizeof bytes) : 0;
    size_t size = n > 2 ? reply_to(server, bytes + 2, (size_t)n - 2, &reply) : 0;
    length[0] = (uint8_t)(size >> 8);
    length[1] = (uint8_t)size;
    if (size && !server->has_no_tcp && send(fd, length, 2, MSG_NOSIGNAL) == 2)
        send(fd, reply, size, MSG_NOSIGNAL);
    free(reply);
    close(fd);
}

static void *serve(void *context)
{
    struct named *server = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->udp, .events = POLLIN},
                               {.fd = server->tcp, .events = POLLIN},
                               {.fd = server->stop[0], .events = POLLIN}};
        poll(fds, 3, -1);
        if (fds[2].revents)
            return NULL;
        if (fds[0].revents)
            serve_udp(server);
        if (fds[1].revents)
            serve_tcp(server);
    }
}

static int bound(int type, unsigned last_octet, uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_port = htons(*port),
                              .sin_addr.s_addr = htonl(0x7f000100U + last_octet)};
    socklen_t length = sizeof own;
    int on = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

struct named *zone_world_serve(struct zone_world *world, unsigned last_octet)
{
    assert_true(world->server_count < WORLD_SERVERS);
    struct named *server = &world->servers[world->server_count++];
    pthread_t thread;
    *server = (struct named){.udp = bound(SOCK_DGRAM, last_octet, &world->port)};
    server->tcp = bound(SOCK_STREAM, last_octet, &world->port);
    assert_int_equal(listen(server->tcp, 16), 0);
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, server), 0);
    server->thread = thread;
    return server;
}

void named_hold(struct named *server, const struct held *zone)
{
    assert_true(server->zone_count < WORLD_ZONES);
    server->zones[server->zone_count++] = zone;
}

void zone_world_start(struct zone_world *world)
{
    *world = (struct zone_world){0};
}

void zone_world_stop(struct zone_world *world)
{
    for (size_t i = 0; i < world->server_count; i++) {
        struct named *server = &world->servers[i];
        assert_int_equal(write(server->stop[1], "x", 1), 1);
        pthread_join((pthread_t)server->thread, NULL);
        close(server->udp);
        close(server->tcp);
        close(server->stop[0]);
        close(server->stop[1]);
    }
    for (size_t i = 0; i < world->zone_count; i++) {
        ldns_rr_list_deep_free(world->zones[i].records);
        if (world->zones[i].key)
            ldns_key_deep_free(world->zones[i].key);
    }
}
