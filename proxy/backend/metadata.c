#include "proxy/backend/metadata.h"

#include "protocol/packet.h"

#include <xxhash.h>

/* 4096 columns, each of six names of 256 bytes. */
enum { METADATA_MAX = 8 << 20 };

struct metadata metadata_none(void)
{
    return (struct metadata){.packets = buf_with_max(METADATA_MAX)};
}

void metadata_gather(struct metadata *m, struct span bytes)
{
    buf_put_span(&m->packets, bytes);
}

void metadata_complete(struct metadata *m)
{
    XXH128_hash_t hash;

    if (!buf_ok(&m->packets)) {
        metadata_free(m);
        return;
    }
    (void)packet_number_all(m->packets.data, m->packets.len, 0);
    hash = XXH3_128bits(m->packets.data, m->packets.len);
    m->mark = (struct metadata_mark){hash.low64, hash.high64};
}

void metadata_move(struct metadata *to, struct metadata *from)
{
    buf_free(&to->packets);
    *to = *from;
    *from = metadata_none();
}

void metadata_free(struct metadata *m)
{
    buf_free(&m->packets);
    *m = metadata_none();
}
