/* source/table/route_table: against a plain one that does the same by hand, and what is told of sessions,
 * dumps, full feeds and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/bgp/path_memory.h"
#include "source/table/route_table.h"
#include "table_maker.h"

#include <time.h>

/* ---- a plain table ---- */

enum { PEERS = 21, PREFIXES = 60, PATHS = 40 };

enum plain_state { UNKNOWN, WITHDRAWN, ROUTE };
struct plain_cell {
    enum plain_state state;
    int path;
};

struct pair {
    struct route_table *table;
    struct plain_cell cells[PEERS][PREFIXES];
    char prefixes[PREFIXES][PREFIX_TEXT_MAX];
    char paths[PATHS][64];                   /* without the peer's AS */
    struct plain_cell told[PEERS][PREFIXES]; /* what table_change said */
    uint64_t seed;
    int64_t seconds;
    uint64_t changes;
};

static uint32_t draw(struct pair *pair, uint32_t most)
{
    pair->seed = pair->seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((pair->seed >> 33) % most);
}

static unsigned peer_of(const struct pair *pair, const struct table_change *change)
{
    return route_table_peer(pair->table, change->at.family, change->column)->asn - MADE_FIRST_ASN;
}

static unsigned prefix_of_row(const struct pair *pair, struct table_row row)
{
    char text[PREFIX_TEXT_MAX];
    struct prefix prefix = route_table_prefix(pair->table, row);
    prefix_format(&prefix, text);
    for (unsigned i = 0; i < PREFIXES; i++)
        if (strcmp(pair->prefixes[i], text) == 0)
            return i;
    fail();
    return 0;
}

/* The table tells of a change from what it told before. */
static void note_change(void *context, const struct table_change *change)
{
    struct pair *pair = context;
    struct plain_cell *told = &pair->told[peer_of(pair, change)][prefix_of_row(pair, change->at)];
    enum plain_state before = cell_has_route(change->before)     ? ROUTE
                              : change->before == CELL_WITHDRAWN ? WITHDRAWN
                                                                 : UNKNOWN;
    assert_int_equal(told->state, before);
    told->state = cell_has_route(change->after) ? ROUTE : WITHDRAWN;
    assert_int_equal(route_table_cell(pair->table, change->at, change->column), change->after);
    pair->changes++;
}

static void make_names(struct pair *pair)
{
    for (unsigned i = 0; i < PREFIXES; i++)
        if (i % 3)
            snprintf(pair->prefixes[i], sizeof *pair->prefixes, "10.%u.0.0/%u", i, i % 2 ? 16 : 24);
        else
            snprintf(pair->prefixes[i], sizeof *pair->prefixes, "2001:db8:%x::/48", i + 1);
    for (unsigned i = 0; i < PATHS; i++)
        snprintf(pair->paths[i], sizeof *pair->paths, i % 7 ? "%u %u %u" : "%u {%u,%u}",
                 3000 + draw(pair, 4), 4000 + draw(pair, 6), 5000 + draw(pair, 5));
}

static void announce(struct pair *pair, unsigned peer, unsigned prefix, int path)
{
    char text[96];
    snprintf(text, sizeof text, "%u %s", MADE_FIRST_ASN + peer, pair->paths[path]);
    route_table_feed(pair->table, 0, made_route(pair->seconds, peer, pair->prefixes[prefix], text));
    pair->cells[peer][prefix] = (struct plain_cell){ROUTE, path};
}

static void withdraw(struct pair *pair, unsigned peer, unsigned prefix)
{
    route_table_feed(pair->table, 0, made_route(pair->seconds, peer, pair->prefixes[prefix], NULL));
    pair->cells[peer][prefix] = (struct plain_cell){WITHDRAWN, 0};
}

static void lose(struct pair *pair, unsigned peer)
{
    route_table_feed(pair->table, 0, made_state(pair->seconds, peer, 6, 1));
    memset(pair->cells[peer], 0, sizeof pair->cells[peer]);
    memset(pair->told[peer], 0, sizeof pair->told[peer]);
}

