/* `lastlight run` over loopback: a listener stops, an incident opens; the daemon is killed in
 * between and loses nothing; the listener starts again, the incident closes. Then signals, and a
 * full disk. Takes about a minute: judgement waits LATENESS_NS (15 s) for what comes late. */
#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a server that accepts and closes, in a process of its own ---- */

static int listen_on(uint16_t *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static pid_t start_server(uint16_t *port)
{
    int fd = listen_on(port);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever happens to the test */
        for (;;)
            close(accept(fd, NULL, NULL));
    }
    close(fd);
    return pid;
}

static void stop_server(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* ---- what the journal says ---- */

/* Waits until `command` prints `part`; fails after `seconds`. */
static const char *wait_for(const char *command, const char *part, int seconds)
{
    const struct result *result = NULL;
    for (int i = 0; i < seconds * 4; i++) {
        result = run(command);
        if (result->status == 0 && strstr(result->out, part))
            return result->out;
        sleep_ms(250);
    }
    fail_msg("'%s' did not print '%s' within %d s, but: %s%s", command, part, seconds, result->out,
             result->talk);
    return NULL;
}

static void wait_for_talk(const char *file, const char *part, int seconds)
{
    for (int i = 0; i < seconds * 10; i++) {
        size_t n;
        char *text = file_read(file, &n);
        bool is_there = strstr(text, part) != NULL;
        free(text);
        if (is_there)
            return;
        sleep_ms(100);
    }
    fail_msg("%s: did not say '%s' within %d s", file, part, seconds);
}

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static int setup(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

static void test_outage(void **state)
{
    (void)state;
    uint16_t port = 0, control = 0;
    pid_t server = start_server(&port), other = start_server(&control);
    char text[1024];
    snprintf(text, sizeof text,
             "journal: watch.db\n"
             "vantage: {name: here, controls: [\"tcp:127.0.0.1:%u\"]}\n"
             "defaults: {interval: 1s, timeout: 500ms}\n"
             "subjects:\n- name: box\n  targets: [\"tcp:127.0.0.1:%u\"]\n",
             control, port);
    file_write("watch.yaml", text);
    pid_t daemon = start("run -c watch.yaml", "watch.talk");
    wait_for_talk("watch.talk", "watching 2 targets from vantage here into watch.db", 10);
    wait_for("export -j watch.db", "\"outcome\":\"ok\"", 10);
    sleep_ms(6000);
    stop_server(server);
    const char *incidents =
        wait_for("incidents -j watch.db --json", "\"is_open\":true,\"began\"", 45);
    assert_non_null(strstr(incidents, "\"first_layer\":\"service\""));
    assert_non_null(strstr(run("why 1 -j watch.db")->out, "refused"));

    wait_for_talk("watch.talk", "incident 1 on box, since ", 2);

    /* What was committed before the kill is there after it, and one second's results at most are
     * not. */
    unsigned before = count(run("export -j watch.db")->out, "\"type\":\"probe\"");
    kill(daemon, SIGKILL);
    assert_int_equal(finish(daemon, 10), 128 + SIGKILL);
    assert_true(count(run("export -j watch.db")->out, "\"type\":\"probe\"") >= before);
    assert_int_equal(run("db check -j watch.db")->status, 0);
    daemon = start("run -c watch.yaml", "watch.talk");
    wait_for_talk("watch.talk", "watching", 10);
    sleep_ms(2000);
    server = start_server(&port);
    incidents = wait_for("incidents -j watch.db --json", "\"is_open\":false,\"began\"", 60);
    assert_int_equal(count(incidents, "\"type\":\"incident\""), 1);
    assert_non_null(strstr(incidents, "\"ended\":{"));
    wait_for_talk("watch.talk", "incident 1 on box is over, by ", 2);
    /* The time in which nobody watched is a gap of the vantage. */
    assert_int_equal(count(run("export -j watch.db")->out, "\"type\":\"gap\""), 1);

    kill(daemon, SIGTERM);
    assert_int_equal(finish(daemon, 10), 0);
    wait_for_talk("watch.talk", "stopping", 1);
    assert_non_null(strstr(run("export -j watch.db")->out, "\"type\":\"stop\""));
    assert_int_equal(run("db check -j watch.db")->status, 0);
    stop_server(server);
    stop_server(other);
}

/* SIGHUP takes up a changed file; one with errors is told, and the old one stays. */
static void test_reload(void **state)
{
    (void)state;
    file_write("re.yaml", "journal: re.db\ndefaults: {interval: 1s}\nsubjects:\n- name: a\n  "
                          "targets: [icmp:127.0.0.1]\n");
    pid_t daemon = start("run -c re.yaml", "re.talk");
    wait_for_talk("re.talk", "watching 1 target from", 10);
    file_write("re.yaml", "subjects:\n- name: a\n  targets: [icpm:127.0.0.1]\n");
    kill(daemon, SIGHUP);
    wait_for_talk("re.talk", "re.yaml:3:13: 'icpm:127.0.0.1' is no kind of target", 10);
    wait_for_talk("re.talk", "the configuration from before stays", 10);
    file_write("re.yaml",
               "journal: re.db\ndefaults: {interval: 1s}\nsubjects:\n- name: b\n  targets: "
               "[icmp:127.0.0.1, icmp:127.0.0.9]\n");
    kill(daemon, SIGHUP);
    wait_for_talk("re.talk", "read again, 2 targets", 10);
    wait_for("export -j re.db", "\"target\":\"icmp:127.0.0.9\"", 10);
    /* A second daemon on the same journal is refused, and told by whom. */
    pid_t second = start("run -c re.yaml", "second.talk");
    assert_int_equal(finish(second, 10), 1);
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)daemon);
    wait_for_talk("second.talk", pid, 1);
    kill(daemon, SIGINT);
    assert_int_equal(finish(daemon, 10), 0);
    char *log = strdup(run("export -j re.db")->out);
    assert_non_null(
        strstr(log, "\"subject\":{\"name\":\"a\",\"targets\":[{\"target\":\"icmp:127.0.0.1\""));
    assert_non_null(strstr(log, "\"subject\":{\"name\":\"b\""));
    free(log);
}

