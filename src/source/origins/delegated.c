#include "source/origins/delegated.h"

/* The fields of a record that are used. */
struct record {
    struct reader country, type, start, value, status;
};

static uint64_t number_of(const struct addr *addr)
{
    uint64_t number = 0;
    for (int i = 0; i < (addr->family == 6 ? 8 : 4); i++)
        number = number << 8 | addr->bytes[i];
    return number;
}

uint64_t delegations_first(const struct prefix *prefix)
{
    return number_of(&prefix->addr);
}

uint64_t delegations_last(const struct prefix *prefix)
{
    unsigned bits = prefix->addr.family == 6 ? 64 : 32;
    unsigned free = prefix->bits < bits ? bits - prefix->bits : 0;
    uint64_t rest = free == 64 ? UINT64_MAX : (UINT64_C(1) << free) - 1;
    return number_of(&prefix->addr) | rest;
}

static bool parse_addr(const struct reader *field, uint8_t family, struct addr *out)
{
    return reader_left(field) && addr_parse((const char *)field->at, reader_left(field), out) &&
           out->family == family;
}

/* ---- records: each reader gives NULL, or what is wrong with the field *culprit ---- */

/* AS numbers and IPv4 addresses: `first` and so many. */
static const char *read_count(const struct record *record, uint64_t first, uint64_t *last,
                              const struct reader **culprit)
{
    uint64_t count;
    *culprit = &record->value;
    if (!text_number(&record->value, &count) || count == 0)
        return "is no number of them";
    if (count > (UINT64_C(1) << 32) - first)
        return "are more than there are";
    *last = first + count - 1;
    return NULL;
}

static const char *read_asn(const struct record *record, uint64_t *first, uint64_t *last,
                            const struct reader **culprit)
{
    *culprit = &record->start;
    if (!text_number(&record->start, first) || *first > UINT32_MAX)
        return "is no AS number";
    return read_count(record, *first, last, culprit);
}

static const char *read_ipv4(const struct record *record, uint64_t *first, uint64_t *last,
                             const struct reader **culprit)
{
    struct addr addr;
    *culprit = &record->start;
    if (!parse_addr(&record->start, 4, &addr))
        return "is no IPv4 address";
    *first = number_of(&addr);
    return read_count(record, *first, last, culprit);
}

static const char *read_ipv6(const struct record *record, uint64_t *first, uint64_t *last,
                             const struct reader **culprit)
{
    struct addr addr;
    uint64_t bits;
    *culprit = &record->start;
    if (!parse_addr(&record->start, 6, &addr))
        return "is no IPv6 address";
    *culprit = &record->value;
    if (!text_number(&record->value, &bits) || bits > 64)
        return "is no length of a prefix from 0 to 64";
    struct prefix prefix = prefix_of(&addr, (unsigned)bits);
    if (addr_compare(&prefix.addr, &addr) != 0)
        return "is too short for the address before it";
    *first = delegations_first(&prefix);
    *last = delegations_last(&prefix);
    return NULL;
}

static const char *add_record(const struct record *record, struct delegations *out, bool *is_full,
                              const struct reader **culprit)
{
    struct country country;
    uint64_t first = 0, last = 0;
    struct spans *spans;
    const char *fault;
    if (text_is(&record->type, "asn")) {
        spans = &out->asns;
        fault = read_asn(record, &first, &last, culprit);
    } else if (text_is(&record->type, "ipv4")) {
        spans = &out->ipv4;
        fault = read_ipv4(record, &first, &last, culprit);
    } else if (text_is(&record->type, "ipv6")) {
        spans = &out->ipv6;
        fault = read_ipv6(record, &first, &last, culprit);
    } else {
        *culprit = &record->type;
        return "is none of asn, ipv4 and ipv6";
    }
    if (fault)
        return fault;
    *culprit = &record->country;
    if (!country_read(record->country.at, reader_left(&record->country), &country))
        return "is no country";
    *is_full = country.code[0] && !spans_add(spans, first, last, country);
    return NULL;
}

/* ---- lines ---- */

/* False if there is no room for it. */
static bool take_record(struct text *text, struct reader line, struct delegations *out)
{
    struct record record;
    char shown[TEXT_SHOWN_MAX];
    const struct reader *culprit = &record.status;
    bool is_full = false;
    text_field(&line, '|'); /* the registry */
    record.country = text_field(&line, '|');
    if (text_is(&record.country, "*"))
        return true; /* a summary */
    record.type = text_field(&line, '|');
    record.start = text_field(&line, '|');
    record.value = text_field(&line, '|');
    text_field(&line, '|'); /* the date */
    record.status = text_field(&line, '|');
    text->faults->records++;
    const char *fault = reader_left(&record.status) ? NULL : "is no status: fields are missing";
    if (text_is(&record.status, "allocated") || text_is(&record.status, "assigned"))
        fault = add_record(&record, out, &is_full, &culprit);
    if (fault)
        text_report(text, "\"%s\" %s", text_show(culprit, shown), fault);
    return !is_full;
}

/* Its first field is a version, where others have a registry. */
static bool is_version_line(const struct reader *line)
{
    return reader_left(line) && *line->at >= '0' && *line->at <= '9';
}

static bool is_known_version(struct reader line)
{
    struct reader version = text_field(&line, '|');
    return text_is(&version, "2") ||
           (reader_left(&version) > 2 && memcmp(version.at, "2.", 2) == 0);
}

static enum err take_line(struct text *text, struct reader line, bool *is_begun,
                          struct delegations *out, struct why *why)
{
    if (!reader_left(&line) || *line.at == '#')
        return ERR_OK;
    if (is_version_line(&line)) {
        *is_begun = true;
        return is_known_version(line)
                   ? ERR_OK
                   : text_fail(text, why, ERR_VERSION,
                               "a registry's file is of a version that is not known; those of "
                               "version 2 are");
    }
    if (!*is_begun)
        return text_fail(text, why, ERR_INPUT,
                         "this is no registry's delegated file: it does not begin with a version "
                         "line like \"2|apnic|...\"; nor is it a MaxMind database");
    if (!take_record(text, line, out))
        return text_fail(text, why, ERR_LIMIT, "there are more than %d delegations", SPANS_MAX);
    return ERR_OK;
}

enum err delegated_read(struct text *text, struct delegations *out, struct why *why)
{
    struct reader line;
    bool is_begun = false;
    int got;
    while ((got = text_line(text, &line)) > 0) {
        enum err err = take_line(text, line, &is_begun, out, why);
        if (err)
            return err;
    }
    return got < 0 ? text_fail(text, why, ERR_IO, "cannot be read") : ERR_OK;
}