static bool may_forget(void *context, struct table_row row)
{
    return prefix_of_row(context, row) % 2 == 0;
}

/* Prefixes of even number that nobody has are forgotten, and with them who withdrew them. */
static void forget(struct pair *pair)
{
    route_table_forget(pair->table, may_forget, pair);
    for (unsigned i = 0; i < PREFIXES; i += 2) {
        unsigned routes = 0;
        for (unsigned k = 0; k < PEERS; k++)
            routes += pair->cells[k][i].state == ROUTE;
        for (unsigned k = 0; k < PEERS && !routes; k++)
            pair->cells[k][i] = pair->told[k][i] = (struct plain_cell){UNKNOWN, 0};
    }
}

static uint32_t column_of(const struct pair *pair, uint8_t family, unsigned peer)
{
    for (uint32_t i = 0; i < route_table_columns(pair->table, family); i++) {
        const struct mrt_peer *name = route_table_peer(pair->table, family, i);
        if (name && name->asn == MADE_FIRST_ASN + peer)
            return i;
    }
    return UINT32_MAX;
}

static void compare_cell(const struct pair *pair, unsigned peer, unsigned prefix,
                         struct table_row row)
{
    struct plain_cell plain = pair->cells[peer][prefix];
    uint32_t column = column_of(pair, row.family, peer);
    uint32_t cell =
        row.row && column != UINT32_MAX ? route_table_cell(pair->table, row, column) : CELL_UNKNOWN;
    struct buffer text = {0};
    char expected[96];
    assert_int_equal(plain.state == UNKNOWN, cell == CELL_UNKNOWN);
    assert_int_equal(plain.state == WITHDRAWN, cell == CELL_WITHDRAWN);
    if (plain.state != ROUTE)
        return;
    route_table_cell_path(pair->table, row, column, cell, &text);
    snprintf(expected, sizeof expected, "%u %s", MADE_FIRST_ASN + peer, pair->paths[plain.path]);
    assert_string_equal(text.bytes, expected);
    bool has_set = strchr(expected, '{');
    unsigned origin = has_set ? 0 : (unsigned)strtoul(strrchr(expected, ' '), NULL, 10);
    assert_int_equal(route_table_cell_origin(pair->table, row, cell), origin);
    buffer_done(&text);
}

static void compare_row(const struct pair *pair, unsigned prefix)
{
    struct prefix made = made_prefix(pair->prefixes[prefix]);
    struct table_row row = route_table_find(pair->table, &made);
    struct sight plain = {0};
    unsigned withdrawn = 0;
    for (unsigned peer = 0; peer < PEERS; peer++) {
        compare_cell(pair, peer, prefix, row);
        enum plain_state is = pair->cells[peer][prefix].state;
        uint32_t column = column_of(pair, made.addr.family, peer);
        withdrawn += is == WITHDRAWN;
        if (column == UINT32_MAX ||
            !route_table_is_full_feed(pair->table, made.addr.family, column))
            continue;
        bool is_complete = route_table_is_complete(pair->table, made.addr.family, column);
        plain.carried = (uint16_t)(plain.carried + (is == ROUTE));
        plain.withdrawn = (uint16_t)(plain.withdrawn + (is == WITHDRAWN));
        plain.unknown = (uint16_t)(plain.unknown + (is == UNKNOWN && !is_complete));
        plain.absent = (uint16_t)(plain.absent + (is == UNKNOWN && is_complete));
    }
    if (!row.row)
        return;
    struct sight sight = route_table_sight(pair->table, row);
    assert_memory_equal(&sight, &plain, sizeof sight);
    assert_true(route_table_withdrawn(pair->table, row) >= withdrawn);
}

static void compare(const struct pair *pair)
{
    for (unsigned i = 0; i < PREFIXES; i++)
        compare_row(pair, i);
}

