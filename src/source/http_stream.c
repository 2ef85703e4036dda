#include "source/http_stream.h"

#include "base/buffer.h"
#include "base/mem.h"
#include "source/probe/tls_watch.h"
#include "source/transfers.h"
#include "sys/net.h"
#include "sys/resolver.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 255, REASON_MAX = 240, PIECE = 16 * 1024 };

struct http_hub {
    struct loop *loop;
    struct transfers *transfers;
    struct resolver *resolver;
    struct tls_store *store;
    char *user_agent;
};

struct http_stream {
    struct http_hub *hub;
    struct http_stream_listener listener;
    char *url, *header;
    size_t line_max;
    int64_t answer_ns;
    char host[HOST_MAX + 1]; /* of the URL, without brackets */
    char port[8];
    struct loop_timer *timer; /* of the answer; or, once there is a reason, of over() */
    struct lookup *lookup;
    CURL *easy; /* NULL: not yet */
    struct curl_slist *addresses, *headers;
    struct tls_watch tls;
    struct buffer line; /* begun, and not ended yet */
    size_t header_bytes;
    char reason[REASON_MAX];
    char detail[CURL_ERROR_SIZE]; /* libcurl's own words */
};

/* ---- the end ---- */

static void set_reason(struct http_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void set_reason(struct http_stream *stream, const char *format, ...)
{
    va_list args;
    if (*stream->reason)
        return; /* the first stands */
    va_start(args, format);
    vsnprintf(stream->reason, sizeof stream->reason, format, args);
    va_end(args);
}

void http_stream_close(struct http_stream *stream)
{
    if (!stream)
        return;
    lookup_abandon(stream->lookup);
    loop_timer_free(stream->timer);
    if (stream->easy)
        transfers_end(stream->hub->transfers, stream->easy);
    curl_slist_free_all(stream->addresses);
    curl_slist_free_all(stream->headers);
    buffer_done(&stream->line);
    free(stream->url);
    free(stream->header);
    free(stream);
}

static void finish(struct http_stream *stream)
{
    struct http_stream_listener listener = stream->listener;
    char reason[REASON_MAX];
    curl_off_t leave_s = 0;
    snprintf(reason, sizeof reason, "%s", stream->reason);
    for (char *at = reason; *at; at++) /* it may hold what the server said */
        *at = *at >= ' ' && *at < 0x7f ? *at : '?';
    if (stream->easy)
        curl_easy_getinfo(stream->easy, CURLINFO_RETRY_AFTER, &leave_s);
    http_stream_close(stream);
    if (leave_s < 0 || leave_s > NS_PER_DAY / NS_PER_S)
        leave_s = NS_PER_DAY / NS_PER_S;
    listener.over(listener.context, reason, leave_s * NS_PER_S);
}

/* There was no answer in time, or there is a reason already. */
static void on_timer(void *context)
{
    struct http_stream *stream = context;
    char text[DURATION_TEXT_MAX];
    set_reason(stream, "no answer within %s", duration_format(stream->answer_ns, text));
    finish(stream);
}

static void finish_soon(struct http_stream *stream)
{
    loop_timer_start(stream->timer, 0, 0);
}

/* ---- what libcurl calls on the way ---- */

static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    (void)context, (void)purpose;
    net_keep_alive(fd);
    return CURL_SOCKOPT_OK;
}

static CURLcode on_ssl_context(CURL *easy, void *ssl_context, void *context)
{
    struct http_stream *stream = context;
    (void)easy;
    tls_watch_context(&stream->tls, stream->hub->store, ssl_context, true);
    return CURLE_OK;
}

/* False if that is not what was asked for. Interim heads (RFC 9110, 15.2) may come before. */
static bool take_head(struct http_stream *stream)
{
    enum { OK = 200 };
    long status = 0;
    struct curl_header *location;
    curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, &status);
    bool is_elsewhere = status > OK && curl_easy_header(stream->easy, "Location", 0, CURLH_HEADER,
                                                        -1, &location) == CURLHE_OK;
    if (is_elsewhere)
        set_reason(stream, "HTTP status %ld: it is now at %.150s", status, location->value);
    else if (status > OK)
        set_reason(stream, "HTTP status %ld", status);
    if (status == OK)
        loop_timer_stop(stream->timer);
    return status <= OK;
}

