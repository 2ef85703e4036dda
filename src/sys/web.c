#include "sys/web.h"

#include "base/mem.h"
#include "sys/clock.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    POLL_MS = 100,
    STALL_BYTES = 1024,        /* fewer than this in `stall_ns` is a stall */
    OTHER_BODY_MAX = 64 * 1024 /* of the body of an error page */
};

struct web_client {
    char *agent, *ca_file;
    int64_t connect_ns, stall_ns;
    CURLM *multi; /* holds the connections */
    CURL *easy;
    atomic_bool is_stopped;
};

/* One transfer. */
struct transfer {
    struct web_client *client;
    const struct web_ask *ask;
    struct web_head head;
    bool is_told; /* head() was called */
    bool is_ours, is_too_large, is_endless_head, is_bad_part, is_stalled, is_refused_part;
    uint64_t head_bytes, body_bytes;
    uint64_t moved; /* all bytes, for the watch on stalls */
    uint64_t watch_bytes;
    struct mono watch_start;
    char error[CURL_ERROR_SIZE];
};

/* The head. */

/* Half a tag is worth nothing. One with a control character would break the line in which it is sent back. */
static void copy_value(const char *value, size_t n, char *out, size_t size)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == '\x7f')
            n = 0;
    if (n >= size)
        n = 0;
    memcpy(out, value, n);
    out[n] = '\0';
}

/* "bytes 100-199/1000", "bytes 100-199/" with a star, or of a 416 a star and the size. RFC 9110, 14.4. */
static void read_range(struct transfer *transfer, const char *value)
{
    unsigned long long first = 0, last = 0, size = 0;
    struct web_head *head = &transfer->head;
    if (strncasecmp(value, "bytes ", 6) != 0)
        return;
    int fields = sscanf(value + 6, "%20llu-%20llu/%20llu", &first, &last, &size);
    if (fields >= 2) {
        head->offset = first;
        head->size = fields == 3 && size <= INT64_MAX ? (int64_t)size : -1;
        transfer->is_bad_part = last < first || (fields == 3 && last >= size);
    }
}

static bool is_named(const char *line, size_t n, const char *name)
{
    return n == strlen(name) && strncasecmp(line, name, n) == 0;
}

static void read_field(struct transfer *transfer, const char *line, size_t n)
{
    char value[512];
    struct web_head *head = &transfer->head;
    const char *colon = memchr(line, ':', n);
    if (!colon)
        return;
    size_t name = (size_t)(colon - line);
    const char *at = colon + 1, *end = line + n;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && strchr(" \t\r\n", end[-1]))
        end--;
    copy_value(at, (size_t)(end - at), value, sizeof value);
    if (is_named(line, name, "ETag"))
        copy_value(value, strlen(value), head->etag, sizeof head->etag);
    else if (is_named(line, name, "Last-Modified"))
        copy_value(value, strlen(value), head->modified, sizeof head->modified);
    else if (is_named(line, name, "Date"))
        head->date = web_date(value);
    else if (is_named(line, name, "Content-Encoding"))
        snprintf(head->encoding, sizeof head->encoding, "%.31s", value);
    else if (is_named(line, name, "Content-Range"))
        read_range(transfer, value);
}

static size_t on_header(char *line, size_t size, size_t n, void *context)
{
    struct transfer *transfer = context;
    n *= size;
    transfer->moved += n;
    transfer->head_bytes += n;
    transfer->is_endless_head = transfer->head_bytes > WEB_HEAD_MAX;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* the one before was a redirection or interim */
        transfer->head = (struct web_head){.size = -1};
        transfer->is_bad_part = false;
    } else {
        read_field(transfer, line, n);
    }
    return transfer->is_endless_head ? 0 : n;
}

