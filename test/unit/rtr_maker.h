/* RTR for tests: PDUs as text and back, so that both sides of a session can be written down.
 *
 *     "response 7"  "+192.0.2.0/24-25 64500"  "-192.0.2.0/24-25 64500"  "end 7 3"  "end 7 3 10 5 600"
 *     "notify 7 4"  "reset"  "serial 7 3"  "cache-reset"  "key"  "error 2 TEXT"
 *
 * A word "v0" or "v1" before it says the version; it stays the same until another one is said. */
#ifndef TEST_RTR_MAKER_H
#define TEST_RTR_MAKER_H

#include "wire/rtr.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct rtr_maker {
    uint8_t version;
};

static inline void rtr_make_prefix(const char *text, struct rtr_pdu *pdu)
{
    size_t n = strcspn(text + 1, "-");
    unsigned max_bits, asn;
    bool is_prefix = prefix_parse(text + 1, n, &pdu->prefix);
    int fields = sscanf(text + 1 + n, "-%u %u", &max_bits, &asn);
    assert(is_prefix && fields == 2);
    pdu->type = pdu->prefix.addr.family == 4 ? RTR_IPV4_PREFIX : RTR_IPV6_PREFIX;
    pdu->is_announced = text[0] == '+';
    pdu->max_bits = (uint8_t)max_bits;
    pdu->asn = asn;
}

static inline void rtr_make(struct rtr_maker *maker, const char *text, struct buffer *out)
{
    static const char key[34] = {[0] = 1, [1] = RTR_ROUTER_KEY, [7] = 34};
    unsigned numbers[5] = {0};
    char word[16] = "";
    int at = 0;
    if (text[0] == 'v') {
        maker->version = (uint8_t)(text[1] - '0');
        text += 3;
    }
    struct rtr_pdu pdu = {.version = maker->version};
    sscanf(text, "%15s%n", word, &at);
    sscanf(text + at, "%u %u %u %u %u", &numbers[0], &numbers[1], &numbers[2], &numbers[3],
           &numbers[4]);
    pdu.session = (uint16_t)numbers[0];
    pdu.serial = numbers[1];
    if (strcmp(word, "key") == 0) {
        buffer_add(out, key, sizeof key);
        return;
    }
    if (word[0] == '+' || word[0] == '-')
        rtr_make_prefix(text, &pdu);
    else if (strcmp(word, "notify") == 0)
        pdu.type = RTR_SERIAL_NOTIFY;
    else if (strcmp(word, "serial") == 0)
        pdu.type = RTR_SERIAL_QUERY;
    else if (strcmp(word, "reset") == 0)
        pdu.type = RTR_RESET_QUERY;
    else if (strcmp(word, "response") == 0)
        pdu.type = RTR_CACHE_RESPONSE;
    else if (strcmp(word, "cache-reset") == 0)
        pdu.type = RTR_CACHE_RESET;
    else if (strcmp(word, "end") == 0)
        pdu.type = RTR_END_OF_DATA;
    else
        pdu.type = RTR_ERROR_REPORT;
    assert(pdu.type != RTR_ERROR_REPORT || strcmp(word, "error") == 0);
    if (pdu.type == RTR_END_OF_DATA) {
        pdu.refresh_s = numbers[2] ? numbers[2] : 3600;
        pdu.retry_s = numbers[3] ? numbers[3] : 600;
        pdu.expire_s = numbers[4] ? numbers[4] : 7200;
    }
    if (pdu.type == RTR_ERROR_REPORT) {
        pdu.error = (uint16_t)numbers[0];
        pdu.session = 0;
        const char *said = strchr(text + at + 1, ' ');
        pdu.text = reader_of(said ? said + 1 : "", said ? strlen(said + 1) : 0);
    }
    rtr_encode(&pdu, out);
}

/* Several, separated by "; ". */
static inline void rtr_make_all(struct rtr_maker *maker, const char *text, struct buffer *out)
{
    while (*text) {
        char one[160];
        size_t n = strcspn(text, ";");
        snprintf(one, sizeof one, "%.*s", (int)n, text);
        rtr_make(maker, one, out);
        text += n + (text[n] ? 1 : 0);
        text += strspn(text, " ");
    }
}

/* As above, with its version: "v1 serial 7 3". */
static inline void rtr_tell(const struct rtr_pdu *pdu, struct buffer *out)
{
    char prefix[PREFIX_TEXT_MAX];
    buffer_printf(out, "v%u ", pdu->version);
    switch (pdu->type) {
    case RTR_SERIAL_NOTIFY:
        buffer_printf(out, "notify %u %u", pdu->session, pdu->serial);
        break;
    case RTR_SERIAL_QUERY:
        buffer_printf(out, "serial %u %u", pdu->session, pdu->serial);
        break;
    case RTR_RESET_QUERY:
        buffer_puts(out, "reset");
        break;
    case RTR_CACHE_RESPONSE:
        buffer_printf(out, "response %u", pdu->session);
        break;
    case RTR_IPV4_PREFIX:
    case RTR_IPV6_PREFIX:
        buffer_printf(out, "%c%s-%u %u", pdu->is_announced ? '+' : '-',
                      prefix_format(&pdu->prefix, prefix), pdu->max_bits, pdu->asn);
        break;
    case RTR_END_OF_DATA:
        buffer_printf(out, "end %u %u", pdu->session, pdu->serial);
        if (pdu->version)
            buffer_printf(out, " %u %u %u", pdu->refresh_s, pdu->retry_s, pdu->expire_s);
        break;
    case RTR_CACHE_RESET:
        buffer_puts(out, "cache-reset");
        break;
    case RTR_ROUTER_KEY:
        buffer_puts(out, "key");
        break;
    default:
        buffer_printf(out, "error %u %.*s", pdu->error, (int)reader_left(&pdu->text),
                      (const char *)pdu->text.at);
    }
}

#endif
