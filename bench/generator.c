#include "generator.h"

#include "base/hash.h"
#include "model/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_NS (10 * NS_PER_S)

static uint64_t draw(struct generator *generator)
{
    generator->random += UINT64_C(0x9e3779b97f4a7c15);
    return hash_mix(generator->random);
}

static int64_t below(struct generator *generator, int64_t n)
{
    return (int64_t)(draw(generator) % (uint64_t)n);
}

static void name_host(int index, char text[40])
{
    snprintf(text, 40, "icmp:10.%d.%d.1", index / GENERATOR_HOSTS, index % GENERATOR_HOSTS);
}

static uint32_t intern(const struct sink *sink, enum name_kind kind, const char *text)
{
    return registry_intern(sink->registry, kind, text, strlen(text));
}

static void emit_subject(int subject, struct utc start, const struct sink *sink)
{
    char name[20], hosts[GENERATOR_HOSTS][40];
    struct member_spec members[GENERATOR_HOSTS];
    for (int i = 0; i < GENERATOR_HOSTS; i++) {
        name_host(subject * GENERATOR_HOSTS + i, hosts[i]);
        members[i] = (struct member_spec){NAME_TARGET, hosts[i], ROUND_NS};
    }
    snprintf(name, sizeof name, "network%d", subject);
    struct subject_spec spec = {.name = name, .members = members, .member_count = GENERATOR_HOSTS};
    struct why why;
    if (subject_emit(&spec, start, sink, &why)) {
        fprintf(stderr, "generator: %s\n", why.text);
        exit(1);
    }
}

void generator_init(struct generator *generator, uint64_t seed, struct utc start,
                    const struct sink *sink)
{
    *generator = (struct generator){.random = seed, .round = start, .outage = -1};
    for (int i = 0; i < GENERATOR_SUBJECTS; i++)
        emit_subject(i, start, sink);
    for (int i = 0; i < GENERATOR_TARGETS; i++) {
        bool is_control = i >= GENERATOR_SUBJECTS * GENERATOR_HOSTS;
        char text[40];
        name_host(i, text);
        generator->targets[i] = intern(sink, is_control ? NAME_CONTROL : NAME_TARGET, text);
    }
    generator->vantages[0] = intern(sink, NAME_VANTAGE, "lon");
    generator->vantages[1] = intern(sink, NAME_VANTAGE, "sin");
    for (int i = 0; i < GENERATOR_SLOTS; i++)
        generator->rtt_ns[i] = 20 * NS_PER_MS + below(generator, 200 * NS_PER_MS);
    generator->outage_begins_ns = start.ns + 2 * NS_PER_HOUR;
}

/* One subject after the other is out for 5 to 60 minutes, some hours apart. */
static void plan_outage(struct generator *generator)
{
    int64_t now = generator->round.ns;
    if (generator->outage >= 0 && now >= generator->outage_ends_ns) {
        generator->outage = -1;
        generator->outage_begins_ns = now + NS_PER_HOUR + below(generator, 3 * NS_PER_HOUR);
    } else if (generator->outage < 0 && now >= generator->outage_begins_ns) {
        generator->outage = (int)below(generator, GENERATOR_SUBJECTS);
        generator->outage_ends_ns = now + 5 * NS_PER_MINUTE + below(generator, 55 * NS_PER_MINUTE);
    }
}

void generator_next(struct generator *generator, struct observation *out)
{
    if (generator->slot == GENERATOR_SLOTS) {
        generator->slot = 0;
        generator->round = utc_add(generator->round, ROUND_NS);
        plan_outage(generator);
        *out = (struct observation){.kind = OBSERVATION_TICK, .time = generator->round};
        return;
    }
    uint32_t slot = generator->slot++;
    uint32_t target = slot / GENERATOR_VANTAGES;
    bool is_out = generator->outage >= 0 && target / GENERATOR_HOSTS == (uint32_t)generator->outage;
    bool is_lost = is_out || below(generator, 1000) < 5;
    int64_t phase = slot * (ROUND_NS / GENERATOR_SLOTS);
    int64_t jitter = below(generator, 4 * NS_PER_MS);
    *out = (struct observation){
        .kind = OBSERVATION_PROBE,
        .time = utc_add(generator->round, phase + jitter),
        .source = generator->vantages[slot % GENERATOR_VANTAGES],
        .target = generator->targets[target],
        .outcome = is_lost ? OUTCOME_TIMEOUT : OUTCOME_OK,
        .stage = is_lost ? STAGE_REPLY : STAGE_DONE,
        .rtt_ns = is_lost ? 0 : generator->rtt_ns[slot] + below(generator, 3 * NS_PER_MS),
        .value = is_lost ? 0 : 50};
}
