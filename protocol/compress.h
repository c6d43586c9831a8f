/* The compressed protocol (zlib or zstd), as a server speaks it with one client: frames of up to 16
 * MiB around the bytes of packets, whose borders they need not keep.
 * https://mariadb.com/kb/en/0-packet/#compressed-packet
 *
 * A frame inflates as it comes, into whatever room there is: by zlib, what it says of its size
 * costs no memory; zstd may need a window as large as the frame while it comes. Frames have
 * sequence numbers of their own; a client may send its next commands before the reply to the first,
 * so each command's last number is kept until its reply begins.
 *
 * What is written goes into frames that end where a packet ends, as there are clients that take no
 * packet of more than two frames (MySQL's own driver in Python). A packet that is not whole yet
 * deflates as it comes, and its frame is out once it is. */
#ifndef PROTOCOL_COMPRESS_H
#define PROTOCOL_COMPRESS_H

#include "base/buf.h"

/* Bytes in a frame at most, so that what does not become smaller fits its header all the same. */
enum { COMPRESS_FRAME_MAX = (1 << 24) - (1 << 15) };
/* Commands that may come before the reply to the first. */
enum { COMPRESS_AHEAD = 8 };

enum compress_by { COMPRESS_ZLIB, COMPRESS_ZSTD, COMPRESS_KINDS };

/* What a client may ask zstd for; beyond, time is wasted on small frames. */
enum { COMPRESS_ZSTD_LEVEL = 3, COMPRESS_ZSTD_LEVEL_MAX = 9 };

/* Deflaters without work, for the connections of one thread: each is lent to a frame. */
struct deflaters {
    void *spare[COMPRESS_KINDS]; /* NULL: the next frame makes one */
};
void deflaters_free(struct deflaters *d);

/* The packet of which only a part was written. */
struct begun {
    uint8_t header[4];
    uint8_t n;     /* bytes of it, until they are all there */
    uint32_t left; /* bytes of the payload still to come */
};

/* The frame that is being written. */
struct deflating {
    void *deflater; /* lent; NULL: no frame is under way */
    uint32_t size;  /* bytes that it will hold */
    uint32_t left;  /* of those, still to come */
    struct buf packed;
};

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

    struct begun begun;
    struct deflating frame;
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
/* Append the frames that are whole with `plain`, the next bytes (at most COMPRESS_FRAME_MAX) of the
 * packets for the client, to `out`: none where it is but a part of a packet. Check buf_ok. */
void compress_write(struct compress *c, struct deflaters *d, struct span plain, struct buf *out);

#endif
