/* Reads `at TIME THING... CHANGE [OPTION]...`. */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

enum { TARGETS_MAX = 512 };

struct targets {
    uint32_t list[TARGETS_MAX];
    size_t count;
};

static void add_target(struct script *script, struct targets *targets, uint32_t thing)
{
    if (targets->count == TARGETS_MAX)
        script_fail(script, "more than %d things change", TARGETS_MAX);
    else
        targets->list[targets->count++] = thing;
}

/* All hosts or all prefixes of a subject. */
static void add_owned(struct script *script, struct targets *targets, uint32_t subject,
                      enum thing_kind kind)
{
    const struct world *world = script->world;
    for (uint32_t i = 1; i < world->thing_count; i++)
        if (world->things[i].kind == kind && world->things[i].owner == subject)
            add_target(script, targets, i);
}

/* SUBJECT/routes; 0 if it is not. */
static uint32_t routes_of(const struct world *world, const char *name)
{
    size_t n = strlen(name);
    const char ending[] = "/routes";
    size_t m = sizeof ending - 1;
    if (n <= m || strcmp(name + n - m, ending) != 0)
        return 0;
    for (uint32_t i = 1; i < world->thing_count; i++)
        if (world->things[i].kind == THING_SUBJECT && strlen(world->things[i].name) == n - m &&
            memcmp(world->things[i].name, name, n - m) == 0)
            return i;
    return 0;
}

static void parse_target(struct script *script, struct targets *targets)
{
    uint32_t subject = routes_of(script->world, script_peek(script));
    if (subject) {
        script_word(script, "a thing");
        add_owned(script, targets, subject, THING_PREFIX);
        return;
    }
    uint32_t thing = script_thing(script, ~0u, "a thing that can change, or of a change");
    const struct thing *found = &script->world->things[thing];
    if (found->kind == THING_SUBJECT)
        add_owned(script, targets, thing, THING_HOST);
    else if (found->kind == THING_GROUP)
        for (uint32_t i = 0; i < found->count; i++)
            add_target(script, targets, found->members[i]);
    else
        add_target(script, targets, thing);
}

static const unsigned places =
    1u << THING_HOST | 1u << THING_SERVICE | 1u << THING_VANTAGE | 1u << THING_CONTROL;
static const unsigned sources = 1u << THING_VANTAGE | 1u << THING_COLLECTOR;

/* The kinds of things (bits) that a change is for; 0 if the word is no change. */
static unsigned change_of(const char *word, struct change *out)
{
    static const struct {
        const char *word;
        enum change_kind kind;
    } words[] = {{"loss", CHANGE_LOSS},         {"rtt", CHANGE_RTT_FACTOR},
                 {"withdraw", CHANGE_WITHDRAW}, {"announce", CHANGE_ANNOUNCE},
                 {"lost", CHANGE_LOST},         {"back", CHANGE_BACK},
                 {"gap", CHANGE_GAP},           {"silent", CHANGE_SILENT}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i].word) != 0)
            continue;
        out->kind = words[i].kind;
        if (out->kind == CHANGE_LOSS || out->kind == CHANGE_RTT_FACTOR)
            return places;
        if (out->kind == CHANGE_WITHDRAW || out->kind == CHANGE_ANNOUNCE)
            return 1u << THING_PREFIX;
        if (out->kind == CHANGE_SILENT)
            return sources | 1u << THING_HOST | 1u << THING_SERVICE;
        return out->kind == CHANGE_GAP ? sources : 1u << THING_PEER;
    }
    int outcome = strcmp(word, "up") == 0     ? (int)OUTCOME_OK
                  : strcmp(word, "down") == 0 ? (int)OUTCOME_TIMEOUT
                                              : outcome_from_name(word, strlen(word));
    if (outcome < 0)
        return 0;
    out->kind = CHANGE_OUTCOME;
    out->outcome = (enum outcome)outcome;
    return places;
}

/* What follows the word of the change: P%, xF, +D or D. */
static void parse_amount(struct script *script, struct change *change)
{
    if (change->kind == CHANGE_LOSS)
        change->value = script_share(script);
    if (change->kind == CHANGE_GAP || change->kind == CHANGE_SILENT)
        change->value = (double)script_duration(script);
    if (change->kind != CHANGE_RTT_FACTOR)
        return;
    const char *word = script_word(script, "xF or +D");
    int64_t ns;
    char *end = NULL;
    if (word[0] == '+' && duration_parse(word + 1, &ns)) {
        change->kind = CHANGE_RTT_ADD;
        change->value = (double)ns;
    } else if (strcmp(word, "+0") == 0) {
        change->kind = CHANGE_RTT_ADD;
    } else if (word[0] == 'x' && (change->value = strtod(word + 1, &end)) > 0 && !*end) {
        change->kind = CHANGE_RTT_FACTOR;
    } else {
        script_fail(script, "'%s' is neither xF nor +D", word);
    }
}

static void parse_option(struct script *script, struct change *change, int64_t *each_ns)
{
    if (script_take(script, "over"))
        change->over_ns = script_duration(script);
    else if (script_take(script, "each"))
        *each_ns = script_duration(script);
    else if (script_take(script, "from"))
        change->vantage = script_thing(script, 1u << THING_VANTAGE, "a vantage");
    else if (script_take(script, "path"))
        change->path = script_word(script, "a path");
    else if (script_take(script, "reach"))
        change->reach = script_share(script);
    else if (script_take(script, "status"))
        change->status = (uint16_t)script_number(script, "an HTTP status");
    else if (script_take(script, "stage")) {
        const char *word = script_word(script, "a stage");
        int stage = stage_from_name(word, strlen(word));
        if (stage < 0)
            script_fail(script, "'%s' is no stage", word);
        else
            change->stage = (enum stage)stage;
    } else
        script_finish(script); /* says what was not expected */
}

void parse_change(struct script *script)
{
    struct change change = {.at = script_time(script), .reach = 1};
    struct targets targets = {.count = 0};
    unsigned kinds;
    while (!(kinds = change_of(script_peek(script), &change)) && !script->bad)
        parse_target(script, &targets);
    script_word(script, "a change");
    if (!targets.count)
        script_fail(script, "nothing is named that changes");
    parse_amount(script, &change);
    int64_t each_ns = 0;
    while (*script_peek(script))
        parse_option(script, &change, &each_ns);
    for (size_t i = 0; i < targets.count && !script->bad; i++) {
        change.thing = targets.list[i];
        if (!(kinds >> script->world->things[change.thing].kind & 1))
            script_fail(script, "'%s' is not a thing to which this can happen",
                        script->world->things[change.thing].name);
        WORLD_ADD(script->world, changes, change_count, change_capacity, change);
        change.at = utc_add(change.at, each_ns);
    }
}
