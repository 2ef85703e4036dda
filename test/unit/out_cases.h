/* Three incidents made by hand, for the tests of what people read: conclusions as the core would
 * emit them, so that pages do not change when the rules do; and the golden files that the pages are
 * held against. LASTLIGHT_UPDATE_GOLDEN=1 writes those anew; read the difference before it is
 * committed. */
#ifndef TEST_OUT_CASES_H
#define TEST_OUT_CASES_H

#include "out/overview.h"

#include "base/mem.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline struct utc at(const char *text)
{
    struct utc t;
    assert_true(utc_parse(text, strlen(text), &t) == strlen(text));
    return t;
}

static inline struct interval span(const char *first, const char *last)
{
    return (struct interval){at(first), at(last)};
}

static inline uint32_t name(struct registry *registry, enum name_kind kind, const char *text)
{
    uint32_t id = registry_intern(registry, kind, text, strlen(text));
    assert_true(id);
    return id;
}

/* Hand-made cases. */

struct world {
    struct arena arena;
    struct registry *registry;
    uint32_t kp, lon, host, route, web;
};

static inline void world_init(struct world *world)
{
    *world = (struct world){.registry = registry_new()};
    world->kp = name(world->registry, NAME_SUBJECT, "kp");
    world->lon = name(world->registry, NAME_VANTAGE, "lon");
    world->host = name(world->registry, NAME_TARGET, "icmp:175.45.176.71");
    world->route = name(world->registry, NAME_PREFIX, "175.45.176.0/24");
    world->web = name(world->registry, NAME_TARGET, "http://kcna.kp/");
}

static inline void world_done(struct world *world)
{
    registry_free(world->registry);
    arena_done(&world->arena);
}

/* Sets one finding and its weight for three causes; for all others it weighs a little against. */
static inline struct finding *find(struct verdict *verdict, enum evidence_kind kind,
                                   enum truth truth, const enum cause causes[3], double first,
                                   double second, double third)
{
    struct evidence *evidence = &verdict->evidence[kind];
    evidence->finding.truth = (uint8_t)truth;
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        evidence->weight[cause] = -0.2f;
    evidence->weight[causes[0]] = (float)first;
    evidence->weight[causes[1]] = (float)second;
    evidence->weight[causes[2]] = (float)third;
    return &evidence->finding;
}

static inline void verdict_init(struct verdict *verdict, const double leading[4],
                                const enum cause causes[4])
{
    *verdict = (struct verdict){.incident = 1, .revision = 3, .rules = 1, .call = CAUSE_COUNT};
    memset(verdict->settling, EVIDENCE_COUNT, sizeof verdict->settling);
    double rest = 1;
    int at_order = 0;
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        verdict->evidence[kind].finding.kind = (uint8_t)kind;
    for (int i = 0; i < 4; i++) {
        verdict->posterior[causes[i]] = leading[i];
        verdict->order[at_order++] = (uint8_t)causes[i];
        rest -= leading[i];
    }
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        if (verdict->posterior[cause] > 0)
            continue;
        verdict->posterior[cause] = rest / (CAUSE_COUNT - 4);
        verdict->order[at_order++] = (uint8_t)cause;
    }
    double share = 0;
    while (share < 0.8 - 1e-9)
        share += verdict->posterior[verdict->order[verdict->set_size++]];
}

