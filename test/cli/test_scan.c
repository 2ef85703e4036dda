/* `lastlight scan` as people run it: archives with an outage and a more specific prefix of another AS, in
 * words and as JSON Lines; and two hours of a real day, where it is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/archive_maker.h"
#include "../unit/texts.h"
#include "command.h"

#include <arpa/inet.h>
#include <glob.h>
#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEERS = 6, START = 1203811200 /* 2008-02-24T00:00:00Z */, HOUR = 3600 };

static void say_all(struct buffer *file, uint32_t at, const char *withdrawn, const char *rest,
                    const char *announced)
{
    for (archive_peer = 0; archive_peer < PEERS; archive_peer++) {
        char path[64];
        snprintf(path, sizeof path, "%u %s", 65000 + archive_peer, rest ? rest : "");
        archive_update(file, START + at + archive_peer, withdrawn, rest ? path : NULL, announced);
    }
    archive_peer = 0;
}

static void write_file(const char *name, struct buffer *file)
{
    file_write_bytes(name, file->bytes, file->size);
    buffer_done(file);
}

/* 20.0.0.0/16 is gone for an hour; AS666 announces a part of 30.0.0.0/16 for ten minutes. */
static void write_archives(void)
{
    struct buffer first = {0}, second = {0};
    say_all(&first, 0, NULL, "7 100", "10.0.0.0/16 10.1.0.0/16");
    say_all(&first, 10, NULL, "7 200", "20.0.0.0/16");
    say_all(&first, 20, NULL, "8 300", "30.0.0.0/16");
    say_all(&first, HOUR, "20.0.0.0/16", NULL, NULL);
    write_file("updates.1", &first);
    say_all(&second, 2 * HOUR, NULL, "7 200", "20.0.0.0/16");
    say_all(&second, 3 * HOUR, NULL, "8 666", "30.0.1.0/24");
    say_all(&second, 3 * HOUR + 600, "30.0.1.0/24", NULL, NULL);
    say_all(&second, 4 * HOUR, NULL, "8 300", "30.0.0.0/16");
    write_file("updates.2", &second);
}

static void write_sources(void)
{
    file_write("delegated", "2|test|20080224|3|19830101|20080224|+0000\n"
                            "test|*|asn|*|3|summary\n"
                            "test|KP|asn|100|1|20080101|allocated\n"
                            "test|KP|asn|200|1|20080101|allocated\n"
                            "test|SE|asn|300|1|20080101|allocated\n"
                            "test|NO|asn|666|1|20080101|allocated\n");
    file_write("rpki.json", "{\"roas\": [{\"asn\": \"AS300\", \"prefix\": \"30.0.0.0/16\", "
                            "\"maxLength\": 16, \"ta\": \"test\"}]}");
}

/* The same, wherever lines end. */
static void assert_says(const char *page, const char *words)
{
    static char line[256 * 1024];
    size_t n = 0;
    for (; *page; page++)
        if (!strchr(" \n", *page) || (n && line[n - 1] != ' '))
            line[n++] = *page == '\n' ? ' ' : *page;
    line[n] = '\0';
    assert_has(line, words);
}

static void test_text(void **state)
{
    (void)state;
    write_archives();
    const struct result *result = run("scan updates.2 updates.1");
    assert_int_equal(result->status, 0);
    assert_string_equal(result->talk, "");
    assert_string_equal(
        result->out,
        "2008-02-24T00:00:00Z to 2008-02-24T04:00:05Z: 54 changes of 6 peers, of 5\n"
        "prefixes of IPv4 and 0 of IPv6; live with a full feed were up to 6 (IPv4) and 0\n"
        "(IPv6) of them.\n"
        "\n"
        "There is no table dump among these archives: of a prefix that nobody spoke of\n"
        "nothing is known, and it does not count.\n"
        "\n"
        "The largest come first: how much of the address space, at what share of the\n"
        "peers, for how long. A peer is a router that tells a collector its routes. Space\n"
        "is counted in blocks of 256 addresses (/24), of IPv6 in /48s.\n"
        "\n"
        "Outages\n"
        "  1. AS200: 1 of 1 known prefix, 256 /24s: 20.0.0.0/16. Gone between\n"
        "     2008-02-24T00:00:25Z and 01:00:04Z; back between 01:00:05 and 02:00:04 (1 s\n"
        "     to 1 h 59 min). Lost by 6 of 6 peers that had told of it, from a tenth to\n"
        "     nine tenths of the loss in 5 s. Before, most peers had it by AS7. Paths to\n"
        "     it were 3.0 ASes long.\n"
        "\n"
        "Other origins\n"
        "  1. AS666 announces 30.0.1.0/24 (1 /24), within 30.0.0.0/16 of AS300. Since\n"
        "     between 2008-02-24T02:00:05Z and 03:00:00Z, until between 03:10:04 and\n"
        "     03:10:05 (10 min 4 s to 1 h 10 min). 6 of 6 peers with a route had it. Its\n"
        "     paths were 3.0 ASes long.\n"
        "\n");
}