static void step(struct pair *pair)
{
    unsigned peer = draw(pair, PEERS), prefix = draw(pair, PREFIXES), what = draw(pair, 1000);
    pair->seconds += draw(pair, 3);
    if (what < 600)
        announce(pair, peer, prefix, (int)draw(pair, PATHS));
    else if (what < 980)
        withdraw(pair, peer, prefix);
    else if (what < 990)
        lose(pair, peer);
    else if (what < 992) {
        route_table_gap(pair->table, -1);
        memset(pair->cells, 0, sizeof pair->cells);
        memset(pair->told, 0, sizeof pair->told);
    } else if (what < 996)
        route_table_collect(pair->table);
    else
        forget(pair);
}

static void test_like_a_plain_one(void **state)
{
    (void)state;
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->seed = (uint64_t)time(NULL);
    pair->seconds = 1000000;
    print_message("seed %llu\n", (unsigned long long)pair->seed);
    make_names(pair);
    pair->table = route_table_new(
        &(struct route_table_options){.extra_words = 2, .changed = note_change, .context = pair});
    for (unsigned i = 0; i < 60000; i++) {
        step(pair);
        if (i % 1000 == 0) {
            route_table_flush(pair->table);
            compare(pair);
        }
    }
    route_table_flush(pair->table);
    compare(pair);
    assert_true(pair->changes > 10000);
    struct route_table_counts counts = route_table_counts(pair->table);
    assert_int_equal(counts.peers, PEERS);
    assert_int_equal(counts.refused, 0);
    /* Sessions were lost some six hundred times, and their columns used again. */
    assert_true(counts.sessions_lost > 100);
    assert_true(counts.columns[0] <= 64 && counts.columns[1] <= 64);
    route_table_free(pair->table);
    free(pair);
}

/* ---- one thing at a time ---- */

static struct route_table *table_with(void (*changed)(void *, const struct table_change *),
                                      void *context)
{
    return route_table_new(&(struct route_table_options){.changed = changed, .context = context});
}

static struct table_row row_of(struct route_table *table, const char *prefix)
{
    struct prefix made = made_prefix(prefix);
    route_table_flush(table);
    return route_table_find(table, &made);
}

static void say(struct route_table *table, int64_t seconds, unsigned peer, const char *prefix,
                const char *rest)
{
    char path[128];
    snprintf(path, sizeof path, "%u %s", MADE_FIRST_ASN + peer, rest ? rest : "");
    route_table_feed(table, 0, made_route(seconds, peer, prefix, rest ? path : NULL));
}

static void assert_sight(struct route_table *table, const char *prefix, unsigned carried,
                         unsigned withdrawn, unsigned unknown, unsigned absent)
{
    struct sight sight = route_table_sight(table, row_of(table, prefix));
    assert_int_equal(sight.carried, carried);
    assert_int_equal(sight.withdrawn, withdrawn);
    assert_int_equal(sight.unknown, unknown);
    assert_int_equal(sight.absent, absent);
}

/* All that was put in goes out again, and nothing is left but the peers. */
static void test_emptied(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    char prefix[32], path[32];
    for (unsigned i = 0; i < 20000; i++)
        for (unsigned peer = 0; peer < 10; peer++) {
            snprintf(prefix, sizeof prefix, "10.%u.%u.0/24", i / 256, i % 256);
            snprintf(path, sizeof path, "%u %u", peer % 3 + 1, i % 500 + 100);
            say(table, 1, peer, prefix, path);
        }
    route_table_flush(table);
    struct route_table_counts counts = route_table_counts(table);
    assert_int_equal(counts.prefixes[0], 20000);
    assert_true(counts.chunks > 0 && counts.ways > 1);
    size_t memory = counts.memory;
    for (unsigned i = 0; i < 20000; i++)
        for (unsigned peer = 0; peer < 10; peer++) {
            snprintf(prefix, sizeof prefix, "10.%u.%u.0/24", i / 256, i % 256);
            say(table, 2, peer, prefix, NULL);
        }
    route_table_forget(table, NULL, NULL);
    counts = route_table_counts(table);
    assert_int_equal(counts.prefixes[0], 0);
    assert_int_equal(counts.chunks, 0);
    assert_int_equal(counts.ways, 1); /* the root */
    assert_true(counts.memory <= memory);
    route_table_free(table);
}