static long status_of(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->client->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* A part may only come where one was asked for, and from where it was. If it does not say how large the
 * whole is, nobody could tell whether it goes on to the end. */
static bool is_wanted_part(const struct transfer *transfer)
{
    const struct web_head *head = &transfer->head;
    return transfer->ask->offset > 0 && head->offset == transfer->ask->offset && head->size >= 0 &&
           !transfer->is_bad_part;
}

/* The head is complete. */
static bool take_head(struct transfer *transfer)
{
    curl_off_t length = -1;
    struct web_head *head = &transfer->head;
    const struct web_ask *ask = transfer->ask;
    transfer->is_told = true;
    head->status = (int)status_of(transfer);
    head->is_part = head->status == 206;
    if (head->status != 200 && head->status != 206)
        return true;
    curl_easy_getinfo(transfer->client->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (!head->is_part) {
        head->size = length;
        head->offset = 0;
    } else if (!is_wanted_part(transfer)) {
        transfer->is_refused_part = true;
        return false;
    }
    transfer->is_too_large =
        ask->body_max && head->size >= 0 && (uint64_t)head->size > ask->body_max;
    if (transfer->is_too_large)
        return false;
    transfer->is_ours = ask->head && !ask->head(ask->context, head);
    return !transfer->is_ours;
}

/* The body. */

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct transfer *transfer = context;
    const struct web_ask *ask = transfer->ask;
    n *= size;
    transfer->moved += n;
    transfer->body_bytes += n;
    if (!transfer->is_told && !take_head(transfer))
        return 0;
    if (transfer->head.status != 200 && transfer->head.status != 206) /* an error page */
        return transfer->body_bytes > OTHER_BODY_MAX ? 0 : n;
    transfer->is_too_large =
        ask->body_max && transfer->head.offset + transfer->body_bytes > ask->body_max;
    if (transfer->is_too_large)
        return 0;
    transfer->is_ours = ask->body && !ask->body(ask->context, bytes, n);
    return transfer->is_ours ? 0 : n;
}

/* The transfer. */

static bool is_stalled(struct transfer *transfer)
{
    struct mono now = clock_mono();
    if (transfer->moved - transfer->watch_bytes >= STALL_BYTES) {
        transfer->watch_bytes = transfer->moved;
        transfer->watch_start = now;
    }
    transfer->is_stalled = mono_diff(now, transfer->watch_start) >= transfer->client->stall_ns;
    return transfer->is_stalled;
}

/* Until it is through, stalled (CURLE_OPERATION_TIMEDOUT) or stopped (CURLE_ABORTED_BY_CALLBACK). */
static CURLcode run(struct transfer *transfer)
{
    struct web_client *client = transfer->client;
    CURLcode code = CURLE_OK;
    bool is_over = false;
    int running = 1, left;
    curl_multi_add_handle(client->multi, client->easy);
    transfer->watch_start = clock_mono();
    while (!code && !curl_multi_perform(client->multi, &running) && running) {
        if (web_client_is_stopped(client))
            code = CURLE_ABORTED_BY_CALLBACK;
        else if (is_stalled(transfer))
            code = CURLE_OPERATION_TIMEDOUT;
        else
            curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
    }
    for (CURLMsg *message; !code && (message = curl_multi_info_read(client->multi, &left));)
        if (message->msg == CURLMSG_DONE) {
            code = message->data.result;
            is_over = true;
        }
    curl_multi_remove_handle(client->multi, client->easy);
    return code || is_over ? code : CURLE_RECV_ERROR; /* libcurl itself has failed */
}

static struct curl_slist *add_field(struct curl_slist *list, const char *name, const char *value)
{
    char line[WEB_TAG_MAX + 64];
    if (!value || !*value)
        return list;
    snprintf(line, sizeof line, "%s: %s", name, value);
    return curl_slist_append(list, line);
}

static struct curl_slist *fields_of(const struct web_ask *ask)
{
    struct curl_slist *list = add_field(NULL, "Accept-Encoding", "identity");
    list = add_field(list, "If-Range", ask->offset ? ask->if_range : NULL);
    list = add_field(list, "If-None-Match", ask->if_none_match);
    return add_field(list, "If-Modified-Since", ask->if_modified);
}

static void set_rules(const struct web_client *client, const char *url)
{
    CURL *easy = client->easy;
    /* A page that came safely must not lead to one that does not. */
    bool is_safe = strncasecmp(url, "https:", 6) == 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->agent);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_safe ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)WEB_REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(client->connect_ns / NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024L);
    if (client->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
}

