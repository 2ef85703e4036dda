/* sys/input and below it ahead, unbzip2 and unpack: any bytes, as a small file, which the calling
 * thread decompresses alone, and through a pipe, where the threads do it: the same comes of both, and
 * neither leads astray. What begins like a gzip member comes also between others that are long enough for
 * more to be begun in it, and must then give what it gives in order. */
#include "../unit/gzip_maker.h"
#include "base/buffer.h"
#include "sys/ahead.h"
#include "sys/input.h"
#include "sys/pool.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { N_MAX = 32 * 1024, TEXT_MAX = 4 << 20, MEMBERS = 3 };

static enum err read_fd(int fd, struct buffer *text, struct why *why)
{
    static uint8_t bytes[50000];
    char path[64];
    struct input *input;
    size_t n = 1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum err err = input_open(path, &input, why);
    if (err)
        return err;
    while (n && !err && text->size < TEXT_MAX) {
        err = input_read(input, bytes, sizeof bytes, &n, why);
        assert(n <= sizeof bytes);
        if (!err)
            buffer_add(text, bytes, n);
    }
    input_close(input);
    return err;
}

/* Behind "byte": the text before it names the file. */
static const char *place(const struct why *why)
{
    const char *at = strstr(why->text, ": byte ");
    assert(at);
    return at;
}

static void assert_same(const struct buffer *one, const struct buffer *other)
{
    assert(one->size == other->size);
    assert(one->size == 0 || memcmp(one->bytes, other->bytes, one->size) == 0);
}

/* The whole member that stands before each of the others; made once. */
static const struct buffer *long_member(void)
{
    static uint8_t contents[AHEAD_SPACING];
    static struct buffer member;
    if (!member.size)
        make_member(&member, contents, sizeof contents);
    return &member;
}

/* A file of that. It is the same one each time, as most of what is in it: new pages for every input would take
 * longer than all the rest. */
static int file_amid_members(const uint8_t *bytes, size_t n)
{
    static int fd = -1;
    const struct buffer *member = long_member();
    struct iovec parts[2 * MEMBERS];
    size_t size = MEMBERS * (member->size + n);
    for (size_t i = 0; i < MEMBERS; i++) {
        parts[2 * i] = (struct iovec){member->bytes, member->size};
        parts[2 * i + 1] = (struct iovec){(void *)(uintptr_t)bytes, n};
    }
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    assert(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    assert(pwritev(fd, parts, 2 * MEMBERS, 0) == (ssize_t)size);
    return fd;
}

static void try_amid_members(const uint8_t *bytes, size_t n)
{
    static struct buffer in_order, abreast;
    struct why why_in_order, why_abreast;
    char path[64];
    int fd = file_amid_members(bytes, n);
    buffer_clear(&in_order);
    buffer_clear(&abreast);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum err err = read_in_order(path, TEXT_MAX, &in_order, &why_in_order);
    enum err other = read_fd(fd, &abreast, &why_abreast);
    if (in_order.size < TEXT_MAX) {
        assert(err == other);
        assert_same(&in_order, &abreast);
        assert(!err || strcmp(place(&why_in_order), place(&why_abreast)) == 0);
    }
}

/* The threads stay: to start and end them for each input would take most of the time. */
static void keep_threads(void)
{
    static bool has_joined;
    if (!has_joined)
        pool_join();
    has_joined = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct buffer filed, piped;
    struct why why_filed, why_piped;
    int ends[2], file = memfd_create("fuzz", MFD_CLOEXEC);
    if (n > N_MAX || file < 0 || pipe(ends) < 0) {
        close(file);
        return 0;
    }
    keep_threads();
    buffer_clear(&filed);
    buffer_clear(&piped);
    assert(write(file, bytes, n) == (ssize_t)n && write(ends[1], bytes, n) == (ssize_t)n);
    close(ends[1]);
    enum err err = read_fd(file, &filed, &why_filed);
    assert(read_fd(ends[0], &piped, &why_piped) == err);
    if (filed.size < TEXT_MAX) {
        assert_same(&filed, &piped);
        assert(!err || strcmp(place(&why_filed), place(&why_piped)) == 0);
    }
    close(file);
    close(ends[0]);
    if (format_of(bytes, n) == FORMAT_GZIP)
        try_amid_members(bytes, n);
    return 0;
}
