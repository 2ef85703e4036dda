/* sys/gunzip: what comes of damaged data is what was in it, up to the same place, however it is cut up.
 * The reference takes a byte at a time, which has nothing to guess. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "packer.h"

#include "sys/gunzip.h"

#include <isa-l/crc.h>

enum { TEXT = 150000, PACKED = 200000 };

struct outcome {
    const char *reason; /* NULL: sound, or cut off */
    bool has_ended;
    size_t place;
    size_t size;
    uint8_t bytes[TEXT + 70000];
};

static uint8_t packed[PACKED];
static struct outcome want, got;

static uint32_t next_random(void)
{
    static uint32_t x = 88172645;
    return x ^= x << 13, x ^= x >> 17, x ^= x << 5;
}

/* In pieces of up to `in_max` and rooms of up to `out_max` bytes, behind each of which nothing may be
 * written. */
static void decompress(const uint8_t *in, size_t n, size_t in_max, size_t out_max,
                       struct outcome *outcome)
{
    struct gunzip *gunzip = gunzip_new();
    size_t at = 0, idle = 0;
    *outcome = (struct outcome){0};
    gunzip_begin(gunzip);
    while (!outcome->reason && !gunzip_has_ended(gunzip) && idle < 2) {
        size_t give = 1 + next_random() % in_max, room = 1 + next_random() % out_max, used, made;
        uint8_t *out = malloc(room);
        outcome->reason =
            gunzip_next(gunzip, in + at, give < n - at ? give : n - at, &used, out, room, &made);
        assert_true(outcome->size + made <= sizeof outcome->bytes);
        memcpy(outcome->bytes + outcome->size, out, made);
        outcome->size += made;
        at += used;
        idle = used || made ? 0 : idle + 1;
        free(out);
    }
    outcome->place = at - gunzip_unread(gunzip);
    outcome->has_ended = gunzip_has_ended(gunzip);
    gunzip_free(gunzip);
}

static void assert_same(void)
{
    if (want.reason)
        assert_string_equal(got.reason, want.reason);
    else
        assert_null(got.reason);
    assert_int_equal(got.has_ended, want.has_ended);
    assert_int_equal(got.place, want.place);
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.bytes, want.bytes, want.size);
}

static const size_t cuts[][2] = {{PACKED, sizeof want.bytes}, /* all at once */
                                 {PACKED, 100},
                                 {20, 30},
                                 {1, 70000},
                                 {3000, 5000}};
enum { CUTS = sizeof cuts / sizeof *cuts };

static void assert_same_damaged(size_t n, size_t step)
{
    static size_t reasons;
    for (size_t at = 3; at < n; at += 1 + next_random() % step) {
        uint8_t before = packed[at];
        packed[at] ^= (uint8_t)(1 + next_random() % 255);
        decompress(packed, n, 1, TEXT, &want);
        reasons += want.reason != NULL;
        for (size_t way = 0; way < CUTS; way++) {
            decompress(packed, n, cuts[way][0], cuts[way][1], &got);
            assert_same();
        }
        packed[at] = before;
    }
    assert_true(reasons > 0);
}

static void test_damaged(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 2000);
    assert_same_damaged(pack_gzip(text.bytes, text.size, packed), 5);
    buffer_clear(&text); /* which is not compressed but only stored */
    for (size_t i = 0; i < 700; i++)
        buffer_u8(&text, (uint8_t)next_random());
    assert_same_damaged(pack_gzip(text.bytes, text.size, packed), 8);
    buffer_done(&text);
}

/* Behind more bytes than are kept inside. */
static void test_damaged_late(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, TEXT);
    size_t n = pack_gzip(text.bytes, text.size, packed);
    for (size_t i = 0; i < 60; i++) {
        size_t at = n / 2 + next_random() % (n / 2);
        uint8_t before = packed[at];
        packed[at] ^= (uint8_t)(1 + next_random() % 255);
        decompress(packed, n, 50, TEXT, &want);
        for (size_t way = 0; way < CUTS; way += 2) {
            decompress(packed, n, cuts[way][0], cuts[way][1], &got);
            assert_same();
        }
        packed[at] = before;
    }
    buffer_done(&text);
}

/* However little is asked for at a time, all that there is comes. */
static void test_cut_off(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 20000);
    size_t n = pack_gzip(text.bytes, text.size, packed);
    for (size_t cut = 1; cut < n; cut += 1 + next_random() % 100) {
        decompress(packed, cut, 1, TEXT, &want);
        assert_null(want.reason);
        assert_false(want.has_ended);
        assert_memory_equal(want.bytes, text.bytes, want.size);
        decompress(packed, cut, 1, 7, &got);
        assert_same();
    }
    decompress(packed, n, PACKED, 7, &got);
    assert_true(got.has_ended);
    assert_int_equal(got.place, n);
    assert_int_equal(got.size, text.size);
    buffer_done(&text);
}

/* One with all that RFC 1952, 2.3, allows in it, and its checksum. */
static size_t make_header(uint8_t *out)
{
    struct buffer header = {0};
    buffer_add(&header, "\x1f\x8b\x08\x1e\0\0\0\0\0\xff", 10);
    buffer_add(&header, "\x05\0extra", 7);
    buffer_add(&header, "updates.20100227.1600", 22);
    buffer_add(&header, "a comment \x1f\x8b\x08", 14);
    uint32_t crc = crc32_gzip_refl(0, (const uint8_t *)header.bytes, header.size);
    buffer_u8(&header, (uint8_t)crc);
    buffer_u8(&header, (uint8_t)(crc >> 8));
    size_t n = header.size;
    memcpy(out, header.bytes, n);
    buffer_done(&header);
    return n;
}

/* What the library leaves on the stack decided once what it took for a header. */
static void __attribute__((noinline)) soil_stack(int byte)
{
    volatile uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)byte;
}

static void test_headers(void **state)
{
    (void)state;
    static uint8_t plain[1000];
    static const char text[] = "what a long header this has";
    size_t header = make_header(packed), body = pack_gzip(text, sizeof text, plain) - 10;
    memcpy(packed + header, plain + 10, body);
    for (size_t cut = 1; cut < header + body; cut++) {
        size_t pieces[] = {cut, header + body - cut, 0}, at = 0, size = 0;
        struct gunzip *gunzip = gunzip_new();
        char bytes[100];
        gunzip_begin(gunzip);
        for (size_t i = 0; i < 3; i++) {
            for (size_t left = pieces[i], used = 1, made = 1; used || made; left -= used) {
                soil_stack((int)(cut + i));
                assert_null(gunzip_next(gunzip, packed + at, left, &used, (uint8_t *)bytes + size,
                                        sizeof bytes - size, &made));
                at += used;
                size += made;
            }
        }
        assert_true(gunzip_has_ended(gunzip));
        assert_int_equal(at, header + body);
        assert_string_equal(bytes, text);
        gunzip_free(gunzip);
    }
    packed[20] ^= 1;
    decompress(packed, header + body, 1, TEXT, &want);
    assert_string_equal(want.reason, "the checksum of its contents is wrong");
    assert_int_equal(want.place, header);
    decompress(packed, header + body, PACKED, TEXT, &got);
    assert_same();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_late),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
