/* The whole table in a journal: what `replay` keeps of it is what `scan --bins` tells of the same archives, in
 * an outage, in a gap and for a real hour, where that is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/archive_maker.h"
#include "command.h"

#include <jansson.h>
#include <stdbool.h>

enum { PEERS = 6, START = 1203811200 /* 2008-02-24T00:00:00Z */ };

/* ---- archives ---- */

static void say_all(struct buffer *file, uint32_t at, const char *withdrawn, const char *rest,
                    const char *announced)
{
    for (archive_peer = 0; archive_peer < PEERS; archive_peer++) {
        char path[64];
        snprintf(path, sizeof path, "%u %s", 65000 + archive_peer, rest ? rest : "");
        archive_update(file, START + at, withdrawn, rest ? path : NULL, announced);
    }
    archive_peer = 0;
}

/* So that a pause is a gap. */
static void be_busy(struct buffer *file, uint32_t from, uint32_t until)
{
    for (uint32_t at = from; at < until; at += 2)
        archive_update(file, START + at, NULL, "65000 7 100", "10.0.0.0/16");
}

static void write_archive(void)
{
    struct buffer file = {0};
    say_all(&file, 0, NULL, "7 100", "10.0.0.0/16");
    say_all(&file, 0, NULL, "7 200", "20.0.0.0/22");
    say_all(&file, 0, NULL, "8 300", "30.0.0.0/16 20.0.8.0/24");
    be_busy(&file, 2, 400);
    say_all(&file, 400, "20.0.0.0/22", NULL, NULL);
    be_busy(&file, 402, 800);
    say_all(&file, 800, NULL, "7 200", "20.0.0.0/22");
    say_all(&file, 800, NULL, "7 200", "20.0.8.0/24");
    be_busy(&file, 802, 1500);
    say_all(&file, 2200, NULL, "7 100", "10.0.0.0/16"); /* of AS200 nothing more is heard */
    say_all(&file, 2200, NULL, "8 300", "30.0.0.0/16");
    be_busy(&file, 2202, 3000);
    file_write_bytes("updates", file.bytes, file.size);
    buffer_done(&file);
    file_write("delegated", "2|test|20080224|3|19830101|20080224|+0000\n"
                            "test|*|asn|*|3|summary\n"
                            "test|KP|asn|100|1|20080101|allocated\n"
                            "test|KP|asn|200|1|20080101|allocated\n"
                            "test|SE|asn|300|1|20080101|allocated\n");
}

/* ---- lines ---- */

/* What stands in a file of JSON Lines, of those that are bins. */
static json_t *read_bins(const char *name)
{
    size_t n;
    char *lines = file_read(name, &n);
    json_t *list = json_array();
    assert_non_null(lines);
    for (char *line = lines; *line; line = strchr(line, '\n') + 1) {
        json_t *row = json_loadb(line, strcspn(line, "\n"), 0, NULL);
        assert_true(json_is_object(row));
        if (strcmp(json_string_value(json_object_get(row, "type")), "bin") == 0)
            json_array_append(list, row);
        json_decref(row);
    }
    free(lines);
    return list;
}

/* "AS200", "KP" or "all". */
static const char *who_of(const json_t *row, char out[24])
{
    const json_t *asn = json_object_get(row, "asn"), *country = json_object_get(row, "country");
    if (asn)
        snprintf(out, 24, "AS%lld", (long long)json_integer_value(asn));
    else
        snprintf(out, 24, "%s", country ? json_string_value(country) : "all");
    return out;
}

static bool is_whole(const json_t *row)
{
    return !json_object_get(row, "asn") && !json_object_get(row, "country");
}

static json_int_t number(const json_t *row, const char *member)
{
    return json_integer_value(json_object_get(row, member)); /* 0 if it is null */
}

/* One bin of `scan`, from the place `at`, into what is known of each by now. Returns the place of the next. */
static size_t take_scan_bin(const json_t *scan, size_t at, json_t *known)
{
    do {
        char who[24];
        json_t *row = json_array_get(scan, at);
        json_object_set(known, who_of(row, who), row);
        at++;
    } while (at < json_array_size(scan) && !is_whole(json_array_get(scan, at)));
    return at;
}

