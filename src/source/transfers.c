#include "source/transfers.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Handles are used again: to reset one takes much less time than to make one. */
enum { SPARES_MAX = 64 };

struct transfers {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer; /* libcurl's */
    void (*over)(void *context, CURL *easy, CURLcode code);
    void *context;
    CURL *spares[SPARES_MAX];
    size_t spare_count;
};

/* A socket of libcurl. */
struct tap {
    struct transfers *transfers;
    struct loop_fd *watcher;
    curl_socket_t fd;
};

static void must(CURLMcode code)
{
    assert(code == CURLM_OK);
    (void)code;
}

/* Takes what libcurl has finished. */
static void collect(struct transfers *transfers)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(transfers->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            transfers->over(transfers->context, message->easy_handle, message->data.result);
}

static void on_ready(void *context, int events)
{
    struct tap *tap = context;
    struct transfers *transfers = tap->transfers;
    int running;
    int told =
        (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(transfers->multi, tap->fd, told, &running);
    collect(transfers);
}

static void on_timer(void *context)
{
    struct transfers *transfers = context;
    int running;
    curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(transfers);
}

static int on_timer_wish(CURLM *multi, long timeout_ms, void *context)
{
    struct transfers *transfers = context;
    (void)multi;
    if (timeout_ms < 0)
        loop_timer_stop(transfers->timer);
    else
        loop_timer_start(transfers->timer, timeout_ms * NS_PER_MS, 0);
    return 0;
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
    struct transfers *transfers = context;
    struct tap *tap = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (tap)
            loop_fd_free(tap->watcher);
        free(tap);
        curl_multi_assign(transfers->multi, fd, NULL);
        return 0;
    }
    if (!tap) {
        tap = mem_new(1, sizeof *tap);
        *tap = (struct tap){.transfers = transfers, .fd = fd};
        tap->watcher = loop_fd_new(transfers->loop, fd, on_ready, tap);
        curl_multi_assign(transfers->multi, fd, tap);
    }
    loop_fd_want(tap->watcher,
                 (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
    return 0;
}

struct transfers *transfers_new(struct loop *loop,
                                void (*over)(void *context, CURL *easy, CURLcode code),
                                void *context)
{
    struct transfers *transfers = mem_new(1, sizeof *transfers);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    *transfers = (struct transfers){.loop = loop,
                                    .multi = curl_multi_init(),
                                    .timer = loop_timer_new(loop, on_timer, transfers),
                                    .over = over,
                                    .context = context};
    assert(transfers->multi);
    must(curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish));
    must(curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers));
    must(curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish));
    must(curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers));
    return transfers;
}

void transfers_free(struct transfers *transfers)
{
    if (!transfers)
        return;
    while (transfers->spare_count)
        curl_easy_cleanup(transfers->spares[--transfers->spare_count]);
    curl_multi_cleanup(transfers->multi);
    loop_timer_free(transfers->timer);
    free(transfers);
    curl_global_cleanup();
}

CURL *transfers_open(struct transfers *transfers)
{
    CURL *easy =
        transfers->spare_count ? transfers->spares[--transfers->spare_count] : curl_easy_init();
    assert(easy);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    /* libcurl would read the system's certificates anew each time. */
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    return easy;
}

void transfers_begin(struct transfers *transfers, CURL *easy)
{
    must(curl_multi_add_handle(transfers->multi, easy));
}

void transfers_end(struct transfers *transfers, CURL *easy)
{
    must(curl_multi_remove_handle(transfers->multi, easy));
    if (transfers->spare_count == SPARES_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    transfers->spares[transfers->spare_count++] = easy;
}
