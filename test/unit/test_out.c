/* What people read: words, sentences, and whole pages held against golden files. The conclusions
 * are made by hand, so that the pages do not change when the rules do. LASTLIGHT_UPDATE_GOLDEN=1
 * writes the golden files anew; read the difference before it is committed. */
#include "out/overview.h"
#include "out/sentence.h"
#include "out/words.h"

#include "base/mem.h"

#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct utc at(const char *text)
{
    struct utc t;
    assert_true(utc_parse(text, strlen(text), &t) == strlen(text));
    return t;
}

static struct interval span(const char *first, const char *last)
{
    return (struct interval){at(first), at(last)};
}

static uint32_t name(struct registry *registry, enum name_kind kind, const char *text)
{
    uint32_t id = registry_intern(registry, kind, text, strlen(text));
    assert_true(id);
    return id;
}

/* Words. */

static void test_times_and_intervals(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct utc day = at("2022-01-25T20:00:00Z");
    struct interval minute = span("2022-01-25T21:00:10.7Z", "2022-01-25T21:00:40.2Z");
    assert_string_equal(words_time(&arena, at("2022-01-25T21:00:10.7Z")), "2022-01-25T21:00:10Z");
    assert_string_equal(words_time(&arena, (struct utc){0}), "-");
    assert_string_equal(words_interval(&arena, &minute, day), "between 21:00:10 and 21:00:41");
    assert_string_equal(words_interval(&arena, &minute, (struct utc){0}),
                        "between 2022-01-25T21:00:10Z and 21:00:41Z");
    struct interval night = span("2022-01-25T23:59:50Z", "2022-01-26T00:00:20Z");
    assert_string_equal(words_interval(&arena, &night, day),
                        "between 2022-01-25T23:59:50Z and 2022-01-26T00:00:20Z");
    struct interval quick = span("2022-01-25T21:00:10.25Z", "2022-01-25T21:00:11Z");
    assert_string_equal(words_interval(&arena, &quick, day), "between 21:00:10.250 and 21:00:11");
    struct interval late = {{0}, at("2022-01-25T21:00:40Z")};
    assert_string_equal(words_interval(&arena, &late, day), "by 21:00:40");
    struct interval since = {at("2022-01-25T21:00:40Z"), {0}};
    assert_string_equal(words_interval(&arena, &since, (struct utc){0}),
                        "after 2022-01-25T21:00:40Z");
    assert_string_equal(words_interval(&arena, &(struct interval){0}, day),
                        "at a time that is not known");
    struct interval end = span("2022-01-25T22:00:10Z", "2022-01-25T22:00:40Z");
    assert_string_equal(words_between(&arena, &minute, &end), "59 min 29 s to 1 h");
    assert_string_equal(words_between(&arena, &minute, &minute), "at most 29 s");
    assert_string_equal(words_between(&arena, &minute, &(struct interval){0}), "-");
    arena_done(&arena);
}

static void test_likelihood_words_follow_the_scale(void **state)
{
    (void)state;
    static const struct {
        double p;
        const char *words, *percent;
    } scale[] = {{0, "almost no chance", "below 1 %"},
                 {.004, "almost no chance", "below 1 %"},
                 {.03, "almost no chance", "3 %"},
                 {.05, "very unlikely", "5 %"},
                 {.199, "very unlikely", "20 %"},
                 {.2, "unlikely", "20 %"},
                 {.44, "unlikely", "44 %"},
                 {.5, "roughly even", "50 %"},
                 {.55, "likely", "55 %"},
                 {.79, "likely", "79 %"},
                 {.8, "very likely", "80 %"},
                 {.95, "almost certain", "95 %"},
                 {.9999, "almost certain", "above 99 %"},
                 {1, "almost certain", "above 99 %"}};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof scale / sizeof *scale; i++) {
        assert_string_equal(words_likelihood(scale[i].p), scale[i].words);
        assert_string_equal(words_percent(&arena, scale[i].p), scale[i].percent);
    }
    arena_done(&arena);
}

