/* `lastlight bgp` as people use it: archives in, lines out. */
#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/ris_maker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

enum { START = 1644211800 /* 2022-02-07T05:30:00Z */ };

/* An announcement with a community, 65000:7, and a large one, 65000:1:2. */
static void announce_with_communities(struct buffer *file, uint32_t seconds, const char *prefix)
{
    static const char communities[] =
        "\xc0\x08\x04\xfd\xe8\x00\x07"
        "\xc0\x20\x0c\x00\x00\xfd\xe8\x00\x00\x00\x01\x00\x00\x00\x02";
    struct buffer attributes = {0}, body = {0};
    make_attributes(&attributes, "65000 65001");
    buffer_add(&attributes, communities, sizeof communities - 1);
    make_u16(&body, 0);
    make_u16(&body, (unsigned)attributes.size);
    buffer_add(&body, attributes.bytes, attributes.size);
    make_prefixes(&body, prefix);
    archive_message(file, seconds, 2, body.bytes, body.size);
    buffer_done(&attributes);
    buffer_done(&body);
}

static void keep(const char *name, struct buffer *file)
{
    file_write_bytes(name, file->bytes, file->size);
    buffer_done(file);
}

/* updates: one session from beginning to end. rib: one prefix of two peers. */
static int setup(void **state)
{
    (void)state;
    struct buffer updates = {0}, rib = {0}, cut = {0};
    folder_enter();
    archive_state(&updates, START, 5, 6);
    archive_update(&updates, START + 1, NULL, "65000 4837", "9.1.0.0/16 9.1.2.0/24");
    announce_with_communities(&updates, START + 2, "9.0.0.0/8");
    archive_update(&updates, START + 3, "9.1.2.0/24", NULL, NULL);
    archive_message(&updates, START + 4, 2, "\0\0\0\0", 4);
    archive_message(&updates, START + 5, 4, "", 0);
    archive_message(&updates, START + 6, 3, "\x06\x02", 2);
    archive_state(&updates, START + 7, 6, 1);
    archive_peer_table(&rib, START, "192.0.2.1 65001 2001:db8::2 65002");
    archive_rib(&rib, START + 2, "2001:db8::/32", "0 1");
    assert_int_equal(mkdir("day", 0777), 0);
    archive_update(&cut, START, "9.3.0.0/16", NULL, NULL);
    archive_update(&cut, START + 1, "9.4.0.0/16", NULL, NULL);
    file_write_bytes("cut", cut.bytes, cut.size - 2);
    file_write_bytes("day/rrc00.updates", updates.bytes, updates.size);
    file_write_bytes("day/rrc01.rib", rib.bytes, rib.size);
    keep("updates", &updates);
    keep("rib", &rib);
    buffer_done(&cut);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (system("rm -r day") != 0)
        return -1;
    folder_leave();
    return 0;
}

static void check(const char *arguments, const char *out)
{
    const struct result *result = run(arguments);
    if (strcmp(result->out, out) != 0 || result->status != 0 || *result->talk)
        fail_msg("'%s' ended with %d and said '%s'; expected\n%s\nfound\n%s", arguments,
                 result->status, result->talk, out, result->out);
}

#define PEER "\"peer\":\"192.0.2.9\",\"peer_asn\":65000"
#define AT(seconds) "\"time\":\"2022-02-07T05:30:0" #seconds "Z\","

