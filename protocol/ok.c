#include "protocol/ok.h"

#include <assert.h>

enum { EOF_PAYLOAD = 5, OK_MIN_PAYLOAD = 7, MESSAGE_MAX = 512, SQLSTATE = 5 };

/* What an EOF packet has of an OK: warnings, then status. */
static bool eof_decode(struct cursor *c, struct ok *ok)
{
    if (cursor_left(c)) {
        ok->warnings = cursor_u16(c);
        ok->status = cursor_u16(c);
    }
    return cursor_done(c);
}

/* MariaDB sends info as a length-encoded string with and without SESSION_TRACK, and leaves it out
 * where it is empty and no changes follow. */
static void tail_decode(struct cursor *c, uint64_t caps, struct ok *ok)
{
    if (cursor_left(c))
        ok->info = cursor_lenenc_bytes(c);
    if ((caps & CAP_SESSION_TRACK) && (ok->status & STATUS_SESSION_STATE_CHANGED) && cursor_left(c))
        ok->changes = cursor_lenenc_bytes(c);
}

bool ok_decode(struct span payload, uint64_t caps, struct ok *ok)
{
    struct cursor c = cursor_span(payload);

    *ok = (struct ok){.header = cursor_u8(&c)};
    if (!cursor_ok(&c) || (ok->header != 0x00 && ok->header != 0xFE))
        return false;
    if (ok->header == 0xFE && payload.n < OK_MIN_PAYLOAD)
        return eof_decode(&c, ok);
    ok->affected_rows = cursor_lenenc(&c);
    ok->last_insert_id = cursor_lenenc(&c);
    ok->status = cursor_u16(&c);
    ok->warnings = cursor_u16(&c);
    tail_decode(&c, caps, ok);
    return cursor_ok(&c);
}

static void eof_encode(struct buf *b, const struct ok *ok, uint16_t status)
{
    buf_put_u8(b, 0xFE);
    buf_put_u16(b, ok->warnings);
    buf_put_u16(b, status);
}

void ok_encode(struct buf *b, const struct ok *ok, uint64_t caps)
{
    bool track = (caps & CAP_SESSION_TRACK) &&
                 (ok->changes.n || (ok->status & STATUS_SESSION_STATE_CHANGED));
    uint16_t status = (uint16_t)(ok->status & ~STATUS_SESSION_STATE_CHANGED);

    if (ok->header == 0xFE && !(caps & CAP_DEPRECATE_EOF)) {
        eof_encode(b, ok, status);
        return;
    }
    if (track)
        status |= STATUS_SESSION_STATE_CHANGED;
    buf_put_u8(b, ok->header);
    buf_put_lenenc(b, ok->affected_rows);
    buf_put_lenenc(b, ok->last_insert_id);
    buf_put_u16(b, status);
    buf_put_u16(b, ok->warnings);
    if (track || ok->info.n)
        buf_put_lenenc_bytes(b, ok->info);
    if (track)
        buf_put_lenenc_bytes(b, ok->changes);
}

bool error_decode(struct span payload, struct server_error *e)
{
    struct cursor c = cursor_span(payload);
    uint8_t header = cursor_u8(&c);

    *e = (struct server_error){.code = cursor_u16(&c), .sqlstate = "HY000"};
    if (!cursor_ok(&c) || header != 0xFF)
        return false;
    if (cursor_left(&c) > SQLSTATE && *c.p == '#') {
        if (!memchr(c.p + 1, 0, SQLSTATE)) /* so that it can be said on as a text of five */
            memcpy(e->sqlstate, c.p + 1, SQLSTATE);
        cursor_skip(&c, 1 + SQLSTATE);
    }
    e->message = cursor_rest(&c);
    return true;
}

void error_encode(struct buf *b, uint16_t code, const char *sqlstate, const char *message)
{
    size_t n = strnlen(message, MESSAGE_MAX);

    assert(strlen(sqlstate) == SQLSTATE);
    buf_put_u8(b, 0xFF);
    buf_put_u16(b, code);
    buf_put_u8(b, '#');
    buf_put_str(b, sqlstate);
    buf_put(b, message, n);
}

struct change_iter change_iter_of(struct span changes)
{
    return (struct change_iter){.block = cursor_span(changes), .entry = cursor_of(NULL, 0)};
}

static int next_pair(struct change_iter *it, struct change *c)
{
    c->kind = CHANGE_VARIABLE;
    c->name = cursor_lenenc_bytes(&it->entry);
    c->value = cursor_lenenc_bytes(&it->entry);
    return cursor_ok(&it->entry) ? 1 : -1;
}

/* GTIDS has a byte in front that names the encoding; STATE, which has no length of its own, and
 * kinds we do not know come as raw bytes. */
static int whole_entry(struct change_iter *it, struct change *c)
{
    struct cursor *e = &it->entry;

    c->kind = it->kind;
    c->name = (struct span){NULL, 0};
    if (it->kind == CHANGE_STATE || it->kind > CHANGE_TX_STATE) {
        c->value = cursor_rest(e);
        return 1;
    }
    if (it->kind == CHANGE_GTIDS)
        cursor_skip(e, 1);
    c->value = cursor_lenenc_bytes(e);
    return cursor_done(e) ? 1 : -1;
}

int change_next(struct change_iter *it, struct change *c)
{
    struct span entry;

    if (!cursor_ok(&it->entry) || !cursor_ok(&it->block))
        return -1;
    if (cursor_left(&it->entry))
        return next_pair(it, c);
    if (!cursor_left(&it->block))
        return 0;
    it->kind = cursor_u8(&it->block);
    entry = cursor_lenenc_bytes(&it->block);
    if (!cursor_ok(&it->block))
        return -1;
    it->entry = cursor_span(entry);
    return it->kind == CHANGE_VARIABLE ? next_pair(it, c) : whole_entry(it, c);
}
