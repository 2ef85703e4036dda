/* The program as people use it: an outage in an observation log, replayed, explained, exported. */
#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A moment of 2022-01-25, in seconds since 21:00. */
static void add_time(FILE *file, int second, int ms)
{
    int minute = second / 60;
    fprintf(file, "\"time\":\"2022-01-25T%02d:%02d:%02d.%03dZ\"", 21 + minute / 60, minute % 60,
            second % 60, ms);
}

static void add_probe(FILE *file, int second, int ms, const char *target, bool is_up,
                      bool is_control)
{
    fprintf(file, "{\"type\":\"probe\",");
    add_time(file, second, ms);
    fprintf(file, ",\"vantage\":\"lon\",\"target\":\"%s\",\"outcome\":\"%s\"", target,
            is_up ? "ok" : "timeout");
    fprintf(file, "%s%s}\n", is_control ? ",\"control\":true" : "",
            is_up ? ",\"rtt_ms\":180.25" : "");
}

/* The way to the first host, for its sake or in its turn. */
static void add_trace(FILE *file, int second, const char *outcome, const char *rest)
{
    fprintf(file, "{\"type\":\"probe\",");
    add_time(file, second, 50);
    fprintf(file, ",\"vantage\":\"lon\",\"target\":\"trace:175.45.176.1\",\"outcome\":\"%s\"%s}\n",
            outcome, rest);
}

enum { HOSTS = 5, INTERVAL_S = 10 };

/* Five hosts and two controls, asked every ten seconds; the hosts are down from minute 20 to
 * minute 40. */
static void write_log(const char *name, int minutes)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fprintf(file, "{\"type\":\"meta\",\"version\":1,");
    add_time(file, 0, 0);
    fprintf(
        file,
        ",\"title\":\"a test\",\"subject\":{\"name\":\"kp\",\"timezone\":\"+09:00\",\"targets\":[");
    for (int i = 0; i < HOSTS; i++)
        fprintf(file, "%s\"icmp:175.45.176.%d\"", i ? "," : "", i + 1);
    fprintf(file, "]}}\n");
    for (int second = 0; second < minutes * 60; second += INTERVAL_S) {
        bool is_up = second < 20 * 60 || second >= 40 * 60;
        for (int i = 0; i < HOSTS; i++) {
            char target[32];
            snprintf(target, sizeof target, "icmp:175.45.176.%d", i + 1);
            add_probe(file, second, 100 * (i + 1), target, is_up, false);
        }
        static const char for_it[] = ",\"for\":\"icmp:175.45.176.1\"";
        if (second == 20 * 60 + 20)
            add_trace(
                file, second, "timeout",
                ",\"address\":\"192.0.2.77\",\"hops\":7,\"for\":\"icmp:175.45.176.1\",\"facts\":{"
                "\"last_hop_as\":64500}");
        if (second == 10 * 60 || second == 40 * 60 + 20)
            add_trace(file, second, "ok", for_it);
        add_probe(file, second, 700, "icmp:192.0.2.1", true, true);
        add_probe(file, second, 800, "tcp:192.0.2.7:443", true, true);
    }
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    (void)state;
    unsetenv("NO_COLOR");
    folder_enter();
    write_log("outage.jsonl", 60);
    return run("replay outage.jsonl -j a.db")->status;
}

static int teardown(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            fail_msg("'%s' is not in: %s", part, text);                                            \
    } while (0)

static void test_replay(void **state)
{
    (void)state;
    const struct result *result = run("replay outage.jsonl -j b.db");
    assert_int_equal(result->status, 0);
    /* 60 minutes of 42 probes, the subject, its five members, and the tick at the end */
    assert_has(result->out,
               "replayed 2530 observations of 2022-01-25T21:00:00Z to 2022-01-25T21:59:50.800Z; "
               "0 bad records; 1 incident in b.db\n");
    assert_string_equal(result->talk, "");
    result = run("replay outage.jsonl -j b.db");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "already replayed: b.db holds all 2530 observations");
    result = run("replay - -j c.db --json < outage.jsonl");
    assert_string_equal(result->talk, "");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "\"observations\":2530");
    assert_has(result->out, "\"incidents\":1");
}