/* A name server that hears and never answers holds up a drain for its timeout; a second signal does
 * not wait. */
static void test_second_signal(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    struct timeval patience = {15, 0};
    char text[256], query[512];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(text, sizeof text,
             "journal: slow.db\ndefaults: {interval: 8s, timeout: 8s}\n"
             "subjects:\n- name: a\n  targets: [\"dns:127.0.0.1:%u/./SOA\"]\n",
             ntohs(address.sin_port));
    file_write("slow.yaml", text);
    pid_t daemon = start("run -c slow.yaml", "slow.talk");
    assert_true(recv(fd, query, sizeof query, 0) > 0);
    kill(daemon, SIGTERM);
    wait_for_talk("slow.talk", "stopping: waiting", 2);
    kill(daemon, SIGTERM);
    assert_int_equal(finish(daemon, 3), 0);
    wait_for_talk("slow.talk", "stopping at once", 1);
    close(fd);
}

/* RFC 3339 times of one length or nearly so are in the order of their texts. */
static void check_nothing_within(const char *log, const char *from, const char *until)
{
    static const char begin[] = "{\"type\":\"probe\",\"time\":\"";
    unsigned probes = 0;
    for (const char *at = log; (at = strstr(at, begin)); probes++) {
        at += strlen(begin);
        if (strncmp(at, from, strcspn(at, "Z")) > 0 && strncmp(at, until, strcspn(at, "Z")) < 0)
            fail_msg("a probe at %.30s within the gap from %s to %s", at, from, until);
    }
    assert_true(probes > 0);
}

/* A daemon that did not run for a while (a suspended machine, a debugger) has seen nothing in that
 * time: a gap, and no answer that came meanwhile is taken for a missing one. */