static void test_json(void **state)
{
    (void)state;
    check("bgp updates",
          "{\"type\":\"state\"," AT(0) PEER ",\"from\":\"openconfirm\",\"to\":\"established\"}\n"
                                            "{\"type\":\"announce\"," AT(1) PEER
          ",\"prefix\":\"9.1.0.0/16\",\"path\":\"65000 4837\","
          "\"origin_asn\":4837,\"origin\":\"igp\",\"next_hop\":\"192.0.2.9\"}\n"
          "{\"type\":\"announce\"," AT(1) PEER
          ",\"prefix\":\"9.1.2.0/24\",\"path\":\"65000 4837\","
          "\"origin_asn\":4837,\"origin\":\"igp\",\"next_hop\":\"192.0.2.9\"}\n"
          "{\"type\":\"announce\"," AT(2) PEER
          ",\"prefix\":\"9.0.0.0/8\",\"path\":\"65000 65001\","
          "\"origin_asn\":65001,\"origin\":\"igp\",\"next_hop\":\"192.0.2.9\","
          "\"communities\":[\"65000:7\"],\"large_communities\":[\"65000:1:2\"]}\n"
          "{\"type\":\"withdraw\"," AT(3) PEER ",\"prefix\":\"9.1.2.0/24\"}\n"
                                               "{\"type\":\"end_of_rib\"," AT(4) PEER
          ",\"family\":\"ipv4\"}\n"
          "{\"type\":\"keepalive\"," AT(5) PEER "}\n"
                                                "{\"type\":\"notification\"," AT(6) PEER
          ",\"code\":6,\"subcode\":2}\n"
          "{\"type\":\"state\"," AT(7) PEER ",\"from\":\"established\",\"to\":\"idle\"}\n");
    check("bgp --collector=mine rib -n 1",
          "{\"type\":\"table\"," AT(
              2) "\"collector\":\"mine\",\"peer\":\"192.0.2.1\","
                 "\"peer_asn\":65001,\"prefix\":\"2001:db8::/32\",\"path\":\"65000 4837\","
                 "\"origin_asn\":4837,\"origin\":\"igp\",\"next_hop\":\"192.0.2.9\","
                 "\"originated\":\"2022-02-07T05:30:02Z\"}\n");
}

static void test_bgpdump(void **state)
{
    (void)state;
    static const char *const lines =
        "BGP4MP|1644211800|STATE|192.0.2.9|65000|5|6\n"
        "BGP4MP|1644211801|A|192.0.2.9|65000|9.1.0.0/16|65000 4837|IGP|192.0.2.9|0|0||NAG||\n"
        "BGP4MP|1644211801|A|192.0.2.9|65000|9.1.2.0/24|65000 4837|IGP|192.0.2.9|0|0||NAG||\n"
        "BGP4MP|1644211802|A|192.0.2.9|65000|9.0.0.0/8|65000 "
        "65001|IGP|192.0.2.9|0|0|65000:7|NAG||\n"
        "BGP4MP|1644211803|W|192.0.2.9|65000|9.1.2.0/24\n"
        "BGP4MP|1644211807|STATE|192.0.2.9|65000|6|1\n";
    check("bgp -m updates", lines);
    check("bgp --bgpdump - < updates", lines);
    check("bgp -M -n 2 updates",
          "BGP4MP|02/07/22 05:30:00|STATE|192.0.2.9|65000|5|6\n"
          "BGP4MP|02/07/22 05:30:01|A|192.0.2.9|65000|9.1.0.0/16|65000 4837|IGP\n");
    check("bgp -m -l --prefix 9.0.0.0/8 updates",
          "BGP4MP|1644211802|A|192.0.2.9|65000|9.0.0.0/8|65000 65001|IGP|192.0.2.9|0|0|65000:7|"
          "65000:1:2|NAG||\n");
    check(
        "bgp -m -t change -n 1 rib",
        "TABLE_DUMP2|1644211802|B|192.0.2.1|65001|2001:db8::/32|65000 4837|IGP|192.0.2.9|0|0||NAG||"
        "\n");
    check("bgp -m --type open --type end_of_rib updates", "");
}