/* Twice gone, back at four of six peers; and what a validator says of one of its two prefixes. */
static void test_course(void **state)
{
    (void)state;
    struct buffer file = {0};
    say_all(&file, 0, NULL, "7 200", "20.0.0.0/16 20.1.0.0/16");
    for (unsigned i = 0; i < 2; i++) {
        say_all(&file, HOUR + 400 * i, "20.0.0.0/16 20.1.0.0/16", NULL, NULL);
        for (archive_peer = 0; archive_peer < PEERS - 2 * i; archive_peer++) {
            char path[64];
            snprintf(path, sizeof path, "%u 7 200", 65000 + archive_peer);
            archive_update(&file, START + HOUR + 400 * i + 200 + archive_peer, NULL, path,
                           "20.0.0.0/16 20.1.0.0/16");
        }
    }
    archive_peer = 0;
    write_file("course", &file);
    file_write("rpki.csv", "ASN,IP Prefix,Max Length\nAS200,20.0.0.0/16,16\n");
    const struct result *result = run("scan --rpki rpki.csv course");
    assert_int_equal(result->status, 0);
    assert_says(
        result->out,
        "; the last back between 01:06:45 and 01:10:01 (6 min 41 s to 1 h 9 min), but 2 of 6 peers "
        "were without them at the end.");
    assert_says(result->out,
                "One of them went 2 times, back for less than five minutes each time. RPKI, "
                "with origin AS200: 1 valid of 2 prefixes.");
}

/* Of when the entries are that routes are held against. */
static void test_rpki_made(void **state)
{
    (void)state;
    write_archives();
    file_write("new.json", "{\"metadata\": {\"buildtime\": \"2024-11-25T10:00:00Z\"}, \"roas\": "
                           "[{\"asn\": 300, \"prefix\": \"30.0.0.0/16\"}]}");
    file_write("then.json", "{\"metadata\": {\"buildtime\": \"2008-02-24T10:00:00Z\"}, \"roas\": "
                            "[{\"asn\": 300, \"prefix\": \"30.0.0.0/16\"}]}");
    file_write("rpki.csv", "ASN,IP Prefix,Max Length\nAS200,20.0.0.0/16,16\n");
    assert_says(run("scan --rpki new.json updates.1")->out,
                "is that of 2024-11-25T10:00:00Z, with 1 entry; what it said at the time of these "
                "archives is not known.");
    assert_says(run("scan --rpki then.json updates.1")->out,
                "is that of 2008-02-24T10:00:00Z, with 1 entry. ");
    assert_says(run("scan --rpki rpki.csv updates.1")->out,
                "is that of a time that its file does not tell, with 1 entry;");
    assert_has(run("scan --json --rpki new.json updates.1")->out,
               "\"rpki_entries\":1,\"rpki_made\":\"2024-11-25T10:00:00Z\"");
}

/* All of KP, one network after the other. */
static void test_country(void **state)
{
    (void)state;
    struct buffer file = {0};
    say_all(&file, 0, NULL, "7 100", "10.0.0.0/16");
    say_all(&file, 10, NULL, "7 200", "20.0.0.0/16");
    say_all(&file, 20, NULL, "8 300", "30.0.0.0/16");
    say_all(&file, HOUR, "10.0.0.0/16", NULL, NULL);
    say_all(&file, HOUR + 1200, "20.0.0.0/16", NULL, NULL);
    say_all(&file, 2 * HOUR, NULL, "7 100", "10.0.0.0/16");
    say_all(&file, 2 * HOUR + 600, NULL, "7 200", "20.0.0.0/16");
    write_file("country", &file);
    write_sources();
    const struct result *result = run("scan --countries delegated --country KP country");
    assert_int_equal(result->status, 0);
    assert_says(result->out, "Shown are only events of KP.");
    assert_says(
        result->out,
        "1. KP: 512 /24s of 512 known, in 2 of 2 known prefixes of 2 of 2 known ASes. A tenth or "
        "more was gone at once since between 2008-02-24T00:00:25Z and 01:00:04Z, until between "
        "02:00:05 and 02:10:04 (1 h to 2 h 9 min). Lost by 6 of 6 peers");
    assert_says(result->out,
                "AS100 (KP): 1 of 1 known prefix, 256 /24s: 10.0.0.0/16. Gone between");
    assert_null(strstr(result->out, "AS300"));
    result = run("scan --json --countries delegated country");
    assert_has(result->out,
               "\"asn\":null,\"country\":\"KP\",\"ases\":2,\"known_ases\":2,\"known_blocks\":512,");
}

