/* Reads what a scenario's world consists of. */
#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t add_thing(struct script *script, struct thing thing)
{
    struct world *world = script->world;
    for (size_t i = 1; i < world->thing_count; i++)
        if (strcmp(world->things[i].name, thing.name) == 0)
            script_fail(script, "'%s' is declared twice", thing.name);
    WORLD_ADD(world, things, thing_count, thing_capacity, thing);
    return (uint32_t)world->thing_count - 1;
}

static void add_member(struct script *script, enum name_kind kind, const char *text,
                       int64_t interval_ns)
{
    struct world *world = script->world;
    if (!script->subject)
        script_fail(script, "'%s' stands before the first subject", text);
    world->member_owner = mem_grow(world->member_owner, &world->owner_capacity,
                                   world->member_count + 1, sizeof *world->member_owner);
    world->member_owner[world->member_count] = script->subject;
    struct member_spec member = {.kind = kind, .text = text, .interval_ns = interval_ns};
    WORLD_ADD(world, members, member_count, member_capacity, member);
}

/* A target that can be asked, or a failed script. */
static const char *target_text(struct script *script)
{
    const char *text = script_word(script, "a target");
    struct target target;
    struct why why = {0};
    if (!script->bad && target_parse(text, strlen(text), &target, &why))
        script_fail(script, "%s", why.text);
    return text;
}

static int64_t take_duration(struct script *script, const char *word, int64_t otherwise)
{
    return script_take(script, word) ? script_duration(script) : otherwise;
}

enum { EVERY_S = 30 };

static int64_t default_every(const struct script *script)
{
    return script->world->things[0].every_ns; /* thing 0 is none, and holds the defaults */
}

static void parse_vantage(struct script *script)
{
    uint32_t vantage = add_thing(
        script, (struct thing){.kind = THING_VANTAGE, .name = script_word(script, "a name")});
    size_t first = script->world->thing_count;
    while (script_take(script, "control")) {
        const char *text = target_text(script);
        const char *name =
            arena_printf(&script->world->arena, "%s@%s", text, script->world->things[vantage].name);
        add_thing(script, (struct thing){.kind = THING_CONTROL,
                                         .name = name,
                                         .text = text,
                                         .owner = vantage,
                                         .rtt_ns = 10 * NS_PER_MS});
    }
    int64_t every = take_duration(script, "every", default_every(script));
    for (size_t i = first; i < script->world->thing_count; i++)
        script->world->things[i].every_ns = every;
}

static struct addr peer_address(unsigned collector, unsigned n)
{
    static const uint8_t nets[3][3] = {{192, 0, 2}, {198, 51, 100}, {203, 0, 113}};
    struct addr addr = {.family = 4};
    memcpy(addr.bytes, nets[collector % 3], 3);
    addr.bytes[3] = (uint8_t)n;
    return addr;
}

static void parse_collector(struct script *script)
{
    struct world *world = script->world;
    unsigned order = 0;
    for (size_t i = 1; i < world->thing_count; i++)
        order += world->things[i].kind == THING_COLLECTOR;
    const char *name = script_word(script, "a name");
    uint32_t collector = add_thing(script, (struct thing){.kind = THING_COLLECTOR, .name = name});
    if (!script_take(script, "peers"))
        script_fail(script, "expected peers N after '%s'", name);
    unsigned peers = (unsigned)script_number(script, "a number of peers");
    if (!script->bad && (peers < 1 || peers > 200 || order > 2))
        script_fail(script, "1 to 200 peers of at most 3 collectors");
    world->things[collector].count = script->bad ? 0 : peers;
    for (unsigned n = 1; n <= peers && !script->bad; n++)
        add_thing(script, (struct thing){.kind = THING_PEER,
                                         .name = arena_printf(&world->arena, "%s/%u", name, n),
                                         .owner = collector,
                                         .addr = peer_address(order, n),
                                         .asn = 64500 + 200 * order + n});
}

static int parse_offset(struct script *script)
{
    const char *word = script_word(script, "+HH:MM");
    int hours, minutes;
    char sign, rest;
    if (sscanf(word, "%c%2d:%2d%c", &sign, &hours, &minutes, &rest) != 3 ||
        (sign != '+' && sign != '-')) {
        script_fail(script, "'%s' is not an offset such as +09:00", word);
        return 0;
    }
    int offset = hours * 3600 + minutes * 60;
    return sign == '-' ? -offset : offset;
}

