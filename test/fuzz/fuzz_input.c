/* sys/input and below it ahead, unbzip2 and unpack: any bytes, as a small file, which the calling
 * thread decompresses alone, and through a pipe, where the threads do it: the same comes of both, and
 * neither leads astray. */
#include "base/buffer.h"
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
        assert(filed.size == piped.size);
        assert(filed.size == 0 || memcmp(filed.bytes, piped.bytes, filed.size) == 0);
        assert(!err || strcmp(place(&why_filed), place(&why_piped)) == 0);
    }
    close(file);
    close(ends[0]);
    buffer_done(&filed);
    buffer_done(&piped);
    return 0;
}
