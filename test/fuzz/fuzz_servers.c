/* What web and mail servers say: pages whose text is taken, and replies. Neither may lead us astray, nor
 * may it matter how it was cut into packets. The first byte says which, and how large the pieces are. */
#include "source/probe/page_text.h"
#include "source/probe/smtp_reply.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void read_page(const char *page, size_t n, size_t piece, char hex[PAGE_HASH_TEXT],
                      uint64_t *size)
{
    struct page_text text;
    page_text_init(&text, true);
    for (size_t at = 0; at < n; at += piece)
        page_text_feed(&text, page + at, n - at < piece ? n - at : piece);
    assert(text.bytes <= n); /* a space for what is left out, at most */
    page_text_done(&text, hex);
    *size = text.bytes;
    assert(strlen(hex) == PAGE_HASH_TEXT - 1);
}

static void check_page(const char *page, size_t n, size_t piece)
{
    char whole[PAGE_HASH_TEXT], cut[PAGE_HASH_TEXT];
    uint64_t size, cut_size;
    read_page(page, n, n + 1, whole, &size);
    read_page(page, n, piece, cut, &cut_size);
    assert(size == cut_size && strcmp(whole, cut) == 0);
}

static void check_reply(const char *bytes, size_t n)
{
    struct smtp_reply reply;
    unsigned lines = 0;
    smtp_reply_begin(&reply);
    for (size_t i = 0; i < n; i++) {
        enum smtp_progress progress = smtp_reply_feed(&reply, bytes[i]);
        if (progress == SMTP_MORE)
            continue;
        if (progress == SMTP_BAD)
            return;
        assert(reply.code >= 200 && reply.code < 600);
        assert(reply.lines == ++lines && lines <= SMTP_LINES_MAX);
        assert(memchr(reply.line, '\0', sizeof reply.line));
        assert(!memchr(reply.line, '\n', strlen(reply.line)));
        smtp_line_offers(reply.line, "STARTTLS");
        if (progress == SMTP_OVER) {
            smtp_reply_begin(&reply);
            lines = 0;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (!n)
        return 0;
    if (bytes[0] & 1)
        check_reply((const char *)bytes + 1, n - 1);
    else
        check_page((const char *)bytes + 1, n - 1, 1 + bytes[0] / 2);
    return 0;
}