static void parse_subject(struct script *script)
{
    struct thing subject = {.kind = THING_SUBJECT, .name = script_word(script, "a name")};
    if (*script_peek(script) && strcmp(script_peek(script), "timezone") != 0)
        subject.text = script_word(script, "a title");
    if (script_take(script, "timezone"))
        subject.utc_offset_s = parse_offset(script);
    script->subject = add_thing(script, subject);
}

static struct thing parse_prefix_text(struct script *script)
{
    struct thing thing = {.kind = THING_PREFIX, .name = script_word(script, "a prefix")};
    if (!script->bad && !prefix_parse(thing.name, strlen(thing.name), &thing.prefix))
        script_fail(script, "'%s' is not a prefix such as 192.0.2.0/24", thing.name);
    return thing;
}

static void parse_prefix(struct script *script)
{
    struct thing thing = parse_prefix_text(script);
    if (!script_take(script, "path"))
        script_fail(script, "expected path \"AS AS\" after '%s'", thing.name);
    thing.text = script_word(script, "the path from the peer's AS on");
    thing.owner = script->subject;
    add_member(script, NAME_PREFIX, thing.name, 0);
    add_thing(script, thing);
}

static void parse_host(struct script *script)
{
    struct world *world = script->world;
    struct thing host = {.kind = THING_HOST, .name = script_word(script, "a name")};
    const char *address = script_word(script, "an address");
    if (!script->bad && !addr_parse(address, strlen(address), &host.addr))
        script_fail(script, "'%s' is not an address", address);
    host.text = arena_printf(&world->arena, "icmp:%s", address);
    host.rtt_ns = take_duration(script, "rtt", 100 * NS_PER_MS);
    host.every_ns = take_duration(script, "every", default_every(script));
    host.owner = script->subject;
    add_member(script, NAME_TARGET, host.text, host.every_ns);
    add_thing(script, host);
}

static void parse_service(struct script *script)
{
    struct world *world = script->world;
    struct thing service = {.kind = THING_SERVICE, .name = script_word(script, "a name")};
    if (!script_take(script, "on"))
        script_fail(script, "expected on HOST after '%s'", service.name);
    service.owner = script_thing(script, 1u << THING_HOST, "a host");
    service.text = target_text(script);
    if (script->bad)
        return;
    const struct thing *host = &world->things[service.owner];
    service.rtt_ns = take_duration(script, "rtt", host->rtt_ns);
    service.every_ns = take_duration(script, "every", host->every_ns);
    if (script_take(script, "expires"))
        service.expires = script_time(script);
    add_member(script, NAME_TARGET, service.text, service.every_ns);
    add_thing(script, service);
}

static void parse_group(struct script *script)
{
    struct world *world = script->world;
    const unsigned kinds =
        1u << THING_HOST | 1u << THING_SERVICE | 1u << THING_PREFIX | 1u << THING_PEER;
    struct thing group = {.kind = THING_GROUP, .name = script_word(script, "a name")};
    uint32_t *members = arena_alloc(&world->arena, SCRIPT_WORDS * sizeof *members);
    do
        members[group.count++] = script_thing(script, kinds, "a host, service, prefix or peer");
    while (*script_peek(script));
    group.members = members;
    add_thing(script, group);
}

static void parse_day(struct script *script)
{
    const char *date = script_word(script, "a date such as 2022-01-25");
    const char *midnight = arena_printf(&script->world->arena, "%sT00:00:00Z", date);
    if (!script->bad && !utc_parse(midnight, strlen(midnight), &script->day))
        script_fail(script, "'%s' is not a date such as 2022-01-25", date);
}

static void parse_watch(struct script *script)
{
    struct world *world = script->world;
    struct span span = {.from = script_time(script)};
    span.to = script_time(script);
    if (!script->bad && span.from.ns >= span.to.ns)
        script_fail(script, "the watch ends before it begins");
    if (world->watch_count && world->watches[world->watch_count - 1].to.ns >= span.from.ns)
        script_fail(script, "the watch begins before the last one ends");
    WORLD_ADD(world, watches, watch_count, watch_capacity, span);
}

static void parse_noise(struct script *script)
{
    if (script_take(script, "loss"))
        script->world->noise_loss = script_share(script);
    if (script_take(script, "rtt"))
        script->world->noise_rtt = script_number(script, "a spread such as 0.03");
}

