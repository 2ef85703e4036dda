#include "source/origins/countries.h"

#include "base/mem.h"
#include "source/origins/delegated.h"
#include "source/origins/geo.h"

#include <stdlib.h>
#include <string.h>

struct countries {
    struct delegations registries;
    struct geo **databases; /* in the order given */
    size_t count, capacity;
    uint64_t conflicts;
};

/* ---- loading ---- */

static size_t count_of(const struct delegations *registries)
{
    return registries->asns.count + registries->ipv4.count + registries->ipv6.count;
}

/* What is read first holds a zero byte in every database, and in no text. */
static bool is_database(struct text *text)
{
    return text_peek(text) >= 0 && memchr(text->bytes, 0, text->end);
}

static enum err load_registry(struct countries *countries, struct text *text, struct why *why)
{
    size_t before = count_of(&countries->registries);
    enum err err = delegated_read(text, &countries->registries, why);
    if (!err && count_of(&countries->registries) == before)
        err = why_set(why, ERR_INPUT,
                      "%.300s: holds no delegation that can be used; give a registry's delegated "
                      "file",
                      text->name);
    return err;
}

static enum err load_database(struct countries *countries, const char *path, struct why *why)
{
    struct geo *geo;
    enum err err = geo_open(path, &geo, why);
    if (err)
        return err;
    countries->databases = mem_grow(countries->databases, &countries->capacity,
                                    countries->count + 1, sizeof *countries->databases);
    countries->databases[countries->count++] = geo;
    return ERR_OK;
}

static enum err load(struct countries *countries, const char *path, struct stream_faults *faults,
                     struct why *why)
{
    struct text text;
    enum err err = text_open(&text, path, faults, why);
    if (err)
        return err;
    bool is_mmdb = is_database(&text);
    if (!is_mmdb)
        err = load_registry(countries, &text, why);
    text_close(&text);
    return is_mmdb ? load_database(countries, path, why) : err;
}

struct countries *countries_load(const char *const *paths, size_t count,
                                 struct stream_faults *faults, struct why *why)
{
    struct countries *countries = mem_new(1, sizeof *countries);
    for (size_t i = 0; i < count; i++) {
        if (load(countries, paths[i], faults, why)) {
            countries_free(countries);
            return NULL;
        }
    }
    countries->conflicts = spans_seal(&countries->registries.asns) +
                           spans_seal(&countries->registries.ipv4) +
                           spans_seal(&countries->registries.ipv6);
    return countries;
}

void countries_free(struct countries *countries)
{
    if (!countries)
        return;
    for (size_t i = 0; i < countries->count; i++)
        geo_free(countries->databases[i]);
    free(countries->databases);
    spans_done(&countries->registries.asns);
    spans_done(&countries->registries.ipv4);
    spans_done(&countries->registries.ipv6);
    free(countries);
}

uint64_t countries_conflicts(const struct countries *countries)
{
    return countries->conflicts;
}

/* ---- asking ---- */

struct country countries_of_asn(const struct countries *countries, uint32_t asn)
{
    return spans_find(&countries->registries.asns, asn, NULL);
}

/* What the databases say, the one given last first. *bits: of the network of which they say the same. */
static struct country ask_databases(const struct countries *countries, const struct addr *addr,
                                    unsigned *bits)
{
    struct country country = country_none();
    *bits = 0;
    for (size_t i = countries->count; i > 0 && !country.code[0]; i--) {
        unsigned own;
        country = geo_find(countries->databases[i - 1], addr, &own);
        *bits = own > *bits ? own : *bits;
    }
    return country;
}

static struct country ask_registries(const struct countries *countries, const struct prefix *prefix)
{
    const struct spans *spans =
        prefix->addr.family == 6 ? &countries->registries.ipv6 : &countries->registries.ipv4;
    uint64_t last = 0;
    struct country country = spans_find(spans, delegations_first(prefix), &last);
    bool is_of_one = last >= delegations_last(prefix);
    return is_of_one ? country : country_none();
}

static struct addr last_of(const struct prefix *prefix)
{
    struct addr addr = prefix->addr;
    for (unsigned bit = prefix->bits; bit < addr_bits(&addr); bit++)
        addr.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return addr;
}

struct country countries_of_prefix(const struct countries *countries, const struct prefix *prefix)
{
    struct addr last = last_of(prefix);
    unsigned bits;
    struct country country = ask_databases(countries, &prefix->addr, &bits);
    bool is_known = country.code[0];
    if (is_known && country_is(country, ask_databases(countries, &last, &bits)))
        return country;
    return is_known ? country_none() : ask_registries(countries, prefix);
}

struct country countries_of_addr(const struct countries *countries, const struct addr *addr)
{
    struct prefix prefix = prefix_of(addr, addr_bits(addr));
    return countries_of_prefix(countries, &prefix);
}

struct country countries_of_route(const struct countries *countries, const struct prefix *prefix,
                                  uint32_t origin)
{
    struct country country = countries_of_prefix(countries, prefix);
    return country.code[0] || !origin ? country : countries_of_asn(countries, origin);
}

