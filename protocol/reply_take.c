#include "protocol/reply_take.h"

#include "protocol/reply_edit.h"

enum { PREPARE_HEAD = 12, COLUMNS_MAX = 0xFFFF, PROGRESS_CODE = 0xFFFF };

enum reply_step reply_bad(struct reply *r, struct reply_view *v, const char *why)
{
    r->why = why;
    r->phase = PHASE_DONE;
    v->out->pass = v->at;
    v->out->event = REPLY_BAD;
    return STEP_OUT;
}

enum reply_step reply_finish(struct reply *r, struct reply_view *v)
{
    r->phase = PHASE_DONE;
    v->out->pass = v->at;
    v->out->event = REPLY_EDIT;
    v->out->done = true;
    return STEP_OUT;
}

enum reply_step reply_look(struct reply *r, struct reply_view *v, struct reply_head *head)
{
    if (v->n - v->at < PACKET_HEADER)
        return STEP_WAIT;
    head->h = packet_header_at(v->buf + v->at);
    if (head->h.length == 0)
        return reply_bad(r, v, "an empty packet where a reply must go on");
    if (v->n - v->at == PACKET_HEADER)
        return STEP_WAIT;
    head->payload = v->buf + v->at + PACKET_HEADER;
    head->first = *head->payload;
    if (!reply_is_next(r, head->h) && head->first != 0xFF)
        return reply_bad(r, v, "a packet out of sequence");
    return STEP_ON;
}

static void note_seq(struct reply *r, struct packet_header h)
{
    r->next_seq = (uint8_t)(h.seq + 1);
    r->in_sequence = true;
}

/* STEP_ON if all of the packet is there. */
static enum reply_step look_whole(struct reply *r, struct reply_view *v,
                                  const struct reply_head *head)
{
    if (head->h.length > v->max_whole || head->h.length == PACKET_MAX_PAYLOAD)
        return reply_bad(r, v, "a packet that must be looked at whole is too long");
    return head->h.length > v->n - v->at - PACKET_HEADER ? STEP_WAIT : STEP_ON;
}

void reply_take(struct reply *r, struct reply_view *v, struct packet_header h)
{
    note_seq(r, h);
    r->seq = (uint8_t)(h.seq + r->shift);
    v->buf[v->at + 3] = r->seq;
    v->at += PACKET_HEADER;
    r->body_left = h.length;
    r->continued = h.length == PACKET_MAX_PAYLOAD;
}

/* The step ends behind this whole packet, of whose payload `keep` bytes go on. */
static enum reply_step take_whole(struct reply_view *v, const struct reply_head *head, size_t keep,
                                  enum reply_event event)
{
    v->out->last = v->at;
    v->out->pass = v->at + PACKET_HEADER + keep;
    v->out->drop = head->h.length - keep;
    v->out->event = event;
    return STEP_OUT;
}

static enum reply_step drop_whole(struct reply_view *v, const struct reply_head *head,
                                  enum reply_event event)
{
    v->out->pass = v->out->last = v->at;
    v->out->drop = PACKET_HEADER + (size_t)head->h.length;
    v->out->event = event;
    return STEP_OUT;
}

static void patch_header(const struct reply *r, const struct reply_view *v,
                         const struct reply_head *head, size_t length)
{
    packet_header_write(v->buf + v->at, (uint32_t)length, (uint8_t)(head->h.seq + r->shift));
}

static struct span payload_of(const struct reply_head *head)
{
    return (struct span){head->payload, head->h.length};
}

/* Where the client's end of a result set is an EOF packet, it holds no changes. */
static bool is_retold(const struct reply *r)
{
    bool eof = r->ok.header == 0xFE && !(r->client_caps & CAP_DEPRECATE_EOF);

    return !eof && (r->retells_all || (r->retells && r->ok.changes.n > 0));
}

enum reply_step reply_take_ok(struct reply *r, struct reply_view *v, const struct reply_head *head)
{
    enum reply_step s = look_whole(r, v, head);
    size_t keep;

    if (s != STEP_ON)
        return s;
    if (!ok_decode(payload_of(head), r->server_caps, &r->ok))
        return reply_bad(r, v, "a malformed OK packet");
    note_seq(r, head->h);
    r->status = r->ok.status;
    if (reply_is_result(r) && (r->ok.status & STATUS_MORE_RESULTS)) {
        r->phase = PHASE_FIRST;
    } else {
        r->phase = PHASE_DONE;
        v->out->done = true;
    }
    r->retold = is_retold(r);
    if (r->retold) {
        r->seq = (uint8_t)(head->h.seq + r->shift);
        return drop_whole(v, head, REPLY_OK);
    }
    keep = reply_edit_ok(head->payload, head->h.length, &r->ok, r->client_caps);
    patch_header(r, v, head, keep);
    return take_whole(v, head, keep, REPLY_OK);
}

