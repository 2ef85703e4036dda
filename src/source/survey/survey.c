#include "source/survey/survey.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void survey_done(struct survey *survey)
{
    free(survey->hosts);
    free(survey->asns);
    free(survey->prefixes);
    *survey = (struct survey){0};
}

/* ---- names ---- */

bool survey_name(const char *text, char out[SURVEY_NAME_TEXT])
{
    size_t n = strlen(text);
    bool is_open = n && text[n - 1] != '.';
    if (!n || n + is_open >= SURVEY_NAME_TEXT || text[0] == '.' || strstr(text, ".."))
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80 || (!isalnum(c) && !strchr("-_.", c)))
            return false;
        out[i] = (char)tolower(c);
    }
    if (is_open)
        out[n++] = '.';
    out[n] = '\0';
    return true;
}

size_t survey_add_zone(struct survey *survey, const char *name)
{
    for (size_t i = 0; i < survey->zone_count; i++)
        if (strcmp(survey->zones[i], name) == 0)
            return i;
    if (survey->zone_count == SURVEY_ZONES_MAX) {
        survey->refused++;
        return SIZE_MAX;
    }
    strcpy(survey->zones[survey->zone_count], name);
    return survey->zone_count++;
}

struct survey_host *survey_add_host(struct survey *survey, const char *name, unsigned role,
                                    size_t zone)
{
    size_t i = 0;
    while (i < survey->host_count && strcmp(survey->hosts[i].name, name) != 0)
        i++;
    if (i == SURVEY_HOSTS_MAX) {
        survey->refused++;
        return NULL;
    }
    if (i == survey->host_count) {
        survey->hosts =
            mem_grow(survey->hosts, &survey->host_capacity, i + 1, sizeof *survey->hosts);
        survey->hosts[survey->host_count++] = (struct survey_host){.zone = zone};
        strcpy(survey->hosts[i].name, name);
    }
    survey->hosts[i].roles |= role;
    return &survey->hosts[i];
}

void survey_host_add(struct survey_host *host, const struct addr *addr)
{
    for (size_t i = 0; i < host->addr_count; i++)
        if (addr_compare(&host->addrs[i], addr) == 0)
            return;
    if (host->addr_count < SURVEY_ADDRS)
        host->addrs[host->addr_count++] = *addr;
}

void survey_drop_hosts_without_address(struct survey *survey)
{
    size_t kept = 0;
    for (size_t i = 0; i < survey->host_count; i++)
        if (survey->hosts[i].addr_count)
            survey->hosts[kept++] = survey->hosts[i];
    survey->host_count = kept;
}

/* ---- numbers ---- */

/* Where it is, or belongs. */
static size_t place_of(const struct survey *survey, uint32_t asn)
{
    size_t low = 0, high = survey->asn_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (survey->asns[middle].asn < asn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct survey_asn *survey_find_asn(const struct survey *survey, uint32_t asn)
{
    size_t at = place_of(survey, asn);
    return at < survey->asn_count && survey->asns[at].asn == asn ? &survey->asns[at] : NULL;
}

struct survey_asn *survey_add_asn(struct survey *survey, uint32_t asn, unsigned source)
{
    size_t at = place_of(survey, asn);
    bool is_there = at < survey->asn_count && survey->asns[at].asn == asn;
    if (!is_there && survey->asn_count == SURVEY_ASNS_MAX) {
        survey->refused++;
        return NULL;
    }
    if (!is_there) {
        survey->asns = mem_grow(survey->asns, &survey->asn_capacity, survey->asn_count + 1,
                                sizeof *survey->asns);
        memmove(&survey->asns[at + 1], &survey->asns[at],
                (survey->asn_count++ - at) * sizeof *survey->asns);
        survey->asns[at] = (struct survey_asn){.asn = asn};
    }
    survey->asns[at].sources |= source;
    return &survey->asns[at];
}

void survey_add_prefix(struct survey *survey, const struct survey_prefix *prefix)
{
    if (survey->prefix_count == SURVEY_PREFIXES_MAX) {
        survey->refused++;
        return;
    }
    survey->prefixes = mem_grow(survey->prefixes, &survey->prefix_capacity,
                                survey->prefix_count + 1, sizeof *survey->prefixes);
    survey->prefixes[survey->prefix_count++] = *prefix;
}

static int compare(const void *a, const void *b)
{
    return prefix_compare(&((const struct survey_prefix *)a)->prefix,
                          &((const struct survey_prefix *)b)->prefix);
}

void survey_sort(struct survey *survey)
{
    size_t kept = 0;
    if (survey->prefix_count)
        qsort(survey->prefixes, survey->prefix_count, sizeof *survey->prefixes, compare);
    for (size_t i = 0; i < survey->prefix_count; i++) {
        struct survey_prefix *last = kept ? &survey->prefixes[kept - 1] : NULL;
        struct survey_prefix next = survey->prefixes[i];
        if (!last || compare(last, &next) != 0) {
            survey->prefixes[kept++] = next;
            continue;
        }
        next.sources |= last->sources;
        if (next.peers_total)
            *last = next;
        last->sources = next.sources;
    }
    survey->prefix_count = kept;
}