static unsigned count_lines(const char *text)
{
    unsigned count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void test_filters(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        unsigned lines;
    } table[] = {
        {"", 9},
        {"--prefix 9.1.0.0/16", 1},
        {"--prefix 9.1.0.0/16 --prefix=9.0.0.0/8", 2},
        {"--prefix 9.1.2.0", 0},
        {"--prefix-more 9.1.0.0/16", 3},
        {"--prefix-less 9.1.2.3", 4},
        {"--prefix-less 9.1.0.0/16", 2},
        {"--prefix-any 9.1.0.0/16", 4},
        {"--prefix-any ::/0", 0},
        {"--origin 65001", 1},
        {"--origin AS4837 --origin as65001", 3},
        {"--as 65000", 3},
        {"--as 4837 --prefix-more 9.1.2.0/24", 1},
        {"--peer 192.0.2.9", 9},
        {"--peer 192.0.2.8", 0},
        {"--peer 65000", 9},
        {"--peer AS65009 --peer 192.0.2.9", 9},
        {"--community 65000:7", 1},
        {"--community 65000:*", 1},
        {"--community 65000:8", 0},
        {"--community 65000:1:2", 1},
        {"--community 65000:1:*", 1},
        {"--community 65000:8 --community 65000:2:*", 0},
        {"--from 1644211803", 5},
        {"--until 2022-02-07T05:30:03Z", 4},
        {"--until 2022-02-07T06:30:03+01:00", 4},
        {"--from 2022-02-07T05:30:01Z --until 1644211803", 3},
        {"-4", 5},
        {"-6", 0},
        {"--family=4 --ipv4", 5},
        {"--type announce", 3},
        {"--type state --type withdraw", 3},
        {"--type end_of_rib", 1},
        {"--type keepalive", 1},
        {"--type open", 0},
        {"--type notification --type keepalive --type announce", 5},
        {"--head 4", 4},
        {"-n 1 --type withdraw", 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char line[256];
        snprintf(line, sizeof line, "bgp updates %s", table[i].options);
        const struct result *result = run(line);
        if (result->status || *result->talk || count_lines(result->out) != table[i].lines)
            fail_msg("'%s' ended with %d and said '%s'; expected %u lines, found\n%s", line,
                     result->status, result->talk, table[i].lines, result->out);
    }
}

static void test_several(void **state)
{
    (void)state;
    static const char *const lines =
        "BGP4MP|1644211802|A|192.0.2.9|65000|9.0.0.0/8|65000 "
        "65001|IGP|192.0.2.9|0|0|65000:7|NAG||\n"
        "TABLE_DUMP2|1644211802|B|192.0.2.1|65001|2001:db8::/32|65000 "
        "4837|IGP|192.0.2.9|0|0||NAG||\n"
        "TABLE_DUMP2|1644211802|B|2001:db8::2|65002|2001:db8::/32|65000 "
        "4837|IGP|192.0.2.9|0|0||NAG||\n"
        "BGP4MP|1644211803|W|192.0.2.9|65000|9.1.2.0/24\n";
    check("bgp -m --from 1644211802 --until 1644211804 day", lines);
    check("bgp -m --from 1644211802 --until 1644211804 day/*", lines);
    check("bgp -m --from 1644211802 --until 1644211804 updates day/rrc01.rib", lines);
    const struct result *result = run("bgp day --origin 4837 -n 3");
    assert_int_equal(result->status, 0);
    assert_non_null(strstr(result->out, "\"collector\":\"rrc00\",\"peer\":\"192.0.2.9\""));
    assert_non_null(strstr(result->out, "\"collector\":\"rrc01\",\"peer\":\"192.0.2.1\""));
}

static void test_count(void **state)
{
    (void)state;
    check("bgp --count day", "announce                 3\n"
                             "withdraw                 1\n"
                             "table                    2\n"
                             "state                    2\n"
                             "end_of_rib               1\n"
                             "message                  2\n"
                             "ipv4                     4\n"
                             "ipv6                     2\n"
                             "faulty                   0\n"
                             "records                 10\n"
                             "bad                      0\n");
    check("bgp --count --json --type keepalive --type state updates",
          "{\"announce\":0,\"withdraw\":0,\"table\":0,\"state\":2,\"end_of_rib\":0,\"message\":1,"
          "\"ipv4\":0,\"ipv6\":0,\"faulty\":0,\"records\":8,\"bad\":0}\n");
    check("bgp --count --json --as 4837 day",
          "{\"announce\":2,\"withdraw\":0,\"table\":2,\"state\":0,\"end_of_rib\":0,\"message\":0,"
          "\"ipv4\":2,\"ipv6\":2,\"faulty\":0,\"records\":10,\"bad\":0}\n");
}

static void test_output(void **state)
{
    (void)state;
    check("bgp -m -n 1 updates -o lines", "");
    size_t n;
    char *bytes = file_read("lines", &n);
    assert_string_equal(bytes, "BGP4MP|1644211800|STATE|192.0.2.9|65000|5|6\n");
    free(bytes);
    check("bgp updates -o lines.gz", "");
    assert_int_equal(system("gzip -t lines.gz"), 0);
    check("bgp updates -o lines.zst", "");
    bytes = file_read("lines.zst", &n);
    assert_memory_equal(bytes, "\x28\xb5\x2f\xfd", 4);
    free(bytes);
    check("bgp --count -o counts updates", "");
    assert_true(file_size("counts") > 100);
    const struct result *result = run("bgp updates > /dev/full");
    assert_int_equal(result->status, 1);
    assert_non_null(strstr(result->talk, "no space left"));
    /* What cannot be read leaves no file behind. */
    result = run("bgp none -o never");
    assert_int_equal(result->status, 1);
    assert_int_equal(access("never", F_OK), -1);
    assert_int_equal(access("never.part", F_OK), -1);
}

/* All that is there is printed, the place is told, and the status says that it was not all. */
static void test_damaged(void **state)
{
    (void)state;
    const struct result *result = run("bgp -m cut updates --prefix-more 9.0.0.0/8 --type withdraw");
    assert_int_equal(result->status, 1);
    assert_string_equal(result->out, "BGP4MP|1644211800|W|192.0.2.9|65000|9.3.0.0/16\n"
                                     "BGP4MP|1644211803|W|192.0.2.9|65000|9.1.2.0/24\n");
    assert_string_equal(result->talk,
                        "lastlight: cut: byte 58: the file ends within this record\n"
                        "lastlight: parts of the input are damaged; all else was used\n");
    result = run("bgp /etc/passwd");
    assert_int_equal(result->status, 1);
    assert_string_equal(
        result->talk,
        "lastlight: /etc/passwd: there is no MRT record in it, nor is it anything else "
        "that is read here\n"
        "lastlight: nothing in the input could be read\n");
    result = run("bgp cut -o kept");
    assert_int_equal(result->status, 1);
    assert_true(file_size("kept") > 0);
    result = run("bgp --count --json cut");
    assert_int_equal(result->status, 1);
    assert_non_null(strstr(result->out, "\"withdraw\":1,"));
    assert_non_null(strstr(result->out, "\"bad\":1}"));
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        int status;
        const char *said;
    } table[] = {
        {"bgp", 2,
         "'bgp' needs archives: lastlight bgp FILE..., or those of the web: lastlight bgp "
         "--collector NAME --from TIME --until TIME"},
        {"bgp none", 1, "none: cannot be read: No such file or directory"},
        {"bgp none*", 1, "none*: no file matches this pattern"},
        {"bgp updates updates", 2, "updates: named twice; once is enough"},
        {"bgp updates --prefix 9.1.0.0/8", 2,
         "--prefix: '9.1.0.0/8' is not a prefix; expected ADDRESS/BITS with all further bits zero"},
        {"bgp updates --prefix-more x", 2, "--prefix-more: 'x' is not a prefix"},
        {"bgp updates --origin 0", 2,
         "--origin: '0' is not an AS number; expected one such as 36561"},
        {"bgp updates --as 4294967296", 2, "--as: '4294967296' is not an AS number"},
        {"bgp updates --as AS", 2, "--as: 'AS' is not an AS number"},
        {"bgp updates --peer 192.0.2", 2,
         "--peer: '192.0.2' is not a peer; expected its address or its AS number"},
        {"bgp updates --community 65536:1", 2, "--community: '65536:1' is not a community"},
        {"bgp updates --community 1", 2, "--community: '1' is not a community"},
        {"bgp updates --community *:1", 2, "--community: '*:1' is not a community"},
        {"bgp updates --community 1:2:3:4", 2, "--community: '1:2:3:4' is not a community"},
        {"bgp updates --community 1:", 2, "--community: '1:' is not a community"},
        {"bgp updates --type routes", 2, "'--type' takes one of announce|"},
        {"bgp updates --family 5", 2, "'--family' takes one of 4|6, found '5'"},
        {"bgp updates -4 -6", 2, "only IPv4 and only IPv6: that leaves nothing; give one"},
        {"bgp updates --from today", 2,
         "--from: 'today' is not a time; expected one such as 2022-"},
        {"bgp updates --from 2022-02-07T05:30:00Zx", 2, "--from: '2022-02-07T05:30:00Zx' is not"},
        {"bgp updates --from 9 --until 9", 2, "--until: '9' is not after --from"},
        {"bgp updates --until 0", 2, "--until: '0' is not after --from"},
        {"bgp updates --head 0", 2, "--head: '0' is no number of lines; expected 1 or more"},
        {"bgp updates -n -1", 2, "--head: '-1' is no number of lines"},
        {"bgp updates -m -M", 2, "-m and -M are two forms of a line; give one"},
        {"bgp updates -m --json", 2, "--json is another form than -m and -M; give one"},
        {"bgp updates -m --count", 2, "--count prints no routes; leave out -m, -M and --head"},
        {"bgp updates -l", 2, "-l and -t are about the lines of -m and -M; give one of them, too"},
        {"bgp updates -t dump", 2, "-l and -t are about the lines of -m and -M"},
        {"bgp updates -m -t now", 2, "'--table-time' takes one of dump|change, found 'now'"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct result *result = run(table[i].arguments);
        if (result->status != table[i].status || *result->out ||
            strncmp(result->talk, "lastlight: ", 11) != 0 ||
            strncmp(result->talk + 11, table[i].said, strlen(table[i].said)) != 0)
            fail_msg("'%s' ended with %d and said '%s'", table[i].arguments, result->status,
                     result->talk);
    }
    file_write("log", "{\"type\":\"tick\",\"time\":\"2022-02-07T05:30:00Z\"}\n");
    const struct result *result = run("bgp log");
    assert_int_equal(result->status, 1);
    assert_string_equal(
        result->talk,
        "lastlight: log: is an observation log; expected an MRT archive, BMP or RIS Live\n");
}

static void test_too_many_values(void **state)
{
    (void)state;
    struct buffer line = {0};
    buffer_puts(&line, "bgp updates");
    for (int i = 0; i < 65; i++)
        buffer_printf(&line, " --as=%d", i + 1);
    const struct result *result = run(line.bytes);
    assert_int_equal(result->status, 2);
    assert_string_equal(result->talk,
                        "lastlight: --as: given too often; at most 64 values are taken\n");
    buffer_done(&line);
}

/* ---- streams ---- */

static const struct bmp_about router_peer = {
    .addr = "192.0.2.9", .asn = 65000, .time = {START * NS_PER_S + 5 * NS_PER_MS}};

static void session(struct buffer *out)
{
    bmp_initiation(out, "edge1");
    bmp_up(out, &router_peer, BMP_OPEN_PLAIN, BMP_OPEN_PLAIN);
    bmp_update(out, &router_peer, NULL, "65000 4837", "9.1.0.0/16");
}

#define LATER "\"time\":\"2022-02-07T05:30:00.005Z\","
#define EDGE LATER "\"collector\":\"edge1\"," PEER
#define OPENED "{\"type\":\"state\"," EDGE ",\"from\":\"openconfirm\",\"to\":\"established\"}\n"
#define ANNOUNCED                                                                                  \
    "{\"type\":\"announce\"," EDGE ",\"table\":\"pre-policy\",\"prefix\":\"9.1.0.0/16\","          \
    "\"path\":\"65000 4837\",\"origin_asn\":4837,\"origin\":\"igp\",\"next_hop\":\"192.0.2.9\"}\n"

/* What a router told by BMP, and RIPE's collectors by RIS Live, beside archives. */
static void test_streams(void **state)
{
    (void)state;
    struct buffer bmp = {0}, ris = {0};
    struct bmp_about instance = router_peer;
    struct ris_about live = {.time = {START * NS_PER_S + 2500 * NS_PER_MS}, .asn = 65000};
    instance.type = 1;
    instance.flags = 0x50;
    instance.distinguisher = 7;
    session(&bmp);
    bmp_update(&bmp, &instance, "9.1.0.0/16", NULL, NULL);
    keep("session", &bmp);
    ris_update(&ris, &live, "9.1.0.0/16", NULL, NULL);
    ris_state(&ris, &live, "down");
    keep("live", &ris);
    check("bgp session", OPENED ANNOUNCED "{\"type\":\"withdraw\"," EDGE
                                          ",\"sent\":true,\"table\":\"adj-rib-out\","
                                          "\"distinguisher\":\"0:7\",\"prefix\":\"9.1.0.0/16\"}\n");
    check("bgp --table=pre-policy < session -", ANNOUNCED);
    check("bgp --table=loc-rib session updates", "");
    check("bgp live --type state",
          "{\"type\":\"state\",\"time\":\"2022-02-07T05:30:02.500Z\",\"collector\":\"rrc00\"," PEER
          ",\"to\":\"idle\"}\n");
    assert_int_equal(system("gzip -k session && zstd -q live"), 0);
    check("bgp -m --prefix 9.1.0.0/16 live.zst updates session.gz",
          "BGP4MP_ET|1644211800.005000|A|192.0.2.9|65000|9.1.0.0/16|65000 "
          "4837|IGP|192.0.2.9|0|0||NAG||\n"
          "BGP4MP_ET_LOCAL|1644211800.005000|W|192.0.2.9|65000|9.1.0.0/16\n"
          "BGP4MP|1644211801|A|192.0.2.9|65000|9.1.0.0/16|65000 4837|IGP|192.0.2.9|0|0||NAG||\n"
          "BGP4MP_ET|1644211802.500000|W|192.0.2.9|65000|9.1.0.0/16\n");
    check("bgp --count --json session live",
          "{\"announce\":1,\"withdraw\":2,\"table\":0,\"state\":2,\"end_of_rib\":0,\"message\":0,"
          "\"ipv4\":3,\"ipv6\":0,\"faulty\":0,\"records\":6,\"bad\":0}\n");
    check("bgp -m -n 1 session", "BGP4MP_ET|1644211800.005000|STATE|192.0.2.9|65000|5|6\n");
    const struct result *result = run("scan session");
    assert_int_equal(result->status, 1);
    assert_string_equal(result->talk,
                        "lastlight: session: is a BMP session; expected an MRT archive\n");
}

/* What real routers told (test/golden/bmp/README). */
static void test_real_sessions(void **state)
{
    (void)state;
    static const char *const names[] = {"frr-pre-policy", "gobgp-pre-policy", "gobgp-loc-rib"};
    const char *root = getenv("LASTLIGHT_ROOT");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char line[512], golden[512];
        size_t n;
        snprintf(line, sizeof line, "bgp %s/test/golden/bmp/%s.bmp", root ? root : ".", names[i]);
        snprintf(golden, sizeof golden, "%s/test/golden/bmp/%s.jsonl", root ? root : ".", names[i]);
        const struct result *result = run(line);
        if (getenv("LASTLIGHT_UPDATE_GOLDEN"))
            file_write(golden, result->out);
        char *wanted = file_read(golden, &n);
        assert_string_equal(result->out, wanted);
        assert_string_equal(result->talk, "");
        assert_int_equal(result->status, 0);
        free(wanted);
    }
}

