/* Replies of mail servers: RFC 5321, section 4.2. "250-first\r\n250-STARTTLS\r\n250 last\r\n" in pieces,
 * however they were cut. Pure.
 *
 *     smtp_reply_begin(&reply);
 *     while (smtp_reply_feed(&reply, c) == SMTP_MORE) ... the next byte
 *
 * A reply of more than SMTP_LINES_MAX lines, or with one of more than SMTP_LINE_MAX bytes (RFC 5321,
 * 4.5.3.1.5, allows 512), is bad, as is one that is none. */
#ifndef SOURCE_PROBE_SMTP_REPLY_H
#define SOURCE_PROBE_SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SMTP_LINE_MAX = 2000, SMTP_LINES_MAX = 100 };

enum smtp_progress {
    SMTP_MORE, /* within a line */
    SMTP_LINE, /* a line is over, and others follow: `line` holds it */
    SMTP_OVER, /* the last one is */
    SMTP_BAD
};

struct smtp_reply {
    uint16_t code; /* 200 to 599, of the first line; the others must have the same */
    uint16_t lines;
    uint16_t size;
    char line[SMTP_LINE_MAX +
              1]; /* the one that came last, NUL-terminated, without code and line end */
    char head[4]; /* "250-" of the line */
};

void smtp_reply_begin(struct smtp_reply *reply);
enum smtp_progress smtp_reply_feed(struct smtp_reply *reply, char c);

/* Whether the line, of a reply to EHLO, says that the server offers this: letters of any case. */
bool smtp_line_offers(const char *line, const char *keyword);

#endif