static void set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->client->easy;
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
}

/* What it came to. */

static enum web_end say(struct web_answer *answer, enum web_end end, const char *text)
{
    snprintf(answer->what, sizeof answer->what, "%s", text);
    for (char *at = answer->what; *at; at++)
        if ((unsigned char)*at < ' ' || *at == '\x7f')
            *at = '?';
    return end;
}

static enum web_end judge_status(struct web_answer *answer, int status)
{
    char text[128];
    enum web_end end = status == 304                    ? WEB_UNCHANGED
                       : status == 404 || status == 410 ? WEB_ABSENT
                       : status == 416                  ? WEB_NO_RANGE
                       : status == 408 || status == 425 || status == 429 || status >= 500
                           ? WEB_AGAIN
                           : WEB_REFUSED;
    snprintf(text, sizeof text, "the server answers %d (%s)", status,
             status == 304   ? "not modified"
             : status == 401 ? "needs a password"
             : status == 403 ? "forbidden"
             : status == 404 ? "not found"
             : status == 410 ? "gone"
             : status == 416 ? "no such part"
             : status == 429 ? "too many requests"
             : status >= 500 ? "its own failure"
                             : "not what was asked for");
    return say(answer, end, text);
}

static enum web_end judge_cut(const struct transfer *transfer, struct web_answer *answer)
{
    char text[128];
    const struct web_head *head = &transfer->head;
    unsigned long long came = head->offset + transfer->body_bytes;
    if (head->size >= 0)
        snprintf(text, sizeof text, "broken off after %llu of %lld bytes", came,
                 (long long)head->size);
    else
        snprintf(text, sizeof text, "broken off after %llu bytes", came);
    return say(answer, WEB_AGAIN, text);
}

static enum web_end judge_stall(const struct transfer *transfer, struct web_answer *answer)
{
    char text[128], within[DURATION_TEXT_MAX];
    snprintf(text, sizeof text, "stalled: %llu bytes came in %s",
             (unsigned long long)(transfer->moved - transfer->watch_bytes),
             duration_format(transfer->client->stall_ns, within));
    return say(answer, WEB_AGAIN, text);
}

/* One of our own callbacks ended it, or one of them had reason to before it broke. */
static bool judge_ours(const struct transfer *transfer, struct web_answer *answer)
{
    if (transfer->is_ours)
        answer->end = WEB_OURS;
    else if (transfer->is_too_large)
        answer->end = say(answer, WEB_TOO_LARGE, "larger than is taken");
    else if (transfer->is_endless_head)
        answer->end = say(answer, WEB_REFUSED, "the head of the reply does not end");
    else if (transfer->is_refused_part)
        answer->end = say(answer, WEB_NO_RANGE, "the server sends another part than was asked for");
    else
        return false;
    return true;
}

static enum web_end judge_code(const struct transfer *transfer, CURLcode code,
                               struct web_answer *answer)
{
    const char *text = *transfer->error ? transfer->error : curl_easy_strerror(code);
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return say(answer, WEB_STOPPED, "stopped");
    case CURLE_OPERATION_TIMEDOUT:
        return transfer->is_stalled ? judge_stall(transfer, answer) : say(answer, WEB_AGAIN, text);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
        return transfer->head.status ? judge_cut(transfer, answer) : say(answer, WEB_AGAIN, text);
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return say(answer, WEB_AGAIN, text);
    case CURLE_PEER_FAILED_VERIFICATION:
        return say(answer, WEB_REFUSED, text);
    case CURLE_TOO_MANY_REDIRECTS:
        return say(answer, WEB_REFUSED, "it is redirected on and on");
    case CURLE_UNSUPPORTED_PROTOCOL:
        return say(answer, WEB_REFUSED, "it leads to something that is not http or https");
    default:
        return say(answer, WEB_REFUSED, text);
    }
}