/* Churn for ever takes no more memory than at first. */
static void test_bounded(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    char prefix[32], path[64];
    size_t most = 0;
    for (unsigned i = 0; i < 3000000; i++) {
        unsigned peer = i % 16, place = i / 16 % 4096;
        snprintf(prefix, sizeof prefix, "10.%u.%u.0/24", place / 256, place % 256);
        snprintf(path, sizeof path, "%u %u %u", i, i / 7, place + 100); /* never the same */
        say(table, i / 1000, peer, prefix, path);
        if (i == 1000000)
            most = route_table_counts(table).memory;
    }
    struct route_table_counts counts = route_table_counts(table);
    assert_true(counts.collected > 2);
    assert_true(counts.memory <= most + most / 4);
    assert_int_equal(counts.prefixes[0], 4096);
    route_table_free(table);
}

static void count_change(void *context, const struct table_change *change)
{
    (void)change;
    ++*(unsigned *)context;
}

/* A session that is lost makes its cells unknown at once, and withdraws nothing. */
static void test_session_loss(void **state)
{
    (void)state;
    unsigned changes = 0;
    struct route_table *table = table_with(count_change, &changes);
    for (unsigned peer = 0; peer < 4; peer++) {
        say(table, 100, peer, "10.0.0.0/8", "1 2");
        say(table, 100, peer, "11.0.0.0/8", peer == 3 ? NULL : "1 3");
    }
    route_table_feed(table, 0, made_tick(200, 0));
    assert_sight(table, "10.0.0.0/8", 4, 0, 0, 0);
    assert_sight(table, "11.0.0.0/8", 3, 1, 0, 0);
    assert_int_equal(changes, 8);
    route_table_feed(table, 0, made_state(300, 2, 6, 1));
    assert_sight(table, "10.0.0.0/8", 3, 0, 0, 0);
    route_table_feed(table, 0, made_state(300, 3, 6, 3));
    assert_sight(table, "11.0.0.0/8", 2, 0, 0, 0);
    assert_int_equal(changes, 8);
    assert_int_equal(route_table_counts(table).sessions_lost, 2);
    /* Back again: it tells its table, and is no witness before that. */
    route_table_feed(table, 0, made_state(400, 3, 5, 6));
    say(table, 401, 3, "10.0.0.0/8", "1 2");
    route_table_feed(table, 0, made_tick(500, 0));
    assert_sight(table, "10.0.0.0/8", 2, 0, 0, 0);
    route_table_feed(table, 0, made_tick(800, 0)); /* what it did not tell of it does not have */
    assert_sight(table, "10.0.0.0/8", 3, 0, 0, 0);
    assert_sight(table, "11.0.0.0/8", 2, 0, 0, 1);
    route_table_free(table);
}

/* RFC 4724: it says when it has told all. */
static void test_end_of_rib(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    struct element end = {.kind = ELEMENT_END_OF_RIB,
                          .time = {120 * NS_PER_S},
                          .prefix = {.addr = {.family = 4}},
                          .safi = BGP_UNICAST};
    for (unsigned peer = 0; peer < 3; peer++) {
        say(table, 100, peer, "10.0.0.0/8", "1 2");
        say(table, 100, peer, "11.0.0.0/8", "1 2");
    }
    route_table_feed(table, 0, made_state(110, 2, 6, 1));
    route_table_feed(table, 0, made_state(112, 2, 5, 6));
    say(table, 115, 2, "10.0.0.0/8", "1 2");
    end.peer = made_peer(2);
    route_table_feed(table, 0, &end);
    route_table_feed(table, 0, made_tick(160, 0));
    assert_sight(table, "10.0.0.0/8", 3, 0, 0, 0);
    assert_sight(table, "11.0.0.0/8", 2, 0, 0, 1);
    route_table_free(table);
}

