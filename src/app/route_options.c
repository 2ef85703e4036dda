#include "app/route_options.h"

#include "app/archives.h"
#include "source/mrt/element.h"

#include <stdlib.h>
#include <string.h>

static enum err refuse(enum option option, const char *text, const char *what, struct why *why)
{
    return why_set(why, ERR_USAGE, "--%s: '%.60s' is not %s", option_row(option)->name, text, what);
}

static enum err check_count(enum option option, size_t count, struct why *why)
{
    if (count < ELEMENT_FILTER_MAX)
        return ERR_OK;
    return why_set(why, ERR_USAGE, "--%s: given too often; at most %d values are taken",
                   option_row(option)->name, ELEMENT_FILTER_MAX);
}

/* Decimal digits and no more, up to `most`. */
static bool parse_number(const char *text, size_t n, uint32_t most, uint32_t *out)
{
    uint64_t value = 0;
    if (n == 0 || n > 10 || strspn(text, "0123456789") < n)
        return false;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (value > most)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* "64500" or "AS64500". */
static bool parse_asn(const char *text, uint32_t *out)
{
    const char *digits = strncasecmp(text, "AS", 2) == 0 ? text + 2 : text;
    uint32_t asn;
    if (!parse_number(digits, strlen(digits), UINT32_MAX, &asn) || asn == 0)
        return false;
    *out = asn;
    return true;
}

static bool parse_prefix(const char *text, struct prefix *out)
{
    struct addr addr;
    if (!addr_parse(text, strlen(text), &addr))
        return prefix_parse(text, strlen(text), out);
    *out = prefix_of(&addr, addr_bits(&addr));
    return true;
}

static enum err add_prefixes(const struct options *options, enum option option,
                             enum prefix_match match, struct element_filter *filter,
                             struct why *why)
{
    const char *text;
    for (size_t at = 0; (text = options_next(options, option, &at));) {
        struct prefix prefix;
        if (check_count(option, filter->prefix_count, why))
            return why->err;
        if (!parse_prefix(text, &prefix))
            return refuse(option, text,
                          "a prefix; expected ADDRESS/BITS with all further bits zero", why);
        filter->prefixes[filter->prefix_count].prefix = prefix;
        filter->prefixes[filter->prefix_count++].match = match;
    }
    return ERR_OK;
}

static enum err add_asns(const struct options *options, enum option option,
                         uint32_t asns[ELEMENT_FILTER_MAX], size_t *count, struct why *why)
{
    const char *text;
    for (size_t at = 0; (text = options_next(options, option, &at));) {
        if (check_count(option, *count, why))
            return why->err;
        if (!parse_asn(text, &asns[*count]))
            return refuse(option, text, "an AS number; expected one such as 36561", why);
        (*count)++;
    }
    return ERR_OK;
}

static enum err add_peers(const struct options *options, struct element_filter *filter,
                          struct why *why)
{
    const char *text;
    for (size_t at = 0; (text = options_next(options, OPTION_PEER, &at));) {
        struct addr addr = {0};
        uint32_t asn = 0;
        if (check_count(OPTION_PEER, filter->peer_count, why))
            return why->err;
        if (!addr_parse(text, strlen(text), &addr) && !parse_asn(text, &asn))
            return refuse(OPTION_PEER, text, "a peer; expected its address or its AS number", why);
        filter->peers[filter->peer_count].addr = addr;
        filter->peers[filter->peer_count++].asn = asn;
    }
    return ERR_OK;
}

/* "64500:1", "64500:*", "64500:1:2", "64500:1:*". */
static bool add_community(struct element_filter *filter, const char *text)
{
    size_t at = filter->community_count, colons = 0, parts = 0;
    for (const char *c = text; *c; c++)
        colons += *c == ':';
    if (colons < 1 || colons > 2)
        return false;
    filter->communities[at].parts = (uint8_t)(colons + 1);
    filter->communities[at].is_any = false;
    for (;; text++) {
        size_t n = strcspn(text, ":");
        bool is_last = parts == colons;
        filter->communities[at].part[parts] = 0;
        if (is_last && strcmp(text, "*") == 0)
            filter->communities[at].is_any = true;
        else if (!parse_number(text, n, colons == 1 ? UINT16_MAX : UINT32_MAX,
                               &filter->communities[at].part[parts]))
            return false;
        if (is_last)
            break;
        parts++;
        text += n;
    }
    filter->community_count++;
    return true;
}

static enum err add_communities(const struct options *options, struct element_filter *filter,
                                struct why *why)
{
    const char *text;
    for (size_t at = 0; (text = options_next(options, OPTION_COMMUNITY, &at));) {
        if (check_count(OPTION_COMMUNITY, filter->community_count, why))
            return why->err;
        if (!add_community(filter, text))
            return refuse(OPTION_COMMUNITY, text,
                          "a community; expected one such as 64500:1, 64500:* or 64500:1:2", why);
    }
    return ERR_OK;
}

/* The words are those of options.def, which were checked when the command line was parsed. */
static void add_types(const struct options *options, struct element_filter *filter)
{
    static const struct {
        const char *name;
        enum element_kind kind;
        enum bgp_message_type message;
    } types[] = {{"announce", ELEMENT_ANNOUNCE, 0},
                 {"withdraw", ELEMENT_WITHDRAW, 0},
                 {"table", ELEMENT_TABLE, 0},
                 {"state", ELEMENT_STATE, 0},
                 {"end_of_rib", ELEMENT_END_OF_RIB, 0},
                 {"open", ELEMENT_MESSAGE, BGP_OPEN},
                 {"notification", ELEMENT_MESSAGE, BGP_NOTIFICATION},
                 {"keepalive", ELEMENT_MESSAGE, BGP_KEEPALIVE},
                 {"route_refresh", ELEMENT_MESSAGE, BGP_ROUTE_REFRESH}};
    const char *text;
    for (size_t at = 0; (text = options_next(options, OPTION_TYPE, &at));)
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            if (strcmp(types[i].name, text) != 0)
                continue;
            filter->kinds |= UINT32_C(1) << types[i].kind;
            if (types[i].message)
                filter->messages |= UINT32_C(1) << types[i].message;
        }
}

