/* sys/input and its threads: there are none where none are needed and none are left, memory is bounded
 * whatever a file expands to, and one can go away at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "packer.h"
#include "quarantine.h"

#include "sys/lane.h"
#include "sys/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { TEXT = 2 << 20, MIB = 1 << 20 };

static uint8_t packed[TEXT + TEXT / 4];

static size_t count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* A thread that was joined may be seen for a moment. */
static void assert_threads(size_t want)
{
    for (int i = 0; i < 1000 && count_threads() != want; i++)
        usleep(1000);
    assert_int_equal(count_threads(), want);
}

static size_t resident_bytes(void)
{
    unsigned long all, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &all, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double seconds_since(struct mono start)
{
    return (double)mono_diff(clock_mono(), start) / (double)NS_PER_S;
}

static void *do_nothing(void *nothing)
{
    return nothing;
}

/* So that a sanitizer's own thread, which comes with the first one of ours, is not counted as ours. */
static int setup(void **state)
{
    pthread_t thread;
    (void)state;
    return pthread_create(&thread, NULL, do_nothing, NULL) || pthread_join(thread, NULL);
}

static struct input *open_input(const char *path)
{
    struct input *input;
    struct why why;
    assert_int_equal(input_open(path, &input, &why), ERR_OK);
    return input;
}

/* ---- no more than is needed ---- */

static void test_small_ones_are_cheap(void **state)
{
    (void)state;
    size_t base = count_threads();
    struct buffer text = {0};
    fill(&text, 20000);
    size_t before = resident_bytes();
    for (size_t f = 0; f < PACKERS; f++) {
        size_t n = packers[f](text.bytes, text.size, packed);
        struct file file = file_of(packed, n);
        struct input *inputs[20];
        char byte;
        size_t got;
        for (int i = 0; i < 20; i++) {
            inputs[i] = open_input(i % 2 ? file.path : "/dev/null");
            assert_int_equal(input_read(inputs[i], &byte, 1, &got, NULL), ERR_OK);
            assert_int_equal(got, i % 2);
        }
        assert_int_equal(count_threads(), base);
        for (int i = 0; i < 20; i++)
            input_close(inputs[i]);
        unlink(file.path);
    }
    assert_true(resident_bytes() < before + 64 * (size_t)MIB);
    buffer_done(&text);
}

/* Nor does a look at the beginning of a large one, until it becomes more than that. */
static void test_looking_is_cheap(void **state)
{
    (void)state;
    size_t base = count_threads(), got;
    struct buffer text = {0}, rest = {0};
    struct why why;
    fill(&text, TEXT);
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        struct file file = file_of(packed, packers[f](text.bytes, text.size, packed));
        struct input *input;
        char head[INPUT_LOOK / 2];
        assert_int_equal(input_open_to_look(file.path, &input, &why), ERR_OK);
        assert_int_equal(input_read(input, head, sizeof head, &got, &why), ERR_OK);
        assert_true(got > 0);
        assert_memory_equal(head, text.bytes, got);
        assert_int_equal(count_threads(), base);
        buffer_clear(&rest);
        buffer_add(&rest, head, got);
        while (!input_read(input, head, sizeof head, &got, &why) && got > 0) {
            buffer_add(&rest, head, got);
            if (rest.size > INPUT_LOOK && rest.size < text.size)
                assert_true(count_threads() > base);
        }
        assert_int_equal(rest.size, text.size);
        assert_memory_equal(rest.bytes, text.bytes, text.size);
        input_close(input);
        unlink(file.path);
    }
    buffer_done(&text);
    buffer_done(&rest);
}

static void test_threads_end(void **state)
{
    (void)state;
    size_t base = count_threads();
    struct buffer text = {0};
    fill(&text, TEXT);
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        size_t n = packers[f](text.bytes, text.size, packed);
        struct file file = file_of(packed, n);
        struct input *one = open_input(file.path), *other = open_input(file.path);
        assert_true(count_threads() > base);
        input_close(one);
        assert_true(count_threads() > base);
        input_close(other);
        assert_threads(base);
        unlink(file.path);
    }
    buffer_done(&text);
}