/* Every line must be JSON; returns how many have this "type". */
static int count_lines(const char *text, const char *type)
{
    int count = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
        json_t *line = json_loadb(at, strcspn(at, "\n"), 0, NULL);
        assert_non_null(line);
        const char *found = json_string_value(json_object_get(line, "type"));
        count += found && strcmp(found, type) == 0;
        json_decref(line);
    }
    return count;
}

static void test_look(void **state)
{
    (void)state;
    const struct result *result = run("incidents -j a.db --json");
    assert_int_equal(result->status, 0);
    assert_int_equal(count_lines(result->out, "incident"), 1);
    result = run("incidents -j a.db");
    assert_has(result->out, "kp");
    assert_null(strchr(result->out, '\033')); /* no colour but on a terminal */
    result = run("status -j a.db");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "kp");
    char *first = strdup(run("why 1 -j a.db")->out);
    assert_has(first, "5 of 5 hosts");
    assert_string_equal(run("why #1 -j a.db")->out, first);
    free(first);
    assert_has(result->out, "The way there (UTC; times without a date are of 2022-01-25)\n");
    assert_has(result->out, "21:20:20.050, towards 175.45.176.1 from lon: no answer in time; the");
    assert_has(result->out, "192.0.2.77 (AS64500), 7 hops away.\n");
    assert_null(strstr(result->out, "21:10:00.050")); /* nothing had happened */
    result = run("report 1 -j a.db -f md");
    assert_int_equal(result->status, 0);
    assert_int_equal(result->out[0], '#');
    result = run("report 1 -j a.db --json");
    assert_true(count_lines(result->out, "report") >= 0);
    assert_true(strlen(result->out) > 100);
    result = run("db check -j a.db");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "a.db: 0 faults in 2530 observations");
}

/* The founding case, one host of it: loss first, then nothing, then all at once. */
static void test_chart(void **state)
{
    (void)state;
    char line[400];
    snprintf(line, sizeof line, "replay %s/examples/kp-2022-01.jsonl.gz -j k.db",
             getenv("LASTLIGHT_ROOT"));
    assert_int_equal(run(line)->status, 0);
    const struct result *result = run("chart -j k.db icmp:175.45.176.71 "
                                      "--from 2022-01-25T20:00:00Z --until 2022-01-25T22:00:00Z");
    assert_int_equal(result->status, 0);
    assert_has(result->out,
               "  2022-01-25 20:00  ######+++-..       54 of 80  182.4     395.4  783.5\n"
               "  2022-01-25 21:00  ............       0 of 80   -         -      -\n\n");
    result = run("chart -j k.db icmp:175.45.176.71 --json");
    assert_has(result->out, "\"begin\":\"2022-01-25T21:00:00Z\",\"answered\":0,\"failed\":7,"
                            "\"ours\":0,\"rtt_ms\":null}\n");
    assert_int_equal(run("chart -j k.db icmp:192.0.2.1")->status, 1);
    result = run("chart -j k.db icmp:175.45.176.71 --from 2022-01-25T20:00:00Z --until 1");
    assert_int_equal(result->status, 2);
    assert_has(result->talk, "--from is not before --until");
}

/* Who runs `lastlight run` in a folder finds the same journal there with the other commands. */
static void test_journal_of_configuration(void **state)
{
    (void)state;
    file_write("lastlight.yaml", "journal: a.db\nsubjects:\n- name: kp\n  asns: [131279]\n");
    const struct result *result = run("incidents --json");
    assert_int_equal(result->status, 0);
    assert_int_equal(count_lines(result->out, "incident"), 1);
    assert_has(run("db check")->out, "a.db: 0 faults in ");
    assert_int_equal(run("status -j nowhere.db")->status, 1);
    file_write("lastlight.yaml", "journal: [a.db]\n");
    result = run("status");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "lastlight.yaml:1:10: found a list");
    assert_has(result->talk, "lastlight.db does not exist");
    assert_int_equal(unlink("lastlight.yaml"), 0);
    assert_has(run("status")->talk, "lastlight.db does not exist");
}

