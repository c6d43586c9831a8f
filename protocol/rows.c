#include "protocol/rows.h"

#include "protocol/ok.h"
#include "protocol/packet.h"

enum { UTF8MB4_GENERAL_CI = 45, TYPE_VAR_STRING = 0xFD, FIXED_BYTES = 12, LENGTH = 4096 };

static void put_text(struct buf *out, const char *text)
{
    buf_put_lenenc_bytes(out, span_of(text));
}

static void put_column(struct rows *r, const char *name)
{
    size_t at = packet_begin(r->out);

    put_text(r->out, "def");
    for (int i = 0; i < 3; i++) /* schema, table, and its name in the schema */
        put_text(r->out, "");
    put_text(r->out, name);
    put_text(r->out, "");
    if (r->caps & CAP_MARIADB_EXTENDED)
        put_text(r->out, "");
    buf_put_lenenc(r->out, FIXED_BYTES);
    buf_put_u16(r->out, UTF8MB4_GENERAL_CI);
    buf_put_u32(r->out, LENGTH);
    buf_put_u8(r->out, TYPE_VAR_STRING);
    buf_put_u16(r->out, 0); /* flags */
    buf_put_u8(r->out, 0);  /* decimals */
    buf_put_u16(r->out, 0);
    packet_end(r->out, at, r->seq++);
}

static void put_end(struct rows *r)
{
    const struct ok end = {.header = 0xFE, .status = r->status};
    size_t at = packet_begin(r->out);

    ok_encode(r->out, &end, r->caps);
    packet_end(r->out, at, r->seq++);
}

struct rows rows_begin(struct buf *out, uint64_t caps, uint16_t status, const char *const *names,
                       int count)
{
    struct rows r = {out, caps, status, 1};
    size_t at = packet_begin(out);

    buf_put_lenenc(out, (uint64_t)count);
    if (caps & CAP_MARIADB_CACHE_META)
        buf_put_u8(out, 1); /* the definitions follow */
    packet_end(out, at, r.seq++);
    for (int i = 0; i < count; i++)
        put_column(&r, names[i]);
    if (!(caps & CAP_DEPRECATE_EOF))
        put_end(&r);
    return r;
}

void rows_put(struct rows *r, const char *const *texts, int count)
{
    size_t at = packet_begin(r->out);

    for (int i = 0; i < count; i++)
        put_text(r->out, texts[i]);
    packet_end(r->out, at, r->seq++);
}

void rows_end(struct rows *r)
{
    put_end(r);
}
