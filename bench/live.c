#include "live.h"

#include "base/mem.h"
#include "made_table.h"
#include "source/table/bin_teller.h"
#include "source/table/live_table.h"
#include "sys/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { BIN_S = 300, CHANGES = 20000 };

/* How long the loop's thread had to work for one call, at most, and for all calls of a kind together: its own
 * time, as others may be busy on the same cores. */
struct pause {
    int64_t most_ns, all_ns;
};

struct said;
struct live {
    struct made_table made;
    uint32_t peers;
    struct live_table *table;
    struct bin_teller teller;
    struct utc now;
    struct pause hear, tick, take;
    uint64_t told;
    bool is_over; /* the row of all came */
    struct said *said;
    size_t said_count;
    uint64_t heard;
};

static int64_t cpu_ns(clockid_t whose)
{
    struct timespec time;
    clock_gettime(whose, &time);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void note(struct pause *pause, int64_t since)
{
    int64_t ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - since;
    pause->most_ns = ns > pause->most_ns ? ns : pause->most_ns;
    pause->all_ns += ns;
}

/* What is read in one turn of the loop, 512 KiB, is about so many UPDATEs. They are made beforehand. */
enum { TURN = 5000 };

struct said {
    struct heard heard;
    struct bgp_path path;
    uint8_t path_bytes[2 + 4 * MADE_HOPS], nlri[4];
};

static void hear_turn(struct live *live)
{
    const struct ear *ear = live_table_ear(live->table);
    int64_t since = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < live->said_count; i++)
        ear->hear(ear->context, &live->said[i].heard);
    note(&live->hear, since);
    live->heard += live->said_count;
    live->said_count = 0;
}

static struct said *next_said(struct live *live, enum heard_kind kind, uint32_t peer)
{
    if (live->said_count == TURN)
        hear_turn(live);
    struct said *said = &live->said[live->said_count++];
    said->heard = (struct heard){.kind = kind,
                                 .time = live->now,
                                 .collector = 1,
                                 .peer = {{192, 0, (uint8_t)(peer >> 8), (uint8_t)peer}, 4},
                                 .asn = made_peer_asn(peer)};
    return said;
}

/* One /24 in an UPDATE of its own, with the path that the peer has to it, or withdrawn. */
static void say(struct live *live, uint32_t peer, uint32_t prefix, bool is_withdrawn)
{
    struct said *said = next_said(live, HEARD_ROUTES, peer);
    uint32_t number = prefix + 0x010000, asns[MADE_HOPS];
    uint8_t *at = said->path_bytes;
    size_t hops = made_path(&live->made, peer, prefix, asns);
    *at++ = 2;
    *at++ = (uint8_t)hops;
    for (size_t i = 0; i < hops; i++)
        for (int shift = 24; shift >= 0; shift -= 8)
            *at++ = (uint8_t)(asns[i] >> shift);
    said->path = (struct bgp_path){
        .head = reader_of(said->path_bytes, 2 + 4 * hops), .head_hops = UINT_MAX, .is_as4 = true};
    said->nlri[0] = 24;
    for (int i = 0; i < 3; i++)
        said->nlri[i + 1] = (uint8_t)(number >> (16 - 8 * i));
    said->heard.path = is_withdrawn ? NULL : &said->path;
    said->heard.routes = (struct bgp_routes){
        .bytes = reader_of(said->nlri, 4), .count = 1, .family = 4, .safi = BGP_UNICAST};
}

static void tell(void *context, const struct bin_row *row)
{
    struct live *live = context;
    bin_teller_tell(&live->teller, row);
    live->is_over |= !row->who.asn && !row->who.country.code[0];
}

static void count(void *context, const struct observation *observation)
{
    (void)observation;
    ((struct live *)context)->told++;
}