static void test_output_file(void **state)
{
    (void)state;
    assert_int_equal(run("report 1 -j a.db -o report.txt")->status, 0);
    char *expected = strdup(run("report 1 -j a.db")->out);
    size_t n;
    char *text = file_read("report.txt", &n);
    assert_string_equal(text, expected);
    free(text);
    free(expected);
    const struct result *result = run("report 1 -j a.db -o nowhere/report.txt");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "nowhere/report.txt");
}

static void check_same_file(const char *a, const char *b)
{
    size_t n, m;
    char *x = file_read(a, &n), *y = file_read(b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static void test_export(void **state)
{
    (void)state;
    assert_int_equal(run("export -j a.db -o a.jsonl")->status, 0);
    assert_int_equal(run("export -j a.db -o a.jsonl.gz")->status, 0);
    assert_int_equal(run("export -j a.db -o a.jsonl.zst")->status, 0);
    assert_true(file_size("a.jsonl.gz") * 3 < file_size("a.jsonl"));
    assert_true(file_size("a.jsonl.zst") * 3 < file_size("a.jsonl"));
    static const char *const names[] = {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst"};
    char *why = strdup(run("why 1 -j a.db")->out);
    for (size_t i = 0; i < COUNT(names); i++) {
        char line[128];
        snprintf(line, sizeof line, "replay %s -j again%zu.db", names[i], i);
        assert_int_equal(run(line)->status, 0);
        snprintf(line, sizeof line, "export -j again%zu.db > again.jsonl", i);
        assert_int_equal(run(line)->status, 0);
        check_same_file("a.jsonl", "again.jsonl");
        snprintf(line, sizeof line, "why 1 -j again%zu.db", i);
        assert_string_equal(run(line)->out, why);
    }
    free(why);
}

static void test_damaged(void **state)
{
    (void)state;
    size_t n;
    assert_int_equal(run("export -j a.db -o cut.jsonl.gz")->status, 0);
    char *bytes = file_read("cut.jsonl.gz", &n);
    file_write_bytes("cut.jsonl.gz", bytes, n / 2);
    free(bytes);
    const struct result *result = run("replay cut.jsonl.gz -j cut.db");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "cut.jsonl.gz");
    unsigned long used = 0;
    assert_int_equal(sscanf(result->out, "replayed %lu observations", &used), 1);
    assert_in_range(used, 500, 2400); /* what could be read was used */

    file_write("bad.jsonl", "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:00Z\"}\n"
                            "{\"type\":\"tick\",\"time\":\"yesterday\"}\n"
                            "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:01Z\"}\n"
                            "nonsense\n"
                            "{\"type\":\"tick\",\"time\":\"2022-01-25T21:00:02Z\"}\n");
    result = run("replay bad.jsonl -j bad.db");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "bad.jsonl:2");
    assert_has(result->talk, "bad.jsonl:4");
    assert_has(result->talk, "no subject is defined");
    assert_has(result->out, "replayed 3 observations");
    assert_has(result->out, "2 bad records");
}

static void test_wrong_usage(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
        const char *talk;
    } table[] = {
        {"stauts", 2, "lastlight: 'stauts' is not a command; did you mean 'status'?\n"},
        {"status --jsno", 2, "did you mean '--json'?"},
        {"why x -j a.db", 2, "'x' is no number of an incident"},
        {"why 0 -j a.db", 2, "'0' is no number of an incident"},
        {"why 99 -j a.db", 1, "1"},
        {"incidents -j none.db", 1, "none.db"},
        {"status -j outage.jsonl", 1, "outage.jsonl"},
        {"replay none.jsonl -j x.db", 1, "none.jsonl"},
        {"replay outage.jsonl --prefix 1.2.3.0/24", 2, "--subject"},
        {"replay outage.jsonl --subject x", 2, "--prefix"},
        {"replay outage.jsonl --subject x --prefix 1.2.3.4/24", 2, "'1.2.3.4/24' is not a prefix"},
        {"replay outage.jsonl --subject x --asn x", 2, "'x' is not an AS number"},
        {"replay outage.jsonl -c a.yaml --asn 1", 2, "--config"},
        {"run -c none.yaml", 1, "none.yaml"},
        {"help stauts", 2, "status"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct result *result = run(table[i].line);
        assert_int_equal(result->status, table[i].status);
        assert_has(result->talk, table[i].talk);
        assert_string_equal(result->out, "");
    }
}

static void test_help(void **state)
{
    (void)state;
    static const char *const names[] = {"run",        "status", "incidents", "why",
                                        "report",     "replay", "export",    "db check",
                                        "completion", "help",   "version"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char line[64];
        snprintf(line, sizeof line, "%s --help", names[i]);
        const struct result *result = run(line);
        assert_int_equal(result->status, 0);
        assert_has(result->out, "Usage: lastlight ");
        char *first = strdup(result->out);
        snprintf(line, sizeof line, "help %s", names[i]);
        assert_string_equal(run(line)->out, first);
        free(first);
    }
    assert_has(run("--version")->out, "lastlight ");
    assert_has(run("help --man")->out, ".TH LASTLIGHT 1");
    assert_has(run("completion bash")->out, "complete -o default -F _lastlight lastlight");
}

static void test_dry_run(void **state)
{
    (void)state;
    file_write("good.yaml",
               "contact: mailto:noc@example.net\nvantage: {controls: [icmp:198.51.100.9], "
               "ntp: 198.51.100.123}\n"
               "exclude: [192.0.2.0/24]\nsubjects: [{name: kp, targets: "
               "[\"dns:175.45.176.15/kp./SOA\"]}]\n");
    const struct result *result = run("run -c good.yaml --dry-run");
    assert_int_equal(result->status, 0);
    assert_string_equal(
        result->out,
        "icmp:198.51.100.9 (control): every 30 s, 1 ICMP echo request; answer within 3 s\n"
        "dns:175.45.176.15/kp./SOA: every 30 s, a DNS question for SOA of kp.; answer within 3 s\n"
        "self:link: every 5 s, a look at this machine, to which nothing is sent; answer within 1 "
        "s\n"
        "self:gateway: every 5 s, an ICMP echo request to each default gateway; answer within 1 s\n"
        "self:resolver: every 30 s, a DNS question to each server of resolv.conf; answer within 5 "
        "s\n"
        "self:clock: every 1 min 4 s, an NTP request to 1 server; answer within 5 s\n"
        "self:loop: every 30 s, a look at this machine, to which nothing is sent; answer within 1 "
        "s\n"
        "In all 0.0667 probes a second, at most 1000, and 50 to one /24, /48 or host name; called "
        "lastlight/" LASTLIGHT_VERSION
        " (+mailto:noc@example.net). Never asked: 1 range. What goes dark or comes back is asked "
        "again every 2 s, then ever more rarely, with its neighbours, the controls and a "
        "traceroute: 100 of these a second at most. Nothing was sent.\n");
    file_write("calm.yaml", "limits: {follow_up: 0}\nvantage: {controls: [icmp:198.51.100.9]}\n"
                            "subjects: [{name: kp, targets: [\"icmp:175.45.176.15\"]}]\n");
    assert_has(run("run -c calm.yaml --dry-run")->out, "Nothing is asked out of turn.");
    result = run("run -c good.yaml --dry-run --json");
    assert_int_equal(result->status, 0);
    assert_non_null(
        strstr(result->out, "\n{\"target\":\"dns:175.45.176.15/kp./SOA\",\"question\":"));
}

/* Archives are asked for, too: by their URLs, or by the pages that list them, which are in other folders for
 * tables at RouteViews. */
static void test_dry_run_of_archives(void **state)
{
    (void)state;
    file_write("urls.yaml", "vantage: {controls: [icmp:127.0.0.1]}\n"
                            "subjects: [{name: kp, prefixes: [175.45.176.0/22]}]\n"
                            "routes: {archives: [\"http://127.0.0.1:9/a/updates.gz\", here]}\n");
    const struct result *result = run("run -c urls.yaml --dry-run");
    assert_int_equal(result->status, 0);
    assert_memory_equal(result->out,
                        "http://127.0.0.1:9/a/updates.gz: once, if there is no copy "
                        "of it here, GET of the archive\nicmp:127.0.0.1 (control)",
                        113);
    file_write("span.yaml", "subjects: [{name: kp, prefixes: [175.45.176.0/22]}]\n"
                            "routes: {archives: {collector: route-views2, rib: yes,\n"
                            "  site: \"http://127.0.0.1:9\", from: 2022-02-01T00:05:00Z,\n"
                            "  until: 2022-03-01T00:00:00Z}}\n");
    result = run("run -c span.yaml --dry-run --json");
    assert_int_equal(result->status, 0);
#define PAGE(folder)                                                                               \
    "{\"url\":\"http://127.0.0.1:9/bgpdata/" folder                                                \
    "/\",\"question\":\"GET of the list of archives, then of each that holds a part of "           \
    "2022-02-01T00:05:00Z to 2022-03-01T00:00:00Z, or the table before\"}\n"
    assert_string_equal(result->out, PAGE("2022.01/RIBS") PAGE("2022.02/RIBS")
                                         PAGE("2022.01/UPDATES") PAGE("2022.02/UPDATES"));
#undef PAGE
}

static void test_check_config(void **state)
{
    (void)state;
    file_write("good.yaml", "vantage: {name: lon, controls: [icmp:127.0.0.1]}\n"
                            "subjects:\n- name: kp\n  targets: [icmp:127.0.0.2]\n");
    file_write("bad.yaml", "subjects:\n- name: no\n  targets: [icpm:127.0.0.2]\n  prefixs: []\n");
    const struct result *result = run("run -c good.yaml --check-config");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "kp: 1 target\n");
    result = run("run -c bad.yaml --check-config");
    assert_int_equal(result->status, 2);
    assert_string_equal(result->out, "");
    assert_has(result->talk, "bad.yaml:2:9: found 'no' without quotes");
    assert_has(result->talk,
               "bad.yaml:3:13: 'icpm:127.0.0.2' is no kind of target; did you mean 'icmp:...'?");
    assert_has(result->talk,
               "bad.yaml:4:3: a subject has no key 'prefixs'; did you mean 'prefixes'?");
    assert_int_equal(run("run -c bad.yaml")->status, 2); /* and nothing is started */
}