static void test_notification(void **state)
{
    (void)state;
    static const uint8_t cease[] = {6, 2}, collision[] = {6, 7};
    struct route_table *table = table_with(NULL, NULL);
    for (unsigned peer = 0; peer < 3; peer++)
        say(table, 100, peer, "10.0.0.0/8", "1 2");
    struct element message = {.kind = ELEMENT_MESSAGE,
                              .message = BGP_NOTIFICATION,
                              .time = {200 * NS_PER_S},
                              .body = reader_of(collision, sizeof collision)};
    message.peer = made_peer(1);
    route_table_feed(table, 0, &message);
    assert_sight(table, "10.0.0.0/8", 3, 0, 0, 0);
    message.body = reader_of(cease, sizeof cease);
    route_table_feed(table, 0, &message);
    assert_sight(table, "10.0.0.0/8", 2, 0, 0, 0);
    route_table_free(table);
}

/* After a dump, what is not in it a peer does not carry. */
static void test_dump(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    char path[32];
    for (unsigned peer = 0; peer < 12; peer++) {
        snprintf(path, sizeof path, "%u 1 2", MADE_FIRST_ASN + peer);
        route_table_feed(table, 0, made_entry(100, peer, "10.0.0.0/8", path));
        route_table_feed(table, 0, made_entry(100, peer, "11.0.0.0/8", path));
        route_table_feed(table, 0, made_entry(100, peer, "13.0.0.0/8", path));
        if (peer < 3)
            route_table_feed(table, 0, made_entry(100, peer, "12.0.0.0/8", path));
    }
    route_table_feed(table, 0, made_tick(140, 0));
    assert_sight(table, "12.0.0.0/8", 3, 0, 9, 0); /* it may not have come to its end */
    route_table_feed(table, 0, made_tick(200, 0));
    assert_sight(table, "10.0.0.0/8", 12, 0, 0, 0);
    assert_sight(table, "12.0.0.0/8", 3, 0, 0, 9);
    say(table, 210, 0, "12.0.0.0/8", NULL);
    assert_sight(table, "12.0.0.0/8", 2, 1, 0, 9);
    route_table_free(table);
}

/* Nobody knows what the collector missed. */
static void test_gap(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    for (unsigned peer = 0; peer < 4; peer++)
        route_table_feed(table, (uint16_t)(peer / 2), made_route(100, peer, "10.0.0.0/8", "1 2"));
    route_table_feed(table, 0, made_tick(200, 0));
    assert_sight(table, "10.0.0.0/8", 4, 0, 0, 0);
    route_table_gap(table, 1);
    assert_sight(table, "10.0.0.0/8", 2, 0, 0, 0);
    say(table, 300, 0, "10.0.0.0/8", NULL);
    assert_sight(table, "10.0.0.0/8", 1, 1, 0, 0);
    route_table_gap(table, -1);
    assert_sight(table, "10.0.0.0/8", 0, 0, 0, 0);
    /* No session was lost: who speaks is believed at once. */
    route_table_feed(table, 0, made_route(400, 0, "10.0.0.0/8", "1 2"));
    route_table_feed(table, 0, made_route(400, 1, "11.0.0.0/8", "1 2"));
    route_table_feed(table, 0, made_tick(440, 0));
    assert_sight(table, "10.0.0.0/8", 1, 0, 1, 0);
    route_table_free(table);
}

/* A session that was lost once, and is heard again after a gap, does not tell its table: what it does not
 * speak of is unknown however long it takes, and not absent. */
static void test_gap_after_loss(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    for (unsigned peer = 0; peer < 2; peer++)
        say(table, 100, peer, "10.0.0.0/8", "1 2");
    route_table_feed(table, 0, made_state(200, 1, 6, 1));
    route_table_gap(table, 0);
    for (unsigned peer = 0; peer < 2; peer++)
        say(table, 300, peer, "11.0.0.0/8", "1 2");
    say(table, 300, 0, "10.0.0.0/8", "1 2");
    route_table_feed(table, 0, made_tick(1000, 0));
    assert_sight(table, "10.0.0.0/8", 1, 0, 1, 0);
    route_table_free(table);
}