/* Many captures are put in order by what is in them. */
static void test_many_sessions(void **state)
{
    (void)state;
    char wanted[1024] = "";
    assert_int_equal(mkdir("captures", 0777), 0);
    for (int i = 0; i < 6; i++) {
        struct buffer bmp = {0};
        struct bmp_about peer = router_peer;
        char name[32], line[128];
        peer.time.ns += (6 - i) * NS_PER_S;
        bmp_initiation(&bmp, "edge1");
        bmp_update(&bmp, &peer, "9.1.0.0/16", NULL, NULL);
        snprintf(name, sizeof name, "captures/%d", i);
        keep(name, &bmp);
        snprintf(line, sizeof line, "BGP4MP_ET|%d.005000|W|192.0.2.9|65000|9.1.0.0/16\n",
                 START + 1 + i);
        strcat(wanted, line);
    }
    check("bgp -m captures", wanted);
    assert_int_equal(system("rm -r captures"), 0);
}

/* Damage is told with its place, and all else is used. */
static void test_damaged_streams(void **state)
{
    (void)state;
    struct buffer bmp = {0}, ris = {0};
    struct ris_about bare = {.time = {START * NS_PER_S}, .is_without_raw = true};
    session(&bmp);
    size_t place = bmp.size;
    buffer_puts(&bmp, "noise");
    bmp_update(&bmp, &router_peer, NULL, NULL, NULL);
    size_t last = bmp.size;
    bmp_update(&bmp, &router_peer, "9.1.0.0/16", NULL, NULL);
    bmp.size -= 2;
    keep("noisy", &bmp);
    char talk[512];
    snprintf(talk, sizeof talk,
             "lastlight: noisy: byte %zu: no BMP message begins here; 5 bytes passed over\n"
             "lastlight: noisy: byte %zu: the file ends within this record\n"
             "lastlight: parts of the input are damaged; all else was used\n",
             place, last);
    const struct result *result = run("bgp -m noisy --count");
    assert_int_equal(result->status, 2);
    result = run("bgp noisy --type end_of_rib");
    assert_int_equal(result->status, 1);
    assert_string_equal(result->talk, talk);
    assert_non_null(strstr(result->out, "\"end_of_rib\""));
    ris_update(&ris, &bare, "9.1.0.0/16", NULL, NULL);
    keep("bare", &ris);
    result = run("bgp bare");
    assert_int_equal(result->status, 1);
    assert_string_equal(result->talk,
                        "lastlight: bare:1: a message without its raw bytes, which are "
                        "what counts: subscribe with includeRaw\n");
}

