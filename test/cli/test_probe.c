/* probe and check: what is asked here and now, and the contract of monitoring plugins. */
#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/mmdb_maker.h"
#include "../unit/texts.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_fd;
static unsigned open_port; /* of 127.0.0.1, to which one can connect */

static int set_up(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    open_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(open_fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(open_fd, 100), 0);
    assert_int_equal(getsockname(open_fd, (struct sockaddr *)&at, &size), 0);
    open_port = ntohs(at.sin_port);
    folder_enter();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(open_fd);
    folder_leave();
    return 0;
}

static const struct result *run_with_port(const char *format)
{
    char line[300];
    snprintf(line, sizeof line, format, open_port);
    return run(line);
}

/* ---- probe ---- */

/* Of which AS the last router is, by a database; that is told beside its address. */
static void test_asn_of_hops(void **state)
{
    (void)state;
    static struct mmdb_maker maker;
    struct buffer bytes = {0};
    mmdb_add_asn(&maker, "127.0.0.0/8", 64500);
    mmdb_finish(&maker, "Test-ASN", &bytes);
    FILE *file = fopen("asn.mmdb", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.bytes, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
    buffer_done(&bytes);
    const struct result *result = run("probe -v trace:127.0.0.1 --asn-db asn.mmdb");
    if (result->status == 0) { /* else we may not ping here */
        assert_has(result->out, "127.0.0.1 (AS64500)");
        file = fopen("asn.yaml", "w");
        fputs("asn_db: asn.mmdb\nsubjects: [{name: kp, asns: [131279]}]\n", file);
        fclose(file);
        result = run("probe --json -v trace:127.0.0.1 -c asn.yaml");
        assert_has(result->out, "\"last_hop_as\":64500");
    }
    result = run("probe trace:127.0.0.1 --asn-db nowhere.mmdb");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "nowhere.mmdb: is no MaxMind database");
}

static void test_several(void **state)
{
    (void)state;
    const struct result *result = run_with_port("probe tcp:127.0.0.1:%u tcp:127.0.0.1:1 -n 2");
    assert_int_equal(result->status, 1); /* one of them never answered */
    assert_has(result->out, "tcp:127.0.0.1:1: refused at connect: connection refused");
    assert_has(result->out, "tcp:127.0.0.1:1: 0 of 2 answered as hoped\n");
    assert_has(result->out, ": 2 of 2 answered as hoped; RTT at least ");
    result = run_with_port("probe tcp:127.0.0.1:%u");
    assert_int_equal(result->status, 0);
    assert_has(result->out, "Z  ok, ");
}

static void test_json(void **state)
{
    (void)state;
    const struct result *result = run("probe tcp:127.0.0.1:1 -n 2 --json -v");
    assert_int_equal(result->status, 1);
    assert_has(result->out, "\"target\":\"tcp:127.0.0.1:1\",\"outcome\":\"refused\"");
    assert_has(result->out, ",\"reached_ms\":{");
    assert_has(result->out, ",\"facts\":{");
    assert_has(result->out, ",\"steps\":[");
    file_write("probes.jsonl", result->out); /* they are lines of the observation log */
    assert_int_equal(run("replay probes.jsonl -j p.db")->status, 0);
}

static void test_excluded(void **state)
{
    (void)state;
    file_write("lastlight.yaml", "exclude: [127.0.0.0/30]\nsubjects: [{name: a, zones: [a.]}]\n");
    const struct result *result = run("probe tcp:127.0.0.1:1");
    assert_int_equal(result->status, 2);
    assert_has(result->talk, "target 'tcp:127.0.0.1:1' is excluded");
    assert_int_equal(run("probe tcp:127.0.0.4:1")->status, 1);
    file_write("lastlight.yaml", "exclude: [x]\n"); /* then nobody knows whom not to ask */
    assert_int_equal(run("probe tcp:127.0.0.4:1")->status, 2);
    unlink("lastlight.yaml");
}

/* ---- check ---- */

static void write_config(const char *control, unsigned control_port)
{
    char text[600];
    snprintf(text, sizeof text,
             "vantage: {controls: [\"tcp:%s:%u\"]}\ndefaults: {timeout: 500ms}\nsubjects:\n"
             "- {name: up, targets: [\"tcp:127.0.0.1:%u\"]}\n"
             "- {name: down, targets: [\"tcp:127.0.0.2:1\", \"tcp:127.0.0.3:1\"]}\n"
             "- {name: routes, prefixes: [175.45.176.0/22]}\n",
             control, control_port, open_port);
    if (strcmp(control, "127.0.0.1") == 0) /* which is no target, then */
        memcpy(strstr(text, "{name: up, targets: [\"tcp:127.0.0.1"),
               "{name: up, targets: [\"tcp:127.0.0.4", 35);
    file_write("c.yaml", text);
}

static void check(const char *arguments, int status, const char *begins)
{
    char line[200];
    snprintf(line, sizeof line, "check -c c.yaml %s", arguments);
    const struct result *result = run(line);
    assert_int_equal(result->status, status);
    if (strncmp(result->out, begins, strlen(begins)) != 0)
        fail_msg("expected '%s', found '%s'", begins, result->out);
    assert_ptr_equal(strchr(result->out, '\n'), result->out + strlen(result->out) - 1);
}

static void test_check(void **state)
{
    (void)state;
    write_config("127.0.0.1", open_port);
    check("down", 2,
          "LASTLIGHT CRITICAL - down: 0 of 2 targets answer; tcp:127.0.0.2:1 refused, "
          "tcp:127.0.0.3:1 refused | answering=0;2:;1:;0;2\n");
    check("down --critical 0", 1, "LASTLIGHT WARNING - down: 0 of 2 targets answer");
    check("down --critical 0 --warn 0%", 0, "LASTLIGHT OK - down: 0 of 2 targets answer");
    check("routes", 3, "LASTLIGHT UNKNOWN - routes: it has no targets");
    check("none", 3, "LASTLIGHT UNKNOWN - none: the configuration has no subject of this name");
    check("down --warn 200", 3, "LASTLIGHT UNKNOWN - down: --warn and --critical take per cent");
}

/* If no control answers, it may be us; but not if a target does. */
static void test_check_without_controls(void **state)
{
    (void)state;
    write_config("127.0.0.9", 1);
    check("up", 0,
          "LASTLIGHT OK - up: no control answers: our own network may be what fails; 1 of "
          "1 targets answer | answering=1;1:;1:;0;1 'tcp:127.0.0.1:");
    check("down", 3,
          "LASTLIGHT UNKNOWN - down: no control answers: our own network may be what "
          "fails; 0 of 2 targets answer; tcp:127.0.0.2:1 refused, tcp:127.0.0.3:1 refused | "
          "answering=0;2:;1:;0;2\n");
}

/* 2 would tell a monitoring system that the group is dark. */
static void test_check_wrong(void **state)
{
    (void)state;
    assert_int_equal(run("check")->status, 3);
    assert_int_equal(run("check a b")->status, 3);
    assert_int_equal(run("check a -c none.yaml")->status, 3);
    assert_int_equal(run("check a --frobnicate")->status, 3);
    assert_int_equal(run("check a")->status, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several),     cmocka_unit_test(test_json),
        cmocka_unit_test(test_asn_of_hops), cmocka_unit_test(test_excluded),
        cmocka_unit_test(test_check),       cmocka_unit_test(test_check_without_controls),
        cmocka_unit_test(test_check_wrong),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