static void test_lists(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *items[] = {"a", "b", "c"};
    assert_string_equal(words_list(&arena, items, 0), "");
    assert_string_equal(words_list(&arena, items, 1), "a");
    assert_string_equal(words_list(&arena, items, 2), "a and b");
    assert_string_equal(words_list(&arena, items, 3), "a, b and c");
    assert_string_equal(words_count(&arena, 1, "host", "hosts"), "1 host");
    assert_string_equal(words_count(&arena, 0, "host", "hosts"), "0 hosts");
    arena_done(&arena);
}

/* Sentences. */

static void test_templates_are_filled(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct registry *registry = registry_new();
    struct finding finding = {.n = 3, .m = 4, .a = 0.6, .b = 3.25, .layer = LAYER_HOST};
    finding.name = name(registry, NAME_PREFIX, "192.0.2.0/24");
    finding.first = span("2022-01-25T21:00:10Z", "2022-01-25T21:00:40Z");
    struct utc day = at("2022-01-25T00:00:01Z");
    static const char *const cases[][2] = {
        {"{n} of {m}", "3 of 4"},
        {"{a%} and {b}", "60 % and 3.2"},
        {"{first}, {second}", "between 21:00:10 and 21:00:40, not known"},
        {"went {first}[ and was gone {second}].", "went between 21:00:10 and 21:00:40."},
        {"x[ ({first})]", "x (between 21:00:10 and 21:00:40)"},
        {"{name} on {layer}", "192.0.2.0/24 on hosts answering ping"},
        {"{nonsense} {", "{nonsense} {"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(sentence_render(&arena, registry, cases[i][0], &finding, day),
                            cases[i][1]);
    finding.a = 65001;
    finding.b = (double)(90 * NS_PER_S);
    assert_string_equal(sentence_render(&arena, registry, "AS{a} {b:time}", &finding, day),
                        "AS65001 1 min 30 s");
    registry_free(registry);
    arena_done(&arena);
}

/* Every template of the table must render without a mark left over, whatever is missing. */
static void test_every_finding_is_a_sentence(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct registry *registry = registry_new();
    struct finding full = {.n = 1, .m = 2, .a = 0.5, .b = 2, .layer = LAYER_HOST};
    full.name = name(registry, NAME_PREFIX, "192.0.2.0/24");
    full.first = full.second = span("2022-01-25T21:00:10Z", "2022-01-25T21:00:40Z");
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++)
        for (int truth = TRUTH_ABSENT; truth <= TRUTH_PRESENT; truth++)
            for (int is_full = 0; is_full < 2; is_full++) {
                struct finding finding = is_full ? full : (struct finding){0};
                finding.kind = (uint8_t)kind;
                finding.truth = (uint8_t)truth;
                const char *text = sentence(&arena, registry, &finding, (struct utc){0});
                const char *whole = sentence_whole(&arena, text);
                assert_true(strlen(text) > 10);
                assert_null(strpbrk(text, "{}[]"));
                if (is_full)
                    assert_null(strstr(text, "not known"));
                assert_false(islower((unsigned char)whole[0]));
                assert_true(whole[strlen(whole) - 1] == '.');
            }
    registry_free(registry);
    arena_done(&arena);
}

/* Hand-made cases. */

struct world {
    struct arena arena;
    struct registry *registry;
    uint32_t kp, lon, host, route, web;
};

static void world_init(struct world *world)
{
    *world = (struct world){.registry = registry_new()};
    world->kp = name(world->registry, NAME_SUBJECT, "kp");
    world->lon = name(world->registry, NAME_VANTAGE, "lon");
    world->host = name(world->registry, NAME_TARGET, "icmp:175.45.176.71");
    world->route = name(world->registry, NAME_PREFIX, "175.45.176.0/24");
    world->web = name(world->registry, NAME_TARGET, "http://kcna.kp/");
}

static void world_done(struct world *world)
{
    registry_free(world->registry);
    arena_done(&world->arena);
}

/* Sets one finding and its weight for three causes; for all others it weighs a little against. */
static struct finding *find(struct verdict *verdict, enum evidence_kind kind, enum truth truth,
                            const enum cause causes[3], double first, double second, double third)
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

static void verdict_init(struct verdict *verdict, const double leading[4],
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

static void make_stress_verdict(const struct world *world, struct verdict *verdict)
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

static void make_stress_incident(const struct world *world, struct incident *incident)
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

static void add_stress_history(const struct world *world, struct dossier *dossier)
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
static struct dossier stress_dossier(struct world *world, struct verdict verdicts[2],
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
static struct dossier power_dossier(struct world *world, struct verdict *verdict)
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
    dossier.file.revisions = incident;
    dossier.file.revision_count = 0;
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
static struct dossier hijack_dossier(struct world *world, struct verdict *verdict)
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
    dossier.file.verdicts = verdict;
    dossier.file.verdict_count = 1;
    return dossier;
}

/* Golden files. */

static const char *golden_path(char path[512], const char *file)
{
    const char *root = getenv("LASTLIGHT_ROOT");
    const char *here = strrchr(__FILE__, '/');
    if (root)
        snprintf(path, 512, "%s/test/golden/%s", root, file);
    else
        snprintf(path, 512, "%.*s/../golden/%s", (int)(here - __FILE__), __FILE__, file);
    return path;
}

static char *read_file(const char *path)
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

static void write_file(const char *path, const struct buffer *text)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text->bytes, 1, text->size, stream), text->size);
    assert_int_equal(fclose(stream), 0);
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* What may never be printed: accusations, and likelihoods that claim certainty. */
static void check_wording(const struct buffer *text)
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