/* At any moment: before the first byte, while threads are busy, when they have filled all. */
static void test_close_early(void **state)
{
    (void)state;
    size_t base = count_threads();
    struct buffer text = {0};
    fill(&text, TEXT);
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        size_t n = packers[f](text.bytes, text.size, packed);
        struct file file = file_of(packed, n);
        for (unsigned i = 0; i < 40; i++) {
            struct input *input = open_input(file.path);
            uint8_t bytes[5000];
            size_t got;
            usleep(i % 4 * i * 50);
            for (unsigned reads = 0; reads < i % 5 * i; reads++)
                assert_int_equal(input_read(input, bytes, sizeof bytes, &got, NULL), ERR_OK);
            struct mono start = clock_mono();
            input_close(input);
            assert_true(seconds_since(start) < 2);
        }
        unlink(file.path);
    }
    assert_threads(base);
    buffer_done(&text);
}

/* ---- several ---- */

/* Eight files of all formats, read a little each in turn, some twice as fast as others. */
static void test_side_by_side(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    struct buffer text = {0};
    struct file files[PACKERS];
    struct input *inputs[COUNT];
    size_t at[COUNT] = {0}, ended = 0;
    uint8_t bytes[7000];
    fill(&text, TEXT);
    for (size_t f = 0; f < PACKERS; f++)
        files[f] = file_of(packed, packers[f](text.bytes, text.size, packed));
    for (size_t i = 0; i < COUNT; i++)
        inputs[i] = open_input(files[i % PACKERS].path);
    while (ended < COUNT) {
        ended = 0;
        for (size_t i = 0; i < COUNT; i++) {
            size_t got;
            assert_int_equal(input_read(inputs[i], bytes, 1000 + i * 600, &got, NULL), ERR_OK);
            assert_true(at[i] + got <= text.size);
            assert_memory_equal(bytes, text.bytes + at[i], got);
            at[i] += got;
            ended += got == 0;
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(at[i], text.size);
        input_close(inputs[i]);
    }
    for (size_t f = 0; f < PACKERS; f++)
        unlink(files[f].path);
    buffer_done(&text);
}

struct reading {
    const char *path;
    const struct buffer *want;
    pthread_t thread;
    bool is_right;
};

static void *read_in_thread(void *context)
{
    struct reading *reading = context;
    struct buffer got = {0};
    reading->is_right = true;
    for (int i = 0; i < 3; i++) {
        buffer_clear(&got);
        if (read_all(reading->path, 50000, &got, NULL) || got.size != reading->want->size ||
            memcmp(got.bytes, reading->want->bytes, got.size) != 0)
            reading->is_right = false;
    }
    buffer_done(&got);
    return NULL;
}

/* Several readers, in threads of their own, that come and go. */
static void test_several_threads(void **state)
{
    (void)state;
    size_t base = count_threads();
    struct buffer text = {0};
    struct file files[PACKERS];
    struct reading readings[PACKERS];
    fill(&text, TEXT);
    for (size_t f = 0; f < PACKERS; f++) {
        files[f] = file_of(packed, packers[f](text.bytes, text.size, packed));
        readings[f] = (struct reading){.path = files[f].path, .want = &text};
        assert_int_equal(pthread_create(&readings[f].thread, NULL, read_in_thread, &readings[f]),
                         0);
    }
    for (size_t f = 0; f < PACKERS; f++) {
        pthread_join(readings[f].thread, NULL);
        assert_true(readings[f].is_right);
        unlink(files[f].path);
    }
    assert_threads(base);
    buffer_done(&text);
}

/* ---- bombs ---- */

/* Reads `want` zeros through a pipe, and how much memory that took at most. */
static size_t read_bomb(const struct buffer *file, size_t want)
{
    static uint8_t bytes[MIB];
    static const uint8_t zeros[MIB];
    struct pipe p;
    size_t got = 0, n, before = resident_bytes(), most = before;
    pipe_open(&p, file->bytes, file->size);
    struct input *input = open_input(p.path);
    do {
        struct why why;
        assert_int_equal(input_read(input, bytes, sizeof bytes, &n, &why), ERR_OK);
        assert_memory_equal(bytes, zeros, n);
        got += n;
        if (got / (8 * MIB) != (got - n) / (8 * MIB)) {
            usleep(2000); /* the threads may do what they like meanwhile */
            most = resident_bytes() > most ? resident_bytes() : most;
        }
    } while (n);
    assert_int_equal(got, want);
    input_close(input);
    pipe_close(&p);
    return most - before;
}

enum { BOMB = 46 * MIB }; /* almost the most that one block of bzip2 can hold, in 50 bytes */

static void add_bombs(size_t format, size_t count, struct buffer *file)
{
    uint8_t *zeros = calloc(BOMB, 1);
    unsigned size = sizeof packed;
    size_t n;
    if (format == BZIP2) {
        assert_int_equal(
            BZ2_bzBuffToBuffCompress((char *)packed, &size, (char *)zeros, BOMB, 9, 0, 0), BZ_OK);
        assert_true(size < 100);
        n = size;
    } else {
        n = packers[format](zeros, BOMB, packed);
    }
    while (count-- > 0)
        buffer_add(file, packed, n);
    free(zeros);
}

static void test_bombs(void **state)
{
    (void)state;
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        struct buffer file = {0};
        add_bombs(f, 8, &file);
        /* Four blocks whole would be 184 MiB. A thread sanitizer alone makes 80 of 20. */
        assert_true(read_bomb(&file, 8 * (size_t)BOMB) < 120 * (size_t)MIB);
        buffer_done(&file);
    }
}