/* A dump of one prefix as two peers have it. */
static void write_dump(const char *name)
{
    struct buffer file = {0};
    archive_peer_table(&file, START, "192.0.2.1 65001 192.0.2.2 65002");
    archive_rib(&file, START, "20.0.0.0/16", "0 1");
    write_file(name, &file);
}

/* Where there are no witnesses, it is not said that there was no outage. */
static void test_blindness(void **state)
{
    (void)state;
    struct buffer one = {0}, lost = {0};
    archive_update(&one, START, NULL, "65000 7", "20.0.0.0/16");
    archive_update(&one, START + HOUR, "20.0.0.0/16", NULL, NULL);
    write_file("one-peer", &one);
    say_all(&lost, 0, NULL, "7 100", "20.0.0.0/16");
    archive_state(&lost, START + HOUR, 6, 1);
    write_file("lost", &lost);
    write_dump("dump");
    write_archives();
    file_write("empty", "");
    static const char none[] = "There is no route in these archives, or none of the time that was "
                               "asked for: nothing is known of any outage.";
    static const struct {
        const char *arguments, *said, *not_said;
    } cases[] = {
        {"empty", none, "found"},
        {"--from 2009-01-01T00:00:00Z updates.1", none, "found"},
        {"dump", "no updates: nothing that went out can be seen. ", "found"},
        {"dump", "Outages None could be seen.", "found"},
        {"one-peer",
         "Of IPv4 no outage can be seen: it takes 2 peers that are live with a full feed, and "
         "there "
         "was 1 at most.",
         "found"},
        {"one-peer", "Outages None could be seen.", "found"},
        {"--min-peers 7 updates.1", "it takes 7 peers", "found"},
        {"lost", "1 session of a peer was lost.", "could be seen"},
        {"--as 4711 updates.1", "Shown are only events of AS4711. Outages None was found.",
         "seen."},
        {"--prefix 40.0.0.0/8 --as 1 updates.1",
         "events of AS1 and of prefixes within 40.0.0.0/8 or", "seen."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[128];
        snprintf(line, sizeof line, "scan %s", cases[i].arguments);
        const struct result *result = run(line);
        assert_int_equal(result->status, 0);
        assert_string_equal(result->talk, "");
        assert_says(result->out, cases[i].said);
        assert_null(strstr(result->out, cases[i].not_said));
    }
}

/* Whose archives they are. */
static void test_collectors(void **state)
{
    (void)state;
    write_archives();
    assert_has(run("scan --collector rrc00 updates.1 updates.2")->out,
               "changes of 6 peers of rrc00, of");
    assert_int_equal(mkdir("rrc01", 0777), 0);
    assert_int_equal(mkdir("route-views2", 0777), 0);
    assert_int_equal(rename("updates.1", "rrc01/updates.1"), 0);
    assert_int_equal(rename("updates.2", "route-views2/updates.2"), 0);
    const struct result *result = run("scan rrc01 route-views2");
    assert_says(result->out, "54 changes of 12 peers of rrc01 and route-views2,");
    result = run("scan --json rrc01 route-views2");
    assert_has(result->out, "\"collectors\":[\"rrc01\",\"route-views2\"]");
    assert_int_equal(remove("rrc01/updates.1") | remove("route-views2/updates.2"), 0);
    assert_int_equal(rmdir("rrc01") | rmdir("route-views2"), 0);
}

/* Every line is an object; the event of this type, as a new reference. */
static json_t *find_line(const char *lines, const char *type)
{
    json_t *found = NULL;
    for (const char *line = lines; *line; line = strchr(line, '\n') + 1) {
        json_t *row = json_loadb(line, strcspn(line, "\n"), 0, NULL);
        assert_true(json_is_object(row));
        if (!found && strcmp(json_string_value(json_object_get(row, "type")), type) == 0)
            found = json_incref(row);
        json_decref(row);
    }
    return found;
}

static json_int_t number(const json_t *row, const char *member)
{
    assert_true(json_is_integer(json_object_get(row, member)));
    return json_integer_value(json_object_get(row, member));
}

static void test_json(void **state)
{
    (void)state;
    write_archives();
    write_sources();
    const struct result *result = run(
        "scan --json --rpki rpki.json --countries delegated --bins bins.jsonl updates.1 updates.2");
    assert_string_equal(result->talk, "");
    assert_int_equal(result->status, 0);
    json_t *outage = find_line(result->out, "outage");
    assert_int_equal(number(outage, "asn"), 200);
    assert_string_equal(json_string_value(json_object_get(outage, "country")), "KP");
    assert_int_equal(number(outage, "blocks"), 256);
    assert_int_equal(number(outage, "peers"), 6);
    assert_int_equal(number(outage, "open_prefixes"), 0);
    assert_int_equal(number(json_object_get(outage, "rpki"), "not-found"), 1);
    /* A quarter of the space that is known, for an hour. */
    double score = json_real_value(json_object_get(outage, "score_seconds"));
    assert_true(score > 890 && score <= 900);
    assert_float_equal(json_real_value(json_object_get(outage, "path_length")), 3, 0.001);
    json_t *claim = find_line(result->out, "more-specific");
    assert_int_equal(number(claim, "new_origin"), 666);
    assert_float_equal(json_real_value(json_object_get(claim, "path_length")), 3, 0.001);
    assert_true(json_is_null(json_object_get(claim, "old_path_length")));
    assert_string_equal(json_string_value(json_object_get(claim, "within")), "30.0.0.0/16");
    assert_int_equal(number(json_object_get(claim, "rpki"), "invalid-origin"), 1);
    json_t *summary = find_line(result->out, "summary");
    assert_int_equal(number(summary, "events"), 2);
    assert_int_equal(number(summary, "full_feeds4"), PEERS);
    json_decref(outage);
    json_decref(claim);
    json_decref(summary);
}

/* Plays a validator that has one entry (RFC 8210): whatever is asked, this is the table. */
static void serve_rtr(int listener)
{
    static const uint8_t table[] = {
        1, 3, 0, 9, 0, 0, 0, 8,                                            /* Cache Response */
        1, 4, 0, 0, 0, 0, 0, 20, 1, 16, 16, 0, 30, 0, 0,  0,  0, 0, 1, 44, /* 30.0.0.0/16 AS300 */
        1, 7, 0, 9, 0, 0, 0, 24, 0, 0,  0,  1, 0,  0, 14, 16, 0, 0, 2, 88, 0, 0, 28, 32,
    };
    uint8_t question[64];
    int fd = accept(listener, NULL, NULL);
    while (fd >= 0 && read(fd, question, sizeof question) > 0)
        if (write(fd, table, sizeof table) != sizeof table)
            break;
    _exit(0);
}

/* The validator is asked by RTR, and says the same as the file. */
static void test_rtr(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    char command[128];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    pid_t server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        alarm(60);
        serve_rtr(listener);
    }
    close(listener);
    write_archives();
    snprintf(command, sizeof command, "scan --json --rpki rtr:127.0.0.1:%u updates.1 updates.2",
             ntohs(at.sin_port));
    const struct result *result = run(command);
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    assert_string_equal(result->talk, "");
    assert_int_equal(result->status, 0);
    json_t *claim = find_line(result->out, "more-specific");
    assert_int_equal(number(json_object_get(claim, "rpki"), "invalid-origin"), 1);
    json_decref(claim);
}