/* MariaDB's progress report is an ERR packet that ends nothing. The client did not ask for it. */
static enum reply_step take_progress(struct reply *r, struct reply_view *v,
                                     const struct reply_head *head)
{
    if (r->client_caps & CAP_MARIADB_PROGRESS) {
        reply_take(r, v, head->h);
        return STEP_ON;
    }
    note_seq(r, head->h);
    r->shift--;
    return drop_whole(v, head, REPLY_EDIT);
}

enum reply_step reply_take_error(struct reply *r, struct reply_view *v,
                                 const struct reply_head *head)
{
    enum reply_step s = look_whole(r, v, head);

    if (s != STEP_ON)
        return s;
    if (!error_decode(payload_of(head), &r->error))
        return reply_bad(r, v, "a malformed ERR packet");
    if (r->error.code == PROGRESS_CODE && (r->server_caps & CAP_MARIADB_PROGRESS))
        return take_progress(r, v, head);
    patch_header(r, v, head, head->h.length);
    r->phase = PHASE_DONE;
    v->out->done = true;
    return take_whole(v, head, head->h.length, REPLY_ERROR);
}

enum reply_step reply_put_eof(struct reply *r, struct reply_view *v, struct eof eof)
{
    r->eof_due = false;
    r->shift++;
    v->out->pass = v->at;
    v->out->insert = reply_edit_eof(r, (uint8_t)(r->seq + 1), eof);
    v->out->event = REPLY_EDIT;
    return STEP_OUT;
}

enum reply_step reply_take_infile(struct reply *r, struct reply_view *v,
                                  const struct reply_head *head)
{
    enum reply_step s = look_whole(r, v, head);

    if (s != STEP_ON)
        return s;
    r->in_sequence = false;
    patch_header(r, v, head, head->h.length);
    return take_whole(v, head, head->h.length, REPLY_INFILE);
}

void reply_begin_columns(struct reply *r, struct reply_view *v)
{
    r->in_columns = true;
    v->out->columns.at = v->at;
}

void reply_end_columns(struct reply *r, struct reply_view *v)
{
    if (!r->in_columns)
        return;
    r->in_columns = false;
    v->out->columns.n = v->at - v->out->columns.at;
    v->out->columns.whole = true;
}

/* Behind the count, whose last byte says now that they follow. */
static enum reply_step put_columns(struct reply *r, struct reply_view *v,
                                   const struct reply_head *head)
{
    uint8_t next;

    if (!r->columns_n)
        return reply_bad(r, v, "column definitions were left out that were never sent");
    head->payload[head->h.length - 1] = 1;
    next = packet_number_all(r->columns, r->columns_n, (uint8_t)(r->seq + 1));
    r->shift = (uint8_t)(r->shift + next - 1 - r->seq);
    r->seq = (uint8_t)(next - 1);
    r->body_left = 0;
    v->at += head->h.length;
    v->out->pass = v->at;
    v->out->insert = (struct span){r->columns, r->columns_n};
    v->out->columns.put_in = true;
    v->out->event = REPLY_EDIT;
    return STEP_OUT;
}

enum reply_step reply_take_count(struct reply *r, struct reply_view *v,
                                 const struct reply_head *head)
{
    enum reply_step s = look_whole(r, v, head);
    bool defs_follow = true;
    struct cursor c;
    uint64_t columns;

    if (s != STEP_ON)
        return s;
    c = cursor_span(payload_of(head));
    columns = cursor_lenenc(&c);
    if (r->server_caps & CAP_MARIADB_CACHE_META)
        defs_follow = cursor_u8(&c) != 0;
    if (!cursor_done(&c) || columns == 0 || columns > COLUMNS_MAX)
        return reply_bad(r, v, "a malformed column count");
    r->defs_left = defs_follow ? columns : 0;
    r->has_set = true;
    r->rows = 0;
    r->cell_len = 0;
    r->cell_null = false;
    r->cell[0] = 0;
    r->phase = PHASE_DEFS;
    reply_take(r, v, head->h);
    return defs_follow || r->has_columns ? STEP_ON : put_columns(r, v, head);
}

enum reply_step reply_take_prepared(struct reply *r, struct reply_view *v,
                                    const struct reply_head *head)
{
    enum reply_step s = look_whole(r, v, head);
    struct cursor c;

    if (s != STEP_ON)
        return s;
    c = cursor_span(payload_of(head));
    if (head->first != 0x00 || head->h.length < PREPARE_HEAD)
        return reply_bad(r, v, "a malformed reply to PREPARE");
    cursor_skip(&c, 1);
    r->stmt_id = cursor_u32(&c);
    r->stmt_columns = cursor_u16(&c);
    r->stmt_params = cursor_u16(&c);
    cursor_skip(&c, 1);
    r->stmt_warnings = cursor_u16(&c);
    for (unsigned i = 0; i < 4; i++)
        head->payload[1 + i] = (uint8_t)(r->client_stmt_id >> (8 * i));
    r->defs_left = r->stmt_params;
    r->defs_next = r->stmt_columns;
    r->eof_due = r->stmt_params && reply_wants_eof(r);
    r->phase = PHASE_PREPARED;
    reply_take(r, v, head->h);
    return STEP_ON;
}