static void test_stalled(void **state)
{
    (void)state;
    uint16_t port = 0;
    pid_t server = start_server(&port);
    char text[512];
    snprintf(text, sizeof text,
             "journal: stall.db\nvantage: {name: here}\ndefaults: {interval: 1s, timeout: 1s}\n"
             "subjects:\n- name: box\n  targets: [icmp:127.0.0.1, \"tcp:127.0.0.1:%u\"]\n",
             port);
    file_write("stall.yaml", text);
    pid_t daemon = start("run -c stall.yaml", "stall.talk");
    wait_for("export -j stall.db", "\"outcome\":\"ok\"", 15);
    kill(daemon, SIGSTOP);
    sleep_ms(7000);
    kill(daemon, SIGCONT);
    wait_for_talk("stall.talk", "a gap, not an outage", 5);
    wait_for("export -j stall.db", "\"type\":\"gap\"", 5);
    sleep_ms(2000);
    kill(daemon, SIGTERM);
    assert_int_equal(finish(daemon, 10), 0);
    char *log = strdup(run("export -j stall.db")->out);
    assert_int_equal(count(log, "\"type\":\"gap\""), 1);
    assert_non_null(strstr(log, "\"source\":\"vantage:here\""));
    assert_int_equal(count(log, "\"outcome\":\"timeout\""), 0);
    char from[40] = "", until[40] = "";
    assert_int_equal(sscanf(strstr(log, "{\"type\":\"gap\""),
                            "{\"type\":\"gap\",\"time\":\"%39[^\"]\",\"until\":\"%39[^\"]\"", from,
                            until),
                     2);
    check_nothing_within(log, from, until);
    free(log);
    stop_server(server);
}

static bool may_ping_without_right(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ping_group_range", "r");
    unsigned long low = 1, high = 0;
    if (!file || fscanf(file, "%lu %lu", &low, &high) != 2)
        low = 1, high = 0;
    if (file)
        fclose(file);
    return low <= getgid() && getgid() <= high;
}

/* Who may not ping is told so once, and only if something is to be pinged; what cannot be asked is
 * our own failure, and all else is asked. Gives up the right for good: the last of the tests. */
static void test_without_right_to_ping(void **state)
{
    (void)state;
    prctl(PR_CAPBSET_DROP, CAP_NET_RAW); /* without the right to do that, we lack this one too */
    if (may_ping_without_right()) {
        print_message("everybody may ping here: nothing to see\n");
        skip();
    }
    char text[256];
    uint16_t port = 0;
    pid_t server = start_server(&port);
    static const char form[] = "defaults: {interval: 1s}\njournal: np.db\nsubjects:\n- name: a\n  "
                               "targets: [%s\"tcp:127.0.0.1:%u\"]\n";
    snprintf(text, sizeof text, form, "", port);
    file_write("np.yaml", text);
    pid_t daemon = start("run -c np.yaml", "np.talk");
    wait_for("export -j np.db", "\"outcome\":\"ok\"", 10);
    size_t n;
    char *talk = file_read("np.talk", &n);
    assert_int_equal(count(talk, "ICMP"), 0);
    free(talk);
    snprintf(text, sizeof text, form, "icmp:127.0.0.1, ", port);
    file_write("np.yaml", text);
    kill(daemon, SIGHUP);
    wait_for_talk("np.talk", "read again, 2 targets", 10);
    wait_for("export -j np.db", "\"target\":\"icmp:127.0.0.1\",\"outcome\":\"self\"", 10);
    file_write("np.yaml", "journal: np.db\nsubjects:\n- name: a\n  targets: [icmp:127.0.0.1]\n");
    kill(daemon, SIGHUP);
    wait_for_talk("np.talk", "read again, 1 target", 10);
    kill(daemon, SIGTERM);
    assert_int_equal(finish(daemon, 10), 0);
    talk = file_read("np.talk", &n);
    assert_int_equal(count(talk, "ICMP echo is not permitted"), 1);
    assert_int_equal(count(talk, "ping_group_range"), 1);
    free(talk);
    stop_server(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_second_signal),
        cmocka_unit_test(test_stalled),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_without_right_to_ping),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
