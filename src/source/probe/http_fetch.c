#include "source/probe/http_fetch.h"

#include "source/probe/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What libcurl calls on the way. */

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct fetch *fetch = context;
    int error;
    (void)purpose;
    fetch->tried = net_addr(&to->addr);
    int fd = net_open(to->family, to->socktype, to->protocol, &error);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_close(void *context, curl_socket_t fd)
{
    struct fetch *fetch = context;
    struct net_icmp_fault fault;
    if (net_icmp_fault(fd, &fault)) {
        fetch->fault = fault;
        fetch->has_fault = true;
    }
    return close(fd);
}

/* After connecting and the handshake, right before the request. */
static int on_connected(void *context, char *peer, char *own, int peer_port, int own_port)
{
    struct fetch *fetch = context;
    (void)peer, (void)own, (void)peer_port, (void)own_port;
    fetch->is_ready = true;
    return CURL_PREREQFUNC_OK;
}

/* "HTTP/1.1 503 ..." begins a head; interim ones (RFC 9110, section 15.2) may come before the last.
 */
static void begin_head(struct fetch *fetch, const char *line, size_t n)
{
    const char *space = memchr(line, ' ', n);
    fetch->status = 0;
    for (const char *at = space ? space + 1 : line + n;
         at < line + n && *at >= '0' && *at <= '9' && fetch->status < 1000; at++)
        fetch->status = fetch->status * 10 + (*at - '0');
    fetch->has_retry_after = false;
}

static size_t on_header(char *line, size_t size, size_t n, void *context)
{
    static const char retry_after[] = "retry-after:";
    enum { FINAL = 200 };
    struct fetch *fetch = context;
    n *= size;
    fetch->header_bytes += n;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
        begin_head(fetch, line, n);
    if (n >= sizeof retry_after && strncasecmp(line, retry_after, sizeof retry_after - 1) == 0)
        fetch->has_retry_after = true;
    if (n && (line[0] == '\r' || line[0] == '\n'))
        fetch->has_headers = fetch->status >= FINAL;
    fetch->is_oversized = fetch->header_bytes > HTTP_HEADER_MAX;
    return fetch->is_oversized ? 0 : n;
}

/* The page's text is what is hashed, of HTML; of anything else all of it. */
static void begin_page(struct fetch *fetch)
{
    const char *type = NULL;
    curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
    page_text_init(&fetch->page, !type || strcasestr(type, "html"));
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct fetch *fetch = context;
    size_t room = HTTP_BODY_MAX - fetch->body_bytes; /* never 0: a full body was the last call */
    n *= size;
    if (fetch->account && !fetch->page.digest)
        begin_page(fetch);
    if (fetch->account)
        page_text_feed(&fetch->page, bytes, n < room ? n : room);
    if (fetch->expect_text)
        buffer_add(&fetch->body, bytes, n < room ? n : room);
    fetch->body_bytes += n;
    fetch->is_enough = fetch->body_bytes >= HTTP_BODY_MAX;
    return fetch->is_enough ? 0 : n;
}

static CURLcode on_ssl_context(CURL *easy, void *ssl_context, void *context)
{
    struct fetch *fetch = context;
    (void)easy;
    fetch->is_shaking = true;
    fetch->tls.account = fetch->account;
    tls_watch_context(&fetch->tls, fetch->store, ssl_context, true);
    return CURLE_OK;
}

/* "HOST:PORT:ADDRESS,ADDRESS" for CURLOPT_RESOLVE. */
static struct curl_slist *address_list(const struct fetch *fetch,
                                       const struct lookup_result *result)
{
    char line[TARGET_TEXT_MAX + 16 + LOOKUP_ADDRESSES * (ADDR_TEXT_MAX + 3)];
    const struct part *host = &fetch->target->host;
    int at = snprintf(line, sizeof line, "%.*s:%u:", host->n, fetch->text + host->at,
                      fetch->target->port);
    for (size_t i = 0; i < result->count; i++) {
        char text[ADDR_TEXT_MAX];
        bool is_v6 = result->addrs[i].family == 6;
        at += snprintf(line + at, sizeof line - (size_t)at, "%s%s%s%s", i ? "," : "",
                       is_v6 ? "[" : "", addr_format(&result->addrs[i], text), is_v6 ? "]" : "");
    }
    return curl_slist_append(NULL, line);
}

/* A tls target has no URL of its own. */
static void set_url(const struct fetch *fetch, CURL *easy)
{
    char url[TARGET_TEXT_MAX + 16];
    if (fetch->target->kind == TARGET_TLS) {
        snprintf(url, sizeof url, "https://%s/", fetch->text + strlen("tls:"));
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_URL, fetch->text);
}

static int64_t passed_ns(const struct fetch *fetch)
{
    return fetch->before_ns + stopwatch_elapsed_ns(&fetch->watch);
}