/* Whoever waits for a validator is told why. */
static void test_rtr_wait(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    char command[128], *talk = NULL;
    size_t n;
    int closed = socket(AF_INET, SOCK_STREAM, 0); /* bound, and nobody listens */
    assert_int_equal(bind(closed, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(closed, (struct sockaddr *)&at, &size), 0);
    write_archives();
    snprintf(command, sizeof command, "scan --rpki rtr:127.0.0.1:%u updates.1", ntohs(at.sin_port));
    pid_t pid = start(command, "talk");
    for (int i = 0; i < 100 && (!talk || !*talk); i++) {
        sleep_ms(100);
        free(talk);
        talk = file_read("talk", &n);
    }
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    close(closed);
    assert_has(talk, "Connection refused; it will be tried again\n");
    free(talk);
}

static void test_bins(void **state)
{
    (void)state;
    size_t n;
    write_archives();
    write_sources();
    assert_int_equal(
        run("scan --countries delegated --bins bins.jsonl updates.1 updates.2")->status, 0);
    char *lines = file_read("bins.jsonl", &n);
    assert_non_null(lines);
    assert_has(
        lines,
        "{\"type\":\"bin\",\"start\":\"2008-02-24T00:00:00Z\",\"country\":\"KP\","
        "\"slash24\":768,\"known24\":768,\"prefixes4\":3,\"slash48\":null,"
        "\"known48\":null,\"prefixes6\":null,\"origins\":2,"
        "\"path_length\":3.0,\"peers4\":6,\"peers4_total\":6,\"peers6\":0,\"peers6_total\":0}\n");
    assert_has(lines, "\"start\":\"2008-02-24T01:00:00Z\",\"country\":\"KP\",\"slash24\":512,"
                      "\"known24\":768,\"prefixes4\":2,");
    assert_has(lines, "\"start\":\"2008-02-24T01:00:00Z\",\"asn\":200,\"slash24\":0,"
                      "\"known24\":256,\"prefixes4\":0,");
    assert_has(lines, "\"start\":\"2008-02-24T02:00:00Z\",\"asn\":200,\"slash24\":256,");
    assert_has(lines, "\"start\":\"2008-02-24T01:00:00Z\",\"slash24\":768,\"known24\":1024,");
    free(lines);
}

static void test_damage(void **state)
{
    (void)state;
    struct buffer file = {0};
    write_archives();
    say_all(&file, 5 * HOUR, NULL, "7 100", "10.0.0.0/16");
    file.bytes[file.size - 10] = (char)0xff;
    file.size -= 3;
    write_file("updates.3", &file);
    const struct result *result = run("scan updates.1 updates.2 updates.3");
    assert_int_equal(result->status, 1);
    assert_has(result->talk, "updates.3: byte ");
    assert_has(result->out, "AS200: 1 of 1 known prefix");
}

static void test_wishes(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        int outages, claims;
    } cases[] = {
        {"", 1, 1},
        {"--as 200", 1, 0},
        {"--as AS666", 0, 1},
        {"--as 300", 0, 1},
        {"--prefix 20.0.0.0/8", 1, 0},
        {"--prefix 30.0.1.0/24", 0, 1},
        {"--countries delegated --country kp", 1, 0},
        {"--countries delegated --country SE", 0, 1},
        {"--countries delegated --country NO", 0, 1}, /* AS666 began to announce it */
        {"--countries delegated --country FI", 0, 0},
        {"--min-peers 7", 0, 0},
        {"--top 1", 1, 1},
        {"--top 0", 1, 1},
        {"--until 2008-02-24T01:30:00Z", 1, 0},
    };
    write_archives();
    write_sources();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[128];
        snprintf(line, sizeof line, "scan --json %s updates.1 updates.2", cases[i].arguments);
        const struct result *result = run(line);
        assert_int_equal(result->status, 0);
        json_t *outage = find_line(result->out, "outage"),
               *claim = find_line(result->out, "more-specific");
        assert_int_equal(outage != NULL, cases[i].outages);
        assert_int_equal(claim != NULL, cases[i].claims);
        json_decref(outage);
        json_decref(claim);
    }
}

