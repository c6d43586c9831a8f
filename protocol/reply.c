/* The phases of a reply (kind → where it begins):
 *
 *   RESULT   → FIRST ──count──▶ DEFS ──▶ ROWS ──end──▶ FIRST where MORE_RESULTS, else DONE
 *                └─OK──▶ FIRST where MORE_RESULTS, else DONE;  LOCAL INFILE ──▶ FIRST
 *   PREPARE  → FIRST ──head──▶ PREPARED (parameters, then columns) ──▶ DONE
 *   SINGLE   → FIRST ──OK, EOF──▶ DONE
 *   TEXT     → FIRST ──text──▶ LAST ──▶ DONE
 *   ROWS, FIELDS → ROWS ──end──▶ DONE
 *   an ERR packet leads from everywhere to DONE
 *
 * A step handles one packet's head, or many rows. What follows of the packet passes as `body_left`
 * before the next step. */
#include "protocol/reply.h"

#include "protocol/reply_edit.h"
#include "protocol/reply_take.h"

#include <assert.h>

enum { CELL_HEAD = REPLY_CELL + 9 };

enum reply_kind reply_kind_of(uint8_t command)
{
    switch (command) {
    case COM_QUIT:
    case COM_STMT_SEND_LONG_DATA:
    case COM_STMT_CLOSE:
        return REPLY_NONE;
    case COM_QUERY:
    case COM_PROCESS_INFO:
    case COM_STMT_EXECUTE:
    case COM_STMT_BULK_EXECUTE:
        return REPLY_RESULT;
    case COM_STMT_FETCH:
    case COM_BINLOG_DUMP: /* events come as packets up to an EOF, as rows do */
        return REPLY_ROWS;
    case COM_FIELD_LIST:
        return REPLY_FIELDS;
    case COM_STMT_PREPARE:
        return REPLY_PREPARE;
    case COM_STATISTICS:
        return REPLY_TEXT;
    default:
        return REPLY_SINGLE;
    }
}

void reply_begin(struct reply *r, enum reply_kind kind, uint64_t server_caps, uint64_t client_caps,
                 uint16_t status)
{
    static const uint8_t begins_at[] = {
        [REPLY_NONE] = PHASE_DONE,   [REPLY_RESULT] = PHASE_FIRST,  [REPLY_ROWS] = PHASE_ROWS,
        [REPLY_FIELDS] = PHASE_ROWS, [REPLY_PREPARE] = PHASE_FIRST, [REPLY_SINGLE] = PHASE_FIRST,
        [REPLY_TEXT] = PHASE_FIRST,  [REPLY_CURSOR] = PHASE_FIRST,
    };

    assert((server_caps & CAP_DEPRECATE_EOF) && (server_caps & CAP_SESSION_TRACK));
    *r = (struct reply){.kind = kind,
                        .server_caps = server_caps,
                        .client_caps = client_caps,
                        .phase = begins_at[kind],
                        .status = status};
}

static enum reply_step first_of_result(struct reply *r, struct reply_view *v,
                                       const struct reply_head *head)
{
    if (head->first == 0x00 || head->first == 0xFE)
        return reply_take_ok(r, v, head);
    if (head->first == 0xFB)
        return reply_take_infile(r, v, head);
    return reply_take_count(r, v, head);
}

static enum reply_step step_first(struct reply *r, struct reply_view *v)
{
    struct reply_head head;
    enum reply_step s = reply_look(r, v, &head);

    if (s != STEP_ON)
        return s;
    if (head.first == 0xFF)
        return reply_take_error(r, v, &head);
    if (reply_is_result(r))
        return first_of_result(r, v, &head);
    if (r->kind == REPLY_PREPARE)
        return reply_take_prepared(r, v, &head);
    if (r->kind == REPLY_TEXT) {
        r->phase = PHASE_LAST;
        reply_take(r, v, head.h);
        return STEP_ON;
    }
    if (head.first != 0x00 && head.first != 0xFE)
        return reply_bad(r, v, "neither OK nor ERR where one must stand");
    return reply_take_ok(r, v, &head);
}

static enum reply_step take_definition(struct reply *r, struct reply_view *v)
{
    struct reply_head head;
    enum reply_step s = reply_look(r, v, &head);

    if (s != STEP_ON)
        return s;
    if (head.first == 0xFF)
        return reply_take_error(r, v, &head);
    if (head.first == 0xFE)
        return reply_bad(r, v, "fewer column definitions than were told");
    if (r->tells_columns && !r->in_columns && (r->kind != REPLY_PREPARE || r->columns_next))
        reply_begin_columns(r, v);
    r->defs_left--;
    reply_take(r, v, head.h);
    return STEP_ON;
}

static enum reply_step step_defs(struct reply *r, struct reply_view *v)
{
    if (r->defs_left)
        return take_definition(r, v);
    reply_end_columns(r, v);
    r->eof_due = reply_wants_eof(r);
    r->phase = PHASE_ROWS;
    return STEP_ON;
}

/* Behind each group of definitions that is not empty: an EOF packet for an old client. Its warnings
 * are those of the head; libmariadb counts by the packet alone. */
static enum reply_step step_prepared(struct reply *r, struct reply_view *v)
{
    struct eof eof = {r->stmt_warnings, reply_lasting_status(r->status)};
    bool due = r->eof_due;