static inline void make_stress_verdict(const struct world *world, struct verdict *verdict)
{
    static const enum cause causes[4] = {CAUSE_STRESS, CAUSE_UNKNOWN, CAUSE_OWN_CONFIG,
                                         CAUSE_SITE_POWER};
    static const enum cause told[3] = {CAUSE_STRESS, CAUSE_SITE_POWER, CAUSE_OWN_CONFIG};
    verdict_init(verdict, (const double[4]){.86, .06, .04, .01}, causes);
    verdict->call = CAUSE_STRESS;
    verdict->confidence = CONFIDENCE_MODERATE;
    verdict->judged = at("2022-01-26T03:20:00Z");
    struct finding *f = find(verdict, EVIDENCE_CONTROLS_WELL, TRUTH_PRESENT, told, .02, .02, .02);
    f->n = f->m = 2;
    f = find(verdict, EVIDENCE_WIDE, TRUTH_PRESENT, told, .3, .6, .6);
    f->n = f->m = 4;
    f = find(verdict, EVIDENCE_GRADED, TRUTH_PRESENT, told, .74, -.72, .05);
    f->a = .62;
    f->b = 4.1;
    f->first = span("2022-01-25T20:31:00Z", "2022-01-25T20:31:30Z");
    f->second = span("2022-01-25T21:02:00Z", "2022-01-25T21:02:30Z");
    f = find(verdict, EVIDENCE_ONE_STEP, TRUTH_ABSENT, told, .4, -.7, -.2);
    f->n = 1;
    f->m = 4;
    f = find(verdict, EVIDENCE_ROUTES_FLAP, TRUTH_PRESENT, told, .54, -.06, .5);
    f->n = 5;
    f = find(verdict, EVIDENCE_DATA_FIRST, TRUTH_PRESENT, told, .5, .2, -.7);
    f->a = (double)(18 * NS_PER_MINUTE);
    f = find(verdict, EVIDENCE_ROUTES_FIRST, TRUTH_ABSENT, told, .2, .1, -.3);
    f = find(verdict, EVIDENCE_RECURRENT, TRUTH_PRESENT, told, .45, .02, .02);
    f->n = 2;
    f = find(verdict, EVIDENCE_ON_THE_HOUR, TRUTH_ABSENT, told, .04, .04, 0);
    f = find(verdict, EVIDENCE_RELAPSES, TRUTH_PRESENT, told, .5, -.1, .3);
    f->n = 3;
    f = find(verdict, EVIDENCE_FOREIGN_ORIGIN, TRUTH_ABSENT, told, .04, .04, .04);
    f->name = world->route;
    verdict->settling[0] = EVIDENCE_STAGED_RETURN;
    verdict->settling[1] = EVIDENCE_SILENT_SERVICES;
}

static inline void make_stress_incident(const struct world *world, struct incident *incident)
{
    *incident = (struct incident){.id = 1,
                                  .revision = 3,
                                  .subject = world->kp,
                                  .episodes = 3,
                                  .first_layer = LAYER_PATH,
                                  .first_target = world->host,
                                  .vantages = 2,
                                  .depth = 1};
    incident->judged = at("2022-01-26T03:20:00Z");
    incident->began = span("2022-01-14T02:10:00Z", "2022-01-14T02:10:30Z");
    incident->ended = span("2022-01-26T03:04:30Z", "2022-01-26T03:05:00Z");
    struct layer_history *path = &incident->layers[LAYER_PATH];
    path->extent = (struct extent){.watched = 4, .degraded = 4};
    path->degraded = span("2022-01-25T20:31:00Z", "2022-01-25T20:31:30Z");
    struct layer_history *host = &incident->layers[LAYER_HOST];
    host->extent = (struct extent){.watched = 4, .down = 4};
    host->down = span("2022-01-25T21:02:00Z", "2022-01-25T21:02:30Z");
    host->all_down = span("2022-01-25T21:19:00Z", "2022-01-25T21:19:30Z");
    host->first_up = span("2022-01-26T02:20:00Z", "2022-01-26T02:20:30Z");
    host->all_up = span("2022-01-26T03:04:30Z", "2022-01-26T03:05:00Z");
    struct layer_history *route = &incident->layers[LAYER_ROUTE];
    route->extent = (struct extent){.watched = 4, .down = 3, .degraded = 1};
    route->down = span("2022-01-25T21:20:30Z", "2022-01-25T21:20:31.5Z");
    route->all_down = span("2022-01-25T21:48:03Z", "2022-01-25T21:48:05Z");
    route->first_up = route->all_up = span("2022-01-26T02:01:01Z", "2022-01-26T02:01:02Z");
    struct layer_history *service = &incident->layers[LAYER_SERVICE];
    service->extent = (struct extent){.watched = 5, .down = 5};
    service->down = span("2022-01-25T21:01:45Z", "2022-01-25T21:02:45Z");
    service->all_down = span("2022-01-25T21:19:00Z", "2022-01-25T21:20:00Z");
    service->first_up = span("2022-01-26T02:20:00Z", "2022-01-26T02:21:00Z");
    service->all_up = span("2022-01-26T03:04:00Z", "2022-01-26T03:05:00Z");
}

