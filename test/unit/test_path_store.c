/* source/table: ways of AS paths, chunks of cells, rows of prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/table/chunk_store.h"
#include "source/table/path_store.h"
#include "source/table/prefix_rows.h"
#include "table_maker.h"

static const struct {
    const char *path;
    unsigned length;
    uint32_t origin, upstream;
    uint32_t peer;
} paths[] = {
    {"65000 4837 131279", 3, 131279, 4837, 65000},
    {"65000 131279", 2, 131279, 65000, 65000},
    {"65000", 1, 65000, 0, 65000},
    {"65000 65000 65000", 3, 65000, 0, 65000},
    {"65000 65000 4837 131279", 4, 131279, 4837, 65000},
    {"65000 4837 4837 131279 131279 131279", 6, 131279, 4837, 65000},
    {"65000 131279 131279", 3, 131279, 65000, 65000},
    {"65000 4837 65000", 3, 65000, 4837, 65000},
    {"4837 131279", 2, 131279, 4837, 65000},
    {"131279", 1, 131279, 0, 65000},
    {"131279 131279", 2, 131279, 0, 65000},
    {"4837 65000", 2, 65000, 4837, 65000},
    {"", 0, 65000, 0, 65000},
    {"", 0, 0, 0, 0}, /* old archives do not know the peer's AS */
    {"4837 131279", 2, 131279, 4837, 0},
    {"65000 4837 {1,2,3}", 3, 0, 0, 65000},
    {"65000 {7}", 2, 0, 0, 65000},
    {"{7,8}", 1, 0, 0, 65000},
    {"65000 {1,2} 4837 131279", 4, 131279, 4837, 65000},
    {"65000 4837 {1,2} 131279", 4, 131279, 0, 65000},
    {"(64512,64513) 65000 4837 131279", 3, 131279, 4837, 65000},
    {"65000 (64512) 4837 131279", 3, 131279, 4837, 65000},
    {"65000 ({64512,64513}) 131279", 2, 131279, 0, 65000},
    {"4294967295 4200000000 1", 3, 1, 4200000000, 4294967295},
};

static struct path_way add(struct path_store *store, const char *path, uint32_t peer)
{
    struct bgp_path made = made_bgp_path(path);
    return path_store_add(store, &made, peer);
}

static void assert_text(const struct path_store *store, uint32_t number, uint32_t peer,
                        uint32_t origin, const char *expected)
{
    struct buffer text = {0};
    buffer_puts(&text, "");
    path_store_format(store, number, peer, origin, &text);
    assert_string_equal(text.bytes, expected);
    buffer_done(&text);
}

static void test_paths(void **state)
{
    (void)state;
    struct path_store store;
    struct path_way ways[sizeof paths / sizeof *paths];
    path_store_init(&store);
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
            struct path_way way = add(&store, paths[i].path, paths[i].peer);
            assert_true(way.number >= PATH_DIRECT);
            if (turn) /* the same path is the same way */
                assert_int_equal(way.number, ways[i].number);
            ways[i] = way;
        }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(ways[i].origin, paths[i].origin);
        assert_text(&store, ways[i].number, paths[i].peer, ways[i].origin, paths[i].path);
        assert_int_equal(path_store_length(&store, ways[i].number, paths[i].peer, ways[i].origin),
                         paths[i].length);
        assert_int_equal(path_store_upstream(&store, ways[i].number, paths[i].peer, ways[i].origin),
                         paths[i].upstream);
    }
    path_store_done(&store);
}

/* What differs in what is left out only is the same way. */
static void test_shared(void **state)
{
    (void)state;
    struct path_store store;
    path_store_init(&store);
    struct path_way a = add(&store, "65000 3356 4837 131279", 65000);
    uint32_t live = store.live;
    struct path_way b = add(&store, "65001 3356 4837 131300", 65001);
    struct path_way c = add(&store, "65001 3356 4837 4837 131300", 65001);
    assert_int_equal(a.number, b.number);
    assert_int_not_equal(a.origin, b.origin);
    assert_int_not_equal(b.number, c.number);
    assert_int_equal(store.live, live + 2); /* 4837 before 4837, and 3356 before these */
    assert_true(path_store_has(&store, a.number, 3356));
    assert_true(path_store_has(&store, a.number, 4837));
    assert_false(path_store_has(&store, a.number, 131279));
    assert_false(path_store_has(&store, a.number, 65000));
    path_store_done(&store);
}

