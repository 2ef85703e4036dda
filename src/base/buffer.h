/* A growing run of bytes that is always NUL-terminated: text for people, JSON, blocks of the journal.
 * A zeroed struct is an empty buffer; buffer_done() frees it. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *bytes; /* NULL while nothing was added */
    size_t size;
    size_t capacity;
};

void buffer_add(struct buffer *buffer, const void *bytes, size_t n);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* For those who write by themselves: room for n bytes behind what is there, and how far it was used. */
char *buffer_room(struct buffer *buffer, size_t n);
void buffer_used(struct buffer *buffer, const char *end);
void buffer_u8(struct buffer *buffer, uint8_t value);
/* In network order, as struct reader reads them. */
void buffer_u16(struct buffer *buffer, uint16_t value);
void buffer_u32(struct buffer *buffer, uint32_t value);
void buffer_varint(struct buffer *buffer, uint64_t value); /* LEB128 */
void buffer_zigzag(struct buffer *buffer, int64_t value);
/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void buffer_json(struct buffer *buffer, const char *text);
/* What somebody else wrote, for people to read on a line: control characters become spaces, bytes that
 * are not UTF-8 U+FFFD. */
void buffer_plain(struct buffer *buffer, const char *text);
void buffer_clear(struct buffer *buffer); /* keeps the memory */
void buffer_done(struct buffer *buffer);

#endif