static inline void add_stress_history(const struct world *world, struct dossier *dossier)
{
    static struct episode episodes[3];
    static struct event events[2];
    static const char *const times[3][4] = {{"2022-01-14T02:10:00Z", "2022-01-14T02:10:30Z",
                                             "2022-01-14T04:41:00Z", "2022-01-14T04:41:30Z"},
                                            {"2022-01-22T11:03:00Z", "2022-01-22T11:03:30Z",
                                             "2022-01-22T12:20:00Z", "2022-01-22T12:20:30Z"},
                                            {"2022-01-25T20:31:00Z", "2022-01-25T20:31:30Z",
                                             "2022-01-26T03:04:30Z", "2022-01-26T03:05:00Z"}};
    for (int i = 0; i < 3; i++)
        episodes[i] = (struct episode){.incident = 1,
                                       .number = (uint16_t)(i + 1),
                                       .began = span(times[i][0], times[i][1]),
                                       .ended = span(times[i][2], times[i][3]),
                                       .depth = i == 1 ? 0.75 : 1};
    events[0] = (struct event){.id = 1,
                               .incident = 1,
                               .subject = world->kp,
                               .source = world->lon,
                               .target = world->host,
                               .layer = LAYER_HOST,
                               .from = CONDITION_DEGRADED,
                               .to = CONDITION_DOWN,
                               .outcome = OUTCOME_TIMEOUT,
                               .certainty = .98,
                               .at = span("2022-01-25T21:02:00Z", "2022-01-25T21:02:30Z")};
    events[1] = (struct event){.id = 2,
                               .incident = 1,
                               .subject = world->kp,
                               .target = world->route,
                               .layer = LAYER_ROUTE,
                               .from = CONDITION_UP,
                               .to = CONDITION_DOWN,
                               .size = 1,
                               .at = span("2022-01-25T21:20:30Z", "2022-01-25T21:20:31.5Z")};
    dossier->file.episodes = episodes;
    dossier->file.episode_count = 3;
    dossier->file.events = events;
    dossier->file.event_count = 2;
}

/* The founding case: marked as a reconstruction, several episodes, called. */
static inline struct dossier stress_dossier(struct world *world, struct verdict verdicts[2],
                                            struct incident revisions[2])
{
    struct dossier dossier = {.registry = world->registry, .arena = &world->arena};
    make_stress_incident(world, &dossier.file.incident);
    revisions[0] = revisions[1] = dossier.file.incident;
    revisions[0].revision = 1;
    revisions[0].is_open = 1;
    make_stress_verdict(world, &verdicts[1]);
    verdicts[0] = verdicts[1];
    verdicts[0].revision = 1;
    verdicts[0].is_provisional = 1;
    verdicts[0].judged = at("2022-01-14T02:14:00Z");
    verdicts[0].call = CAUSE_COUNT;
    dossier.file.verdicts = verdicts;
    dossier.file.verdict_count = 2;
    dossier.file.revisions = revisions;
    dossier.file.revision_count = 2;
    add_stress_history(world, &dossier);
    dossier.subject =
        (struct subject_state){.subject = world->kp,
                               .title = name(world->registry, NAME_TEXT, "Web sites under .kp"),
                               .is_reconstruction = true,
                               .utc_offset_s = 9 * 3600};
    return dossier;
}