static void check_width(const struct buffer *text, size_t width)
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

static void check_golden(const char *file, const struct buffer *text)
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

static void check_page(const struct dossier *dossier,
                       void (*render)(const struct dossier *, const struct style *,
                                      struct buffer *),
                       enum format format, const char *file)
{
    struct buffer out = {0};
    struct style style = {.format = format};
    render(dossier, &style, &out);
    if (format == FORMAT_TEXT)
        check_width(&out, 80);
    check_golden(file, &out);
    if (format == FORMAT_JSON) {
        json_error_t error;
        json_t *object = json_loads(out.bytes, JSON_REJECT_DUPLICATES, &error);
        assert_non_null(object);
        assert_ptr_equal(strchr(out.bytes, '\n'), out.bytes + out.size - 1);
        json_decref(object);
    }
    buffer_done(&out);
}

static void test_stress_pages(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdicts[2];
    struct incident revisions[2];
    world_init(&world);
    struct dossier dossier = stress_dossier(&world, verdicts, revisions);
    check_page(&dossier, render_why, FORMAT_TEXT, "why-stress.txt");
    check_page(&dossier, render_why, FORMAT_JSON, "why-stress.json");
    check_page(&dossier, render_report, FORMAT_TEXT, "report-stress.txt");
    check_page(&dossier, render_report, FORMAT_MARKDOWN, "report-stress.md");
    check_page(&dossier, render_report, FORMAT_JSON, "report-stress.json");
    world_done(&world);
}

static void test_power_pages(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdict;
    world_init(&world);
    struct dossier dossier = power_dossier(&world, &verdict);
    check_page(&dossier, render_why, FORMAT_TEXT, "why-power.txt");
    check_page(&dossier, render_report, FORMAT_MARKDOWN, "report-power.md");
    world_done(&world);
}

static void test_hijack_pages(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdict;
    world_init(&world);
    struct dossier dossier = hijack_dossier(&world, &verdict);
    check_page(&dossier, render_why, FORMAT_TEXT, "why-hijack.txt");
    world_done(&world);
}

static void test_without_a_verdict(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdict;
    world_init(&world);
    struct dossier dossier = power_dossier(&world, &verdict);
    dossier.file.verdict_count = 0;
    struct buffer out = {0};
    render_report(&dossier, &(struct style){.format = FORMAT_TEXT}, &out);
    assert_non_null(strstr(out.bytes, "No verdict has been reached yet."));
    buffer_clear(&out);
    render_why(&dossier, &(struct style){.format = FORMAT_JSON}, &out);
    assert_non_null(strstr(out.bytes, "\"verdict\":null"));
    buffer_done(&out);
    world_done(&world);
}

