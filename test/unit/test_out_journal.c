/* The same incidents written into a journal and told from there: the pages must be those that
 * test_out holds, so the journal adds nothing and loses nothing. */
#include "out_cases.h"

#include "model/observation.h"
#include "out/out.h"

#include <unistd.h>

struct fixture {
    char path[128];
    struct world world;
    struct journal *journal;
    struct observation *observations;
    size_t count, capacity;
};

static void observe(struct fixture *f, struct observation observation)
{
    f->observations =
        mem_grow(f->observations, &f->capacity, f->count + 1, sizeof *f->observations);
    observation.seq = f->count + 1;
    f->observations[f->count++] = observation;
}

static void put_dossier(const struct dossier *dossier, struct conclusions *out)
{
    const struct incident_file *file = &dossier->file;
    for (size_t i = 0; i < file->event_count; i++)
        conclusions_add(out, CONCLUSION_EVENT, file->events[i].at.first_after)->event =
            file->events[i];
    for (size_t i = 0; i < file->revision_count; i++)
        conclusions_add(out, CONCLUSION_INCIDENT, file->revisions[i].judged)->incident =
            file->revisions[i];
    for (size_t i = 0; i < file->episode_count; i++)
        conclusions_add(out, CONCLUSION_EPISODE, file->incident.judged)->episode =
            file->episodes[i];
    for (size_t i = 0; i < file->verdict_count; i++)
        conclusions_add_verdict(out, file->verdicts[i].judged, &file->verdicts[i]);
    for (size_t i = 0; i < dossier->notices.count; i++)
        conclusions_add(out, CONCLUSION_NOTICE, file->incident.judged)->notice =
            dossier->notices.list[i];
}

static void commit(struct fixture *f, const struct conclusions *conclusions)
{
    struct why why;
    struct journal_batch batch = {.registry = f->world.registry,
                                  .observations = f->observations,
                                  .count = f->count,
                                  .conclusions = conclusions};
    if (journal_commit(f->journal, &batch, &why))
        fail_msg("%s", why.text);
}

static int set_up(void **state)
{
    struct fixture *f = mem_new(1, sizeof *f);
    struct why why;
    snprintf(f->path, sizeof f->path, "/tmp/lastlight-test-out-%d.db", (int)getpid());
    if (journal_open(f->path, JOURNAL_WRITE, &f->journal, &why))
        fail_msg("%s", why.text);
    world_init(&f->world);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", "-lock"};
    struct fixture *f = *state;
    journal_close(f->journal);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s%s", f->path, endings[i]);
        unlink(path);
    }
    world_done(&f->world);
    free(f->observations);
    free(f);
    return 0;
}

static void describe_subject(struct fixture *f, const struct subject_state *subject)
{
    observe(f, (struct observation){.kind = OBSERVATION_SUBJECT,
                                    .time = at("2008-01-01T00:00:00Z"),
                                    .target = subject->subject,
                                    .path = subject->title,
                                    .value = subject->utc_offset_s,
                                    .code = subject->is_reconstruction ? SUBJECT_IS_RECONSTRUCTION
                                                                       : 0});
}

static void check_told(struct fixture *f,
                       enum err (*tell)(struct journal *, uint32_t, const struct style *,
                                        struct buffer *, struct why *),
                       uint32_t incident, enum format format, const char *file)
{
    struct buffer out = {0};
    struct why why;
    if (tell(f->journal, incident, &(struct style){.format = format}, &out, &why))
        fail_msg("%s", why.text);
    check_golden(file, &out);
    buffer_done(&out);
}

static void test_a_journal_tells_the_same(void **state)
{
    struct fixture *f = *state;
    static struct verdict verdicts[2], hijack_verdict;
    struct incident revisions[2];
    struct conclusions conclusions = {0};
    struct dossier stress = stress_dossier(&f->world, verdicts, revisions);
    put_dossier(&stress, &conclusions);
    struct dossier hijack = hijack_dossier(&f->world, &hijack_verdict);
    put_dossier(&hijack, &conclusions);
    describe_subject(f, &stress.subject);
    commit(f, &conclusions);
    check_told(f, out_why, 1, FORMAT_TEXT, "why-stress.txt");
    check_told(f, out_why, 1, FORMAT_JSON, "why-stress.json");
    check_told(f, out_report, 1, FORMAT_TEXT, "report-stress.txt");
    check_told(f, out_report, 1, FORMAT_MARKDOWN, "report-stress.md");
    check_told(f, out_report, 1, FORMAT_JSON, "report-stress.json");
    check_told(f, out_why, 3, FORMAT_TEXT, "why-hijack.txt");
    conclusions_done(&conclusions);
}

static void test_status_and_incidents_from_a_journal(void **state)
{
    struct fixture *f = *state;
    static struct verdict verdict;
    struct conclusions conclusions = {0};
    struct dossier power = power_dossier(&f->world, &verdict);
    put_dossier(&power, &conclusions);
    describe_subject(f, &power.subject);
    observe(f, (struct observation){.kind = OBSERVATION_TICK, .time = at("2008-01-01T02:00:00Z")});
    conclusions_add(&conclusions, CONCLUSION_SERIES, power.file.incident.judged)->series =
        (struct series_state){.source = f->world.lon,
                              .target = f->world.host,
                              .subject = f->world.kp,
                              .layer = LAYER_HOST,
                              .condition = CONDITION_DOWN,
                              .outcome = OUTCOME_TIMEOUT,
                              .is_counted = 1,
                              .was_up = 1,
                              .since = power.file.incident.began};
    commit(f, &conclusions);
    struct buffer out = {0};
    struct why why;
    assert_int_equal(out_status(f->journal, &(struct style){.width = 200}, &out, &why), ERR_OK);
    check_wording(&out);
    assert_non_null(strstr(out.bytes,
                           "Judged up to 2008-01-01T01:59:45Z; 2 observations over 2 h, the "
                           "newest of 2008-01-01T02:00:00Z."));
    assert_non_null(strstr(out.bytes, "hosts answering ping  0   0         1     0        1\n"));
    assert_non_null(strstr(out.bytes, "icmp:175.45.176.71: down from lon; it changed between"));
    assert_non_null(strstr(out.bytes, "leading: loss of power at one site (unlikely, 42 %)"));
    assert_non_null(strstr(out.bytes, "Vantage par is not well"));
    buffer_clear(&out);
    assert_int_equal(out_incidents(f->journal, &(struct style){.width = 200}, &out, &why), ERR_OK);
    check_wording(&out);
    assert_non_null(strstr(out.bytes, "loss of power at one site leads (42 %)"));
    buffer_done(&out);
    conclusions_done(&conclusions);
}