static void test_wrong_usage(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *talk;
        int status;
    } cases[] = {
        {"scan --top many updates.1", "--top: 'many' is not a number", 2},
        {"scan --min-peers 99999 updates.1", "--min-peers: '99999' is not a number", 2},
        {"scan --as AS updates.1", "--as: 'AS' is not the number of an AS", 2},
        {"scan --prefix 10.0.0.1/8 updates.1", "--prefix: '10.0.0.1/8' is not a prefix", 2},
        {"scan --country KP updates.1", "--country needs --countries", 2},
        {"scan --country KPX --countries none updates.1", "--country: 'KPX' is no country", 2},
        {"scan --country ZZ --countries none updates.1", "--country: 'ZZ' is no country", 2},
        {"scan --rpki none updates.1", "none", 1},
        {"scan --rpki rtr:[::1]:0 updates.1", "'[::1]:0' is no validator", 2},
        {"scan --countries none updates.1", "none", 1},
        {"scan nothing-here", "nothing-here", 1},
        {"scan --bins both -o both updates.1", "--bins and --output both name 'both'", 2},
        {"scan --bins no/such/folder updates.1", "no/such/folder", 1},
    };
    write_archives();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct result *result = run(cases[i].arguments);
        assert_int_equal(result->status, cases[i].status);
        assert_has(result->talk, cases[i].talk);
        assert_string_equal(result->out, "");
    }
}