static size_t on_header(char *line, size_t size, size_t n, void *context)
{
    struct http_stream *stream = context;
    n *= size;
    stream->header_bytes += n;
    if (stream->header_bytes > HTTP_STREAM_HEADER_MAX) {
        set_reason(stream, "the head of its answer has no end");
        return 0;
    }
    bool is_end = n && (line[0] == '\r' || line[0] == '\n');
    return !is_end || take_head(stream) ? n : 0;
}

/* False if no more is wanted. */
static bool take_line(struct http_stream *stream, const char *line, size_t n)
{
    if (n && line[n - 1] == '\r')
        n--;
    const char *refusal = n ? stream->listener.line(stream->listener.context, line, n) : NULL;
    if (refusal)
        set_reason(stream, "%s", refusal);
    return !refusal;
}

/* Whether the line that has begun may have so much more; else the reason is set. */
static bool has_room(struct http_stream *stream, size_t n)
{
    bool fits = stream->line.size + n <= stream->line_max;
    if (!fits)
        set_reason(stream, "it sends a line of more than %zu bytes", stream->line_max);
    return fits;
}

/* The rest of a line; nearly always all of it, which then need not be copied. */
static bool end_line(struct http_stream *stream, const char *bytes, size_t n)
{
    if (!has_room(stream, n))
        return false;
    if (!stream->line.size)
        return take_line(stream, bytes, n);
    buffer_add(&stream->line, bytes, n);
    bool is_wanted = take_line(stream, stream->line.bytes, stream->line.size);
    buffer_clear(&stream->line);
    return is_wanted;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct http_stream *stream = context;
    const char *at = bytes, *end = bytes + size * n, *stop;
    for (; (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1)
        if (!end_line(stream, at, (size_t)(stop - at)))
            return 0;
    size_t rest = (size_t)(end - at);
    if (!has_room(stream, rest))
        return 0;
    buffer_add(&stream->line, at, rest);
    return size * n;
}

/* ---- how it ended ---- */

static void explain(struct http_stream *stream, CURLcode code)
{
    long error = 0;
    switch (code) {
    case CURLE_OK:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        set_reason(stream, "the server ended it");
        break;
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(stream->easy, CURLINFO_OS_ERRNO, &error);
        set_reason(stream, "cannot connect: %s", error ? strerror((int)error) : stream->detail);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        set_reason(stream, "the server's certificate %s",
                   stream->tls.is_expired ? "has expired" : "is not to be trusted");
        break;
    default:
        set_reason(stream, "%s", *stream->detail ? stream->detail : curl_easy_strerror(code));
    }
}

static void on_over(void *context, CURL *easy, CURLcode code)
{
    struct http_stream *stream = NULL;
    (void)context;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&stream);
    explain(stream, code);
    finish(stream);
}

/* ---- the beginning ---- */

static void set_options(struct http_stream *stream, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, stream);
    curl_easy_setopt(easy, CURLOPT_URL, stream->url);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, stream->detail);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, stream);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, stream);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, stream);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, stream->headers);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, stream->addresses);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, stream->hub->user_agent);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)PIECE);
}

static void transfer(struct http_stream *stream)
{
    if (stream->header)
        stream->headers = curl_slist_append(NULL, stream->header);
    stream->easy = transfers_open(stream->hub->transfers);
    set_options(stream, stream->easy);
    transfers_begin(stream->hub->transfers, stream->easy);
}

/* "HOST:PORT:ADDRESS,ADDRESS" for CURLOPT_RESOLVE. */
static void keep_addresses(struct http_stream *stream, const struct lookup_result *result)
{
    struct buffer line = {0};
    buffer_printf(&line, "%s:%s:", stream->host, stream->port);
    for (size_t i = 0; i < result->count; i++) {
        char text[ADDR_TEXT_MAX];
        bool is_v6 = result->addrs[i].family == 6;
        buffer_printf(&line, "%s%s%s%s", i ? "," : "", is_v6 ? "[" : "",
                      addr_format(&result->addrs[i], text), is_v6 ? "]" : "");
    }
    stream->addresses = curl_slist_append(NULL, line.bytes);
    buffer_done(&line);
}