static void observe_bin(struct fixture *f, const char *time, enum name_kind kind, const char *name,
                        uint8_t family, int64_t seen, int64_t known, uint16_t up)
{
    struct registry *registry = f->world.registry;
    observe(f, (struct observation){.kind = OBSERVATION_BIN,
                                    .time = at(time),
                                    .target = registry_intern(registry, kind, name, strlen(name)),
                                    .peer = f->world.kp,
                                    .family = family,
                                    .value = seen,
                                    .known = known,
                                    .code = up,
                                    .peers_total = 42});
}

/* Those of the newest bin; what has no quorum is no data, and of what is unknown nothing is said. */
static void test_status_tells_what_is_visible(void **state)
{
    struct fixture *f = *state;
    struct conclusions conclusions = {0};
    struct subject_state kp = {.subject = f->world.kp};
    describe_subject(f, &kp);
    observe_bin(f, "2008-01-01T01:30:00Z", NAME_ASN, "4134", 4, 9, 9, 40); /* long ago */
    observe_bin(f, "2008-01-01T01:55:00Z", NAME_ASN, "131279", 4, 4, 4, 42);
    observe_bin(f, "2008-01-01T01:55:00Z", NAME_COUNTRY, "KP", 4, 1024, 1024, 42);
    for (int i = 0; i < 2; i++) /* replayed twice */
        observe_bin(f, "2008-01-01T02:00:00Z", NAME_COUNTRY, "KP", 4, 1000, 1024, 40);
    observe_bin(f, "2008-01-01T02:00:00Z", NAME_COUNTRY, "KP", 6, 0, 65536, 21);
    observe_bin(f, "2008-01-01T02:00:00Z", NAME_ASN, "131279", 4, 3, 4, 40);
    observe_bin(f, "2008-01-01T02:00:00Z", NAME_ASN, "131279", 6, 0, 0, 40);
    observe_bin(f, "2008-01-01T02:00:00Z", NAME_ASN, "4837", 4, 0, 0, 20);
    observe_bin(f, "2008-01-01T02:00:00Z", NAME_ASN, "64500", 4, 0, 0, 42);
    observe(f, (struct observation){.kind = OBSERVATION_TICK, .time = at("2008-01-01T02:00:15Z")});
    commit(f, &conclusions);
    struct buffer out = {0};
    struct why why;
    assert_int_equal(out_status(f->journal, &(struct style){0}, &out, &why), ERR_OK);
    check_wording(&out);
    check_golden("status-visible.txt", &out);
    buffer_clear(&out);
    assert_int_equal(out_status(f->journal, &(struct style){.format = FORMAT_JSON}, &out, &why),
                     ERR_OK);
    check_golden("status-visible.json", &out);
    buffer_done(&out);
}

static void test_an_unknown_incident_names_those_that_exist(void **state)
{
    struct fixture *f = *state;
    static struct verdict power_verdict, hijack_verdict;
    struct conclusions conclusions = {0};
    struct buffer out = {0};
    struct why why = {0};
    assert_int_equal(out_why(f->journal, 7, &(struct style){0}, &out, &why), ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "no incident 7: it holds none"));
    assert_non_null(strstr(why.text, f->path));
    struct dossier power = power_dossier(&f->world, &power_verdict);
    put_dossier(&power, &conclusions);
    struct dossier hijack = hijack_dossier(&f->world, &hijack_verdict);
    put_dossier(&hijack, &conclusions);
    commit(f, &conclusions);
    assert_int_equal(out_report(f->journal, 7, &(struct style){0}, &out, &why), ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "it holds incidents 2 and 3"));
    assert_int_equal(out.size, 0);
    conclusions_done(&conclusions);
}

static void test_an_empty_journal(void **state)
{
    struct fixture *f = *state;
    struct buffer out = {0};
    struct why why;
    assert_int_equal(out_status(f->journal, &(struct style){0}, &out, &why), ERR_OK);
    assert_non_null(strstr(out.bytes, "holds no observations yet"));
    buffer_clear(&out);
    assert_int_equal(out_incidents(f->journal, &(struct style){0}, &out, &why), ERR_OK);
    assert_non_null(strstr(out.bytes, "holds no observations yet"));
    buffer_clear(&out);
    struct style json = {.format = FORMAT_JSON};
    assert_int_equal(out_incidents(f->journal, &json, &out, &why), ERR_OK);
    assert_string_equal(out.bytes, "{\"type\":\"record\",\"first\":null,\"last\":null,\"judged_"
                                   "until\":null,\"observations\":0,"
                                   "\"incidents\":0,\"targets\":0,\"targets_with_data\":0}\n");
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_journal_tells_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_status_and_incidents_from_a_journal, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_status_tells_what_is_visible, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_unknown_incident_names_those_that_exist, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_journal, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
