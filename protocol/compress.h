/* The compressed protocol (zlib or zstd), as a server speaks it with one client: frames of up to 16
 * MiB around the bytes of packets, whose borders they need not keep.
 * https://mariadb.com/kb/en/0-packet/#compressed-packet
 *
 * A frame inflates as it comes, into whatever room there is: by zlib, what it says of its size
 * costs no memory; zstd may need a window as large as the frame while it comes. Frames have
 * sequence numbers of their own; a client may send its next commands before the reply to the first,
 * so each command's last number is kept until its reply begins. */
#ifndef PROTOCOL_COMPRESS_H
#define PROTOCOL_COMPRESS_H

#include "base/buf.h"

enum { COMPRESS_FRAME = 16384, COMPRESS_AHEAD = 8 };

enum compress_by { COMPRESS_ZLIB, COMPRESS_ZSTD };

/* What a client may ask zstd for; beyond, time is wasted on frames of 16 KiB. */
enum { COMPRESS_ZSTD_LEVEL = 3, COMPRESS_ZSTD_LEVEL_MAX = 9 };

/* What deflates; has no state between two frames, so that one serves many connections. */
struct deflater;
struct deflater *deflater_new(void);    /* NULL: no memory */
void deflater_free(struct deflater *d); /* NULL allowed */

struct compress {
    enum compress_by by;
    int level; /* zstd's */

    /* the frame that is being read */
    uint32_t packed_left; /* bytes of it still to come */
    uint32_t plain_left;  /* bytes it must still give */
    bool stored;
    void *inflater; /* while a frame is under way; NULL otherwise */

    uint8_t seq; /* of the last frame, in either direction, of the command that is answered */
    uint8_t ahead[COMPRESS_AHEAD]; /* the last of each command that came meanwhile, oldest first */
    unsigned ahead_count;
    const char *why; /* compress_read failed */
};

void compress_init(struct compress *c, enum compress_by by, int level);
void compress_free(struct compress *c);

/* Take frames off the front of `in` and put what is in them into `out`: at most `room` bytes,
 * `made` of them. It stops before a command that is too far ahead of its turn (compress_is_ahead).
 * False: no client sends such; `why`. */
bool compress_read(struct compress *c, struct span *in, uint8_t *out, size_t room,
                   size_t *made) MUST_CHECK;
bool compress_is_ahead(const struct compress *c);
/* The client's next command is taken up: what is written from now on answers it. */
void compress_next(struct compress *c);
/* Append at most COMPRESS_FRAME bytes as one frame to `out`; check buf_ok. */
void compress_write(struct compress *c, struct deflater *d, struct span plain, struct buf *out);

#endif
