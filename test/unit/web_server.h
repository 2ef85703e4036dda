/* For tests of fetching: a small server of HTTP on loopback that serves pages from memory, and misbehaves
 * as each page says. Every connection has a thread of its own, and is closed after one reply. It notes
 * what it was asked.
 *
 *     struct web_page pages[] = {{.path = "/a.gz", .bytes = bytes, .size = n, .cut_after = 100}};
 *     struct web_server *server = web_server_start(pages, 1, NULL);
 *     ... web_server_port(server) ...
 *     web_server_stop(server); */
#ifndef TEST_UNIT_WEB_SERVER_H
#define TEST_UNIT_WEB_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct web_page {
    const char *path;
    const void *bytes;
    size_t size;
    const char *etag;     /* with its quotes; NULL: none */
    const char *modified; /* Last-Modified; NULL: none */
    const char *fields;   /* further lines of the head, each with its \r\n; NULL */
    const char *location; /* redirects there, with 302 */
    int status;           /* 0: 200 */
    /* The first so many requests are answered so: */
    int fail_status, fail_times;
    int retry_after; /* with those, if not 0 */
    /* The first so many end after so many bytes of the body, or stay silent from there on. */
    size_t cut_after;
    int cut_times;
    size_t stall_after;
    int stall_times;
    size_t claimed;       /* Content-Length, if not 0 */
    bool has_no_length;   /* no Content-Length at all */
    bool has_no_ranges;   /* answers with the whole */
    bool has_no_if_range; /* does not look at If-Range */
    size_t part_max;      /* parts are no longer than that, if not 0 */
    bool hides_size;      /* a part does not say of how much it is */
    bool is_endless;
    bool has_endless_head;
    /* After the first so many requests it is another file: the one that follows in the list. */
    int changes_after;
    int requests; /* so far */
};

enum { WEB_SEEN_MAX = 512 };
struct web_seen {
    char path[200];
    char range[64], if_range[128], if_none_match[128], if_modified[64], agent[64], encoding[64];
};

struct web_server;
/* `tls` NULL: without. */
struct web_server *web_server_start(struct web_page *pages, size_t count, SSL_CTX *tls);
uint16_t web_server_port(const struct web_server *server);
/* How many requests so far, and each of them. */
size_t web_server_seen(struct web_server *server, struct web_seen out[WEB_SEEN_MAX]);
void web_server_stop(struct web_server *server);

#endif