static void test_output(void **state)
{
    (void)state;
    size_t n;
    write_archives();
    const struct result *result = run("scan -f md -o report.md updates.1 updates.2");
    assert_int_equal(result->status, 0);
    assert_string_equal(result->out, "");
    char *report = file_read("report.md", &n);
    assert_non_null(report);
    assert_has(report, "## Outages");
    assert_has(report, "AS666 announces 30.0.1.0/24");
    free(report);
    assert_int_equal(run("scan updates.1 updates.2 > /dev/full")->status, 1);
}

/* The archives of 24 February 2008, 18:16 to 21:30; false if they are not there. */
static bool add_real_files(char *line, size_t capacity)
{
    char pattern[512];
    const char *data = getenv("LASTLIGHT_DATA"), *root = getenv("LASTLIGHT_ROOT");
    glob_t files;
    if (data)
        snprintf(pattern, sizeof pattern, "%s/routeviews-2008-02-24/updates.20080224.*", data);
    else
        snprintf(pattern, sizeof pattern,
                 "%s/../shared/data/routeviews-2008-02-24/updates.20080224.*", root);
    if (glob(pattern, 0, NULL, &files))
        return false;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        int hour = atoi(strstr(files.gl_pathv[i], "20080224.") + 9);
        size_t n = strlen(line);
        if (hour >= 1816 && hour <= 2117)
            snprintf(line + n, capacity - n, " %s", files.gl_pathv[i]);
    }
    globfree(&files);
    return true;
}

static const char *time_of(const json_t *row, const char *interval, const char *end)
{
    return json_string_value(json_object_get(json_object_get(row, interval), end));
}

/* At 18:47:57 AS17557 began to announce 208.65.153.0/24; at 20:07 AS36561, whose address space it is,
 * announces it, too, and by and by all peers go over. From 20:24 to 21:12 three networks of the size of
 * 129.135.0.0/16 were not to be seen. */
static void test_real_hours(void **state)
{
    (void)state;
    char line[8192] = "scan --json --top 0";
    if (!add_real_files(line, sizeof line)) {
        print_message(
            "skipped: no archives of 24 February 2008; LASTLIGHT_DATA may name the folder\n");
        skip();
    }
    snprintf(line + strlen(line), sizeof line - strlen(line), " --prefix 208.65.153.0/24");
    const struct result *result = run(line);
    assert_int_equal(result->status, 0);
    json_t *change = find_line(result->out, "origin-change");
    assert_non_null(change);
    assert_int_equal(number(change, "asn"), 17557);
    assert_int_equal(number(change, "new_origin"), 36561);
    assert_string_equal(time_of(change, "began", "not_after"), "2008-02-24T20:07:25Z");
    assert_true(json_is_null(json_object_get(change, "ended")));
    assert_true(number(change, "peers") >= 40);
    json_decref(change);
    json_decref(find_line(result->out, "summary"));
    *strstr(line, " --prefix 208") = '\0';
    snprintf(line + strlen(line), sizeof line - strlen(line), " --prefix 129.135.0.0/16");
    result = run(line);
    json_t *outage = find_line(result->out, "outage");
    assert_non_null(outage);
    assert_int_equal(number(outage, "asn"), 701);
    assert_has(time_of(outage, "began", "not_before"), "2008-02-24T20:2");
    assert_has(time_of(outage, "ended", "not_after"), "2008-02-24T21:12:");
    assert_true(number(outage, "peers") >= 40);
    json_decref(outage);
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
        cmocka_unit_test(test_text),        cmocka_unit_test(test_course),
        cmocka_unit_test(test_country),     cmocka_unit_test(test_blindness),
        cmocka_unit_test(test_collectors),  cmocka_unit_test(test_json),
        cmocka_unit_test(test_rtr),         cmocka_unit_test(test_rtr_wait),
        cmocka_unit_test(test_rpki_made),   cmocka_unit_test(test_bins),
        cmocka_unit_test(test_damage),      cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_output),
        cmocka_unit_test(test_real_hours),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