/* A program that follows standard input, a pipe that stays open. */
struct follower {
    int to;
    pid_t pid;
};

static struct follower follow(const char *arguments)
{
    char line[256];
    struct follower follower;
    assert_int_equal(mkfifo("stream", 0666), 0);
    follower.to = open("stream", O_RDWR);
    assert_true(follower.to >= 0);
    snprintf(line, sizeof line, "%s < stream > followed", arguments);
    unlink("followed");
    follower.pid = start(line, ".talk");
    return follower;
}

static void tell(const struct follower *follower, const struct buffer *bytes)
{
    assert_int_equal(write(follower->to, bytes->bytes, bytes->size), bytes->size);
}

static void expect_lines(const char *wanted)
{
    char *found = NULL;
    size_t n;
    for (int i = 0; i < 100; i++) {
        free(found);
        found = NULL;
        if (access("followed", F_OK) == 0) {
            found = file_read("followed", &n);
            if (strcmp(found, wanted) == 0)
                break;
        }
        sleep_ms(50);
    }
    assert_non_null(found);
    assert_string_equal(found, wanted);
    free(found);
}

static void end_follower(struct follower *follower, int number, int status)
{
    if (number)
        assert_int_equal(kill(follower->pid, number), 0);
    assert_int_equal(finish(follower->pid, 10), status);
    assert_int_equal(file_size(".talk"), 0);
    close(follower->to);
    unlink("stream");
}