/* A part may be shorter than what is left of the file. */
static bool is_whole(const struct transfer *transfer)
{
    const struct web_head *head = &transfer->head;
    return head->size < 0 || head->offset + transfer->body_bytes == (uint64_t)head->size;
}

static void judge(struct transfer *transfer, CURLcode code, struct web_answer *answer)
{
    bool is_error_page;
    if (!code && !transfer->is_told && !take_head(transfer))
        code = CURLE_WRITE_ERROR;
    answer->head = transfer->head;
    is_error_page =
        transfer->head.status && transfer->head.status != 200 && transfer->head.status != 206;
    if (judge_ours(transfer, answer))
        return;
    if (is_error_page && code != CURLE_ABORTED_BY_CALLBACK)
        answer->end = judge_status(answer, transfer->head.status);
    else if (!code && !is_whole(transfer))
        answer->end = judge_cut(transfer, answer);
    else
        answer->end = code ? judge_code(transfer, code, answer) : WEB_DONE;
}

void web_client_get(struct web_client *client, const struct web_ask *ask, struct web_answer *answer)
{
    struct transfer transfer = {.client = client, .ask = ask, .head = {.size = -1}};
    struct curl_slist *fields = fields_of(ask);
    char range[32];
    curl_off_t retry_after = 0;
    *answer = (struct web_answer){0};
    curl_easy_reset(client->easy);
    set_rules(client, ask->url);
    set_callbacks(&transfer);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, fields);
    if (ask->offset) {
        snprintf(range, sizeof range, "%llu-", (unsigned long long)ask->offset);
        curl_easy_setopt(client->easy, CURLOPT_RANGE, range);
    }
    judge(&transfer, run(&transfer), answer);
    if (!curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after) && retry_after > 0)
        answer->retry_after_ns =
            retry_after < 1000000 ? (int64_t)retry_after * NS_PER_S : 1000000 * NS_PER_S;
    curl_slist_free_all(fields);
}

/* The client. */

struct web_client *web_client_new(const struct web_options *options)
{
    struct web_client *client = mem_new(1, sizeof *client);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client->agent = mem_copy(options->agent);
    client->ca_file = mem_copy(options->ca_file);
    client->connect_ns = options->connect_ns;
    client->stall_ns = options->stall_ns;
    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    assert(client->multi && client->easy);
    return client;
}

void web_client_free(struct web_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    curl_global_cleanup();
    free(client->agent);
    free(client->ca_file);
    free(client);
}

bool web_client_wait(struct web_client *client, int64_t ns)
{
    struct mono start = clock_mono();
    for (int64_t left = ns; left > 0 && !web_client_is_stopped(client);
         left = ns - mono_diff(clock_mono(), start)) {
        int64_t ms = left / NS_PER_MS + 1;
        curl_multi_poll(client->multi, NULL, 0, (int)(ms < 1000 ? ms : 1000), NULL);
    }
    return !web_client_is_stopped(client);
}

void web_client_stop(struct web_client *client)
{
    atomic_store(&client->is_stopped, true);
    curl_multi_wakeup(client->multi);
}

bool web_client_is_stopped(const struct web_client *client)
{
    return atomic_load(&client->is_stopped);
}

struct utc web_date(const char *text)
{
    time_t seconds = *text ? curl_getdate(text, NULL) : -1;
    return (struct utc){seconds > 0 ? (int64_t)seconds * NS_PER_S : 0};
}
