#include "protocol/compress_codec.h"

#include <zstd.h>

/* A frame of the protocol has at most 16 MiB, so nothing is gained by a larger window. */
enum { WINDOW_LOG_MAX = 24 };

static void *inflater_new(void)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();

    if (d && !ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        return d;
    (void)ZSTD_freeDCtx(d);
    return NULL;
}

static void inflater_free(void *inflater)
{
    (void)ZSTD_freeDCtx(inflater);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written through `to` */
static enum inflated inflate_some(void *inflater, struct span *in, uint8_t *out, size_t room,
                                  size_t *made)
{
    ZSTD_inBuffer from = {in->p, in->n, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t rc = ZSTD_decompressStream(inflater, &to, &from);

    *made = to.pos;
    *in = (struct span){in->n ? in->p + from.pos : NULL, in->n - from.pos};
    if (ZSTD_isError(rc))
        return INFLATED_BAD;
    return rc == 0 ? INFLATED_ALL : INFLATED_SOME;
}

static void *deflater_new(void)
{
    return ZSTD_createCCtx();
}

static void deflater_free(void *deflater)
{
    (void)ZSTD_freeCCtx(deflater);
}

static bool deflate_begin(void *deflater, int level, size_t size)
{
    return !ZSTD_isError(ZSTD_CCtx_reset(deflater, ZSTD_reset_session_only)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(deflater, ZSTD_c_compressionLevel, level)) &&
           !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(deflater, size));
}

static void deflate_some(void *deflater, struct span plain, bool last, struct buf *out)
{
    ZSTD_inBuffer from = {plain.p, plain.n, 0};
    size_t rest;

    do {
        ZSTD_outBuffer to = {buf_reserve(out, DEFLATE_ROOM), DEFLATE_ROOM, 0};

        if (!to.dst)
            return;
        rest = ZSTD_compressStream2(deflater, &to, &from, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(rest)) {
            out->bad = true;
            return;
        }
        out->len += to.pos;
    } while (last ? rest > 0 : from.pos < from.size);
}

const struct codec codec_zstd = {inflater_new,  inflater_free, inflate_some, deflater_new,
                                 deflater_free, deflate_begin, deflate_some};