/* A reader who has stopped reading: the threads come to rest, and have not decompressed everything. */
static void test_rest(void **state)
{
    (void)state;
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        struct buffer file = {0};
        struct pipe p;
        char byte;
        size_t n;
        add_bombs(f, 200, &file);
        size_t before = resident_bytes();
        pipe_open(&p, file.bytes, file.size);
        struct input *input = open_input(p.path);
        assert_int_equal(input_read(input, &byte, 1, &n, NULL), ERR_OK);
        struct mono start = clock_mono();
        double cpu, now = cpu_seconds();
        do {
            cpu = now;
            usleep(200000);
            now = cpu_seconds();
            assert_true(seconds_since(start) < 30);
        } while (now - cpu > 0.02);
        /* All of it would be some gigabytes. */
        assert_true(resident_bytes() < before + 120 * (size_t)MIB);
        input_close(input);
        pipe_close(&p);
        buffer_done(&file);
    }
}

/* ---- pipes ---- */

/* A pipe that has no more just now: what there is comes, nobody burns time waiting for the rest, and
 * the input can be closed. */
static void test_idle_pipe(void **state)
{
    (void)state;
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        int ends[2];
        char path[64], bytes[100];
        size_t n = packers[f]("what there is", 13, packed), got, base = count_threads();
        assert_int_equal(pipe(ends), 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
        assert_int_equal(write(ends[1], packed, n), n);
        assert_int_equal(write(ends[1], packed, n / 2), n / 2);
        struct input *input = open_input(path);
        assert_int_equal(input_read(input, bytes, sizeof bytes, &got, NULL), ERR_OK);
        assert_true(got >= 13); /* zstd gives some of the half, too */
        assert_memory_equal(bytes, "what there is", 13);
        double cpu = cpu_seconds();
        usleep(200000);
        assert_true(cpu_seconds() - cpu < 0.1);
        struct mono start = clock_mono();
        input_close(input);
        assert_true(seconds_since(start) < 1);
        close(ends[0]);
        close(ends[1]);
        assert_threads(base);
    }
}

/* Nor is anything kept back for which there was no room at the end of a chunk. */
static void test_all_comes(void **state)
{
    (void)state;
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        struct buffer text = {0}, got = {0};
        char path[64], bytes[10000];
        int ends[2];
        fill(&text, LANE_CHUNK + 40000);
        size_t first = LANE_CHUNK - 10, n = packers[f](text.bytes, first, packed), more;
        n += packers[f](text.bytes + first, text.size - first, packed + n);
        assert_int_equal(pipe(ends), 0);
        n -= f == GZIP ? 8 : 0; /* what follows the contents, without which they are not held up */
        assert_true(fcntl(ends[1], F_SETPIPE_SZ, MIB) >= (int)n);
        assert_int_equal(write(ends[1], packed, n), n);
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
        struct input *input = open_input(path);
        while (got.size < text.size) {
            assert_int_equal(input_read(input, bytes, sizeof bytes, &more, NULL), ERR_OK);
            buffer_add(&got, bytes, more);
        }
        assert_int_equal(got.size, text.size);
        assert_memory_equal(got.bytes, text.bytes, text.size);
        input_close(input);
        close(ends[0]);
        close(ends[1]);
        buffer_done(&text);
        buffer_done(&got);
    }
}

struct late_writer {
    int fd;
    size_t n;
};

