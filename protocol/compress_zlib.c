#include "protocol/compress_codec.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

static void *inflater_new(void)
{
    z_stream *z = calloc(1, sizeof *z);

    if (z && inflateInit(z) == Z_OK)
        return z;
    free(z);
    return NULL;
}

static void inflater_free(void *inflater)
{
    (void)inflateEnd(inflater);
    free(inflater);
}

static enum inflated inflate_some(void *inflater, struct span *in, uint8_t *out, size_t room,
                                  size_t *made)
{
    z_stream *z = inflater;
    int rc;

    z->next_in = in->p;
    z->avail_in = (unsigned)in->n;
    z->next_out = out;
    z->avail_out = (unsigned)room;
    rc = inflate(z, Z_NO_FLUSH);
    *made = room - z->avail_out;
    *in = (struct span){z->next_in, z->avail_in};
    if (rc == Z_STREAM_END)
        return INFLATED_ALL;
    return rc == Z_OK || rc == Z_BUF_ERROR ? INFLATED_SOME : INFLATED_BAD;
}

static void *deflater_new(void)
{
    z_stream *z = calloc(1, sizeof *z);

    if (z && deflateInit(z, Z_DEFAULT_COMPRESSION) == Z_OK)
        return z;
    free(z);
    return NULL;
}

static void deflater_free(void *deflater)
{
    (void)deflateEnd(deflater);
    free(deflater);
}

/* The level is zlib's own default, as the protocol has no word for another. */
static bool deflate_begin(void *deflater, int level, size_t size)
{
    (void)level;
    (void)size;
    return deflateReset(deflater) == Z_OK;
}

static void deflate_some(void *deflater, struct span plain, bool last, struct buf *out)
{
    z_stream *z = deflater;

    z->next_in = plain.p;
    z->avail_in = (unsigned)plain.n;
    do {
        z->next_out = buf_reserve(out, DEFLATE_ROOM);
        z->avail_out = DEFLATE_ROOM;
        if (!z->next_out)
            return;
        (void)deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
        out->len += DEFLATE_ROOM - z->avail_out;
    } while (z->avail_out == 0);
}

const struct codec codec_zlib = {inflater_new,  inflater_free, inflate_some, deflater_new,
                                 deflater_free, deflate_begin, deflate_some};
