/* sys/ahead: files of many gzip members give the same bytes, and the same damage, as if they were read in
 * order, wherever something in them looks like the beginning of a member; and memory is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gzip_maker.h"
#include "packer.h"
#include "quarantine.h"

#include "sys/ahead.h"

#include <ctype.h>

enum { MIB = 1 << 20, ALL = INT32_MAX };

static uint32_t next_random(void)
{
    static uint32_t x = 362436069;
    return x ^= x << 13, x ^= x >> 17, x ^= x << 5;
}

static void add_member(struct buffer *file, const void *text, size_t n)
{
    uint8_t *packed = malloc(packed_max(n));
    buffer_add(file, packed, pack_gzip(text, n, packed));
    free(packed);
}

/* Sizes of all kinds, and some members with nothing in them. About `size` bytes of file. */
static void add_members(struct buffer *file, size_t size, size_t member_max)
{
    struct buffer text = {0};
    size_t end = file->size + size;
    fill(&text, member_max + 1000);
    while (file->size < end) {
        size_t n = next_random() % (member_max + 1);
        n = next_random() % 8 == 0 ? 0 : n;
        add_member(file, text.bytes + next_random() % 1000, n);
    }
    buffer_done(&text);
}

/* Behind the name of the file. */
static const char *place(const struct why *why)
{
    const char *at = strstr(why->text, ": byte ");
    assert_non_null(at);
    return at;
}

/* The text, and where and how it ended, by all ways; which it gives. */
static enum err assert_same(const struct buffer *file, struct buffer *want, struct why *why)
{
    struct file f = file_of(file->bytes, file->size);
    buffer_clear(want);
    enum err err = read_in_order(f.path, ALL, want, why);
    unlink(f.path);
    for (size_t way = 0; way < WAYS; way++) {
        struct buffer got = {0};
        struct why other = {.text = ""};
        assert_int_equal(
            ways[way](file->bytes, file->size, 5000 + next_random() % 200000, &got, &other), err);
        assert_int_equal(got.size, want->size);
        if (got.size)
            assert_memory_equal(got.bytes, want->bytes, got.size);
        if (err)
            assert_string_equal(place(&other), place(why));
        buffer_done(&got);
    }
    return err;
}

static void assert_sound(const struct buffer *file, const struct buffer *text)
{
    struct buffer got = {0};
    struct why why = {.text = ""};
    assert_int_equal(assert_same(file, &got, &why), ERR_OK);
    assert_int_equal(got.size, text->size);
    assert_memory_equal(got.bytes, text->bytes, text->size);
    buffer_done(&got);
}

static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 65280, 500000, 3000000};
    struct buffer text = {0};
    fill(&text, 3000000);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buffer file = {0}, want = {0};
        while (file.size < 2 * MIB && want.size < 12 * MIB) {
            add_member(&file, text.bytes, sizes[i]);
            buffer_add(&want, text.bytes, sizes[i]);
        }
        buffer_add(&file, "\0\0\0", 3);
        assert_sound(&file, &want);
        buffer_done(&file);
        buffer_done(&want);
    }
    buffer_done(&text);
}

static void test_mixed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        struct buffer file = {0}, text = {0};
        struct why why = {.text = ""};
        add_members(&file, 3 * MIB, i % 2 ? 2000000 : 50000);
        void *zeros = calloc(MIB, 1);
        buffer_add(&file, zeros, i * 100000);
        add_members(&file, MIB, 200000);
        assert_int_equal(assert_same(&file, &text, &why), ERR_OK);
        free(zeros);
        buffer_done(&file);
        buffer_done(&text);
    }
}

/* Members within a member, sound ones and what only looks like one, everywhere. */
static void test_members_within(void **state)
{
    (void)state;
    struct buffer inner = {0}, file = {0}, text = {0};
    add_members(&inner, MIB, 300000);
    for (size_t i = 0; i < 20000; i++)
        buffer_add(&inner, "\x1f\x8b\x08\x08 and so on", 14);
    add_members(&inner, 2 * MIB, 30000);
    for (size_t i = 0; i < 4; i++) {
        make_member(&file, "between", 7);
        buffer_puts(&text, "between");
        make_member(&file, inner.bytes, inner.size);
        buffer_add(&text, inner.bytes, inner.size);
    }
    assert_sound(&file, &text);
    buffer_done(&inner);
    buffer_done(&file);
    buffer_done(&text);
}