/* Lines come as what they say does, also where a message comes in parts; a signal ends it cleanly, and
 * what was begun and not ended then is no damage. */
static void test_followed(void **state)
{
    (void)state;
    struct buffer bmp = {0}, part = {0}, ris = {0};
    struct ris_about live = {.time = {START * NS_PER_S}, .asn = 65000};
    session(&bmp);
    struct follower follower = follow("bgp -");
    tell(&follower, &bmp);
    expect_lines(OPENED ANNOUNCED);
    buffer_add(&part, bmp.bytes, 30);
    tell(&follower, &part);
    sleep_ms(100);
    expect_lines(OPENED ANNOUNCED);
    buffer_clear(&part);
    buffer_add(&part, bmp.bytes + 30, bmp.size - 60);
    tell(&follower, &part);
    expect_lines(OPENED ANNOUNCED OPENED);
    end_follower(&follower, SIGINT, 0);
    expect_lines(OPENED ANNOUNCED OPENED);

    follower = follow("bgp --count --json -");
    tell(&follower, &bmp);
    sleep_ms(200);
    end_follower(&follower, SIGTERM, 0);
    expect_lines(
        "{\"announce\":1,\"withdraw\":0,\"table\":0,\"state\":1,\"end_of_rib\":0,\"message\":0,"
        "\"ipv4\":1,\"ipv6\":0,\"faulty\":0,\"records\":3,\"bad\":0}\n");

    /* As many as are wanted: what follows is not waited for. */
    ris_keepalive(&ris, &live);
    follower = follow("bgp -m -n 2 -");
    ris_update(&ris, &live, "9.1.0.0/16 9.2.0.0/16", NULL, NULL);
    tell(&follower, &ris);
    end_follower(&follower, 0, 0);
    expect_lines("BGP4MP_ET|1644211800.000000|W|192.0.2.9|65000|9.1.0.0/16\n"
                 "BGP4MP_ET|1644211800.000000|W|192.0.2.9|65000|9.2.0.0/16\n");

    /* An archive that is still being written. */
    buffer_clear(&bmp);
    archive_update(&bmp, START, "9.1.0.0/16", NULL, NULL);
    follower = follow("bgp -m -");
    tell(&follower, &bmp);
    expect_lines("BGP4MP|1644211800|W|192.0.2.9|65000|9.1.0.0/16\n");
    end_follower(&follower, SIGINT, 0);
    buffer_done(&bmp);
    buffer_done(&part);
    buffer_done(&ris);
}

