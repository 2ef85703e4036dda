#include "source/probe/page_text.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum state { TEXT, TAG_NAME, TAG, SKIPPED };

/* To look it up for each page would take longer than to hash it (OpenSSL, crypto(7), "Performance"). */
static const EVP_MD *sha256(void)
{
    static _Thread_local const EVP_MD *found;
    if (!found)
        found = EVP_MD_fetch(NULL, "SHA256", NULL);
    return found;
}

void page_text_init(struct page_text *text, bool is_html)
{
    *text = (struct page_text){.digest = EVP_MD_CTX_new(), .is_html = is_html};
    assert(text->digest);
    int is_ready = EVP_DigestInit_ex(text->digest, sha256(), NULL);
    assert(is_ready);
    (void)is_ready;
}

static void flush(struct page_text *text)
{
    EVP_DigestUpdate(text->digest, text->held, text->held_size);
    text->held_size = 0;
}

static void put(struct page_text *text, char c)
{
    if (text->held_size == sizeof text->held)
        flush(text);
    text->held[text->held_size++] = (uint8_t)c;
    text->bytes++;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static void take_text(struct page_text *text, char c)
{
    if (is_space(c)) {
        text->has_gap = true;
        return;
    }
    if (text->has_gap && text->is_begun)
        put(text, ' ');
    text->has_gap = false;
    text->is_begun = true;
    put(text, c);
}

static bool is_named(const struct page_text *text, const char *name)
{
    return text->name_size == strlen(name) && memcmp(text->name, name, text->name_size) == 0;
}

static void skip_until(struct page_text *text, const char *end)
{
    text->state = SKIPPED;
    text->end = end;
    text->matched = 0;
}

static void end_tag(struct page_text *text)
{
    text->state = TEXT;
    text->has_gap = true; /* words on both sides of it are two */
    if (is_named(text, "script"))
        skip_until(text, "</script");
    else if (is_named(text, "style"))
        skip_until(text, "</style");
}

static void take_tag(struct page_text *text, char c)
{
    if (text->quote)
        text->quote = c == text->quote ? '\0' : text->quote;
    else if (c == '"' || c == '\'')
        text->quote = c;
    else if (c == '>')
        end_tag(text);
}

static void take_tag_name(struct page_text *text, char c)
{
    bool is_of_name = c != '>' && c != '/' && !is_space(c);
    if (text->name_size == 0 && c == '/') { /* an end tag: its name does not matter */
        text->state = TAG;
        return;
    }
    if (!is_of_name) {
        text->state = TAG;
        take_tag(text, c);
        return;
    }
    if (text->name_size < sizeof text->name)
        text->name[text->name_size++] = lower(c);
    if (is_named(text, "!--"))
        skip_until(text, "-->");
}

/* The ends are such that one that has failed can only begin anew with its first character, but for "-->",
 * where dashes may be many. */
static void take_skipped(struct page_text *text, char c)
{
    const char *end = text->end;
    c = lower(c);
    if (c == end[text->matched])
        text->matched++;
    else if (!(text->matched == 2 && c == '-' && end[0] == '-'))
        text->matched = c == end[0];
    if (end[text->matched])
        return;
    text->has_gap = true;
    text->quote = '\0';
    text->name_size = 0;
    text->state = end[0] == '<' ? TAG : TEXT;
}

void page_text_feed(struct page_text *text, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        switch ((enum state)text->state) {
        case TEXT:
            if (c == '<' && text->is_html) {
                text->state = TAG_NAME;
                text->name_size = 0;
                text->quote = '\0';
            } else {
                take_text(text, c);
            }
            break;
        case TAG_NAME:
            take_tag_name(text, c);
            break;
        case TAG:
            take_tag(text, c);
            break;
        case SKIPPED:
            take_skipped(text, c);
            break;
        }
    }
}

void page_text_done(struct page_text *text, char hex[PAGE_HASH_TEXT])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    flush(text);
    EVP_DigestFinal_ex(text->digest, hash, &n);
    EVP_MD_CTX_free(text->digest);
    text->digest = NULL;
    for (unsigned i = 0; i < n && 2 * i + 2 < PAGE_HASH_TEXT; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}