static void test_grafted(void **state)
{
    (void)state;
    struct path_store store;
    path_store_init(&store);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct path_way way = add(&store, paths[i].path, paths[i].peer);
        if (!way.origin) {
            assert_int_equal(path_store_origin(&store, way.number), 0);
            continue;
        }
        uint32_t grafted = path_store_graft(&store, way.number, way.origin);
        assert_int_not_equal(grafted, way.number);
        assert_int_equal(path_store_origin(&store, grafted), way.origin);
        assert_text(&store, grafted, paths[i].peer, 1234, paths[i].path);
        assert_int_equal(path_store_length(&store, grafted, paths[i].peer, way.origin),
                         paths[i].length);
        assert_int_equal(path_store_upstream(&store, grafted, paths[i].peer, way.origin),
                         paths[i].upstream);
        assert_int_equal(path_store_graft(&store, way.number, way.origin), grafted);
    }
    path_store_done(&store);
}

/* RFC 6793, 4.2.3: 2-byte ASNs, of which the last ones are told by AS4_PATH. */
static void test_merged(void **state)
{
    (void)state;
    static const uint8_t head[] = {2, 4, 0xfd, 0xe8, 0x12, 0xe5, 0x5b, 0xa0, 0x5b, 0xa0};
    static const uint8_t tail[] = {2, 2, 0, 2, 0, 1, 0, 2, 0, 2};
    struct bgp_path path = {
        .head = reader_of(head, sizeof head), .tail = reader_of(tail, sizeof tail), .head_hops = 2};
    struct path_store store;
    path_store_init(&store);
    struct path_way way = path_store_add(&store, &path, 65000);
    assert_int_equal(way.origin, 131074);
    assert_text(&store, way.number, 65000, way.origin, "65000 4837 131073 131074");
    struct path_way same = add(&store, "65000 4837 131073 131074", 65000);
    assert_int_equal(same.number, way.number);
    path_store_done(&store);
}

/* Confederations in front of what AS4_PATH gives, or behind what is kept of AS_PATH, stay; they are no hops
 * (RFC 5065, 5.3). */
static void test_merged_confederations(void **state)
{
    (void)state;
    static const uint8_t head[] = {3, 2, 0xfc, 0, 0xfc, 1, 2, 2, 0x5b, 0xa0, 0x5b, 0xa0};
    static const uint8_t tail[] = {2, 2, 0, 2, 0, 1, 0, 2, 0, 2};
    struct bgp_path path = {
        .head = reader_of(head, sizeof head), .tail = reader_of(tail, sizeof tail), .head_hops = 0};
    struct path_store store;
    path_store_init(&store);
    struct path_way way = path_store_add(&store, &path, 65000);
    assert_text(&store, way.number, 65000, way.origin, "(64512,64513) 131073 131074");
    assert_int_equal(path_store_length(&store, way.number, 65000, way.origin), 2);
    assert_int_equal(path_store_upstream(&store, way.number, 65000, way.origin), 131073);
    path_store_done(&store);
}

/* Bytes that are no path, and paths that are too long, are refused and counted. */
static void test_refused(void **state)
{
    (void)state;
    static const uint8_t wrong[][6] = {{2, 9, 0, 0, 0, 1}, {7, 1, 0, 0, 0, 1}, {2, 1, 0, 0, 0, 1}};
    static uint8_t longest[5 * (2 + 4 * 255)];
    struct path_store store;
    path_store_init(&store);
    for (size_t i = 0; i < 2; i++) {
        struct bgp_path path = {
            .head = reader_of(wrong[i], sizeof wrong[i]), .head_hops = UINT_MAX, .is_as4 = true};
        assert_int_equal(path_store_add(&store, &path, 65000).number, 0);
    }
    for (size_t i = 0; i < 5; i++) {
        longest[i * 1022] = 2;
        longest[i * 1022 + 1] = 255;
        for (size_t k = 0; k < 255; k++)
            longest[i * 1022 + 2 + 4 * k + 3] = (uint8_t)(1 + k);
    }
    struct bgp_path path = {
        .head = reader_of(longest, sizeof longest), .head_hops = UINT_MAX, .is_as4 = true};
    assert_int_equal(path_store_add(&store, &path, 65000).number, 0);
    path.head.end -= 1022; /* 1020 hops */
    assert_true(path_store_add(&store, &path, 65000).number);
    assert_int_equal(store.refused, 3);
    path_store_done(&store);
}

