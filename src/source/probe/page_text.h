/* The text of a page as a reader would see it, roughly, and its hash: without tags, comments, scripts and
 * styles, and with every run of white space as one space. It stays the same when a session's token or a
 * counter in a script changes, and becomes another when the page does. In pieces, however it was cut.
 *
 *     page_text_init(&text, is_html);
 *     page_text_feed(&text, bytes, n);
 *     page_text_done(&text, hex);
 *
 * It follows the tokenizer of HTML (13.2.5) only as far as that takes: a '>' within quotes is part of the
 * tag, and a script ends at its end tag. */
#ifndef SOURCE_PROBE_PAGE_TEXT_H
#define SOURCE_PROBE_PAGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_HASH_TEXT = 65 };

struct page_text {
    void *digest; /* EVP_MD_CTX */
    uint8_t state;
    char quote; /* that is open in a tag; 0: none */
    bool is_html;
    bool has_gap; /* white space since the last character */
    bool is_begun;
    uint8_t name_size; /* of the tag, as far as it has come */
    char name[8];
    const char *end;   /* of what is being skipped: "-->", "</script" */
    uint8_t matched;   /* characters of it */
    uint64_t bytes;    /* of the text */
    uint8_t held[512]; /* not yet hashed */
    size_t held_size;
};

void page_text_init(struct page_text *text, bool is_html);
void page_text_feed(struct page_text *text, const char *bytes, size_t n);
/* Ends it; the SHA-256 in hexadecimal digits. */
void page_text_done(struct page_text *text, char hex[PAGE_HASH_TEXT]);

#endif
