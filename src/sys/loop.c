#include "sys/loop.h"

#include "base/mem.h"
#include "sys/clock.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

struct loop {
    uv_loop_t uv;
    uv_async_t alive; /* keeps loop_run() going while nothing else is registered */
    struct mono now;
};

/* All four kinds have their libuv handle first, which is how the walk in loop_free() finds them. */
struct loop_timer {
    uv_timer_t uv;
    struct loop *loop;
    void (*fire)(void *context);
    void *context;
};

struct loop_fd {
    uv_poll_t uv;
    struct loop *loop;
    void (*ready)(void *context, int events);
    void *context;
    int wanted;
};

struct loop_signal {
    uv_signal_t uv;
    struct loop *loop;
    void (*fire)(void *context);
    void *context;
};

/* What the calls here can fail with is a lack of memory or descriptors at start, or misuse. */
static void must(int status)
{
    assert(status == 0);
    (void)status;
}

static void enter(struct loop *loop)
{
    loop->now = clock_mono();
}

static void on_alive(uv_async_t *handle)
{
    (void)handle;
}

struct loop *loop_new(void)
{
    /* TLS writes to sockets without saying MSG_NOSIGNAL; a peer that has gone must not end us. */
    signal(SIGPIPE, SIG_IGN);
    struct loop *loop = mem_new(1, sizeof *loop);
    must(uv_loop_init(&loop->uv));
    must(uv_async_init(&loop->uv, &loop->alive, on_alive));
    enter(loop);
    return loop;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, free_handle);
}

static void close_left_over(uv_handle_t *handle, void *loop)
{
    if (handle != (uv_handle_t *)&((struct loop *)loop)->alive)
        close_handle(handle);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    uv_walk(&loop->uv, close_left_over, loop);
    uv_close((uv_handle_t *)&loop->alive, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    must(uv_loop_close(&loop->uv));
    free(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

struct mono loop_now(const struct loop *loop)
{
    return loop->now;
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*fire)(void *context), void *context)
{
    struct loop_timer *timer = mem_new(1, sizeof *timer);
    timer->loop = loop;
    timer->fire = fire;
    timer->context = context;
    must(uv_timer_init(&loop->uv, &timer->uv));
    return timer;
}

static void on_timer(uv_timer_t *handle)
{
    struct loop_timer *timer = (struct loop_timer *)handle;
    enter(timer->loop);
    timer->fire(timer->context);
}

static uint64_t milliseconds(int64_t ns)
{
    return ns <= 0 ? 0 : (uint64_t)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

void loop_timer_start(struct loop_timer *timer, int64_t first_ns, int64_t repeat_ns)
{
    uv_update_time(&timer->loop->uv); /* the turn may have been long already */
    must(uv_timer_start(&timer->uv, on_timer, milliseconds(first_ns), milliseconds(repeat_ns)));
}

void loop_timer_stop(struct loop_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer)
        close_handle((uv_handle_t *)&timer->uv);
}

struct loop_fd *loop_fd_new(struct loop *loop, int fd, void (*ready)(void *context, int events),
                            void *context)
{
    struct loop_fd *watcher = mem_new(1, sizeof *watcher);
    watcher->loop = loop;
    watcher->ready = ready;
    watcher->context = context;
    must(uv_poll_init(&loop->uv, &watcher->uv, fd));
    return watcher;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct loop_fd *watcher = (struct loop_fd *)handle;
    int told = (events & UV_READABLE ? LOOP_READ : 0) | (events & UV_WRITABLE ? LOOP_WRITE : 0);
    if (status < 0) { /* libuv stops watching after an error; whoever reads will clear it */
        told = LOOP_READ | LOOP_WRITE;
        loop_fd_want(watcher, watcher->wanted);
    }
    enter(watcher->loop);
    watcher->ready(watcher->context, told);
}

void loop_fd_want(struct loop_fd *watcher, int events)
{
    watcher->wanted = events;
    if (!events) {
        uv_poll_stop(&watcher->uv);
        return;
    }
    int wanted = (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
    must(uv_poll_start(&watcher->uv, wanted, on_poll));
}

void loop_fd_free(struct loop_fd *watcher)
{
    if (watcher)
        close_handle((uv_handle_t *)&watcher->uv);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct loop_signal *watched = (struct loop_signal *)handle;
    (void)number;
    enter(watched->loop);
    watched->fire(watched->context);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*fire)(void *context),
                                    void *context)
{
    struct loop_signal *watched = mem_new(1, sizeof *watched);
    watched->loop = loop;
    watched->fire = fire;
    watched->context = context;
    must(uv_signal_init(&loop->uv, &watched->uv));
    must(uv_signal_start(&watched->uv, on_signal, number));
    return watched;
}

void loop_signal_free(struct loop_signal *watched)
{
    if (watched)
        close_handle((uv_handle_t *)&watched->uv);
}