/* What is marked stays what it is, the rest is forgotten, and its numbers are used again. */
static void test_sweep(void **state)
{
    (void)state;
    struct path_store store;
    char text[64];
    path_store_init(&store);
    struct path_way kept = add(&store, "65000 3356 4837 131279", 65000);
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(text, sizeof text, "65000 %u %u 7", i + 1, i % 100 + 20000);
        add(&store, text, 65000);
    }
    uint32_t count = store.count;
    assert_int_equal(store.live, 1 + 2 + 100 + 10000);
    path_store_mark(&store, kept.number);
    path_store_sweep(&store);
    assert_int_equal(store.live, 3);
    assert_text(&store, kept.number, 65000, 131279, "65000 3356 4837 131279");
    assert_int_equal(add(&store, "65000 3356 4837 131279", 65000).number, kept.number);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "65000 %u 7", i + 1);
        struct path_way way = add(&store, text, 65000);
        assert_text(&store, way.number, 65000, 7, text);
    }
    assert_int_equal(store.count, count);
    path_store_sweep(&store);
    assert_int_equal(store.live, 1);
    path_store_done(&store);
}

static void test_chunks(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    static uint32_t numbers[COUNT];
    struct chunk_store store;
    uint32_t cells[CHUNK_CELLS] = {0};
    chunk_store_init(&store);
    assert_int_equal(chunk_store_intern(&store, cells, chunk_hash(cells)), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t before = chunk_hash(cells);
        uint32_t was = cells[i % CHUNK_CELLS];
        cells[i % CHUNK_CELLS] = i + 1;
        assert_int_equal(chunk_hash_changed(before, i % CHUNK_CELLS, was, i + 1),
                         chunk_hash(cells));
        numbers[i] = chunk_store_intern(&store, cells, chunk_hash(cells));
        assert_int_equal(chunk_store_intern(&store, cells, chunk_hash(cells)), numbers[i]);
        assert_memory_equal(chunk_cells(&store, numbers[i]), cells, sizeof cells);
    }
    assert_int_equal(store.live, COUNT);
    for (uint32_t i = 0; i < COUNT; i += 2)
        chunk_store_mark(&store, numbers[i]);
    chunk_store_sweep(&store);
    assert_int_equal(store.live, COUNT / 2);
    assert_int_equal(chunk_cells(&store, numbers[COUNT - 2])[(COUNT - 2) % CHUNK_CELLS], COUNT - 1);
    for (uint32_t i = 0; i < COUNT / 2; i++) {
        cells[0] = COUNT + i;
        chunk_store_intern(&store, cells, chunk_hash(cells));
    }
    assert_int_equal(store.count, COUNT + 1); /* in the places of the others */
    chunk_store_sweep(&store);
    assert_int_equal(store.live, 0);
    chunk_store_done(&store);
}

static struct prefix numbered(uint8_t family, uint32_t n)
{
    struct prefix prefix = {.addr = {.family = family}};
    prefix.bits = (uint8_t)(n % (family == 6 ? 129 : 33));
    for (unsigned i = 0; i < (family == 6 ? 16U : 4U); i++)
        prefix.addr.bytes[i] = (uint8_t)((n * 2654435761U) >> (i * 5 % 25));
    return prefix_of(&prefix.addr, prefix.bits);
}

static void test_rows(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family = (uint8_t)(family + 2)) {
        struct prefix_rows rows;
        prefix_rows_init(&rows, family, 3);
        for (uint32_t i = 0; i < 30000; i++) {
            struct prefix prefix = numbered(family, i);
            uint64_t hash = prefix_rows_hash(&prefix);
            uint32_t row = prefix_rows_find(&rows, &prefix, hash);
            if (!row) {
                row = prefix_rows_add(&rows, &prefix, hash);
                *(uint32_t *)row_extra(&rows, row) = i;
            }
            if (i % 10000 == 5000)
                prefix_rows_add_groups(&rows, 1);
            if (rows.groups)
                row_chunks(&rows, row)[rows.groups - 1] = row;
            struct prefix same = prefix_rows_prefix(&rows, row);
            assert_int_equal(prefix_compare(&same, &prefix), 0);
        }
        uint32_t live = rows.live;
        assert_true(live > 10000);
        assert_int_equal(rows.count, live + 1);
        for (uint32_t row = 2; row < rows.count; row += 2)
            prefix_rows_remove(&rows, row);
        prefix_rows_rebuild(&rows);
        for (uint32_t i = 0; i < 30000; i++) {
            struct prefix prefix = numbered(family, i);
            uint32_t row = prefix_rows_find(&rows, &prefix, prefix_rows_hash(&prefix));
            assert_true(row == 0 || row % 2 == 1);
        }
        assert_int_equal(rows.live, live - live / 2);
        prefix_rows_done(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_grafted),
        cmocka_unit_test(test_merged),
        cmocka_unit_test(test_merged_confederations),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
