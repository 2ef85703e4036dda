/* The configuration file (YAML). Every fault names file:line:column, what was found and what was
 * expected, and all are told, up to twenty, not only the first.
 *
 *     journal: lastlight.db                  # relative to the folder of this file
 *     asn_db: GeoLite2-ASN.mmdb               # of which AS routers on the way are
 *     contact: mailto:noc@example.net        # so that those who are asked can ask back
 *     vantage:
 *       name: lon
 *       controls: [icmp:192.0.2.1, {target: "tcp:192.0.2.7:443", interval: 10s}]
 *       ntp: [192.0.2.123, ntp.example.net]
 *     defaults: {interval: 30s, timeout: 3s, count: 1}
 *     limits: {rate: 1000, neighbourhood: 50, follow_up: 100}
 *     blocks: {round: 10m, timeout: 3s, known: [known.txt], countries: [delegated-apnic-latest],
 *              tables: [rib.20220207.0000.gz]}
 *     exclude: [192.0.2.0/28, 198.51.100.7, {file: do-not-probe.txt}]
 *     allow: [10.0.0.0/8]
 *     subjects:
 *       - name: kp
 *         title: North Korea
 *         timezone: "+09:00"
 *         zones: [kp., {zone: com.kp., interval: 10m, resolver: 192.0.2.53}]
 *         prefixes: [175.45.176.0/22]
 *         asns: [131279]
 *         countries: [KP]
 *         blocks: [175.45.176.0/22, {country: KP}, {asn: 131279}]
 *         targets: [icmp:175.45.176.71, {target: "http://kcna.kp/", interval: 60s, expect: 200,
 *                                        text: "Korean Central News"}]
 *     routes:
 *       collector: rrc00
 *       archives: [archive/2022-01, "https://data.ris.ripe.net/rrc00/2022.02/updates.20220207.0530.gz"]
 *       bmp: {listen: "192.0.2.9:11019", table: pre-policy}    # or bmp: "192.0.2.9:11019"
 *       bgp:
 *         listen: "192.0.2.9:179"
 *         asn: 64512
 *         id: 192.0.2.9
 *         hold: 90s
 *         collector: lon-bgp
 *         peers: [{address: 192.0.2.1, asn: 64500, md5: "a secret"},
 *                 {address: "2001:db8::1", asn: 64501, md5: {file: keys/edge1}}]
 *       ris_live: {hosts: [rrc06, rrc15], client: lastlight-lon}     # or ris_live: yes
 *       whole_table: {countries: [delegated, GeoLite2-Country.mmdb]} # or whole_table: yes
 *
 * `expect` is the status that a http or https target must answer with (without it: any 2xx or 3xx),
 * `text` what its page must contain, byte for byte and within the first HTTP_BODY_MAX bytes, so that
 * a default page left by an update is not taken for the site; PROBER_TEXT_MAX bytes at most. A
 * redirect is not followed, if nothing else is said: its own page must contain the text.
 *
 * The vantage asks itself how it is (source/probe/own.h), whether that is written or not; `ntp` are the servers that
 * it asks how wrong its clock is, every 64 s. Three or more find out which of them is wrong.
 *
 * `limits` are how many probes go out a second: in all, and to one neighbourhood, which is a /24, a /48 or,
 * while its address is not known, a host name. What is beyond waits. `follow_up` is how many of them a second are
 * asked out of turn, when something goes dark or comes back (source/probe/follow_up.h): a tenth of the rate where
 * nothing is said, and with 0 nothing is followed. `exclude` are addresses that are never sent
 * anything: prefixes, single addresses, and files of them, one a line, with comments after '#'. A
 * target there is an error; a name that leads there is not asked. Private and reserved addresses are
 * only asked if they are targets themselves, or if a name leads to them and they are within `allow`.
 *
 * A http or https target with `follow: N` is followed through so many redirects, and `expect` and `text` are of where
 * that ends; more of them are a failure. Of a target that names a host one address is asked, in the order
 * of RFC 6724; with `addresses: ipv4` or `ipv6` only one of that family, with `addresses: all` each of
 * them: it is degraded if only some of them work.
 *
 * `archives` are read in before anything is watched: files, folders, and URLs, which are fetched and kept; or
 * those that a collector has on the web, {collector: rrc00, from: 2022-02-07T05:30:00Z, until:
 * 2022-02-07T06:30:00Z}, with `rib: yes` from the table before that on, with `site` from a mirror. `run` begins
 * once all of them can be had.
 *
 * Each of `zones` is looked at as a whole (source/zone/zone.h), every five minutes where nothing else is
 * written: it is a target of its own, zone:kp. `via` are addresses of root servers, where they are not the
 * Internet's; `trust_anchors` DS or DNSKEY records of the zone or of one above it, as zone files have
 * them; `resolver` is the address of one that is asked how it takes the zone.
 *
 * The `blocks` of a subject are whole networks: each /24 of a prefix, of a country or of an AS, whose availability is
 * judged over rounds (source/blocks/block_prober.h) and which is a target of its own, block:175.45.176.0/24. They are
 * asked once in each `round` (1s to 1h), where `timeout` is how long an answer may take. `known` are files of what is known
 * of networks beforehand (block_file.h); of the others it is learned first. `countries` are files and
 * folders that say which networks a country has (source/origins/countries.h), `tables` MRT table dumps by which an AS
 * is the origin of its networks; they are read when the configuration is, which with a table of the whole Internet
 * takes a while, in which nothing is probed: write the prefixes down where that matters. Private and reserved networks are only asked where their prefix is written here or allowed.
 *
 * `bmp` is where `run` listens for routers that tell their routes by BMP (RFC 7854): an address and a
 * port, "[2001:db8::1]:11019", or ":11019" for all addresses. Whoever can connect there is believed.
 * Without `collector` each router is called by the name that it gives itself. Of the tables that a
 * router can tell of, `table` names the one that is used: pre-policy (its peers' routes as they came
 * in, the best to have), post-policy, loc-rib, adj-rib-out or adj-rib-out-pre-policy. Without it
 * pre-policy is; a router that tells nothing of it within a minute, but of another, is cut off once,
 * and then that one is used. FRR tells pre-policy of peers with `soft-reconfiguration inbound` only, and
 * calls all others' routes withdrawn.
 *
 * `bgp` is where `run` listens for routers that give their tables by BGP, as a speaker of this AS that
 * announces nothing. Only `peers` may connect, and those with `md5` only with TCP MD5 signatures of
 * that key (RFC 2385), 80 bytes at most, written here or alone in a file. A peer without `asn` may be
 * of any. `id` is the BGP identifier, which no router that it meets has; without it, it is the
 * address, if that is of IPv4. `hold` is how long a peer may be silent (3s to 1h). All that comes this way is of one
 * collector, called like the vantage with "-bgp" behind it, if it has no name.
 *
 * `ris_live` is whether `run` listens to RIPE's route collectors as they are streamed by RIS Live: to
 * those of `hosts`, a connection each, or to all that there are, which is some MB a second. `client` is
 * by what name it asks, else "lastlight-" and the vantage's; `url` another place that streams the like.
 *
 * `whole_table` is whether the whole routing table is kept of all that is told, so that every five minutes the
 * journal has how much of each AS's address space is visible, and with `countries` of each country's. Those
 * are delegated files of the registries or a MaxMind database, or folders of them (countries.h). A subject's
 * `asns` and `countries` are told of every time.
 *
 * Only `subjects` must be there. Who sets no controls cannot tell his own failure from that of
 * others; that is a warning. */