/* In the middle of the file, and all before it is given. */
static void test_damaged(void **state)
{
    (void)state;
    struct buffer file = {0}, sound = {0}, got = {0};
    struct why why = {.text = ""};
    add_members(&file, 3 * MIB, 600000);
    assert_int_equal(assert_same(&file, &sound, &why), ERR_OK);
    for (size_t i = 0; i < 30; i++) {
        size_t at = next_random() % file.size;
        char before = file.bytes[at];
        file.bytes[at] ^= (char)(1 + next_random() % 255);
        if (assert_same(&file, &got, &why))
            assert_true(got.size <= sound.size);
        file.bytes[at] = before;
    }
    buffer_done(&file);
    buffer_done(&sound);
    buffer_done(&got);
}

/* Heads are damaged one byte after the other, and trailers, of a member that a lane began with. */
static void test_damaged_ends(void **state)
{
    (void)state;
    struct buffer file = {0}, got = {0}, text = {0};
    struct why why = {.text = ""};
    fill(&text, 1500000);
    for (size_t i = 0; i < 3; i++)
        add_member(&file, text.bytes, text.size);
    size_t member = file.size / 3;
    assert_true(member > AHEAD_SPACING);
    for (size_t at = 2 * member - 8; at < 2 * member + 14; at++) {
        file.bytes[at] ^= 0x55;
        enum err err = assert_same(&file, &got, &why);
        bool may_be_anything = at >= 2 * member + 4 && at < 2 * member + 10;
        assert_int_equal(err, may_be_anything ? ERR_OK : ERR_CORRUPT);
        assert_true(got.size >= text.size * 2);
        file.bytes[at] ^= 0x55;
    }
    buffer_done(&file);
    buffer_done(&got);
    buffer_done(&text);
}

static void test_cut_off(void **state)
{
    (void)state;
    struct buffer file = {0}, sound = {0}, got = {0};
    struct why why = {.text = ""};
    add_members(&file, 2 * MIB, 300000);
    assert_int_equal(assert_same(&file, &sound, &why), ERR_OK);
    for (size_t i = 0; i < 30; i++) {
        struct buffer cut = {.bytes = file.bytes, .size = file.size - next_random() % (MIB / 2)};
        assert_same(&cut, &got, &why);
        assert_memory_equal(got.bytes, sound.bytes, got.size);
    }
    buffer_done(&file);
    buffer_done(&sound);
    buffer_done(&got);
}

/* Something else behind the members, or between them. */
static void test_garbage(void **state)
{
    (void)state;
    struct buffer file = {0}, got = {0};
    struct why why = {.text = ""};
    add_members(&file, 2 * MIB, 300000);
    size_t sound = file.size;
    char want[64];
    buffer_puts(&file, "garbage");
    snprintf(want, sizeof want, ": byte %zu: something else", sound);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(assert_same(&file, &got, &why), ERR_CORRUPT);
        assert_non_null(strstr(why.text, want));
        add_members(&file, 2 * MIB, 300000);
    }
    buffer_done(&file);
    buffer_done(&got);
}

/* ---- memory, and coming to rest ---- */