static void on_looked_up(void *context, const struct lookup_result *result)
{
    struct http_stream *stream = context;
    stream->lookup = NULL;
    switch (result->status) {
    case LOOKUP_OK:
        keep_addresses(stream, result);
        transfer(stream);
        return;
    case LOOKUP_NO_NAME:
        set_reason(stream, "there is no host %s", stream->host);
        break;
    case LOOKUP_NO_ADDRESS:
        set_reason(stream, "%s has no address", stream->host);
        break;
    case LOOKUP_SERVER_FAILURE:
    case LOOKUP_FORBIDDEN: /* no filter is set */
    case LOOKUP_OURS:
        set_reason(stream, "the address of %s could not be looked up", stream->host);
        break;
    }
    finish_soon(stream);
}

/* The parts of a URL that are needed before it is fetched. NULL, or what is wrong with it. */
static const char *read_url(const char *url, char host[HOST_MAX + 1], char port[8])
{
    char *scheme = NULL, *name = NULL, *number = NULL;
    CURLU *parts = curl_url();
    assert(parts);
    bool is_url = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
                  curl_url_get(parts, CURLUPART_PORT, &number, CURLU_DEFAULT_PORT) == CURLUE_OK;
    bool is_web = is_url && (!strcmp(scheme, "http") || !strcmp(scheme, "https"));
    bool is_bracketed = is_url && name[0] == '[';
    size_t n = is_url ? strlen(name) - (is_bracketed ? 2 : 0) : 0;
    if (is_web && n && n <= HOST_MAX) {
        memcpy(host, name + is_bracketed, n);
        host[n] = '\0';
        snprintf(port, 8, "%s", number);
    }
    curl_free(scheme);
    curl_free(name);
    curl_free(number);
    curl_url_cleanup(parts);
    return !is_url              ? "it is no URL"
           : !is_web            ? "only http and https can be streamed"
           : !n || n > HOST_MAX ? "its host cannot be one"
                                : NULL;
}

const char *http_stream_fault(const char *url)
{
    char host[HOST_MAX + 1], port[8];
    return read_url(url, host, port);
}

static void begin(struct http_stream *stream)
{
    struct addr addr;
    const char *fault = read_url(stream->url, stream->host, stream->port);
    if (fault) {
        set_reason(stream, "%s", fault);
        finish_soon(stream);
        return;
    }
    if (addr_parse(stream->host, strlen(stream->host), &addr)) {
        transfer(stream);
        return;
    }
    struct lookup *lookup =
        resolver_look_up(stream->hub->resolver, stream->host, on_looked_up, stream);
    if (lookup) /* else it is over already */
        stream->lookup = lookup;
}

struct http_stream *http_stream_open(struct http_hub *hub,
                                     const struct http_stream_request *request,
                                     const struct http_stream_listener *listener)
{
    struct http_stream *stream = mem_new(1, sizeof *stream);
    *stream = (struct http_stream){.hub = hub,
                                   .listener = *listener,
                                   .url = mem_copy(request->url),
                                   .header = mem_copy(request->header),
                                   .line_max = request->line_max};
    stream->answer_ns = request->answer_ns ? request->answer_ns : HTTP_STREAM_ANSWER_NS;
    stream->timer = loop_timer_new(hub->loop, on_timer, stream);
    loop_timer_start(stream->timer, stream->answer_ns, 0);
    begin(stream);
    return stream;
}

/* ---- the hub ---- */

struct http_hub *http_hub_new(struct loop *loop, const char *user_agent)
{
    struct http_hub *hub = mem_new(1, sizeof *hub);
    *hub = (struct http_hub){.loop = loop,
                             .transfers = transfers_new(loop, on_over, hub),
                             .resolver = resolver_new(loop),
                             .store = tls_store_new(),
                             .user_agent = mem_copy(user_agent)};
    return hub;
}

void http_hub_free(struct http_hub *hub)
{
    if (!hub)
        return;
    resolver_free(hub->resolver);
    tls_store_free(hub->store);
    transfers_free(hub->transfers);
    free(hub->user_agent);
    free(hub);
}
