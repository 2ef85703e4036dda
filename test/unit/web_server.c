#include "web_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 8192, STALL_MAX_MS = 20 * 1000 };

struct web_server {
    struct web_page *pages;
    size_t count;
    SSL_CTX *tls;
    int fd, stop[2];
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows, and of the pages */
    pthread_cond_t ended;
    int running; /* connections */
    struct web_seen seen[WEB_SEEN_MAX];
    size_t seen_count;
};

struct connection {
    struct web_server *server;
    int fd;
    SSL *ssl;
};

static bool give(struct connection *to, const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t sent = to->ssl ? SSL_write(to->ssl, at, (int)(n < 16384 ? n : 16384))
                               : send(to->fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* The head of a request, NUL-terminated; false if none came. */
static bool take_request(struct connection *from, char request[REQUEST_MAX])
{
    size_t n = 0;
    while (n < REQUEST_MAX - 1) {
        ssize_t got = from->ssl ? SSL_read(from->ssl, request + n, (int)(REQUEST_MAX - 1 - n))
                                : recv(from->fd, request + n, REQUEST_MAX - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        request[n] = '\0';
        if (strstr(request, "\r\n\r\n"))
            return true;
    }
    return false;
}

static void field_of(const char *request, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    *out = '\0';
    for (const char *line = strstr(request, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
            const char *value = line + 2 + n + 1 + strspn(line + 2 + n + 1, " ");
            snprintf(out, size, "%.*s", (int)strcspn(value, "\r\n"), value);
        }
}

static struct web_seen seen_of(const char *request)
{
    struct web_seen seen = {.path = ""};
    const char *path = strchr(request, ' ');
    if (path)
        snprintf(seen.path, sizeof seen.path, "%.*s", (int)strcspn(path + 1, " "), path + 1);
    field_of(request, "Range", seen.range, sizeof seen.range);
    field_of(request, "If-Range", seen.if_range, sizeof seen.if_range);
    field_of(request, "If-None-Match", seen.if_none_match, sizeof seen.if_none_match);
    field_of(request, "If-Modified-Since", seen.if_modified, sizeof seen.if_modified);
    field_of(request, "User-Agent", seen.agent, sizeof seen.agent);
    field_of(request, "Accept-Encoding", seen.encoding, sizeof seen.encoding);
    return seen;
}

/* The page as it is for this request, and how often it was asked for before. */
static bool find_page(struct web_server *server, const struct web_seen *seen, struct web_page *out)
{
    bool is_found = false;
    pthread_mutex_lock(&server->lock);
    if (server->seen_count < WEB_SEEN_MAX)
        server->seen[server->seen_count++] = *seen;
    for (size_t i = 0; i < server->count && !is_found; i++) {
        struct web_page *page = &server->pages[i];
        if (strcmp(page->path, seen->path) != 0)
            continue;
        bool is_changed = page->changes_after && page->requests >= page->changes_after;
        *out = is_changed ? page[1] : *page;
        out->requests = page->requests++;
        is_found = true;
    }
    pthread_mutex_unlock(&server->lock);
    return is_found;
}

static void fail(struct connection *to, int status, int retry_after, const char *location)
{
    char text[1024], more[256] = "";
    if (retry_after)
        snprintf(more, sizeof more, "Retry-After: %d\r\n", retry_after);
    if (location)
        snprintf(more, sizeof more, "Location: %s\r\n", location);
    snprintf(text, sizeof text,
             "HTTP/1.1 %d Oh\r\n%sContent-Length: 9\r\nConnection: close\r\n\r\n<p>no</p>", status,
             more);
    give(to, text, strlen(text));
}

static bool is_unchanged(const struct web_page *page, const struct web_seen *seen)
{
    if (*seen->if_none_match)
        return page->etag && strcmp(seen->if_none_match, page->etag) == 0;
    return *seen->if_modified && page->modified && strcmp(seen->if_modified, page->modified) == 0;
}

/* Where the reply begins: 0 if the whole is sent. */
static size_t offset_of(const struct web_page *page, const struct web_seen *seen)
{
    unsigned long long from = 0;
    if (page->has_no_ranges || sscanf(seen->range, "bytes=%llu-", &from) != 1)
        return 0;
    bool is_same = !*seen->if_range || page->has_no_if_range ||
                   (page->etag && strcmp(seen->if_range, page->etag) == 0) ||
                   (page->modified && strcmp(seen->if_range, page->modified) == 0);
    return is_same ? (size_t)from : 0;
}

static void stall(struct connection *to)
{
    /* Until the client leaves, or the server is stopped. */
    struct pollfd fds[] = {{.fd = to->fd, .events = POLLIN | POLLRDHUP},
                           {.fd = to->server->stop[0], .events = POLLIN}};
    poll(fds, 2, STALL_MAX_MS);
}

static void give_endless(struct connection *to, const char *line)
{
    while (give(to, line, strlen(line)))
        ;
}

static void give_body(struct connection *to, const struct web_page *page, size_t offset)
{
    const char *bytes = page->bytes;
    size_t end = page->size;
    bool is_cut = page->requests < page->cut_times, is_stalled = page->requests < page->stall_times;
    if (is_cut && offset + page->cut_after < end)
        end = offset + page->cut_after;
    if (is_stalled && offset + page->stall_after < end)
        end = offset + page->stall_after;
    give(to, bytes + offset, end - offset);
    if (is_stalled)
        stall(to);
    if (page->is_endless)
        give_endless(to, "on and on and on and on and on and on and on and on and on and on\n");
}

static const char *date_of_now(char out[64])
{
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return out;
}

static void give_page(struct connection *to, const struct web_page *page, size_t offset)
{
    char text[4096], date[64], size[24] = "*";
    size_t length = page->claimed ? page->claimed : page->size - offset;
    if (offset && page->part_max && page->part_max < length)
        length = page->part_max;
    int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nConnection: close\r\nDate: %s\r\n",
                     offset ? "206 Part" : "200 OK", date_of_now(date));
    if (!page->hides_size)
        snprintf(size, sizeof size, "%zu", page->size);
    if (!page->has_no_length && !page->is_endless)
        n += snprintf(text + n, sizeof text - (size_t)n, "Content-Length: %zu\r\n", length);
    if (offset)
        n += snprintf(text + n, sizeof text - (size_t)n, "Content-Range: bytes %zu-%zu/%s\r\n",
                      offset, offset + length - 1, size);
    if (page->etag)
        n += snprintf(text + n, sizeof text - (size_t)n, "ETag: %s\r\n", page->etag);
    if (page->modified)
        n += snprintf(text + n, sizeof text - (size_t)n, "Last-Modified: %s\r\n", page->modified);
    n += snprintf(text + n, sizeof text - (size_t)n, "%s", page->fields ? page->fields : "");
    give(to, text, (size_t)n);
    if (page->has_endless_head)
        give_endless(to, "X-More: and more\r\n");
    give(to, "\r\n", 2);
    give_body(to, page, offset);
}

static void reply(struct connection *to, const struct web_seen *seen)
{
    struct web_page page = {.path = NULL};
    if (!find_page(to->server, seen, &page)) {
        fail(to, 404, 0, NULL);
        return;
    }
    size_t offset = offset_of(&page, seen);
    if (page.requests < page.fail_times)
        fail(to, page.fail_status, page.retry_after, NULL);
    else if (page.location)
        fail(to, 302, 0, page.location);
    else if (page.status)
        fail(to, page.status, 0, NULL);
    else if (is_unchanged(&page, seen))
        fail(to, 304, 0, NULL);
    else if (offset && offset >= page.size)
        fail(to, 416, 0, NULL);
    else
        give_page(to, &page, offset);
}

/* What the client still sends is read, so that closing does not reset what is on its way to it. */
static void leave(struct connection *connection)
{
    char rest[256];
    if (connection->ssl)
        SSL_shutdown(connection->ssl);
    shutdown(connection->fd, SHUT_WR);
    struct pollfd readable = {.fd = connection->fd, .events = POLLIN};
    while (poll(&readable, 1, 1000) == 1 && recv(connection->fd, rest, sizeof rest, 0) > 0)
        ;
    SSL_free(connection->ssl);
    close(connection->fd);
}

static void *serve(void *context)
{
    struct connection *connection = context;
    struct web_server *server = connection->server;
    char request[REQUEST_MAX];
    bool is_ready = true;
    if (server->tls) {
        connection->ssl = SSL_new(server->tls);
        SSL_set_fd(connection->ssl, connection->fd);
        is_ready = SSL_accept(connection->ssl) == 1;
    }
    if (is_ready && take_request(connection, request)) {
        struct web_seen seen = seen_of(request);
        reply(connection, &seen);
    }
    leave(connection);
    free(connection);
    pthread_mutex_lock(&server->lock);
    server->running--;
    pthread_cond_broadcast(&server->ended);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void begin(struct web_server *server, int fd)
{
    pthread_t thread;
    struct connection *connection = calloc(1, sizeof *connection);
    assert(connection);
    *connection = (struct connection){.server = server, .fd = fd};
    pthread_mutex_lock(&server->lock);
    server->running++;
    pthread_mutex_unlock(&server->lock);
    int failed = pthread_create(&thread, NULL, serve, connection);
    assert(!failed);
    pthread_detach(thread);
}

static void *listen_all(void *context)
{
    struct web_server *server = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->fd, .events = POLLIN},
                               {.fd = server->stop[0], .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[1].revents)
            return NULL;
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            begin(server, fd);
    }
}

struct web_server *web_server_start(struct web_page *pages, size_t count, SSL_CTX *tls)
{
    struct web_server *server = calloc(1, sizeof *server);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    assert(server);
    *server = (struct web_server){.pages = pages, .count = count, .tls = tls};
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = bind(server->fd, (struct sockaddr *)&own, sizeof own) || listen(server->fd, 64) ||
                 getsockname(server->fd, (struct sockaddr *)&own, &length) || pipe(server->stop);
    server->port = ntohs(own.sin_port);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->ended, NULL);
    failed = failed || pthread_create(&server->thread, NULL, listen_all, server);
    assert(!failed);
    return server;
}

uint16_t web_server_port(const struct web_server *server)
{
    return server->port;
}

size_t web_server_seen(struct web_server *server, struct web_seen out[WEB_SEEN_MAX])
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->seen_count;
    memcpy(out, server->seen, count * sizeof *out);
    pthread_mutex_unlock(&server->lock);
    return count;
}

void web_server_stop(struct web_server *server)
{
    ssize_t written = write(server->stop[1], "x", 1);
    assert(written == 1);
    pthread_join(server->thread, NULL);
    pthread_mutex_lock(&server->lock);
    while (server->running)
        pthread_cond_wait(&server->ended, &server->lock);
    pthread_mutex_unlock(&server->lock);
    close(server->fd);
    close(server->stop[0]);
    close(server->stop[1]);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->ended);
    free(server);
}
