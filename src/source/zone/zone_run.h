/* Within zone*.c: one look at a zone, under way.
 *
 *     zone.c           begins and ends it, and sends what it asks
 *     zone_walk.c      from the root servers to the delegation: zone_walk_begin() ... zone_delegated()
 *     zone_servers.c   asks the name servers: zone_add_name() ..., until there is nothing left to wait for
 *     zone_view.c      says what it came to */
#ifndef SOURCE_ZONE_ZONE_RUN_H
#define SOURCE_ZONE_ZONE_RUN_H

#include "source/dns/dns_exchange.h"
#include "source/dns/dnssec.h"
#include "source/zone/zone.h"
#include "source/zone/zone_view.h"

/* A zone on the way down, and its servers. */
struct zone_cut {
    char name[DNS_NAME_TEXT]; /* "": there is none */
    struct addr servers[ZONE_VIA_MAX];
    size_t count;
    ldns_rr_list *keys; /* that are vouched for, or NULL */
    enum dnssec
        chain; /* down to this zone: VALID as long as it holds, UNCHECKED above the anchor */
};

/* A name server of an earlier look. */
struct zone_known {
    char name[DNS_NAME_TEXT];
    struct addr addr;
    uint32_t serial;
    struct mono behind; /* since when its serial has been behind; 0: it is not */
};

/* What is known from earlier looks. */
struct zone_memory {
    uint64_t settings;      /* a hash: the parent was found by these */
    struct zone_cut parent; /* without keys */
    struct mono learnt;
    unsigned turn; /* which of the parent's servers is asked */
    struct zone_known servers[ZONE_SERVERS_MAX];
    size_t server_count;
};

/* What a server gave, until it can be checked. */
struct zone_records {
    struct dnssec_set soa, names, keys;
    bool is_asked_rest;  /* for more than the SOA */
    bool has_signatures; /* it was asked with EDNS, so that there would be signatures */
    bool has_keys;       /* it has said which keys there are, if any */
};

enum { ZONE_CUT_NAMES_MAX = 4 };

struct zone_run {
    struct zone_run *next, **link; /* in the engine's list */
    struct agenda *agenda;
    struct resolver *resolver;
    struct question question;
    struct zone_settings settings;          /* but for the anchors, which are in `given` */
    struct zone_memory *memory, *forgotten; /* the target's, or for this question alone */
    struct stopwatch watch;
    struct agenda_entry deadline;
    char name[DNS_NAME_TEXT]; /* of the zone, with the dot at its end */
    ldns_rdf *dname;
    struct zone_task *tasks;
    struct zone_lookup *lookups;
    unsigned foreign;

    /* The way down. */
    struct zone_cut cut;
    size_t first, tried, asked; /* the server to begin with; how many were looked at, and asked */
    char sought[DNS_NAME_TEXT]; /* what they are asked for: so many labels of the zone's name */
    unsigned labels, questions; /* ... and how many questions were answered */
    bool is_from_memory;
    char cut_names[ZONE_CUT_NAMES_MAX][DNS_NAME_TEXT]; /* its servers, while they are looked up */
    size_t cut_name, cut_name_count;
    ldns_rr_list *given; /* the trust anchors that are configured, or NULL */
    ldns_rr_list
        *anchors; /* what vouches for the keys of the next zone, and in the end of this one */

    struct zone_view view;
    struct zone_records records[ZONE_SERVERS_MAX];
    bool is_sought[ZONE_NAMES_MAX]; /* the addresses of a name, by the resolver */
    struct dnssec_time time;
};

/* A question to a server. Silence is believed the second time, or at once. */
struct zone_query {
    const char *name, *type; /* the name lives as long as the run, the type for ever */
    unsigned flags;
    struct addr server;
    bool by_tcp;
    bool is_once;
    int about; /* what the asker likes: which server it was */
    void (*done)(struct zone_run *run, const struct zone_query *query,
                 const struct dns_result *result);
};
/* Is there a way to it, is it of a family that is wanted, and is it polite? */
bool zone_may_ask(const struct zone_run *run, const struct addr *addr);
/* done() comes later, or not at all if the time is over before. */
void zone_send(struct zone_run *run, const struct zone_query *query);
/* The addresses of a host, by the system's resolver; done() may come before this returns. */
void zone_look_up(struct zone_run *run, const char *host, int about,
                  void (*done)(struct zone_run *run, int about,
                               const struct lookup_result *result));

void zone_walk_begin(struct zone_run *run);

/* Takes up a name server with the addresses that a section has for it, by the parent or by the zone
 * itself; where there are none, they are looked up. */
void zone_add_name(struct zone_run *run, int name, const ldns_rr_list *section, bool is_parent);
void zone_add_server(struct zone_run *run, int name, const struct addr *addr);
/* Asks the resolver that is configured, if one is, how it takes the zone. */
void zone_ask_resolver(struct zone_run *run);
/* Nothing more will come: what is there is checked, and what has to be is remembered. */
void zone_servers_end(struct zone_run *run);

/* In small letters and with the dot at its end; "" if it does not fit. */
void zone_name_text(const ldns_rdf *name, char text[DNS_NAME_TEXT]);
/* Is the name below the zone, or the zone itself? */
bool zone_is_within(const ldns_rdf *name, const char *zone);

#endif