#ifndef APP_CONFIG_CONFIG_H
#define APP_CONFIG_CONFIG_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/mem.h"
#include "model/subject.h"
#include "source/bgp/bgp_listener.h"
#include "source/bgp/bmp_listener.h"
#include "source/bgp/ris_live.h"
#include "source/blocks/block_prober.h"
#include "source/probe/prober.h"
#include "source/stream.h"
#include "source/web/archive_list.h"

enum {
    CONFIG_BYTES_MAX = 4 * 1024 * 1024,
    CONFIG_TARGETS_MAX = 100 * 1000, /* of all subjects; as many members of one subject */
    CONFIG_NAME_MAX = 64
};

struct bgp_config {
    const char *listen;  /* where, as it is written; NULL: nowhere */
    struct addr address; /* family 0: everywhere */
    uint16_t port;
    uint32_t asn;
    struct addr id; /* IPv4 */
    uint16_t hold_s;
    const char *collector;
    struct bgp_peer_options *peers;
    size_t peer_count, peer_capacity;
};

struct ris_live_config {
    bool is_wanted;
    const char *url;    /* NULL: RIPE's */
    const char *client; /* set if it is wanted */
    const char **hosts; /* none: all */
    size_t host_count, host_capacity;
};

struct table_config {
    bool is_wanted;
    const char **countries; /* files and folders */
    size_t country_count, country_capacity;
};