/* Byte after byte, with pauses. */
static void *write_late(void *context)
{
    struct late_writer *late = context;
    for (size_t i = 0; i < late->n; i++) {
        if (i % (late->n / 8 + 1) == 0)
            usleep(40000);
        if (write(late->fd, packed + i, 1) != 1)
            break;
    }
    close(late->fd);
    return NULL;
}

static void test_slow_pipe(void **state)
{
    (void)state;
    struct buffer text = {0};
    fill(&text, 3000);
    for (size_t f = 0; f < PACKERS; f++) {
        int ends[2];
        char path[64];
        pthread_t writer;
        struct buffer got = {0};
        struct why why;
        size_t n = packers[f](text.bytes, text.size, packed);
        assert_int_equal(pipe(ends), 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
        struct late_writer late = {ends[1], n};
        double cpu = cpu_seconds();
        assert_int_equal(pthread_create(&writer, NULL, write_late, &late), 0);
        assert_int_equal(read_all(path, 1000, &got, &why), ERR_OK);
        pthread_join(writer, NULL);
        assert_true(cpu_seconds() - cpu < 0.2);
        assert_int_equal(got.size, text.size);
        assert_memory_equal(got.bytes, text.bytes, text.size);
        buffer_done(&got);
        close(ends[0]);
    }
    buffer_done(&text);
}

/* Reading fails in the middle: all that came before is given, and then the reason. A peer that goes
 * away without having read what it was sent does that, after what it sent itself. */
static void test_reading_fails(void **state)
{
    (void)state;
    struct buffer text = {0};
    int kept = dup(STDIN_FILENO);
    fill(&text, 400000);
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        int ends[2], size = MIB;
        size_t n = packers[f](text.bytes, text.size, packed), cut = n / 3 * 2, got;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
        setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        ssize_t sent = write(ends[1], packed, cut);
        assert_true(sent > 60000);
        assert_int_equal(write(ends[0], "x", 1), 1);
        close(ends[1]);
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        struct input *input = open_input("-");
        struct buffer all = {0};
        struct why why;
        char bytes[10000], place[64];
        enum err err;
        while (!(err = input_read(input, bytes, sizeof bytes, &got, &why)) && got)
            buffer_add(&all, bytes, got);
        assert_int_equal(err, ERR_IO);
        snprintf(place, sizeof place, "standard input: byte %zd: ", sent);
        assert_non_null(strstr(why.text, place));
        assert_int_equal(input_read(input, bytes, sizeof bytes, &got, NULL), ERR_IO);
        assert_true(all.size > 0 && all.size < text.size);
        assert_memory_equal(all.bytes, text.bytes, all.size);
        input_close(input);
        buffer_done(&all);
    }
    dup2(kept, STDIN_FILENO);
    close(kept);
    buffer_done(&text);
}

/* Where no thread can be had, the reader does the work. */
static void test_without_threads(void **state)
{
    (void)state;
    pthread_attr_t before, huge;
    struct buffer text = {0};
    fill(&text, TEXT);
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    pthread_attr_init(&huge);
    if (pthread_attr_setstacksize(&huge, (size_t)1 << 47) || pthread_setattr_default_np(&huge)) {
        print_message("skipped: threads cannot be forbidden here\n");
        skip();
    }
    size_t base = count_threads();
    for (size_t f = FIRST_COMPRESSED; f < PACKERS; f++) {
        struct file file = file_of(packed, packers[f](text.bytes, text.size, packed));
        struct input *other = open_input(file.path);
        struct buffer got = {0};
        struct why why;
        assert_int_equal(read_all(file.path, 10000, &got, &why), ERR_OK);
        assert_int_equal(count_threads(), base);
        input_close(other);
        assert_int_equal(got.size, text.size);
        assert_memory_equal(got.bytes, text.bytes, text.size);
        buffer_done(&got);
        unlink(file.path);
    }
    pthread_setattr_default_np(&before);
    pthread_attr_destroy(&before);
    pthread_attr_destroy(&huge);
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_ones_are_cheap),
        cmocka_unit_test(test_threads_end),
        cmocka_unit_test(test_looking_is_cheap),
        cmocka_unit_test(test_close_early),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_several_threads),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_idle_pipe),
        cmocka_unit_test(test_all_comes),
        cmocka_unit_test(test_slow_pipe),
        cmocka_unit_test(test_reading_fails),
        cmocka_unit_test(test_without_threads),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