static void say_many(struct route_table *table, int64_t seconds, unsigned peer, unsigned count,
                     const char *rest)
{
    char prefix[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(prefix, sizeof prefix, "20.%u.%u.0/24", i / 256, i % 256);
        say(table, seconds, peer, prefix, rest);
    }
}

/* Peers that speak of a few prefixes only have no full feed; nor has one that lost most of its table. */
static void test_full_feeds(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    for (unsigned peer = 0; peer < 6; peer++)
        say_many(table, 100, peer, 2000 - 200 * peer, "1 2");
    say_many(table, 100, 6, 100, "1 2");
    route_table_feed(table, 0, made_tick(200, 0));
    route_table_flush(table);
    assert_int_equal(route_table_full_feeds(table, 4), 6);
    assert_int_equal(route_table_full_feeds(table, 6), 0);
    assert_sight(table, "20.0.0.0/24", 6, 0, 0, 0);
    say_many(table, 300, 1, 1000, NULL); /* a tenth of what is known is 200 */
    route_table_feed(table, 0, made_tick(340, 0));
    assert_int_equal(route_table_full_feeds(table, 4), 5);
    assert_sight(table, "20.0.0.0/24", 5, 0, 0, 0);
    for (unsigned peer = 0; peer < 6; peer++) /* all of them: it is the world */
        say_many(table, 400, peer, 1000, NULL);
    route_table_feed(table, 0, made_tick(440, 0));
    assert_int_equal(route_table_full_feeds(table, 4), 6);
    assert_sight(table, "20.0.0.0/24", 0, 6, 0, 0);
    route_table_free(table);
}

/* With dumps: at least 90 % of the usual table; and live while it has 90 % of its own. */
static void test_full_tables(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    static const unsigned sizes[] = {2000, 2100, 1990, 1900, 1700, 600, 3900};
    char prefix[32], path[32];
    for (unsigned peer = 0; peer < 7; peer++)
        for (unsigned i = 0; i < sizes[peer]; i++) {
            snprintf(prefix, sizeof prefix, "20.%u.%u.0/24", i / 256, i % 256);
            snprintf(path, sizeof path, "%u 1 2", MADE_FIRST_ASN + peer);
            route_table_feed(table, 0, made_entry(100, peer, prefix, path));
        }
    route_table_feed(table, 0, made_tick(200, 0));
    route_table_flush(table);
    /* Usual is 2100, of those above 1950; 1700 is less than nine tenths of it. */
    assert_int_equal(route_table_full_feeds(table, 4), 5);
    say_many(table, 300, 0, 250, NULL);
    route_table_feed(table, 0, made_tick(340, 0));
    route_table_flush(table);
    assert_int_equal(route_table_full_feeds(table, 4), 4);
    route_table_free(table);
}

