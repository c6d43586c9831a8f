#include "protocol/reply_edit.h"

#include <assert.h>

enum { EOF_PAYLOAD = 5, OK_MIN_PAYLOAD = 7, LENENC_MAX = 9 };

/* Bytes up to and with the warnings. */
static size_t ok_fixed_length(const uint8_t *payload, size_t n)
{
    struct cursor c = cursor_of(payload, n);

    cursor_skip(&c, 1);
    (void)cursor_lenenc(&c);
    (void)cursor_lenenc(&c);
    cursor_skip(&c, 4);
    assert(cursor_ok(&c));
    return (size_t)(c.p - payload);
}

static void put_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
}

static void put_eof(uint8_t *at, struct eof eof)
{
    at[0] = 0xFE;
    put_u16(at + 1, eof.warnings);
    put_u16(at + 3, eof.status);
}

size_t reply_edit_ok(uint8_t *payload, size_t n, const struct ok *ok, uint64_t caps)
{
    uint16_t status = (uint16_t)(ok->status & ~STATUS_SESSION_STATE_CHANGED);
    size_t fixed;

    if (ok->header == 0xFE && n < OK_MIN_PAYLOAD) /* an EOF packet already */
        return n;
    if (ok->header == 0xFE && !(caps & CAP_DEPRECATE_EOF)) {
        put_eof(payload, (struct eof){ok->warnings, status});
        return EOF_PAYLOAD;
    }
    if (caps & CAP_SESSION_TRACK)
        return n;
    fixed = ok_fixed_length(payload, n);
    put_u16(payload + fixed - 4, status);
    return ok->info.n ? (size_t)(ok->info.p + ok->info.n - payload) : fixed;
}

struct span reply_edit_eof(struct reply *r, uint8_t seq, struct eof eof)
{
    packet_header_write(r->scratch, EOF_PAYLOAD, seq);
    put_eof(r->scratch + PACKET_HEADER, eof);
    return (struct span){r->scratch, PACKET_HEADER + EOF_PAYLOAD};
}

uint16_t reply_lasting_status(uint16_t status)
{
    return status & (STATUS_IN_TRANS | STATUS_AUTOCOMMIT | STATUS_NO_BACKSLASH_ESCAPES |
                     STATUS_IN_TRANS_READONLY | STATUS_ANSI_QUOTES);
}

void reply_capture(struct reply *r, struct span row)
{
    struct cursor c = cursor_span(row);
    uint64_t n;

    r->cell_null = row.n && row.p[0] == 0xFB;
    n = cursor_lenenc(&c);
    if (n > cursor_left(&c))
        n = cursor_left(&c);
    if (n > REPLY_CELL - 1)
        n = REPLY_CELL - 1;
    if (n)
        memcpy(r->cell, c.p, (size_t)n);
    r->cell[n] = 0;
    r->cell_len = (uint16_t)n;
}

static enum peek peek_end(struct span payload, uint64_t caps, bool no_rows, struct eof *eof)
{
    struct ok ok;

    if (!ok_decode(payload, caps, &ok))
        return PEEK_FAR;
    /* A procedure's own cursor shows, too, but never in the last of the results. */
    if (no_rows &&
        (ok.status & (STATUS_CURSOR_EXISTS | STATUS_MORE_RESULTS)) == STATUS_CURSOR_EXISTS)
        return PEEK_CURSOR;
    eof->status = (uint16_t)(ok.status & ~(STATUS_SESSION_STATE_CHANGED | STATUS_QUERY_WAS_SLOW));
    if (no_rows)
        eof->warnings = ok.warnings;
    return PEEK_END;
}

/* Every answer but PEEK_WAIT depends on what the bytes are, never on how many have come: rows are
 * given up by where they would end. */
enum peek reply_peek(struct span in, uint64_t caps, size_t max_whole, struct eof *eof)
{
    size_t at = 0;

    while (at + PACKET_HEADER < REPLY_PEEK) {
        struct packet_header h;
        uint8_t first;

        if (in.n - at < PACKET_HEADER)
            return PEEK_WAIT;
        h = packet_header_at(in.p + at);
        if (h.length == 0)
            return PEEK_FAR;
        if (in.n - at == PACKET_HEADER)
            return PEEK_WAIT;
        first = in.p[at + PACKET_HEADER];
        if (first == 0xFF)
            return at == 0 ? PEEK_ERROR : PEEK_FAR;
        if (reply_is_end(h, first)) {
            if (h.length > max_whole)
                return PEEK_FAR;
            if (h.length > in.n - at - PACKET_HEADER)
                return PEEK_WAIT;
            return peek_end((struct span){in.p + at + PACKET_HEADER, h.length}, caps, at == 0, eof);
        }
        if (h.length > REPLY_PEEK - PACKET_HEADER - at)
            return PEEK_FAR;
        at += PACKET_HEADER + h.length;
        if (at > in.n)
            return PEEK_WAIT;
    }
    return PEEK_FAR;
}
