/* sys/input and below it ahead, unbzip2 and unpack: any bytes, as a small file, which the calling
 * thread decompresses alone, and through a pipe, where the threads do it: the same comes of both, and
 * neither leads astray. What begins like a gzip member comes also between others that are long enough for
 * more to be begun in it, and must then give what it gives in order. */
#include "../unit/gzip_maker.h"
#include "base/buffer.h"
#include "sys/ahead.h"
#include "sys/input.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { N_MAX = 32 * 1024, TEXT_MAX = 4 << 20 };

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

static void try_amid_members(const uint8_t *bytes, size_t n)
{
    static uint8_t contents[AHEAD_SPACING];
    struct buffer in_order = {0}, abreast = {0}, file = {0};
    struct why why_in_order, why_abreast;
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    for (size_t i = 0; i < 3; i++) {
        make_member(&file, contents, sizeof contents);
        buffer_add(&file, bytes, n);
    }
    assert(fd >= 0 && write(fd, file.bytes, file.size) == (ssize_t)file.size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum err err = read_in_order(path, TEXT_MAX, &in_order, &why_in_order);
    enum err other = read_fd(fd, &abreast, &why_abreast);
    if (in_order.size < TEXT_MAX) {
        assert(err == other);
        assert_same(&in_order, &abreast);
        assert(!err || strcmp(place(&why_in_order), place(&why_abreast)) == 0);
    }
    close(fd);
    buffer_done(&in_order);
    buffer_done(&abreast);
    buffer_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct buffer filed = {0}, piped = {0};
    struct why why_filed, why_piped;
    int ends[2], file = memfd_create("fuzz", MFD_CLOEXEC);
    if (n > N_MAX || file < 0 || pipe(ends) < 0) {
        close(file);
        return 0;
    }
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
    buffer_done(&filed);
    buffer_done(&piped);
    if (format_of(bytes, n) == FORMAT_GZIP)
        try_amid_members(bytes, n);
    return 0;
}