/* RFC 7911: only the end of the last path is a withdrawal. */
static void test_add_path(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    static const struct {
        uint32_t id;
        const char *path;
        const char *left;
    } steps[] = {
        {1, "65000 1 2", "65000 1 2"},
        {2, "65000 3 2", "65000 3 2"},
        {2, NULL, "65000 1 2"},
        {7, "65000 4 9", "65000 4 9"},
        {7, NULL, "65000 1 2"},
        {9, NULL, "65000 1 2"},
        {1, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct element element = *made_route(100, 0, "10.0.0.0/8", steps[i].path);
        element.has_path_id = true;
        element.path_id = steps[i].id;
        route_table_feed(table, 0, &element);
        route_table_collect(table); /* paths that wait behind another are kept, too */
        struct table_row row = row_of(table, "10.0.0.0/8");
        uint32_t cell = route_table_cell(table, row, 0);
        assert_int_equal(cell_has_route(cell), steps[i].left != NULL);
        struct buffer text = {0};
        if (steps[i].left) {
            route_table_cell_path(table, row, 0, cell, &text);
            assert_string_equal(text.bytes, steps[i].left);
        }
        buffer_done(&text);
    }
    route_table_free(table);
}

/* Where a path was not kept for want of room, nothing is withdrawn that may still be there. */
static void test_add_path_beyond_room(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    for (uint32_t i = 0; i < 2 * (PATHS_OF_ONE_MAX + 1); i++) {
        const bool is_gone = i > PATHS_OF_ONE_MAX;
        struct element element = *made_route(100, 0, "10.0.0.0/8", is_gone ? NULL : "65000 1 2");
        element.has_path_id = true;
        element.path_id = is_gone ? 2 * PATHS_OF_ONE_MAX + 1 - i : i;
        route_table_feed(table, 0, &element);
    }
    route_table_flush(table);
    assert_true(cell_has_route(route_table_cell(table, row_of(table, "10.0.0.0/8"), 0)));
    assert_int_equal(route_table_counts(table).refused, 1);
    route_table_free(table);
}

static void test_view(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    struct table_view view;
    for (unsigned peer = 0; peer < 5; peer++) {
        say(table, 100, peer, "10.0.0.0/8", peer < 3 ? "1 2" : "1 5 5 9");
        say(table, 100, peer, "10.1.0.0/16", peer ? "7 7 8" : "8");
    }
    say(table, 100, 4, "10.1.2.0/24", NULL);
    route_table_feed(table, 0, made_tick(200, 0));
    route_table_view(table, row_of(table, "10.0.0.0/8"), &view);
    assert_int_equal(view.sight.carried, 5);
    assert_int_equal(view.origin_count, 2);
    assert_int_equal(view.origins[0].asn, 2);
    assert_int_equal(view.origins[0].peers, 3);
    assert_int_equal(view.origins[1].asn, 9);
    assert_int_equal(view.upstream_count, 2);
    assert_int_equal(view.upstreams[0].asn, 1);
    assert_int_equal(view.upstreams[1].asn, 5);
    assert_int_equal(view.shortest, 3);
    assert_int_equal(view.longest, 5);
    assert_true(view.mean_length > 3.79 && view.mean_length < 3.81); /* (3 * 3 + 2 * 5) / 5 */
    route_table_view(table, row_of(table, "10.1.0.0/16"), &view);
    assert_int_equal(view.upstreams[0].asn, 7);
    assert_int_equal(view.upstreams[1].asn, 65000);
    struct table_row cover = route_table_cover(table, row_of(table, "10.1.2.0/24"));
    assert_int_equal(cover.row, row_of(table, "10.1.0.0/16").row);
    for (unsigned peer = 0; peer < 5; peer++)
        say(table, 300, peer, "10.1.0.0/16", NULL);
    cover = route_table_cover(table, row_of(table, "10.1.2.0/24"));
    assert_int_equal(cover.row, row_of(table, "10.0.0.0/8").row);
    assert_int_equal(route_table_cover(table, row_of(table, "10.0.0.0/8")).row, 0);
    route_table_free(table);
}

/* Multicast, and what the collector sent, are not what peers have. */
static void test_passed_over(void **state)
{
    (void)state;
    struct route_table *table = table_with(NULL, NULL);
    struct element element = *made_route(100, 0, "10.0.0.0/8", "65000 1 2");
    element.safi = BGP_MULTICAST;
    route_table_feed(table, 0, &element);
    element.safi = BGP_UNICAST;
    element.is_from_collector = true;
    route_table_feed(table, 0, &element);
    assert_int_equal(row_of(table, "10.0.0.0/8").row, 0);
    element.is_from_collector = false;
    route_table_feed(table, 0, &element);
    assert_int_not_equal(row_of(table, "10.0.0.0/8").row, 0);
    route_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_a_plain_one),
        cmocka_unit_test(test_emptied),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_session_loss),
        cmocka_unit_test(test_end_of_rib),
        cmocka_unit_test(test_notification),
        cmocka_unit_test(test_dump),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_gap_after_loss),
        cmocka_unit_test(test_full_feeds),
        cmocka_unit_test(test_full_tables),
        cmocka_unit_test(test_add_path),
        cmocka_unit_test(test_add_path_beyond_room),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