/* What libcurl says, sends and gets, a line each. */
static int on_step(CURL *easy, curl_infotype type, char *bytes, size_t n, void *context)
{
    static const char *const marks[] = {
        [CURLINFO_TEXT] = "*", [CURLINFO_HEADER_IN] = "<", [CURLINFO_HEADER_OUT] = ">"};
    struct fetch *fetch = context;
    int64_t at_ns = passed_ns(fetch);
    (void)easy;
    if (type == CURLINFO_DATA_IN)
        account_say(fetch->account, at_ns, "< [%zu bytes of the page]", n);
    for (const char *end = bytes + n; type <= CURLINFO_HEADER_OUT && bytes < end;) {
        char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t length = (size_t)((stop ? stop : end) - bytes);
        while (length && bytes[length - 1] == '\r')
            length--;
        account_say(fetch->account, at_ns, "%s %.*s", marks[type], (int)length, bytes);
        bytes = stop ? stop + 1 : (char *)(uintptr_t)end;
    }
    return 0;
}

static void set_callbacks(struct fetch *fetch, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, fetch);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, account_wants_steps(fetch->account) ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_step);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, fetch);
}

void fetch_prepare(struct fetch *fetch, CURL *easy, const char *user_agent,
                   const struct lookup_result *result)
{
    fetch->easy = easy;
    set_url(fetch, easy);
    set_callbacks(fetch, easy);
    if (result) {
        fetch->addresses = address_list(fetch, result);
        curl_easy_setopt(easy, CURLOPT_RESOLVE, fetch->addresses);
    }
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16384L);
}

/* What it came to. */

static int64_t time_of(CURL *easy, CURLINFO info)
{
    curl_off_t us = 0;
    curl_easy_getinfo(easy, info, &us);
    return (int64_t)us * 1000;
}

/* Where a transfer ended that did not succeed. */
static enum stage stage_of(const struct fetch *fetch)
{
    if (fetch->has_headers)
        return STAGE_BODY;
    if (fetch->is_ready)
        return STAGE_REPLY;
    return fetch->is_shaking ? STAGE_TLS : STAGE_CONNECT;
}

static enum outcome outcome_of_status(const struct fetch *fetch, long status)
{
    enum { UNAVAILABLE = 503 };
    if (fetch->expect_status ? status == fetch->expect_status : status >= 200 && status < 400)
        return OUTCOME_OK;
    if (status == UNAVAILABLE && fetch->has_retry_after)
        return OUTCOME_HTTP_UNAVAILABLE;
    return status >= 400 ? OUTCOME_HTTP_ERROR : OUTCOME_CONTENT;
}

/* Searched at the end and as a whole, so that it does not matter how the page was cut into packets.
 * Of a page longer than HTTP_BODY_MAX only so much is known: without the text in it, it counts as
 * without. */
static bool lacks_text(const struct fetch *fetch)
{
    const struct buffer *body = &fetch->body;
    const char *text = fetch->expect_text;
    return text && !(body->size && memmem(body->bytes, body->size, text, strlen(text)));
}

/* The connection could not be made, or broke. */
static void judge_connection(const struct fetch *fetch, CURL *easy, struct answer *answer)
{
    long error = 0;
    if (fetch->has_fault) {
        judge_icmp(answer, &fetch->tried, &fetch->fault);
        return;
    }
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
    answer->outcome = outcome_of_error((int)error);
}

/* A connection that was there has ended. */
static void judge_end(const struct fetch *fetch, CURL *easy, enum outcome otherwise,
                      struct answer *answer)
{
    judge_connection(fetch, easy, answer);
    if (answer->outcome == OUTCOME_SELF && !fetch->has_fault)
        answer->outcome = otherwise;
}

static void judge_failure(const struct fetch *fetch, CURL *easy, CURLcode code,
                          struct answer *answer)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        judge_connection(fetch, easy, answer);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        answer->outcome = OUTCOME_TIMEOUT;
        break;
    case CURLE_SSL_CONNECT_ERROR:
        judge_end(fetch, easy, OUTCOME_TLS_ERROR, answer);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        answer->outcome = fetch->tls.is_expired ? OUTCOME_CERT_EXPIRED : OUTCOME_CERT_INVALID;
        break;
    case CURLE_SEND_ERROR:
        answer->stage = STAGE_SEND;
        judge_end(fetch, easy, OUTCOME_CLOSED, answer);
        break;
    case CURLE_RECV_ERROR:
        judge_end(fetch, easy, OUTCOME_CLOSED, answer);
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        answer->outcome = OUTCOME_CLOSED;
        break;
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: not HTTP at all */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR: /* the head never ended */
    case CURLE_BAD_CONTENT_ENCODING:
        answer->outcome = OUTCOME_BAD_REPLY;
        break;
    default:
        answer->outcome = OUTCOME_SELF;
    }
}

static struct addr peer_of(const struct fetch *fetch, CURL *easy)
{
    const char *text = NULL;
    struct addr peer;
    if ((fetch->is_shaking || fetch->is_ready) &&
        !curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &text) && text &&
        addr_parse(text, strlen(text), &peer))
        return peer;
    return fetch->tried;
}