/* ---- what a country has ---- */

struct listing {
    uint8_t family;
    void (*take)(void *context, const struct prefix *prefix);
    void *context;
};

/* The number as delegations_first() has it. */
static struct prefix prefix_at(uint64_t number, unsigned bits, uint8_t family)
{
    struct prefix prefix = {.addr.family = family, .bits = (uint8_t)bits};
    unsigned bytes = family == 6 ? 8 : 4;
    for (unsigned i = 0; i < bytes; i++)
        prefix.addr.bytes[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
    return prefix;
}

/* The largest aligned blocks that fit, one after the other. */
static void list_prefixes(const struct listing *listing, uint64_t first, uint64_t last)
{
    unsigned all = listing->family == 6 ? 64 : 32;
    for (;;) {
        unsigned free = first ? (unsigned)__builtin_ctzll(first) : all;
        free = free < all ? free : all;
        uint64_t rest = last - first;
        while (free && (free == 64 || (UINT64_C(1) << free) - 1 > rest) &&
               !(free == 64 && rest == UINT64_MAX))
            free--;
        struct prefix prefix = prefix_at(first, all - free, listing->family);
        listing->take(listing->context, &prefix);
        uint64_t end = free == 64 ? UINT64_MAX : first + ((UINT64_C(1) << free) - 1);
        if (end >= last)
            return;
        first = end + 1;
    }
}

/* Spans that adjoin are one. */
static void list_spans(const struct listing *listing, const struct spans *spans,
                       struct country country)
{
    for (size_t i = 0; i < spans->count; i++) {
        const struct span *span = &spans->list[i];
        uint64_t first = span->first, last = span->last;
        if (memcmp(span->code, country.code, sizeof span->code) != 0)
            continue;
        while (i + 1 < spans->count && spans->list[i + 1].first == last + 1 &&
               memcmp(spans->list[i + 1].code, country.code, sizeof span->code) == 0)
            last = spans->list[++i].last;
        list_prefixes(listing, first, last);
    }
}

void countries_each(const struct countries *countries, struct country country,
                    void (*take_asn)(void *context, uint32_t asn),
                    void (*take_prefix)(void *context, const struct prefix *prefix), void *context)
{
    const struct spans *asns = &countries->registries.asns;
    struct listing listing = {4, take_prefix, context};
    for (size_t i = 0; i < asns->count; i++)
        if (memcmp(asns->list[i].code, country.code, sizeof asns->list[i].code) == 0)
            for (uint64_t asn = asns->list[i].first; asn <= asns->list[i].last; asn++)
                take_asn(context, (uint32_t)asn);
    list_spans(&listing, &countries->registries.ipv4, country);
    listing.family = 6;
    list_spans(&listing, &countries->registries.ipv6, country);
}

/* ---- networks ---- */

enum { NETWORK_BITS = 24, NETWORKS = 1 << NETWORK_BITS };

/* Who looks for the networks of a country. */
struct search {
    const struct countries *countries;
    struct country country;
    void (*take)(void *context, uint32_t network);
    void *context;
};

static struct prefix network_numbered(uint32_t number)
{
    return (struct prefix){{{(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}, 4},
                           NETWORK_BITS};
}

/* Each gives the number of the next network to look at. */
static uint32_t look_at_one(const struct search *search, uint32_t number)
{
    struct prefix network = network_numbered(number);
    if (country_is(countries_of_prefix(search->countries, &network), search->country))
        search->take(search->context, number << (32 - NETWORK_BITS));
    return number + 1;
}

/* Databases know of larger networks, too. Where they know nothing the registries are asked of each. */
static uint32_t look_around(const struct search *search, uint32_t number)
{
    unsigned bits;
    struct prefix network = network_numbered(number);
    struct country country = ask_databases(search->countries, &network.addr, &bits);
    if (bits > NETWORK_BITS || !country.code[0])
        return look_at_one(search, number);
    uint32_t end = (number | ((UINT32_C(1) << (NETWORK_BITS - bits)) - 1)) + 1;
    for (; country_is(country, search->country) && number < end; number++)
        search->take(search->context, number << (32 - NETWORK_BITS));
    return end;
}

void countries_networks(const struct countries *countries, struct country country,
                        void (*take)(void *context, uint32_t network), void *context)
{
    const struct search search = {countries, country, take, context};
    const struct spans *spans = &countries->registries.ipv4;
    uint32_t next = 0;
    for (size_t i = 0; i < spans->count && !countries->count; i++) {
        const struct span *span = &spans->list[i];
        uint32_t first = (uint32_t)(span->first >> 8), last = (uint32_t)(span->last >> 8);
        next = next < first ? first : next;
        while (next <= last && memcmp(span->code, country.code, sizeof span->code) == 0)
            next = look_at_one(&search, next);
    }
    while (countries->count && next < NETWORKS)
        next = look_around(&search, next);
}