/* Likelihood and confidence never share a sentence. */
static void test_confidence_stands_alone(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdicts[2];
    struct incident revisions[2];
    world_init(&world);
    struct dossier dossier = stress_dossier(&world, verdicts, revisions);
    struct buffer out = {0};
    render_report(&dossier, &(struct style){.format = FORMAT_MARKDOWN}, &out);
    const char *found = strstr(out.bytes, "Confidence");
    assert_non_null(found);
    const char *end = strstr(found, ".");
    assert_non_null(end);
    for (const char *c = found; c < end; c++)
        assert_true(strncmp(c, "likely", 6) != 0 && *c != '%');
    assert_true(found == out.bytes || found[-1] == '\n');
    buffer_done(&out);
    world_done(&world);
}

/* A terminal is not driven, and a Markdown page not written, by names that strangers chose. */
static void test_names_cannot_command(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdict;
    world_init(&world);
    struct dossier dossier = power_dossier(&world, &verdict);
    dossier.subject.title = name(world.registry, NAME_TEXT, "x\033[2J\nfoo\xc2\x9b|<b>`*[a](b)");
    struct buffer out = {0};
    render_why(&dossier, &(struct style){.format = FORMAT_TEXT}, &out);
    assert_null(strchr(out.bytes, '\033'));
    assert_null(strstr(out.bytes, "\xc2\x9b"));
    assert_non_null(strstr(out.bytes, "x?[2J?foo?|<b>"));
    buffer_clear(&out);
    render_why(&dossier, &(struct style){.format = FORMAT_MARKDOWN}, &out);
    assert_null(strchr(out.bytes, '\033'));
    assert_non_null(strstr(out.bytes, "\\|\\<b\\>\\`\\*\\[a\\](b)"));
    buffer_clear(&out);
    render_why(&dossier, &(struct style){.format = FORMAT_JSON}, &out);
    json_t *object = json_loads(out.bytes, 0, NULL);
    assert_non_null(object);
    json_decref(object);
    buffer_done(&out);
    world_done(&world);
}

static void test_colour_only_if_asked(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdict;
    world_init(&world);
    struct dossier dossier = power_dossier(&world, &verdict);
    struct buffer out = {0};
    render_why(&dossier, &(struct style){.format = FORMAT_TEXT, .colour = true}, &out);
    assert_non_null(strstr(out.bytes, "\033[1m"));
    buffer_clear(&out);
    render_why(&dossier, &(struct style){.format = FORMAT_MARKDOWN, .colour = true}, &out);
    assert_null(strchr(out.bytes, '\033'));
    buffer_done(&out);
    world_done(&world);
}

static void test_width_is_kept(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdicts[2];
    struct incident revisions[2];
    world_init(&world);
    struct dossier dossier = stress_dossier(&world, verdicts, revisions);
    struct buffer out = {0};
    render_report(&dossier, &(struct style){.format = FORMAT_TEXT, .width = 120}, &out);
    check_width(&out, 120);
    buffer_done(&out);
    world_done(&world);
}

/* Status and incidents. */

static struct overview make_overview(struct world *world)
{
    static struct series_state series[4];
    static struct subject_state subjects[1];
    struct overview overview = {.registry = world->registry, .arena = &world->arena};
    overview.counts = (struct journal_counts){.observations = 86400,
                                              .first = at("2022-02-03T00:00:00Z"),
                                              .last = at("2022-02-03T09:20:00Z")};
    subjects[0] = (struct subject_state){
        .subject = world->kp, .title = name(world->registry, NAME_TEXT, "Web sites under .kp")};
    overview.subjects = (struct subject_list){subjects, 1};
    for (int i = 0; i < 4; i++)
        series[i] =
            (struct series_state){.source = world->lon,
                                  .subject = world->kp,
                                  .condition = CONDITION_UP,
                                  .outcome = OUTCOME_OK,
                                  .is_counted = 1,
                                  .since = span("2022-02-03T00:00:00Z", "2022-02-03T00:00:30Z")};
    series[0].target = world->route;
    series[0].source = 0;
    series[0].layer = LAYER_ROUTE;
    series[1].target = world->host;
    series[1].layer = LAYER_HOST;
    series[2].target = world->web;
    series[2].layer = LAYER_SERVICE;
    series[3].target = name(world->registry, NAME_TARGET, "icmp:175.45.176.72");
    series[3].layer = LAYER_HOST;
    overview.series = (struct series_list){series, 4};
    return overview;
}