static void parse_statement(struct script *script)
{
    struct world *world = script->world;
    const char *verb = script_word(script, "a statement");
    if (strcmp(verb, "title") == 0)
        world->title = script_word(script, "a title");
    else if (strcmp(verb, "reconstruction") == 0)
        world->is_reconstruction = true;
    else if (strcmp(verb, "day") == 0)
        parse_day(script);
    else if (strcmp(verb, "watch") == 0)
        parse_watch(script);
    else if (strcmp(verb, "noise") == 0)
        parse_noise(script);
    else if (strcmp(verb, "every") == 0)
        world->things[0].every_ns = script_duration(script);
    else if (strcmp(verb, "vantage") == 0)
        parse_vantage(script);
    else if (strcmp(verb, "collector") == 0)
        parse_collector(script);
    else if (strcmp(verb, "subject") == 0)
        parse_subject(script);
    else if (strcmp(verb, "zone") == 0)
        add_member(script, NAME_ZONE, script_word(script, "a zone"), 0);
    else if (strcmp(verb, "asn") == 0)
        add_member(script, NAME_ASN, script_word(script, "an AS number"), 0);
    else if (strcmp(verb, "prefix") == 0)
        parse_prefix(script);
    else if (strcmp(verb, "foreign") == 0)
        add_thing(script, parse_prefix_text(script));
    else if (strcmp(verb, "host") == 0)
        parse_host(script);
    else if (strcmp(verb, "service") == 0)
        parse_service(script);
    else if (strcmp(verb, "group") == 0)
        parse_group(script);
    else if (strcmp(verb, "at") == 0)
        parse_change(script);
    else if (strcmp(verb, "truth") == 0)
        parse_truth(script);
    else if (strcmp(verb, "expect") == 0)
        parse_expectation(script);
    else
        script_fail(script, "'%s' is no statement (README.md lists them)", verb);
    script_finish(script);
}

static char *read_whole(const char *path, size_t *n, struct why *why)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        why_set(why, ERR_IO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = NULL;
    size_t capacity = 0, got;
    *n = 0;
    do {
        text = mem_grow(text, &capacity, *n + 4096, 1);
        got = fread(text + *n, 1, 4096, file);
        *n += got;
    } while (got);
    fclose(file);
    return text;
}

/* Each thing's changes in the order of time, whatever the order of lines: insertion keeps ties in
 * place. */
static void sort_changes(struct world *world)
{
    for (size_t i = 1; i < world->change_count; i++) {
        struct change change = world->changes[i];
        size_t at = i;
        for (; at > 0 && world->changes[at - 1].at.ns > change.at.ns; at--)
            world->changes[at] = world->changes[at - 1];
        world->changes[at] = change;
    }
}

enum err world_read(const char *path, struct world *out, struct why *why)
{
    size_t n;
    char *text = read_whole(path, &n, why);
    if (!text)
        return ERR_IO;
    const char *slash = strrchr(path, '/');
    *out = (struct world){.file = path, .title = "", .noise_loss = 0.003, .noise_rtt = 0.03};
    struct thing none = {.name = "", .every_ns = EVERY_S * NS_PER_S};
    WORLD_ADD(out, things, thing_count, thing_capacity, none);
    struct script script = {.world = out, .file = slash ? slash + 1 : path, .why = why};
    for (const char *at = text; at < text + n && !script.bad;) {
        const char *end = memchr(at, '\n', (size_t)(text + n - at));
        size_t length = end ? (size_t)(end - at) : (size_t)(text + n - at);
        script_line(&script, at, length);
        if (script.count)
            parse_statement(&script);
        at += length + 1;
    }
    if (!out->watch_count || !out->expectation_count)
        script_fail(&script, "a scenario has at least one `watch` and one `expect`");
    free(text);
    sort_changes(out);
    if (!script.bad)
        return ERR_OK;
    world_done(out);
    return ERR_INPUT;
}

void world_done(struct world *world)
{
    free(world->things);
    free(world->members);
    free(world->member_owner);
    free(world->changes);
    free(world->watches);
    free(world->expectations);
    arena_done(&world->arena);
    *world = (struct world){0};
}

bool world_subject(const struct world *world, uint32_t index, struct arena *arena,
                   struct subject_spec *out)
{
    uint32_t seen = 0;
    for (uint32_t i = 1; i < world->thing_count; i++) {
        const struct thing *thing = &world->things[i];
        if (thing->kind != THING_SUBJECT || seen++ != index)
            continue;
        struct member_spec *members = arena_alloc(arena, world->member_count * sizeof *members);
        size_t count = 0;
        for (size_t k = 0; k < world->member_count; k++)
            if (world->member_owner[k] == i)
                members[count++] = world->members[k];
        *out = (struct subject_spec){.name = thing->name,
                                     .title = thing->text,
                                     .is_reconstruction = world->is_reconstruction,
                                     .utc_offset_s = thing->utc_offset_s,
                                     .members = members,
                                     .member_count = count};
        return true;
    }
    return false;
}
