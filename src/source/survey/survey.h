/* What there is to be watched of a zone, an AS or a country, as far as it can be found out: names and their
 * addresses from the DNS (survey_names.h), prefixes from table dumps (survey_routes.h) and from what the
 * registries have delegated (origins/countries.h).
 *
 * What comes from outside has caps; what does not fit is counted. Names hold nothing but letters, digits,
 * hyphens, underscores and dots, in lower case and with the dot at the end. */
#ifndef SOURCE_SURVEY_SURVEY_H
#define SOURCE_SURVEY_SURVEY_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SURVEY_NAME_TEXT = 256, /* with the NUL */
    SURVEY_ADDRS = 8,       /* of a name */
    SURVEY_ZONES_MAX = 256,
    SURVEY_HOSTS_MAX = 512,
    SURVEY_ASNS_MAX = 10000,
    SURVEY_PREFIXES_MAX = 100000
};

enum survey_role {
    SURVEY_NAME_SERVER = 1 << 0, /* of one of the zones */
    SURVEY_MAIL = 1 << 1,        /* takes mail for one of them */
    SURVEY_WEB = 1 << 2,         /* its name says that it has pages */
    SURVEY_HOST = 1 << 3,        /* has a name that is usual */
};

struct survey_host {
    char name[SURVEY_NAME_TEXT];
    unsigned roles; /* of enum survey_role */
    size_t
        zone; /* of which it is a name server or takes mail, or in which it is: the first of them */
    struct addr addrs[SURVEY_ADDRS];
    size_t addr_count;
};

/* Why an AS or a prefix is there. */
enum survey_source {
    SURVEY_ASKED_FOR = 1 << 0,
    SURVEY_REGISTRY = 1 << 1, /* delegated to the country */
    SURVEY_ROUTES =
        1 << 2, /* an AS that is there originates it; of an AS: it originates something */
    SURVEY_HAS_HOST =
        1 << 3, /* a host is in it, whoever originates it; of an AS: in what it originates */
};

struct survey_asn {
    uint32_t asn;
    unsigned sources;  /* of enum survey_source */
    unsigned prefixes; /* that it originates, as most peers see it */
};

struct survey_prefix {
    struct prefix prefix;
    unsigned sources;
    uint32_t origin;             /* as most peers have it; 0: nobody was heard to announce it */
    unsigned peers, peers_total; /* live full-feed peers that carry it, of all; of 0: not known */
};

struct survey {
    char zones[SURVEY_ZONES_MAX]
              [SURVEY_NAME_TEXT]; /* the one that was asked for, then those below it */
    size_t zone_count;
    struct survey_host *hosts;
    size_t host_count, host_capacity;
    struct survey_asn *asns; /* by number */
    size_t asn_count, asn_capacity;
    struct survey_prefix *prefixes; /* by survey_sort() in order of address */
    size_t prefix_count, prefix_capacity;
    uint64_t refused; /* for which there was no room, or whose names cannot be written */
};

/* A zeroed struct is empty. */
void survey_done(struct survey *survey);

/* The name as it is kept: False if it is none, or has other characters. */
bool survey_name(const char *text, char out[SURVEY_NAME_TEXT]);

/* Both take a name as survey_name() makes it. SIZE_MAX if there is no room. */
size_t survey_add_zone(struct survey *survey, const char *name);
/* Adds a role to a host, which is made if it is new; NULL if there is no room. */
struct survey_host *survey_add_host(struct survey *survey, const char *name, unsigned role,
                                    size_t zone);
void survey_host_add(struct survey_host *host, const struct addr *addr);
/* Forgets those without an address. */
void survey_drop_hosts_without_address(struct survey *survey);

/* Each adds a source to what is there already. NULL if there is no room. */
struct survey_asn *survey_add_asn(struct survey *survey, uint32_t asn, unsigned source);
const struct survey_asn *survey_find_asn(const struct survey *survey, uint32_t asn);
/* Not in any order yet, and perhaps there twice. */
void survey_add_prefix(struct survey *survey, const struct survey_prefix *prefix);
/* Puts prefixes in order; of what is there twice, the sources together and the peers of the one that has
 * some. */
void survey_sort(struct survey *survey);

#endif