static void assert_same_row(const json_t *told, const json_t *known, const json_t *whole)
{
    char who[24];
    bool is_v4 = number(told, "family") == 4;
    const json_t *row = json_object_get(known, who_of(told, who));
    bool has_data = json_is_integer(json_object_get(whole, is_v4 ? "slash24" : "slash48"));
    json_int_t seen = has_data ? number(row, is_v4 ? "slash24" : "slash48") : 0;
    json_int_t all = has_data ? number(row, is_v4 ? "known24" : "known48") : 0;
    if (number(told, "seen") != seen || number(told, "known") != all)
        fail_msg("%s: %lld of %lld, but scan says %lld of %lld", who,
                 (long long)number(told, "seen"), (long long)number(told, "known"), (long long)seen,
                 (long long)all);
    assert_int_equal(number(told, "peers_up"), number(whole, is_v4 ? "peers4" : "peers6"));
    assert_int_equal(number(told, "peers_total"),
                     number(whole, is_v4 ? "peers4_total" : "peers6_total"));
}

/* How many ASes are in a run of lines of one family, beside those that are watched. */
static size_t count_moved(const json_t *before, const json_t *after, const char *seen,
                          const char *known)
{
    const char *who;
    json_t *row;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)after, who, row)
    {
        const json_t *old = json_object_get(before, who);
        count +=
            json_object_get(row, "asn") && json_is_integer(json_object_get(row, seen)) &&
            (number(old, seen) != number(row, seen) || number(old, known) != number(row, known));
    }
    return count;
}

/* Bin by bin: each row that was journaled is as `scan` has it, and none that changed is missing. */
static size_t assert_same_bins(const char *scan_name, const char *log_name)
{
    json_t *scan = read_bins(scan_name), *log = read_bins(log_name), *known = json_object();
    size_t at = 0, row = 0, bins = 0;
    while (at < json_array_size(scan)) {
        json_t *whole = json_array_get(scan, at), *before = json_copy(known);
        const char *time = json_string_value(json_object_get(json_array_get(log, row), "time"));
        size_t moved = 0, told = 0;
        at = take_scan_bin(scan, at, known);
        moved += count_moved(before, known, "slash24", "known24");
        moved += count_moved(before, known, "slash48", "known48");
        for (; row < json_array_size(log); row++) {
            json_t *next = json_array_get(log, row);
            if (strcmp(json_string_value(json_object_get(next, "time")), time) != 0)
                break;
            assert_same_row(next, known, whole);
            told += json_object_get(next, "asn") && !json_object_get(next, "subject");
        }
        assert_int_equal(told, moved);
        json_decref(before);
        bins++;
    }
    assert_int_equal(row, json_array_size(log));
    json_decref(scan);
    json_decref(log);
    json_decref(known);
    return bins;
}

/* ---- tests ---- */

#define LINE(time, who, tally)                                                                     \
    "{\"type\":\"bin\",\"time\":\"2008-02-24T" time "Z\"," who ",\"family\":4," tally

static const struct {
    const char *line;
} course[] = {
    {LINE("00:05:00", "\"country\":\"KP\"",
          "\"seen\":260,\"known\":260,\"peers_up\":6,\"peers_total\":6,\"subject\":\"kp\"}\n")},
    {LINE("00:05:00", "\"country\":\"SE\"",
          "\"seen\":257,\"known\":257,\"peers_up\":6,\"peers_total\":6}\n")},
    {"\"time\":\"2008-02-24T00:05:00Z\",\"family\":4,\"seen\":517,\"known\":517,"},
    {LINE("00:10:00", "\"country\":\"KP\"", "\"seen\":256,\"known\":260,")},
    {LINE("00:15:00", "\"country\":\"KP\"", "\"seen\":261,\"known\":261,")},
    {LINE("00:15:00", "\"country\":\"SE\"", "\"seen\":256,\"known\":256,")},
    /* No data is not zero of something. */
    {LINE("00:25:00", "\"country\":\"KP\"",
          "\"seen\":0,\"known\":0,\"peers_up\":0,\"peers_total\":6,")},
    {LINE("00:40:00", "\"country\":\"KP\"", "\"seen\":256,\"known\":256,\"peers_up\":6,")},
};

