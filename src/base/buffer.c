#include "base/buffer.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct buffer *buffer, size_t n)
{
    buffer->bytes = mem_grow(buffer->bytes, &buffer->capacity, buffer->size + n + 1, 1);
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t n)
{
    reserve(buffer, n);
    if (n)
        memcpy(buffer->bytes + buffer->size, bytes, n);
    buffer->size += n;
    buffer->bytes[buffer->size] = '\0';
}

void buffer_puts(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    reserve(buffer, (size_t)n);
    vsnprintf(buffer->bytes + buffer->size, (size_t)n + 1, format, again);
    va_end(again);
    buffer->size += (size_t)n;
}

char *buffer_room(struct buffer *buffer, size_t n)
{
    reserve(buffer, n);
    return buffer->bytes + buffer->size;
}

void buffer_used(struct buffer *buffer, const char *end)
{
    buffer->size = (size_t)(end - buffer->bytes);
    buffer->bytes[buffer->size] = '\0';
}

void buffer_u8(struct buffer *buffer, uint8_t value)
{
    buffer_add(buffer, &value, 1);
}

void buffer_u16(struct buffer *buffer, uint16_t value)
{
    buffer_u8(buffer, (uint8_t)(value >> 8));
    buffer_u8(buffer, (uint8_t)value);
}

void buffer_u32(struct buffer *buffer, uint32_t value)
{
    buffer_u16(buffer, (uint16_t)(value >> 16));
    buffer_u16(buffer, (uint16_t)value);
}

void buffer_varint(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    buffer_add(buffer, bytes, n);
}

void buffer_zigzag(struct buffer *buffer, int64_t value)
{
    buffer_varint(buffer, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* The length of the UTF-8 sequence that begins here, 0 if it is none (RFC 3629, section 4). The
 * text ends with a NUL, which is no continuation byte. */
static size_t utf8_length(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    size_t n = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    unsigned low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

void buffer_json(struct buffer *buffer, const char *text)
{
    const char *run = text; /* what need not be escaped */
    buffer_add(buffer, "\"", 1);
    for (;;) {
        unsigned char c = (unsigned char)*text;
        size_t n = utf8_length((const unsigned char *)text);
        if (n && c >= ' ' && c != '"' && c != '\\') {
            text += n;
            continue;
        }
        buffer_add(buffer, run, (size_t)(text - run));
        if (!c)
            break;
        if (!n)
            buffer_puts(buffer, "\xef\xbf\xbd");
        else if (c < ' ')
            buffer_printf(buffer, "\\u%04x", c);
        else
            buffer_printf(buffer, "\\%c", c);
        run = ++text;
    }
    buffer_add(buffer, "\"", 1);
}

static bool is_control(const unsigned char *at)
{
    return at[0] < ' ' || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

void buffer_plain(struct buffer *buffer, const char *text)
{
    while (*text) {
        size_t n = utf8_length((const unsigned char *)text);
        if (n && !is_control((const unsigned char *)text))
            buffer_add(buffer, text, n);
        else
            buffer_puts(buffer, n ? " " : "\xef\xbf\xbd");
        text += n ? n : 1;
    }
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    if (buffer->bytes)
        buffer->bytes[0] = '\0';
}

void buffer_done(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
