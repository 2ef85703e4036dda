/* What people read: whole pages held against golden files. The conclusions
 * are made by hand, so that the pages do not change when the rules do. LASTLIGHT_UPDATE_GOLDEN=1
 * writes the golden files anew; read the difference before it is committed. */
#include "out_cases.h"

#include "out/sections.h"
#include "out/words.h"

#include "base/hash.h"

#include <jansson.h>
#include <math.h>

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

/* A zone is no name server, and a network no host. */
static void test_whole_things_are_counted_apart(void **state)
{
    (void)state;
    struct world world;
    static struct verdict verdict;
    struct buffer out = {0};
    world_init(&world);
    struct dossier dossier = power_dossier(&world, &verdict);
    struct incident *incident = &dossier.file.incident;
    struct layer_history *host = &incident->layers[LAYER_HOST];
    struct layer_history *zone = &incident->layers[LAYER_NAME];
    host->extent = (struct extent){.watched = 19, .down = 13};
    host->whole = (struct extent){.watched = 15, .down = 12};
    zone->extent = (struct extent){.watched = 3, .down = 1};
    zone->whole = (struct extent){.watched = 1, .down = 1};
    zone->down = zone->all_down = span("2022-02-03T09:14:00Z", "2022-02-03T09:14:30Z");
    bool is_degraded = true;
    assert_string_equal(incident_extent(&world.arena, incident, &is_degraded),
                        "1 of 4 hosts, 12 of 15 networks, 4 of 4 routes and 1 of 1 zone");
    assert_false(is_degraded);
    render_why(&dossier, &(struct style){.width = 200}, &out);
    check_wording(&out);
    static const char *const words[] = {"hosts and networks lost",
                                        "1 of 4 hosts and 12 of 15 networks", "zone lost"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(out.bytes, words[i]))
            fail_msg("does not say \"%s\":\n%s", words[i], out.bytes);
    buffer_done(&out);
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
                                  .was_up = 1,
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

/* A number is not torn apart where a line ends, nor its unit from it. */
static void test_numbers_stay_together(void **state)
{
    (void)state;
    struct style style = {.format = FORMAT_TEXT, .width = 40};
    struct buffer out = {0};
    struct page page = page_of(&style, &out);
    page_paragraph(&page, "These are many words in one line: 12 345 678, and as many are in the "
                          "second (1 234 /24s) as here: 2022 100 and 100 2022 in all 4 5 6 7 min.");
    assert_string_equal(out.bytes, "These are many words in one line:\n"
                                   "12 345 678, and as many are in the\n"
                                   "second (1 234 /24s) as here: 2022 100\n"
                                   "and 100 2022 in all 4 5 6 7 min.\n\n");
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

/* Status counts targets, with their vantages put together, in the units of incidents. */

static void add_vote(struct overview *overview, uint32_t source, uint32_t target, enum layer layer,
                     enum condition condition, bool was_up)
{
    struct utc judged = overview->counts.last;
    overview->series.list[overview->series.count++] =
        (struct series_state){.source = source,
                              .target = target,
                              .subject = overview->subjects.list[0].subject,
                              .layer = (uint8_t)layer,
                              .condition = (uint8_t)condition,
                              .outcome = condition == CONDITION_UP ? OUTCOME_OK : OUTCOME_TIMEOUT,
                              .is_counted = condition != CONDITION_NO_DATA,
                              .was_up = was_up,
                              .since = {{judged.ns - NS_PER_HOUR}, {judged.ns - 60 * NS_PER_S}}};
}

static void test_status_counts_targets(void **state)
{
    (void)state;
    struct world world;
    static struct series_state series[24];
    world_init(&world);
    struct overview overview = make_overview(&world);
    overview.series = (struct series_list){series, 0};
    uint32_t vantages[3] = {world.lon, name(world.registry, NAME_VANTAGE, "par"),
                            name(world.registry, NAME_VANTAGE, "tyo")};
    static const char *const targets[] = {"icmp:192.0.2.1",
                                          "icmp:192.0.2.2",
                                          "dns:192.0.2.53/a.example./SOA",
                                          "dns:192.0.2.53/b.example./SOA",
                                          "http://192.0.2.80/",
                                          "zone:a.example."};
    static const enum layer layers[] = {LAYER_HOST, LAYER_HOST,    LAYER_NAME,
                                        LAYER_NAME, LAYER_SERVICE, LAYER_NAME};
    for (int i = 0; i < 6; i++)
        for (int v = 0; v < 3; v++) {
            uint32_t target = name(world.registry, NAME_TARGET, targets[i]);
            bool is_down = i == 4 || (i == 0 && v < 2) || (i == 1 && v == 0);
            enum condition condition = v == 2 && i > 1 ? CONDITION_NO_DATA
                                       : is_down       ? CONDITION_DOWN
                                                       : CONDITION_UP;
            add_vote(&overview, vantages[v], target, layers[i], condition, i != 4);
        }
    struct buffer out = {0};
    overview.subjects.list[0].targets = 8;
    render_status(&overview, &(struct style){.width = 200}, &out);
    check_wording(&out);
    static const char *const lines[] = {
        "Of its 8 targets 2 have no result so far: not asked yet, or a network of which too few ",
        "hosts answering ping          1   0         1     0         0        2\n",
        "name servers and zones (DNS)  2   0         0     0         0        2\n",
        "services (web, mail)          0   0         0     1         0        1\n",
        "icmp:192.0.2.1: down from 2 of 3 vantages; it changed between 2022-02-03T08:20:00Z",
        " and 09:19:00Z; last: no answer in time\n",
        "icmp:192.0.2.2: up for most vantages, but down from lon; it changed between",
        "http://192.0.2.80/: not seen up once since it is watched, so nothing was lost; last:",
        "Without a vote now: tyo.\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(out.bytes, lines[i]))
            fail_msg("does not say \"%s\":\n%s", lines[i], out.bytes);
    buffer_done(&out);
    world_done(&world);
}

/* Sources that were blind at the same time share a sentence; an end is not told from before the
 * beginning. */
static void test_notices_are_put_together(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct overview overview = make_overview(&world);
    uint32_t rrc00 = name(world.registry, NAME_COLLECTOR, "rrc00");
    struct interval from = span("2022-02-03T02:00:00Z", "2022-02-03T02:00:00Z");
    struct interval to = span("2022-02-03T03:00:00Z", "2022-02-03T03:00:00Z");
    struct notice list[] = {
        {.kind = NOTICE_SOURCE_GAP, .source = world.lon, .began = from, .ended = to},
        {.kind = NOTICE_SERIES_SILENT,
         .source = world.lon,
         .target = world.host,
         .began = span("2022-02-03T02:00:00Z", "2022-02-03T02:01:00Z"),
         .ended = span("2022-02-03T02:00:00Z", "2022-02-03T02:09:00Z")},
        {.kind = NOTICE_SOURCE_GAP, .source = rrc00, .began = from, .ended = to},
        {.kind = NOTICE_SOURCE_GAP, .source = rrc00, .is_open = 1, .began = from},
    };
    overview.notices = (struct notice_list){list, 4};
    struct buffer out = {0};
    render_incidents(&overview, &(struct style){.width = 200}, &out);
    assert_non_null(strstr(out.bytes, "- Vantage lon and collector rrc00 saw nothing: that is no "
                                      "data, not an outage (began at 2022-02-03T02:00:00Z; ended "
                                      "at 03:00:00).\n"));
    assert_null(strstr(out.bytes, "- Collector rrc00 saw nothing"));
    assert_non_null(strstr(out.bytes, "- Collector rrc00 sees nothing: that is no data"));
    assert_non_null(strstr(out.bytes, "and 02:01:00Z; ended by 02:09:00).\n"));
    buffer_done(&out);
    world_done(&world);
}

/* What a vantage finds of itself: what fails as a notice, and all of it in a line. */
static void test_own_checks(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct overview overview = make_overview(&world);
    uint32_t link = name(world.registry, NAME_CONTROL, "self:link");
    uint32_t clock = name(world.registry, NAME_CONTROL, "self:clock");
    struct interval from = span("2022-02-03T02:00:00Z", "2022-02-03T02:00:00Z");
    struct notice notices[] = {{.kind = NOTICE_OWN_FAULT,
                                .source = world.lon,
                                .target = clock,
                                .is_open = 1,
                                .began = from}};
    struct series_state series[] = {
        {.source = world.lon, .target = link, .layer = LAYER_CONTROL, .condition = CONDITION_UP},
        {.source = world.lon,
         .target = clock,
         .layer = LAYER_CONTROL,
         .condition = CONDITION_DOWN,
         .since = from}};
    overview.notices = (struct notice_list){notices, 1};
    overview.series = (struct series_list){series, 2};
    struct buffer out = {0};
    render_status(&overview, &(struct style){.width = 200}, &out);
    assert_non_null(strstr(out.bytes, "- Vantage lon finds: its clock is wrong (self:clock) (began "
                                      "at 2022-02-03T02:00:00Z; not over).\n"));
    assert_non_null(strstr(out.bytes, "- Vantage lon of itself: link up and clock down since "
                                      "2022-02-03T02:00:00Z.\n"));
    buffer_done(&out);
    world_done(&world);
}

/* In the first seconds there are observations, but nothing has been judged. */
static void test_status_before_anything_is_judged(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct overview overview = make_overview(&world);
    overview.series.count = 0;
    overview.counts.observations = 40;
    overview.counts.last = utc_add(overview.counts.first, LATENESS_NS - 1);
    struct buffer out = {0};
    render_status(&overview, &(struct style){.width = 200}, &out);
    assert_non_null(strstr(out.bytes, "40 observations so far, the newest of 2022-02-03T00:00:14Z. "
                                      "None is judged yet: each waits 15 s"));
    assert_non_null(strstr(out.bytes, "None of its targets has been judged up or down yet."));
    buffer_clear(&out);
    overview.counts.last = utc_add(overview.counts.first, LATENESS_NS);
    render_status(&overview, &(struct style){.width = 200}, &out);
    assert_non_null(strstr(out.bytes, "Judged up to 2022-02-03T00:00:00Z; 40 observations over"));
    buffer_done(&out);
    world_done(&world);
}

/* Whatever the conclusions hold, all pages can be written, and JSON can be read. */

static uint64_t roll(uint64_t *seed, uint64_t limit)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    return hash_mix(*seed) % limit;
}

static struct interval any_span(uint64_t *seed)
{
    int64_t from = roll(seed, 3) ? (int64_t)roll(seed, (uint64_t)INT64_MAX / 2) : 0;
    int64_t to = roll(seed, 3) ? from + (int64_t)roll(seed, (uint64_t)NS_PER_DAY) : 0;
    return (struct interval){{from}, {to}};
}

static double any_real(uint64_t *seed)
{
    static const double odd[] = {0, -1, 1e300, -1e300, (double)NAN, (double)INFINITY, 0.5, 65001};
    return odd[roll(seed, sizeof odd / sizeof *odd)];
}

static void any_verdict(uint64_t *seed, const struct world *world, struct verdict *verdict)
{
    static const enum cause causes[4] = {CAUSE_UNKNOWN, CAUSE_DNS, CAUSE_OBSERVER, CAUSE_HIJACK};
    verdict_init(verdict, (const double[4]){.4, .3, .1, .05}, causes);
    verdict->call = (uint8_t)(roll(seed, 2) ? CAUSE_COUNT : CAUSE_DNS);
    verdict->is_provisional = roll(seed, 2) != 0;
    for (int i = 0; i < SETTLING_MAX; i++)
        verdict->settling[i] = (uint8_t)roll(seed, EVIDENCE_COUNT + 1);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        struct finding *finding = &verdict->evidence[kind].finding;
        *finding =
            (struct finding){.kind = (uint8_t)kind,
                             .truth = (uint8_t)roll(seed, 3),
                             .layer = (uint8_t)roll(seed, LAYER_COUNT + 1),
                             .name = (uint32_t)roll(seed, registry_count(world->registry) + 1),
                             .n = (uint32_t)roll(seed, UINT32_MAX),
                             .a = any_real(seed),
                             .b = any_real(seed),
                             .first = any_span(seed),
                             .second = any_span(seed)};
        for (int cause = 0; cause < CAUSE_COUNT; cause++)
            verdict->evidence[kind].weight[cause] = (float)roll(seed, 9) - 4;
    }
}

static void any_incident(uint64_t *seed, const struct world *world, struct incident *incident)
{
    *incident = (struct incident){.id = 1,
                                  .revision = 1,
                                  .subject = roll(seed, 2) ? world->kp : 0,
                                  .episodes = (uint16_t)roll(seed, 4),
                                  .is_open = roll(seed, 2) != 0,
                                  .first_layer = (uint8_t)roll(seed, LAYER_COUNT + 1),
                                  .first_target = roll(seed, 2) ? world->host : 0,
                                  .began = any_span(seed),
                                  .ended = any_span(seed),
                                  .judged = any_span(seed).last_before,
                                  .depth = any_real(seed)};
    for (int i = 0; i < LAYER_COUNT; i++) {
        struct layer_history *layer = &incident->layers[i];
        *layer = (struct layer_history){.extent = {(uint16_t)roll(seed, 9), (uint16_t)roll(seed, 9),
                                                   (uint16_t)roll(seed, 9), 0}};
        if (roll(seed, 2))
            layer->whole = layer->extent;
        struct interval *spans[] = {&layer->degraded, &layer->down, &layer->all_down,
                                    &layer->first_up, &layer->all_up};
        for (size_t k = 0; k < sizeof spans / sizeof *spans; k++)
            if (roll(seed, 2))
                *spans[k] = any_span(seed);
    }
}

static void test_anything_can_be_told(void **state)
{
    (void)state;
    uint64_t seed = 26012022;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 300; i++) {
        struct world world;
        static struct verdict verdict;
        struct buffer out = {0};
        world_init(&world);
        struct dossier dossier = {.registry = world.registry, .arena = &world.arena};
        any_incident(&seed, &world, &dossier.file.incident);
        any_verdict(&seed, &world, &verdict);
        dossier.file.verdicts = &verdict;
        dossier.file.verdict_count = roll(&seed, 5) != 0;
        for (enum format format = FORMAT_TEXT; format <= FORMAT_JSON; format++) {
            struct style style = {.format = format, .width = (int)roll(&seed, 200)};
            buffer_clear(&out);
            render_report(&dossier, &style, &out);
            assert_true(out.size > 100);
        }
        json_t *object = json_loads(out.bytes, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(object);
        json_decref(object);
        buffer_done(&out);
        world_done(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stress_pages),
        cmocka_unit_test(test_power_pages),
        cmocka_unit_test(test_hijack_pages),
        cmocka_unit_test(test_whole_things_are_counted_apart),
        cmocka_unit_test(test_without_a_verdict),
        cmocka_unit_test(test_confidence_stands_alone),
        cmocka_unit_test(test_names_cannot_command),
        cmocka_unit_test(test_colour_only_if_asked),
        cmocka_unit_test(test_width_is_kept),
        cmocka_unit_test(test_numbers_stay_together),
        cmocka_unit_test(test_nothing_happened),
        cmocka_unit_test(test_incidents_and_status),
        cmocka_unit_test(test_status_counts_targets),
        cmocka_unit_test(test_notices_are_put_together),
        cmocka_unit_test(test_own_checks),
        cmocka_unit_test(test_status_before_anything_is_judged),
        cmocka_unit_test(test_anything_can_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