static void test_course(void **state)
{
    (void)state;
    size_t n;
    write_archive();
    file_write("table.yaml", "subjects: [{name: kp, countries: [KP], prefixes: [20.0.0.0/22]}]\n"
                             "routes: {whole_table: {countries: [delegated]}}\n");
    const struct result *result = run("replay -c table.yaml -j table.db updates");
    assert_string_equal(result->talk, "");
    assert_int_equal(result->status, 0);
    assert_int_equal(run("db check -j table.db")->status, 0);
    assert_int_equal(run("export -j table.db -o table.jsonl")->status, 0);
    char *lines = file_read("table.jsonl", &n);
    for (size_t i = 0; i < sizeof course / sizeof *course; i++)
        if (!strstr(lines, course[i].line))
            fail_msg("'%s' is not in:\n%s", course[i].line, lines);
    assert_null(strstr(lines, "\"time\":\"2008-02-24T00:25:00Z\",\"asn\""));
    assert_null(strstr(lines, "T00:30:00Z")); /* of the time without archive there is nothing */
    free(lines);
    assert_int_equal(run("scan --countries delegated --bins scan.jsonl updates")->status, 0);
    assert_int_equal(assert_same_bins("scan.jsonl", "table.jsonl"), 8);
    result = run("replay -c table.yaml -j table.db updates");
    assert_non_null(strstr(result->out, "already replayed"));
}

/* The outage, as it is told of the whole: when it began, and what it was. */
static char *outage_of(const char *configuration, const char *journal)
{
    char line[80];
    snprintf(line, sizeof line, "replay -c %s -j %s updates", configuration, journal);
    assert_int_equal(run(line)->status, 0);
    snprintf(line, sizeof line, "incidents --json -j %s", journal);
    const char *began = strstr(run(line)->out, "\"began\":");
    assert_non_null(began);
    return strndup(began, strcspn(began, "}"));
}

/* What is watched is judged as without it, and the input is another. */
static void test_judgement(void **state)
{
    (void)state;
    write_archive();
    file_write("plain.yaml", "subjects: [{name: kp, prefixes: [20.0.0.0/22]}]\n");
    file_write("table.yaml", "subjects: [{name: kp, prefixes: [20.0.0.0/22]}]\n"
                             "routes: {whole_table: yes}\n");
    char *without = outage_of("plain.yaml", "plain.db"), *with = outage_of("table.yaml", "with.db");
    assert_string_equal(with, without);
    free(without);
    free(with);
    assert_null(strstr(run("replay -c table.yaml -j plain.db updates")->out, "already replayed"));
}

static void test_trouble(void **state)
{
    (void)state;
    write_archive();
    file_write("table.yaml", "subjects: [{name: kp, prefixes: [20.0.0.0/22]}]\n"
                             "routes: {whole_table: yes}\n");
    const struct result *result = run("replay -c table.yaml -j pipe.db - < updates");
    assert_int_equal(result->status, 1);
    assert_non_null(strstr(result->talk, "standard input cannot be read twice"));
    file_write("bad.yaml", "subjects: [{name: kp, prefixes: [20.0.0.0/22]}]\n"
                           "routes: {whole_table: {countries: [bad.yaml]}}\n");
    result = run("replay -c bad.yaml -j bad.db updates");
    assert_int_equal(result->status, 1);
    assert_non_null(strstr(result->talk, "bad.yaml"));
    file_write("none.yaml", "subjects: [{name: kp, prefixes: [20.0.0.0/22]}]\n"
                            "routes: {whole_table: {countries: [none]}}\n");
    result = run("run -c none.yaml --check-config");
    assert_int_equal(result->status, 2);
    assert_non_null(strstr(result->talk, "none.yaml:2:36: countries: none: "));
}

static void test_real_hour(void **state)
{
    (void)state;
    char folder[512], line[1200];
    const char *data = getenv("LASTLIGHT_DATA"), *root = getenv("LASTLIGHT_ROOT");
    snprintf(folder, sizeof folder, "%s%s/ris-2022-02", data ? data : root,
             data ? "" : "/../shared/data");
    if (access(folder, R_OK)) {
        print_message(
            "skipped: no archives of 7 February 2022; LASTLIGHT_DATA may name the folder\n");
        skip();
    }
    file_write("table.yaml", "subjects: [{name: kl, asns: [9457, 38099, 131279]}]\n"
                             "routes: {whole_table: yes}\n");
    snprintf(line, sizeof line, "replay -c table.yaml -j hour.db %s", folder);
    assert_int_equal(run(line)->status, 0);
    assert_int_equal(run("export -j hour.db -o hour.jsonl")->status, 0);
    snprintf(line, sizeof line, "scan --bins hour-scan.jsonl %s", folder);
    assert_int_equal(run(line)->status, 0);
    assert_int_equal(assert_same_bins("hour-scan.jsonl", "hour.jsonl"), 12);
}

static int enter(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_course),
        cmocka_unit_test(test_judgement),
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_real_hour),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
