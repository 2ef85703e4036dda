#include "source/table/bin_teller.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool watch_of(const struct member_spec *member, struct bin_who *out)
{
    struct bin_who who = {.country = country_none()};
    if (member->kind == NAME_ASN)
        who.asn = (uint32_t)strtoul(member->text, NULL, 10);
    else if (member->kind != NAME_COUNTRY ||
             !country_read(member->text, strlen(member->text), &who.country))
        return false;
    *out = who;
    return who.asn || who.country.code[0];
}

void bin_teller_init(struct bin_teller *teller, const struct sink *sink,
                     const struct subject_spec *subjects, size_t count)
{
    *teller = (struct bin_teller){.sink = *sink};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < subjects[i].member_count; k++) {
            struct bin_who who;
            if (!watch_of(&subjects[i].members[k], &who))
                continue;
            size_t n = teller->count++;
            teller->who = mem_grow(teller->who, &teller->capacity, n + 1, sizeof *teller->who);
            teller->subjects = mem_grow(teller->subjects, &teller->subject_capacity, n + 1,
                                        sizeof *teller->subjects);
            teller->who[n] = who;
            teller->subjects[n] = subjects[i].name;
        }
}

void bin_teller_done(struct bin_teller *teller)
{
    free(teller->who);
    free(teller->subjects);
    *teller = (struct bin_teller){0};
}

/* False if the registry is full. */
static bool name_who(struct registry *registry, const struct bin_who *who, uint32_t *out)
{
    char text[16];
    int n = 0;
    *out = 0;
    if (who->asn)
        n = snprintf(text, sizeof text, "%u", who->asn);
    else if (who->country.code[0])
        n = snprintf(text, sizeof text, "%s", who->country.code);
    if (n)
        *out = registry_intern(registry, who->asn ? NAME_ASN : NAME_COUNTRY, text, (size_t)n);
    return !n || *out;
}

static void emit(const struct bin_teller *teller, const struct bin_row *row, uint32_t target,
                 uint32_t subject)
{
    for (size_t i = 0; i < 2; i++) {
        bool has_data = bin_has_data(row, i);
        struct observation observation = {.kind = OBSERVATION_BIN,
                                          .time = row->end,
                                          .target = target,
                                          .peer = subject,
                                          .known = has_data ? (int64_t)row->known[i] : 0,
                                          .value = has_data ? (int64_t)row->seen[i] : 0,
                                          .code = (uint16_t)row->peers[i],
                                          .peers_total = (uint16_t)row->peers_total[i],
                                          .family = i ? 6 : 4};
        if (row->is_due[i])
            sink_emit(&teller->sink, &observation);
    }
}

void bin_teller_tell(const struct bin_teller *teller, const struct bin_row *row)
{
    struct registry *registry = teller->sink.registry;
    uint32_t target, told = 0;
    if ((!row->is_due[0] && !row->is_due[1]) || !name_who(registry, &row->who, &target))
        return;
    for (size_t i = 0; row->is_watched && i < teller->count; i++) {
        const struct bin_who *who = &teller->who[i];
        if (who->asn != row->who.asn || !country_is(who->country, row->who.country))
            continue;
        const char *name = teller->subjects[i];
        emit(teller, row, target, registry_intern(registry, NAME_SUBJECT, name, strlen(name)));
        told++;
    }
    if (!told)
        emit(teller, row, target, 0);
}
