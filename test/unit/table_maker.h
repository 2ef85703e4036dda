/* Makes elements for tests of the routing table: what peer number 0, 1, ... tells. Peer n is 192.0.2.n of
 * AS (65000 + n). Values live until the next one is made. */
#ifndef TEST_TABLE_MAKER_H
#define TEST_TABLE_MAKER_H

#include "source/mrt/element.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_FIRST_ASN = 65000 };

static inline struct prefix made_prefix(const char *text)
{
    struct prefix prefix;
    bool is_prefix = prefix_parse(text, strlen(text), &prefix);
    assert(is_prefix);
    return prefix;
}

/* A path as bgp_path_format() writes it: "65000 4837 {1,2} (3,4) ({5})". */
static inline struct bgp_path made_bgp_path(const char *text)
{
    static uint8_t bytes[4096];
    uint8_t *at = bytes;
    while (*text) {
        uint8_t type = *text == '{' ? 1 : strncmp(text, "({", 2) == 0 ? 4 : *text == '(' ? 3 : 2;
        uint8_t *head = at;
        at += 2;
        head[0] = type;
        head[1] = 0;
        bool has_ended = false;
        while (*text && !has_ended) {
            char *end;
            text += strspn(text, "({ ,");
            unsigned long asn = strtoul(text, &end, 10);
            assert(end != text);
            for (int shift = 24; shift >= 0; shift -= 8)
                *at++ = (uint8_t)(asn >> shift);
            head[1]++;
            const char *next = end + strspn(end, " ");
            has_ended = *end == '}' || *end == ')' ||
                        (type == 2 && (*next == '\0' || *next == '{' || *next == '('));
            text = end + strspn(end, "}) ");
        }
    }
    return (struct bgp_path){
        .head = reader_of(bytes, (size_t)(at - bytes)), .head_hops = UINT_MAX, .is_as4 = true};
}

static inline const struct mrt_peer *made_peer(unsigned number)
{
    static struct mrt_peer peer;
    peer = (struct mrt_peer){{{192, 0, 2, (uint8_t)number}, 4}, MADE_FIRST_ASN + number};
    peer.addr.bytes[1] = (uint8_t)(number >> 8);
    return &peer;
}

/* path NULL: a withdrawal. */
static inline const struct element *made_route(int64_t seconds, unsigned peer, const char *prefix,
                                               const char *path)
{
    static struct element element;
    static struct bgp_attributes attributes;
    element = (struct element){.kind = path ? ELEMENT_ANNOUNCE : ELEMENT_WITHDRAW,
                               .time = {seconds * NS_PER_S},
                               .peer = made_peer(peer),
                               .prefix = made_prefix(prefix),
                               .safi = BGP_UNICAST};
    if (path) {
        attributes.path = made_bgp_path(path);
        element.attributes = &attributes;
    }
    return &element;
}

static inline const struct element *made_entry(int64_t seconds, unsigned peer, const char *prefix,
                                               const char *path)
{
    struct element *element = (struct element *)(uintptr_t)made_route(seconds, peer, prefix, path);
    element->kind = ELEMENT_TABLE;
    return element;
}

static inline const struct element *made_state(int64_t seconds, unsigned peer, uint16_t before,
                                               uint16_t after)
{
    static struct element element;
    element = (struct element){.kind = ELEMENT_STATE,
                               .time = {seconds * NS_PER_S},
                               .peer = made_peer(peer),
                               .state = {before, after}};
    return &element;
}

/* Nothing but that the time is come. */
static inline const struct element *made_tick(int64_t seconds, unsigned peer)
{
    static struct element element;
    element = (struct element){.kind = ELEMENT_MESSAGE,
                               .message = BGP_KEEPALIVE,
                               .time = {seconds * NS_PER_S},
                               .peer = made_peer(peer)};
    return &element;
}

#endif
