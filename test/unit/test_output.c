/* sys/output and sys/folder: what is written is all there, or nothing is. */
#include "sys/folder.h"
#include "sys/input.h"
#include "sys/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char place[] = "/tmp/lastlight-output-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(place) && chdir(place) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return chdir("/") == 0 ? rmdir(place) : -1;
}

enum { SIZE = 1000 * 1000 };

/* Half of it compresses well, half does not. */
static uint8_t *make_bytes(void)
{
    uint8_t *bytes = malloc(SIZE);
    uint32_t x = 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = i % 2000 < 1000 ? 'a' : (uint8_t)(x >> 24);
    }
    return bytes;
}

static size_t read_back(const char *name, uint8_t *bytes, size_t capacity)
{
    struct input *input;
    struct why why;
    size_t size = 0, n = 1;
    assert_int_equal(input_open(name, &input, &why), ERR_OK);
    for (; n; size += n)
        assert_int_equal(input_read(input, bytes + size, capacity - size, &n, &why), ERR_OK);
    input_close(input);
    return size;
}

static void test_round_trip(void **state)
{
    (void)state;
    static const char *const names[] = {"plain", "packed.gz", "packed.zst"};
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, SIZE};
    uint8_t *bytes = make_bytes(), *back = malloc(SIZE + 1);
    assert_non_null(back);
    for (size_t i = 0; i < COUNT(names); i++) {
        for (size_t j = 0; j < COUNT(sizes); j++) {
            struct output *output;
            struct why why;
            assert_int_equal(output_open(names[i], &output, &why), ERR_OK);
            size_t half = sizes[j] / 2;
            enum err err = output_write(output, bytes, half, &why);
            assert_int_equal(err, ERR_OK);
            assert_int_equal(output_write(output, bytes + half, sizes[j] - half, &why), ERR_OK);
            assert_int_equal(output_close(output, err, &why), ERR_OK);
            assert_int_equal(read_back(names[i], back, SIZE + 1), sizes[j]);
            assert_memory_equal(back, bytes, sizes[j]);
        }
        assert_int_equal(unlink(names[i]), 0);
    }
    free(bytes);
    free(back);
}

/* A file that was there before stays as it was until the new one is whole. */
static void test_failure(void **state)
{
    (void)state;
    struct output *output;
    struct why why;
    uint8_t back[16];
    assert_int_equal(output_open("kept", &output, &why), ERR_OK);
    assert_int_equal(output_write(output, "old", 3, &why), ERR_OK);
    assert_int_equal(output_close(output, ERR_OK, &why), ERR_OK);
    assert_int_equal(output_open("kept", &output, &why), ERR_OK);
    assert_int_equal(output_write(output, "new", 3, &why), ERR_OK);
    assert_int_equal(read_back("kept", back, sizeof back), 3);
    assert_memory_equal(back, "old", 3);
    assert_int_equal(output_close(output, ERR_CORRUPT, &why), ERR_CORRUPT);
    assert_memory_equal(back, "old", 3);
    assert_int_equal(access("kept.part", F_OK), -1);
    assert_int_equal(unlink("kept"), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct output *output;
    struct why why;
    assert_int_equal(output_open("/dev/full", &output, &why), ERR_OK);
    assert_int_equal(output_write(output, "x", 1, &why), ERR_FULL);
    assert_string_equal(why.text, "/dev/full: no space left to write it; free some and try again");
    assert_int_equal(output_close(output, ERR_FULL, &why), ERR_FULL);
    assert_int_equal(output_open("no/such/folder", &output, &why), ERR_IO);
}

static void test_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a", "c10", "c9", ".hidden"};
    struct arena arena = {0};
    struct folder folder;
    struct why why;
    assert_int_equal(mkdir("in", 0777), 0);
    assert_int_equal(mkdir("in/sub", 0777), 0);
    assert_int_equal(folder_read("in", &arena, &folder, &why), ERR_OK);
    assert_int_equal(folder.count, 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[32];
        snprintf(path, sizeof path, "in/%s", names[i]);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(names[i], file);
        fclose(file);
    }
    assert_int_equal(folder_read("in/", &arena, &folder, &why), ERR_OK);
    assert_int_equal(folder.count, 4);
    assert_string_equal(folder.list[0].path, "in/a");
    assert_string_equal(folder.list[1].path, "in/b");
    assert_string_equal(folder.list[2].path, "in/c10");
    assert_int_equal(folder.list[2].size, 3);
    assert_string_equal(folder.list[3].path, "in/c9");
    assert_int_equal(folder_read("in/b", &arena, &folder, &why), ERR_OK);
    assert_int_equal(folder.count, 1);
    assert_int_equal(folder_read("nowhere", &arena, &folder, &why), ERR_NOT_FOUND);
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[32];
        snprintf(path, sizeof path, "in/%s", names[i]);
        unlink(path);
    }
    rmdir("in/sub");
    rmdir("in");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