static void check_overview(const struct overview *overview,
                           void (*render)(const struct overview *, const struct style *,
                                          struct buffer *),
                           enum format format, const char *file)
{
    struct buffer out = {0};
    struct style style = {.format = format, .width = 100};
    render(overview, &style, &out);
    if (format == FORMAT_TEXT)
        check_width(&out, 110);
    check_golden(file, &out);
    for (char *line = out.bytes; format == FORMAT_JSON && *line;) {
        char *end = strchr(line, '\n');
        json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(object);
        json_decref(object);
        line = end + 1;
    }
    buffer_done(&out);
}

static void test_nothing_happened(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct overview overview = make_overview(&world);
    overview.series.list[3].condition = CONDITION_NO_DATA;
    check_overview(&overview, render_incidents, FORMAT_TEXT, "incidents-none.txt");
    check_overview(&overview, render_incidents, FORMAT_JSON, "incidents-none.json");
    check_overview(&overview, render_status, FORMAT_TEXT, "status-calm.txt");
    overview.counts = (struct journal_counts){0};
    struct buffer out = {0};
    render_incidents(&overview, &(struct style){0}, &out);
    assert_non_null(strstr(out.bytes, "holds no observations yet"));
    buffer_clear(&out);
    render_status(&overview, &(struct style){0}, &out);
    assert_non_null(strstr(out.bytes, "holds no observations yet"));
    buffer_done(&out);
    world_done(&world);
}

static void test_incidents_and_status(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdicts[2], power_verdict, hijack_verdict;
    struct incident revisions[2];
    world_init(&world);
    struct dossier stress = stress_dossier(&world, verdicts, revisions);
    struct dossier power = power_dossier(&world, &power_verdict);
    struct dossier hijack = hijack_dossier(&world, &hijack_verdict);
    struct overview overview = make_overview(&world);
    struct judged_incident rows[3] = {{stress.file.incident, &verdicts[1]},
                                      {power.file.incident, &power_verdict},
                                      {hijack.file.incident, &hijack_verdict}};
    overview.incidents = rows;
    overview.incident_count = 3;
    overview.counts.incidents = 3;
    overview.notices = power.notices;
    overview.subjects.list[0].is_reconstruction = true;
    for (int i = 0; i < 3; i++) {
        overview.series.list[i].condition = CONDITION_DOWN;
        overview.series.list[i].outcome = i ? OUTCOME_TIMEOUT : OUTCOME_NONE;
        overview.series.list[i].loss = 1;
        overview.series.list[i].since = span("2022-02-03T09:14:00Z", "2022-02-03T09:14:30Z");
    }
    overview.series.list[3].is_counted = 0;
    check_overview(&overview, render_incidents, FORMAT_TEXT, "incidents.txt");
    check_overview(&overview, render_incidents, FORMAT_MARKDOWN, "incidents.md");
    check_overview(&overview, render_incidents, FORMAT_JSON, "incidents.json");
    check_overview(&overview, render_status, FORMAT_TEXT, "status-down.txt");
    check_overview(&overview, render_status, FORMAT_JSON, "status-down.json");
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_and_intervals),
        cmocka_unit_test(test_likelihood_words_follow_the_scale),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_templates_are_filled),
        cmocka_unit_test(test_every_finding_is_a_sentence),
        cmocka_unit_test(test_stress_pages),
        cmocka_unit_test(test_power_pages),
        cmocka_unit_test(test_hijack_pages),
        cmocka_unit_test(test_without_a_verdict),
        cmocka_unit_test(test_confidence_stands_alone),
        cmocka_unit_test(test_names_cannot_command),
        cmocka_unit_test(test_colour_only_if_asked),
        cmocka_unit_test(test_width_is_kept),
        cmocka_unit_test(test_nothing_happened),
        cmocka_unit_test(test_incidents_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