/* A power cut minutes old: open, provisional, everything at once, no call. */
static inline struct dossier power_dossier(struct world *world, struct verdict *verdict)
{
    static const enum cause causes[4] = {CAUSE_SITE_POWER, CAUSE_CABLE, CAUSE_OWN_CONFIG,
                                         CAUSE_UPSTREAM};
    static const enum cause told[3] = {CAUSE_SITE_POWER, CAUSE_CABLE, CAUSE_STRESS};
    static struct notice notices[1];
    struct dossier dossier = {.registry = world->registry, .arena = &world->arena};
    struct incident *incident = &dossier.file.incident;
    *incident = (struct incident){.id = 2,
                                  .revision = 1,
                                  .subject = world->kp,
                                  .episodes = 1,
                                  .is_open = 1,
                                  .first_layer = LAYER_COUNT,
                                  .vantages = 1,
                                  .depth = 1};
    incident->judged = at("2022-02-03T09:20:00Z");
    incident->began = span("2022-02-03T09:14:00Z", "2022-02-03T09:14:30Z");
    struct layer_history *host = &incident->layers[LAYER_HOST];
    host->extent = (struct extent){.watched = 4, .down = 4};
    host->down = host->all_down = span("2022-02-03T09:14:00Z", "2022-02-03T09:14:30Z");
    struct layer_history *route = &incident->layers[LAYER_ROUTE];
    route->extent = (struct extent){.watched = 4, .down = 4};
    route->down = route->all_down = span("2022-02-03T09:14:10Z", "2022-02-03T09:14:12Z");
    verdict_init(verdict, (const double[4]){.42, .24, .12, .07}, causes);
    verdict->incident = 2;
    verdict->revision = 1;
    verdict->is_provisional = 1;
    verdict->judged = incident->judged;
    struct finding *f = find(verdict, EVIDENCE_ONE_STEP, TRUTH_PRESENT, told, .4, .4, -.8);
    f->n = f->m = 4;
    f->first = host->down;
    find(verdict, EVIDENCE_GRADED, TRUTH_ABSENT, told, .1, .05, -.6);
    f = find(verdict, EVIDENCE_ROUTES_AT_ONCE, TRUTH_PRESENT, told, .55, .33, -.2);
    f->n = f->m = 4;
    f->a = (double)(2 * NS_PER_S);
    verdict->settling[0] = EVIDENCE_STAGED_RETURN;
    dossier.file.verdicts = verdict;
    dossier.file.verdict_count = 1;
    static struct incident revisions[1];
    revisions[0] = *incident;
    dossier.file.revisions = revisions;
    dossier.file.revision_count = 1;
    dossier.subject = (struct subject_state){.subject = world->kp};
    notices[0] = (struct notice){.id = 1,
                                 .source = name(world->registry, NAME_VANTAGE, "par"),
                                 .kind = NOTICE_VANTAGE_UNWELL,
                                 .n = 2,
                                 .m = 2,
                                 .is_open = 1,
                                 .began = span("2022-02-03T09:00:00Z", "2022-02-03T09:00:10Z")};
    dossier.notices = (struct notice_list){notices, 1};
    return dossier;
}

/* A more specific prefix from elsewhere: only routes. */
static inline struct dossier hijack_dossier(struct world *world, struct verdict *verdict)
{
    static const enum cause causes[4] = {CAUSE_HIJACK, CAUSE_STRESS, CAUSE_UNKNOWN, CAUSE_SERVER};
    static const enum cause told[3] = {CAUSE_HIJACK, CAUSE_STRESS, CAUSE_SERVER};
    struct dossier dossier = {.registry = world->registry, .arena = &world->arena};
    struct incident *incident = &dossier.file.incident;
    uint32_t prefix = name(world->registry, NAME_PREFIX, "208.65.153.0/24");
    uint32_t subject = name(world->registry, NAME_SUBJECT, "youtube");
    *incident = (struct incident){.id = 3,
                                  .revision = 2,
                                  .subject = subject,
                                  .episodes = 1,
                                  .first_layer = LAYER_ROUTE,
                                  .first_target = prefix};
    incident->judged = at("2008-02-24T21:10:00Z");
    incident->began = span("2008-02-24T18:47:45Z", "2008-02-24T18:47:57Z");
    incident->ended = span("2008-02-24T21:01:05Z", "2008-02-24T21:01:34Z");
    struct layer_history *route = &incident->layers[LAYER_ROUTE];
    route->extent = (struct extent){.watched = 1, .degraded = 1};
    route->degraded = incident->began;
    route->all_up = incident->ended;
    verdict_init(verdict, (const double[4]){.66, .08, .06, .05}, causes);
    verdict->incident = 3;
    verdict->revision = 2;
    verdict->call = CAUSE_HIJACK;
    verdict->confidence = CONFIDENCE_LOW;
    verdict->judged = incident->judged;
    struct finding *f = find(verdict, EVIDENCE_FOREIGN_ORIGIN, TRUTH_PRESENT, told, 3.4, -.1, -.9);
    f->name = prefix;
    f->a = 17557;
    f->n = 38;
    f->m = 41;
    f->first = incident->began;
    f->second = incident->ended;
    find(verdict, EVIDENCE_ORDERLY, TRUTH_ABSENT, told, .02, .02, .02);
    static struct incident revisions[1];
    revisions[0] = *incident;
    dossier.file.revisions = revisions;
    dossier.file.revision_count = 1;
    dossier.file.verdicts = verdict;
    dossier.file.verdict_count = 1;
    return dossier;
}