/* How long the first byte of the reply took; of a handshake, the whole. */
static int64_t rtt_of(const struct fetch *fetch, CURL *easy)
{
    if (fetch->has_headers)
        return time_of(easy, CURLINFO_STARTTRANSFER_TIME_T);
    if (fetch->is_ready && fetch->target->kind == TARGET_TLS)
        return time_of(easy, CURLINFO_APPCONNECT_TIME_T);
    return time_of(easy, CURLINFO_TOTAL_TIME_T);
}

/* As an absolute URL; NULL if it is no redirect. */
const char *fetch_location(CURL *easy)
{
    const char *url = NULL;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &url);
    return url;
}

static void tell_header(const struct fetch *fetch, CURL *easy, const char *name, enum fact fact)
{
    struct curl_header *header;
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        account_text(fetch->account, fact, header->value, strlen(header->value));
}

static void tell_http(struct fetch *fetch, CURL *easy)
{
    static const char *const versions[] = {[CURL_HTTP_VERSION_1_0] = "1.0",
                                           [CURL_HTTP_VERSION_1_1] = "1.1",
                                           [CURL_HTTP_VERSION_2_0] = "2"};
    char hash[PAGE_HASH_TEXT];
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    if (version >= CURL_HTTP_VERSION_1_0 && version <= CURL_HTTP_VERSION_2_0)
        account_text(fetch->account, FACT_HTTP_VERSION, versions[version],
                     strlen(versions[version]));
    tell_header(fetch, easy, "server", FACT_HTTP_SERVER);
    account_number(fetch->account, FACT_HEADER_BYTES, (int64_t)fetch->header_bytes);
    account_number(fetch->account, FACT_BODY_BYTES, (int64_t)fetch->body_bytes);
    if (!fetch->page.digest)
        return;
    page_text_done(&fetch->page, hash);
    account_text(fetch->account, FACT_BODY_SHA256, hash, strlen(hash));
}

static void tell_stages(const struct fetch *fetch, CURL *easy)
{
    static const struct {
        enum stage stage;
        CURLINFO info;
    } stages[] = {{STAGE_CONNECT, CURLINFO_CONNECT_TIME_T},
                  {STAGE_TLS, CURLINFO_APPCONNECT_TIME_T},
                  {STAGE_SEND, CURLINFO_PRETRANSFER_TIME_T},
                  {STAGE_REPLY, CURLINFO_STARTTRANSFER_TIME_T}};
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        int64_t ns = time_of(easy, stages[i].info);
        if (ns)
            account_reached(fetch->account, stages[i].stage, fetch->before_ns + ns);
    }
}

void fetch_tell(struct fetch *fetch, CURL *easy, CURLcode code)
{
    static const char other_name[] = "not valid for this name";
    const char *location = fetch_location(easy);
    if (!fetch->account)
        return;
    if (code == CURLE_PEER_FAILED_VERIFICATION && !fetch->tls.has_failed)
        account_add(fetch->account, FACT_CERT_FAULTS, other_name, strlen(other_name));
    if (location)
        account_add(fetch->account, FACT_HTTP_LOCATION, location, strlen(location));
    tell_stages(fetch, easy);
    if (!fetch->has_headers)
        return;
    tell_http(fetch, easy);
    account_reached(fetch->account, STAGE_BODY,
                    fetch->before_ns + time_of(easy, CURLINFO_TOTAL_TIME_T));
}

struct answer fetch_judge(const struct fetch *fetch, CURL *easy, CURLcode code)
{
    struct answer answer = {
        .sent = fetch->watch.sent,
        .rtt_ns = rtt_of(fetch, easy),
        .value = fetch->tls.not_after,
        .peer = peer_of(fetch, easy),
        .stage = stage_of(fetch),
    };
    bool is_complete = code == CURLE_OK || (code == CURLE_WRITE_ERROR && fetch->is_enough);
    if (is_complete && !fetch->has_headers && fetch->target->kind != TARGET_TLS) {
        is_complete = false; /* it ended within the head */
        code = CURLE_GOT_NOTHING;
    }
    enum outcome by_status =
        fetch->has_headers ? outcome_of_status(fetch, fetch->status) : OUTCOME_OK;
    if (fetch->has_headers)
        answer.code = (uint16_t)fetch->status;
    if (by_status != OUTCOME_OK) { /* whatever became of the body */
        answer.outcome = by_status;
        answer.stage = STAGE_REPLY;
    } else if (!is_complete) {
        judge_failure(fetch, easy, code, &answer);
    } else if (lacks_text(fetch)) {
        answer.outcome = OUTCOME_CONTENT;
    } else {
        answer.outcome = OUTCOME_OK;
        answer.stage = STAGE_DONE;
    }
    return answer;
}

void fetch_done(struct fetch *fetch)
{
    curl_slist_free_all(fetch->addresses);
    fetch->addresses = NULL;
    free(fetch->expect_text);
    fetch->expect_text = NULL;
    buffer_done(&fetch->body);
    if (fetch->page.digest)
        page_text_done(&fetch->page, (char[PAGE_HASH_TEXT]){0});
}