enum { BLOCK_PATHS_MAX = 16 };
struct block_paths {
    const char *list[BLOCK_PATHS_MAX];
    size_t count;
};

struct blocks_config {
    struct block_plan *plan; /* of all subjects, in order, each once */
    size_t count, capacity;
    struct block_settings settings;
    struct block_paths known;             /* what is known of networks, block_file.h */
    struct block_paths countries, tables; /* by which they were found */
};

struct config {
    const char *path;
    struct manners_options manners;
    const char *journal;     /* path, relative to the configuration file's folder already applied */
    const char *vantage;     /* name; the host name if not given */
    const char *asn_db;      /* of which AS addresses are: a database's path; NULL if not given */
    const char *contact;     /* put into the User-Agent; NULL if not given */
    struct probe_plan *plan; /* everything that is probed, controls first */
    size_t plan_count, plan_capacity, control_count;
    const char *clocks[PROBER_CLOCKS_MAX]; /* NTP servers, as they are written */
    size_t clock_count;
    struct subject_spec *subjects;
    size_t subject_count, subject_capacity;
    struct watch watch; /* of all subjects */
    struct prefix *prefixes;
    size_t prefix_capacity;
    uint32_t *asns;
    size_t asn_capacity;
    const char **archives; /* files, folders and URLs that `run` reads in first */
    size_t archive_count, archive_capacity;
    struct archive_span archive_span; /* or these; no collector: none */
    const char *cache;                /* where to keep what is fetched; NULL: where it is usual */
    const char *collector;            /* NULL if not given */
    const char *bmp;                  /* where to listen, as it is written; NULL: nowhere */
    struct addr bmp_address;          /* family 0: everywhere */
    uint16_t bmp_port;
    enum bmp_table bmp_table; /* BMP_TABLES: as each router has it */
    struct bgp_config bgp;
    struct ris_live_config ris_live;
    struct table_config table;
    struct blocks_config blocks;
    const char **warnings; /* "FILE:LINE:COLUMN: ..." */
    size_t warning_count, warning_capacity;
    struct arena arena;
};

/* ERR_CONFIG with every fault as a line in `faults` and the first of them in `why`; other errors
 * are of the file. */
enum err config_load(const char *path, struct config *out, struct buffer *faults, struct why *why);
/* The same from memory; `path` is for messages and for relative paths. Files that it names are not
 * read: a peer's key that is in one is then "". */
enum err config_parse(const char *path, const void *bytes, size_t n, struct config *out,
                      struct buffer *faults, struct why *why);
void config_done(struct config *config);

/* All that `run` asks: the plan, and what the vantage asks itself if there is a plan. To be freed; the texts are not
 * copied. */
struct probe_plan *config_whole_plan(const struct config *config, size_t *count);

/* 131279 or AS131279; text may be NULL. */
bool config_parse_asn(const char *text, uint32_t *asn);

/* The subject of this name, NULL if there is none; and whether there is one that is the same in
 * everything. */
const struct subject_spec *config_find_subject(const struct config *config, const char *name);
bool config_has_subject(const struct config *config, const struct subject_spec *subject);
/* Whether both watch the same prefixes and ASes; whether their live routes come in the same way, by BMP, by
 * BGP, by RIS Live; and whether they keep the same whole table. */
bool config_has_same_watch(const struct config *a, const struct config *b);
bool config_has_same_bmp(const struct config *a, const struct config *b);
bool config_has_same_bgp(const struct config *a, const struct config *b);
bool config_has_same_ris_live(const struct config *a, const struct config *b);
bool config_has_same_table(const struct config *a, const struct config *b);

/* What we are called by those whom we ask over HTTP, with the contact. */
void config_user_agent(const struct config *config, struct buffer *out);

/* Probes a second, were they not held back. */
double config_rate(const struct config *config);
/* Probes a second to whole networks, at most: as many as a round may take, which a census does. */
double config_block_rate(const struct config *config);
/* A line for each archive that would be fetched and for each question that would be asked again and again,
 * for --dry-run. */
void config_dry_run(const struct config *config, bool is_json, struct buffer *out);
/* What would be watched, how often, and what is doubtful, for --check-config. */
void config_describe(const struct config *config, bool is_json, struct buffer *out);

#endif