/* Golden files. */

static inline const char *golden_path(char path[512], const char *file)
{
    const char *root = getenv("LASTLIGHT_ROOT");
    const char *here = strrchr(__FILE__, '/');
    if (root)
        snprintf(path, 512, "%s/test/golden/%s", root, file);
    else
        snprintf(path, 512, "%.*s/../golden/%s", (int)(here - __FILE__), __FILE__, file);
    return path;
}

static inline char *read_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return NULL;
    char *text = mem_new(1, 1 << 20);
    size_t n = fread(text, 1, (1 << 20) - 1, stream);
    text[n] = '\0';
    fclose(stream);
    return text;
}

static inline void write_file(const char *path, const struct buffer *text)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text->bytes, 1, text->size, stream), text->size);
    assert_int_equal(fclose(stream), 0);
}

static inline void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* What may never be printed: accusations, and likelihoods that claim certainty. */
static inline void check_wording(const struct buffer *text)
{
    static const char *const banned[] = {"attack", "hacked",    "blamed", "shut down by",
                                         "proves", "confirmed", "{",      "not known whether"};
    char *copy = mem_new(1, text->size + 1);
    memcpy(copy, text->bytes, text->size);
    bool is_json = copy[0] == '{';
    lower(copy);
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        if (!(is_json && *banned[i] == '{') && strstr(copy, banned[i]))
            fail_msg("says \"%s\":\n%s", banned[i], text->bytes);
    static const char *const certain[] = {
        "likely, 100 %", "certain, 100 %", "chance, 0 %",        "(0 %)",
        "(100 %)",       "likely (100 %)", "\"probability\":0,", "\"probability\":1.0"};
    for (size_t i = 0; i < sizeof certain / sizeof *certain; i++)
        if (strstr(copy, certain[i]))
            fail_msg("claims certainty: \"%s\":\n%s", certain[i], text->bytes);
    free(copy);
}

static inline void check_width(const struct buffer *text, size_t width)
{
    for (const char *line = text->bytes; *line;) {
        size_t n = strcspn(line, "\n");
        bool has_blank_end = n && line[n - 1] == ' ';
        if (n > width || has_blank_end)
            fail_msg("line of %zu columns%s: %.*s", n,
                     has_blank_end ? " with blanks at its end" : "", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static inline void check_golden(const char *file, const struct buffer *text)
{
    char path[512];
    assert_non_null(text->bytes);
    check_wording(text);
    golden_path(path, file);
    if (getenv("LASTLIGHT_UPDATE_GOLDEN"))
        write_file(path, text);
    char *golden = read_file(path);
    if (!golden)
        fail_msg("%s is missing: set LASTLIGHT_UPDATE_GOLDEN=1 to make it", path);
    if (strcmp(golden, text->bytes) != 0)
        fail_msg("differs from %s (LASTLIGHT_UPDATE_GOLDEN=1 writes it anew):\n%s", path,
                 text->bytes);
    free(golden);
}

#endif