/* Who wants no more ends it, quietly and at once: `head` does. */
static void test_closed_pipe(void **state)
{
    (void)state;
    struct buffer file = {0};
    struct timespec before, after;
    size_t n;
    for (uint32_t i = 0; i < 100000; i++)
        archive_update(&file, START + i / 1000, NULL, "65000 4837", "9.1.0.0/16 9.2.0.0/16");
    keep("large", &file);
    clock_gettime(CLOCK_MONOTONIC, &before);
    /* A shell tells the status of the last in the pipe; that of the first is written into a file. */
    assert_int_equal(
        system("{ \"$LASTLIGHT\" bgp -m large 2>.talk; echo $? >.status; } | head -n 1 "
               ">.out; until [ -s .status ]; do sleep 0.01; done"),
        0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(file_size(".talk"), 0);
    char *out = file_read(".out", &n), *status = file_read(".status", &n);
    assert_string_equal(out, "BGP4MP|1644211800|A|192.0.2.9|65000|9.1.0.0/16|65000 "
                             "4837|IGP|192.0.2.9|0|0||NAG||\n");
    assert_string_equal(status, "0\n");
    assert_true(after.tv_sec - before.tv_sec < 20);
    free(out);
    free(status);
}

/* From a pipe that stays open: ^C ends it. */
static void test_interrupted(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("pipe", 0666), 0);
    int held = open("pipe", O_RDWR);
    assert_true(held >= 0);
    pid_t pid = start("bgp pipe", ".talk");
    sleep_ms(200);
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(finish(pid, 10), 128 + SIGINT);
    close(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),          cmocka_unit_test(test_bgpdump),
        cmocka_unit_test(test_filters),       cmocka_unit_test(test_several),
        cmocka_unit_test(test_count),         cmocka_unit_test(test_output),
        cmocka_unit_test(test_damaged),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_streams),       cmocka_unit_test(test_real_sessions),
        cmocka_unit_test(test_many_sessions), cmocka_unit_test(test_damaged_streams),
        cmocka_unit_test(test_followed),      cmocka_unit_test(test_too_many_values),
        cmocka_unit_test(test_closed_pipe),   cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