static void add_tables(const struct options *options, struct element_filter *filter)
{
    const char *text;
    for (size_t at = 0; (text = options_next(options, OPTION_BMP_TABLE, &at));)
        for (int i = 0; i < BMP_TABLES; i++)
            if (strcmp(bmp_table_name((enum bmp_table)i), text) == 0)
                filter->tables |= UINT32_C(1) << i;
}

static enum err read_family(const struct options *options, uint8_t *family, struct why *why)
{
    const char *given = options_get(options, OPTION_FAMILY);
    bool is_4 = options_has(options, OPTION_IPV4) || (given && strcmp(given, "4") == 0);
    bool is_6 = options_has(options, OPTION_IPV6) || (given && strcmp(given, "6") == 0);
    if (is_4 && is_6)
        return why_set(why, ERR_USAGE, "only IPv4 and only IPv6: that leaves nothing; give one");
    *family = is_4 ? 4 : is_6 ? 6 : 0;
    return ERR_OK;
}

enum err route_options_read(const struct options *options, struct element_filter *out,
                            struct why *why)
{
    static const struct {
        enum option option;
        enum prefix_match match;
    } prefixes[] = {{OPTION_ROUTE_PREFIX, PREFIX_EXACT},
                    {OPTION_PREFIX_MORE, PREFIX_MORE},
                    {OPTION_PREFIX_LESS, PREFIX_LESS},
                    {OPTION_PREFIX_ANY, PREFIX_RELATED}};
    struct element_filter filter = {.kinds = 0};
    enum err err = ERR_OK;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && !err; i++)
        err = add_prefixes(options, prefixes[i].option, prefixes[i].match, &filter, why);
    if (!err)
        err = add_asns(options, OPTION_ORIGIN, filter.origins, &filter.origin_count, why);
    if (!err)
        err = add_asns(options, OPTION_AS, filter.asns, &filter.asn_count, why);
    if (!err)
        err = add_peers(options, &filter, why);
    if (!err)
        err = add_communities(options, &filter, why);
    if (!err)
        err = read_family(options, &filter.family, why);
    if (!err)
        err = archives_span(options, &filter.from, &filter.until, why);
    add_types(options, &filter);
    add_tables(options, &filter);
    if (!err)
        *out = filter;
    return err;
}
