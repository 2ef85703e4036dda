#include "app/route_line.h"

struct route_piece *route_peers_find(struct route_peers *peers, const struct mrt_peer *peer)
{
    uint64_t low, high;
    memcpy(&low, peer->addr.bytes, 8);
    memcpy(&high, peer->addr.bytes + 8, 8);
    uint64_t hash = (low ^ high * 31 ^ peer->asn) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = hash >> 54;
    struct mrt_peer *known = &peers->of[at].peer;
    if (known->asn != peer->asn || !route_is_same_addr(&known->addr, &peer->addr)) {
        *known = *peer;
        peers->of[at].piece.size = 0;
    }
    return &peers->of[at].piece;
}

void route_shared_keep(struct route_shared *shared, const struct route_file *file,
                       const struct element *element, const char *text, size_t size)
{
    shared->file = file;
    shared->record = file->record;
    shared->start = element->attributes->start;
    shared->family = element->prefix.addr.family;
    shared->safi = element->safi;
    shared->size = size;
    memcpy(shared->text, text, size);
}