static void test_probe_text(void **state)
{
    (void)state;
    const struct result *result = run("probe tcp:127.0.0.1:1 --text x");
    assert_int_equal(result->status, 2);
    assert_has(result->talk, "'tcp:127.0.0.1:1' is no page that could contain a text");
}

/* A full disk is told, wherever the bytes go. */
static void test_full_disk(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "export -j a.db > /dev/full",       "export -j a.db -o /dev/full",
        "status -j a.db > /dev/full",       "help > /dev/full",
        "why 1 -j a.db > /dev/full",        "version > /dev/full",
        "probe tcp:127.0.0.1:1 > /dev/full"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        const struct result *result = run(lines[i]);
        assert_int_equal(result->status, 1);
        assert_has(result->talk, "no space left");
    }
}

/* A reader that wants no more (head) is no failure. */
static void test_closed_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    int saved = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    pid_t pid = fork();
    if (pid == 0) {
        int talk = open("pipe.talk", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(talk, STDERR_FILENO);
        execl(getenv("LASTLIGHT"), "lastlight", "export", "-j", "a.db", (char *)NULL);
        _exit(127);
    }
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[1]);
    assert_int_equal(finish(pid, 20), 0);
    assert_int_equal(file_size("pipe.talk"), 0);
}

/* Route archives say nothing about whose routes are of interest. */
/* Who closed our standard output or input wants nothing there, least of all one of our sockets. */
static pid_t start_with_nothing_open(const char *command, const char *argument)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int talk = open("closed.talk", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(talk, STDERR_FILENO);
        close(talk);
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        execl(getenv("LASTLIGHT"), "lastlight", command, argument, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void test_nothing_open(void **state)
{
    (void)state;
    static const struct {
        const char *command, *argument, *says;
    } cases[] = {{"probe", "tcp:127.0.0.1:1", "standard output: cannot write"},
                 {"help", "probe", "standard output: cannot write"},
                 {"replay", "-", "standard input: byte 0: Bad file descriptor"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(finish(start_with_nothing_open(cases[i].command, cases[i].argument), 20),
                         1);
        size_t n;
        char *talk = file_read("closed.talk", &n);
        assert_has(talk, cases[i].says);
        free(talk);
    }
}

/* Whoever mistakes -o for -j keeps his journal. */
static void test_journal_is_kept(void **state)
{
    (void)state;
    const struct result *result = run("replay outage.jsonl -j outage.jsonl");
    assert_int_equal(result->status, 1);
    assert_string_equal(result->out, "");
    assert_has(result->talk, "outage.jsonl is not a journal of lastlight");
    result = run("replay outage.jsonl outage.jsonl -j twice.db");
    assert_int_equal(result->status, 2);
    assert_has(result->talk, "outage.jsonl: named twice");
    static const char *const lines[] = {"export -j a.db -o a.db", "report 1 -j a.db -o a.db"};
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_int_equal(run(lines[i])->status, 2);
    assert_has(run("export -j a.db -o a.db")->talk, "a.db: is a database");
    assert_has(run("db check -j a.db")->out, "a.db: 0 faults");
}

static void test_routes_without_subject(void **state)
{
    (void)state;
    /* RFC 6396: a BGP4MP_MESSAGE with an UPDATE that withdraws 192.0.2.0/24 */
    static const uint8_t record[] = {
        0x47, 0xc1, 0xb0, 0x00, 0,    16,   0,    1,    0,    0,    0,    43, /* time, type,
                                                                                 subtype, length */
        0xfd, 0xe8, 0xfd, 0xe9, 0,    0,    0,    1,    192,  0,    2,    1,    192,  0,
        2,    2, /* peer AS, local AS, addresses */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0,    27,   2,    0,    4,    24,   192,  0,    2,    0,    0};
    file_write_bytes("routes.mrt", record, sizeof record);
    const struct result *result = run("replay routes.mrt -j routes.db");
    assert_has(result->talk, "--subject NAME --prefix PREFIX");
    result =
        run("replay routes.mrt -j routes.db --subject net --prefix 192.0.2.0/24 --asn AS64500");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "0 bad records");
    assert_has(run("export -j routes.db")->out, "\"op\":\"withdraw\"");
}

/* Killed at any moment, a replay goes on where it was and ends the same. */
static void test_killed_replay(void **state)
{
    (void)state;
    write_log("long.jsonl", 150);
    FILE *file = fopen("long.jsonl", "a"); /* more, so that there is time to be killed in */
    for (int i = 0; i < 120000; i++)
        add_probe(file, 9000 + i / 100, 100 + i % 100, "icmp:175.45.176.1", true, false);
    fclose(file);
    assert_int_equal(run("replay long.jsonl -j straight.db")->status, 0);
    int kills = 0;
    for (int ms = 60; ms <= 300; ms += 60) {
        pid_t pid = start("replay long.jsonl -j killed.db", "killed.talk");
        sleep_ms(ms);
        kill(pid, SIGKILL);
        kills += finish(pid, 10) == 128 + SIGKILL;
    }
    assert_true(kills > 0);
    assert_int_equal(run("replay long.jsonl -j killed.db")->status, 0);
    assert_int_equal(run("export -j straight.db -o straight.jsonl")->status, 0);
    assert_int_equal(run("export -j killed.db -o killed.jsonl")->status, 0);
    check_same_file("straight.jsonl", "killed.jsonl");
    char *straight = strdup(run("report 1 -j straight.db --json")->out);
    assert_string_equal(run("report 1 -j killed.db --json")->out, straight);
    free(straight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_chart),
        cmocka_unit_test(test_journal_of_configuration),
        cmocka_unit_test(test_output_file),
        cmocka_unit_test(test_export),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_dry_run_of_archives),
        cmocka_unit_test(test_check_config),
        cmocka_unit_test(test_probe_text),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_closed_pipe),
        cmocka_unit_test(test_nothing_open),
        cmocka_unit_test(test_journal_is_kept),
        cmocka_unit_test(test_routes_without_subject),
        cmocka_unit_test(test_killed_replay),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