static size_t resident_bytes(void)
{
    unsigned long all, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &all, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Of a file that is read through, in which `size` bytes come; every so often the reader rests. */
static size_t memory_to_read(const char *path, size_t size)
{
    static uint8_t bytes[100000];
    struct input *input;
    struct why why;
    size_t before = resident_bytes(), most = before, got = 0, n;
    assert_int_equal(input_open(path, &input, &why), ERR_OK);
    do {
        assert_int_equal(input_read(input, bytes, sizeof bytes, &n, &why), ERR_OK);
        got += n;
        if (got / (4 * MIB) == (got - n) / (4 * MIB))
            continue;
        usleep(2000);
        most = resident_bytes() > most ? resident_bytes() : most;
    } while (n);
    assert_int_equal(got, size);
    input_close(input);
    return most - before;
}

/* A member that goes on for 64 MiB, in which many seem to begin: lanes that wait there for their turn, which
 * never comes, must not have all of it kept. */
static void test_long_member(void **state)
{
    (void)state;
    enum { LENGTH = 64 * MIB };
    struct buffer file = {0};
    char *contents = malloc(LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        contents[i] = (char)next_random();
    struct buffer inner = {0};
    make_member(&inner, contents, 5 * MIB); /* more than a lane keeps */
    for (size_t at = MIB; at + inner.size < LENGTH; at += inner.size + 3 * MIB)
        memcpy(contents + at, inner.bytes, inner.size);
    make_member(&file, "short", 5);
    make_member(&file, contents, LENGTH);
    make_member(&file, "short", 5);
    free(contents);
    struct file f = file_of(file.bytes, file.size);
    buffer_done(&file);
    buffer_done(&inner);
    assert_true(memory_to_read(f.path, LENGTH + 10) < 40 * (size_t)MIB);
    unlink(f.path);
}

/* Members of 32 MiB each in 32 KB. */
static void test_bombs(void **state)
{
    (void)state;
    enum { LENGTH = 32 * MIB, COUNT = 40 };
    struct buffer member = {0}, file = {0};
    void *zeros = calloc(LENGTH, 1);
    add_member(&member, zeros, LENGTH);
    free(zeros);
    for (size_t i = 0; i < COUNT; i++)
        buffer_add(&file, member.bytes, member.size);
    assert_true(file.size > 4 * AHEAD_SPACING);
    struct file f = file_of(file.bytes, file.size);
    assert_true(memory_to_read(f.path, (size_t)LENGTH * COUNT) < 40 * (size_t)MIB);
    unlink(f.path);
    buffer_done(&member);
    buffer_done(&file);
}

static void test_close_early(void **state)
{
    (void)state;
    struct buffer file = {0};
    add_members(&file, 3 * MIB, 400000);
    struct file f = file_of(file.bytes, file.size);
    for (size_t i = 0; i < 60; i++) {
        static uint8_t bytes[50000];
        struct input *inputs[2];
        struct why why;
        size_t n;
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(input_open(f.path, &inputs[k], &why), ERR_OK);
        usleep(next_random() % 3000);
        for (size_t reads = next_random() % 200; reads > 0; reads--)
            assert_int_equal(input_read(inputs[reads % 2], bytes, sizeof bytes, &n, &why), ERR_OK);
        input_close(inputs[0]);
        usleep(next_random() % 1000);
        input_close(inputs[1]);
    }
    unlink(f.path);
    buffer_done(&file);
}

/* What there is of a pipe that goes on later: all whole members come, and more only when there is more. */
static void test_idle_pipe(void **state)
{
    (void)state;
    struct buffer file = {0}, text = {0}, got = {0};
    struct why why = {.text = ""};
    add_members(&file, 2 * MIB, 300000);
    assert_int_equal(assert_same(&file, &text, &why), ERR_OK);
    struct pipe p = {0};
    int ends[2];
    char path[64];
    uint8_t bytes[10000];
    size_t n;
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    p = (struct pipe){.ends = {-1, dup(ends[1])}, .bytes = (uint8_t *)file.bytes, .n = file.size};
    assert_int_equal(pthread_create(&p.writer, NULL, write_pipe, &p), 0);
    struct input *input;
    assert_int_equal(input_open(path, &input, &why), ERR_OK);
    while (got.size < text.size) {
        assert_int_equal(input_read(input, bytes, sizeof bytes, &n, &why), ERR_OK);
        buffer_add(&got, bytes, n);
    }
    pthread_join(p.writer, NULL);
    add_member(&got, "later", 5);
    assert_int_equal(write(ends[1], got.bytes + text.size, got.size - text.size),
                     got.size - text.size);
    assert_int_equal(input_read(input, bytes, sizeof bytes, &n, &why), ERR_OK);
    assert_int_equal(n, 5);
    close(ends[1]);
    assert_int_equal(input_read(input, bytes, sizeof bytes, &n, &why), ERR_OK);
    assert_int_equal(n, 0);
    input_close(input);
    close(ends[0]);
    assert_memory_equal(got.bytes, text.bytes, text.size);
    buffer_done(&file);
    buffer_done(&text);
    buffer_done(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),          cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_members_within), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_ends),   cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_garbage),        cmocka_unit_test(test_long_member),
        cmocka_unit_test(test_bombs),          cmocka_unit_test(test_close_early),
        cmocka_unit_test(test_idle_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
