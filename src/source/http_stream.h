/* Lines that a server sends over HTTP for as long as it likes: one connection, kept open and read as
 * lines come. It is the web client of live inputs; that of probes is probe/http.h.
 *
 *     hub = http_hub_new(loop, "lastlight/0.1.0");
 *     stream = http_stream_open(hub, &request, &listener);
 *     ... line(), line(), over(), which is the last that is heard of it ...
 *     http_hub_free(hub);
 *
 * Host names are looked up without waiting, certificates are held against those of the system, no
 * proxy of the environment is used, and a redirect is not followed: what a person wrote down shall be
 * where it is. Anything but status 200 is an end, and so is a line longer than asked for. A server
 * that is gone without a word is noticed by TCP, after NET_SILENCE_NS; one that is there and says
 * nothing, only by the listener, who knows how much silence is too much. */
#ifndef SOURCE_HTTP_STREAM_H
#define SOURCE_HTTP_STREAM_H

#include "sys/loop.h"

#include <stddef.h>

/* By then there is the head of an answer, counted from the look-up, or an end. */
#define HTTP_STREAM_ANSWER_NS (20 * NS_PER_S)
enum { HTTP_STREAM_HEADER_MAX = 64 * 1024 };

struct http_hub; /* what all connections share */
struct http_hub *http_hub_new(struct loop *loop, const char *user_agent);
void http_hub_free(struct http_hub *hub); /* all streams must be over or closed */

/* NULL, or why nothing can be streamed from this URL, a static text. */
const char *http_stream_fault(const char *url);

struct http_stream_request {
    const char *url;
    const char *header; /* "Name: value", one more; NULL: none */
    size_t line_max;
    int64_t answer_ns; /* 0: HTTP_STREAM_ANSWER_NS */
};

struct http_stream_listener {
    /* Without its end, and not empty. NULL, or why no more is wanted, which is then over()'s reason. A
     * stream may not be closed from within. */
    const char *(*line)(void *context, const char *line, size_t n);
    /* `leave_ns`: the server wants to be left alone for so long (Retry-After); 0: it does not say. */
    void (*over)(void *context, const char *reason, int64_t leave_ns);
    void *context;
};

/* Begins to connect; nothing is told from within. What the request points at is copied. */
struct http_stream;
struct http_stream *http_stream_open(struct http_hub *hub,
                                     const struct http_stream_request *request,
                                     const struct http_stream_listener *listener);
void http_stream_close(struct http_stream *stream); /* over() is not called; NULL is fine */

#endif
