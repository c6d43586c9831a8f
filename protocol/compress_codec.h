/* What fills the frames of the compressed protocol: a table of functions for each algorithm. For
 * the compress*.c files alone. */
#ifndef PROTOCOL_COMPRESS_CODEC_H
#define PROTOCOL_COMPRESS_CODEC_H

#include "base/buf.h"

/* What deflates writes into room of so many bytes at a time. */
enum { DEFLATE_ROOM = 16384 };

enum inflated { INFLATED_SOME, INFLATED_ALL, INFLATED_BAD };

struct codec {
    void *(*inflater_new)(void); /* for one frame; NULL: no memory */
    void (*inflater_free)(void *inflater);
    /* Take bytes off `in` and put at most `room` bytes into `out`, `made` of them. ALL: the frame's
     * stream has come to its own end. */
    enum inflated (*inflate)(void *inflater, struct span *in, uint8_t *out, size_t room,
                             size_t *made);
    void *(*deflater_new)(void); /* NULL: no memory */
    void (*deflater_free)(void *deflater);
    /* A frame with `size` bytes inside begins. False: no memory. */
    bool (*deflate_begin)(void *deflater, int level, size_t size);
    /* Append what `plain` becomes to `out`; with `last`, the frame is whole. Check buf_ok. */
    void (*deflate)(void *deflater, struct span plain, bool last, struct buf *out);
};

extern const struct codec codec_zlib;
extern const struct codec codec_zstd;
/* By enum compress_by. */
extern const struct codec *const compress_codecs[];

#endif