/* What the table's thread has worked by now. */
static int64_t table_ns(void)
{
    return cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* The daemon's second. */
static void tick(struct live *live)
{
    int64_t since = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    live_table_tick(live->table, live->now);
    note(&live->tick, since);
    since = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    live_table_take(live->table, tell, live);
    note(&live->take, since);
}

/* Goes on to the end of the bin, and waits until it and all before it are told. */
static void end_bin(struct live *live, const char *name)
{
    hear_turn(live);
    int64_t start = table_ns();
    live->is_over = false;
    live->told = 0;
    live->take = (struct pause){0};
    for (int64_t end = live->now.ns / NS_PER_S / BIN_S * BIN_S + BIN_S;
         live->now.ns / NS_PER_S < end;) {
        live->now = utc_add(live->now, 30 * NS_PER_S);
        tick(live);
    }
    while (!live->is_over) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        live_table_take(live->table, tell, live);
    }
    printf("%s_cpu_seconds %.3f\n", name, (double)(table_ns() - start) / 1e9);
    for (uint64_t before = UINT64_MAX; before != live->told;) { /* the rest of its rows */
        before = live->told;
        int64_t since = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
        live_table_take(live->table, tell, live);
        note(&live->take, since);
    }
    printf("%s_observations %llu\n", name, (unsigned long long)live->told);
    printf("%s_take_most_ms %.3f\n", name, (double)live->take.most_ns / 1e6);
}

/* Until its thread has nothing to do any more. */
static void await_rest(struct live *live)
{
    hear_turn(live);
    live_table_tick(live->table, live->now);
    int64_t before;
    do {
        before = table_ns();
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    } while (table_ns() - before > NS_PER_MS);
}

/* They are made faster than any router tells them: now and then they wait for the table. */
enum { LEAD = 4000000 };

static void hear_tables(struct live *live)
{
    struct mono start = clock_mono();
    for (uint32_t k = 0; k < live->peers; k++)
        next_said(live, HEARD_UP, k);
    for (uint32_t i = 0; i < live->made.prefixes; i++) {
        for (uint32_t k = 0; k < live->peers; k++)
            say(live, k, i, false);
        if ((i + 1) % (LEAD / live->peers) == 0)
            await_rest(live);
    }
    for (uint32_t k = 0; k < live->peers; k++)
        next_said(live, HEARD_COMPLETE, k);
    await_rest(live);
    printf("heard_seconds %.3f\n", (double)mono_diff(clock_mono(), start) / 1e9);
}

/* As many prefixes as change in a bin that is not quiet: half of the peers withdraw each. */
static void hear_changes(struct live *live)
{
    for (uint32_t i = 0; i < CHANGES; i++)
        for (uint32_t k = 0; k <= live->peers / 2; k++)
            say(live, k, (uint32_t)((uint64_t)i * 7919 % live->made.prefixes), true);
}

static void complain(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "bench: %s\n", text);
}

void bench_live(uint64_t prefixes, uint64_t peers)
{
    struct live live = {.made = made_table_of(prefixes),
                        .peers = (uint32_t)peers,
                        .said = mem_new(TURN, sizeof *live.said),
                        .now = {INT64_C(1643112000) * NS_PER_S}};
    struct registry *registry = registry_new();
    struct sink sink = {registry, count, &live};
    struct why why;
    live.table = live_table_new(&(struct live_table_options){.say = complain}, &why);
    bin_teller_init(&live.teller, &sink, NULL, 0);
    if (!live.table)
        exit(1);
    hear_tables(&live);
    printf("change_us %.3f\n", (double)table_ns() / 1e3 / ((double)prefixes * (double)peers));
    end_bin(&live, "first_bin");
    end_bin(&live, "quiet_bin");
    hear_changes(&live);
    end_bin(&live, "busy_bin");
    next_said(&live, HEARD_DOWN, 0);
    end_bin(&live, "lost_session_bin");
    printf("hear_us %.3f\n", (double)live.hear.all_ns / 1e3 / (double)live.heard);
    printf("turn_most_ms %.3f\n", (double)live.hear.most_ns / 1e6);
    printf("tick_most_ms %.3f\n", (double)live.tick.most_ns / 1e6);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak_mib %.1f\n", (double)usage.ru_maxrss / 1024);
    live_table_free(live.table);
    bin_teller_done(&live.teller);
    registry_free(registry);
    free(live.said);
}
