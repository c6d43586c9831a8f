/* What fills the frames of the compressed protocol: a table of functions for each algorithm. For
 * the compress*.c files alone. */
#ifndef PROTOCOL_COMPRESS_CODEC_H
#define PROTOCOL_COMPRESS_CODEC_H

#include "base/cursor.h"

enum inflated { INFLATED_SOME, INFLATED_ALL, INFLATED_BAD };

struct codec {
    void *(*inflater_new)(void); /* for one frame; NULL: no memory */
    void (*inflater_free)(void *inflater);
    /* Take bytes off `in` and put at most `room` bytes into `out`, `made` of them. ALL: the frame's
     * stream has come to its own end. */
    enum inflated (*inflate)(void *inflater, struct span *in, uint8_t *out, size_t room,
                             size_t *made);
    void *(*deflater_new)(void); /* without state between two frames; NULL: no memory */
    void (*deflater_free)(void *deflater);
    /* How many bytes of `out` the whole of `plain` became; 0: more than `room`. */
    size_t (*deflate)(void *deflater, int level, struct span plain, uint8_t *out, size_t room);
};

extern const struct codec codec_zlib;
extern const struct codec codec_zstd;

#endif