    if (r->defs_left)
        return take_definition(r, v);
    reply_end_columns(r, v);
    if (due)
        (void)reply_put_eof(r, v, eof);
    r->defs_left = r->defs_next;
    r->defs_next = 0;
    r->columns_next = true;
    r->eof_due = r->defs_left && reply_wants_eof(r);
    if (!r->defs_left)
        return reply_finish(r, v);
    return due ? STEP_OUT : STEP_ON;
}

static enum reply_step step_due_eof(struct reply *r, struct reply_view *v)
{
    struct span in = {v->buf + v->at, v->n - v->at};
    struct eof eof = {.status = reply_lasting_status(r->status)};
    enum peek peek = reply_peek(in, r->server_caps, v->max_whole, &eof);

    if (peek == PEEK_WAIT)
        return STEP_WAIT;
    if (peek == PEEK_CURSOR || (peek == PEEK_ERROR && r->kind == REPLY_CURSOR)) {
        r->eof_due = false;
        return STEP_ON;
    }
    return reply_put_eof(r, v, eof);
}

/* The hot loop: rows shorter than 16 MiB, whole ones or the head of the last. Leaves everything
 * else where it is. */
static void pass_rows(struct reply *r, struct reply_view *v)
{
    const uint8_t shift = r->shift;
    const size_t n = v->n;
    size_t at = v->at;
    uint8_t seq = r->next_seq;
    uint64_t rows = 0;

    while (n - at > PACKET_HEADER) {
        uint8_t *p = v->buf + at;
        uint32_t length = packet_header_at(p).length;
        size_t left = n - at - PACKET_HEADER;

        if (p[PACKET_HEADER] >= 0xFE || length - 1 >= PACKET_MAX_PAYLOAD - 1 || p[3] != seq)
            break;
        seq++;
        if (shift)
            p[3] = (uint8_t)(p[3] + shift);
        rows++;
        if (length > left) {
            r->body_left = length - left;
            at = n;
            break;
        }
        at += PACKET_HEADER + (size_t)length;
    }
    r->rows += rows;
    r->next_seq = seq;
    v->at = at;
}

/* STEP_ON if the first row's first column was kept. */
static enum reply_step capture(struct reply *r, const struct reply_view *v,
                               const struct reply_head *head)
{
    size_t want = head->h.length < CELL_HEAD ? head->h.length : CELL_HEAD;

    if (v->n - v->at - PACKET_HEADER < want)
        return STEP_WAIT;
    reply_capture(r, (struct span){head->payload, want});
    return STEP_ON;
}

/* One packet with the care that the hot loop has not. */
static enum reply_step step_one_row(struct reply *r, struct reply_view *v)
{
    struct reply_head head;
    enum reply_step s = reply_look(r, v, &head);

    if (s != STEP_ON)
        return s;
    if (head.first == 0xFF)
        return reply_take_error(r, v, &head);
    if (reply_is_end(head.h, head.first))
        return reply_take_ok(r, v, &head);
    if (r->rows == 0)
        s = capture(r, v, &head);
    if (s != STEP_ON)
        return s;
    r->rows++;
    reply_take(r, v, head.h);
    return STEP_ON;
}

static enum reply_step step_rows(struct reply *r, struct reply_view *v)
{
    size_t before = v->at;

    if (r->eof_due)
        return step_due_eof(r, v);
    if (r->rows)
        pass_rows(r, v);
    return v->at > before ? STEP_ON : step_one_row(r, v);
}

/* Whether all of the current packet has passed. */
static bool pass_body(struct reply *r, struct reply_view *v)
{
    size_t here = v->n - v->at;

    if (here > r->body_left)
        here = r->body_left;
    v->at += here;
    r->body_left -= here;
    return r->body_left == 0;
}

static enum reply_step step_continued(struct reply *r, struct reply_view *v)
{
    struct packet_header h;

    if (v->n - v->at < PACKET_HEADER)
        return STEP_WAIT;
    h = packet_header_at(v->buf + v->at);
    if (!reply_is_next(r, h))
        return reply_bad(r, v, "a packet out of sequence");
    reply_take(r, v, h);
    return STEP_ON;
}

static enum reply_step step(struct reply *r, struct reply_view *v)
{
    if (!pass_body(r, v))
        return STEP_WAIT;
    if (r->continued)
        return step_continued(r, v);
    switch ((enum reply_phase)r->phase) {
    case PHASE_FIRST:
        return step_first(r, v);
    case PHASE_DEFS:
        return step_defs(r, v);
    case PHASE_ROWS:
        return step_rows(r, v);
    case PHASE_PREPARED:
        return step_prepared(r, v);
    case PHASE_LAST:
        return reply_finish(r, v);
    case PHASE_DONE:
        break;
    }
    return reply_bad(r, v, "bytes behind the end of a reply");
}

void reply_feed(struct reply *r, uint8_t *buf, size_t n, size_t max_whole, struct reply_out *out)
{
    struct reply_view v = {.n = n, .max_whole = max_whole, .out = out};
    enum reply_step s;

    v.buf = buf;
    *out = (struct reply_out){.event = REPLY_MORE};
    r->started = r->started || n > 0;
    do
        s = step(r, &v);
    while (s == STEP_ON);
    if (r->in_columns)
        out->columns.n = v.at - out->columns.at;
    if (s == STEP_WAIT)
        out->pass = v.at;
}
