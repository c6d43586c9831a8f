#include "protocol/binlog/binlog_event.h"

#include "protocol/binlog/binlog_inflate.h"
#include "protocol/binlog/binlog_table.h"

#include <zlib.h>

enum {
    FORMAT_FIXED = 2 + 50 + 4 + 1, /* version, server's version, created, header's size */
    CHECKSUM_NONE = 0,
    CHECKSUM_CRC32 = 1,
    FLAG_IN_USE = 0x01,
    FLAGS_AT = 17,
    TABLE_POST_HEADER = 8,
    ROWS_POST_HEADER_V2 = 10,
    QUERY_POST_HEADER = 13,
    GTID_LIST_COUNT = 0x0FFFFFFF,
};

/* What all decoders of bodies are handed. */
struct input {
    struct cursor c; /* the body */
    const struct binlog_format *format;
    struct buf *inflated;
    struct err *e;
};

typedef bool (*body_decoder)(struct input *in, struct binlog_event *ev);

static bool bad(struct err *e, const struct binlog_event *ev, const char *why)
{
    return err_set(e, ERR_DATA, "binlog event %s (type %u, ends at %u): %s",
                   binlog_type_name(ev->head.type), ev->head.type, ev->head.end_pos, why);
}

static bool checked(struct input *in, const struct binlog_event *ev)
{
    return cursor_ok(&in->c) || bad(in->e, ev, "cut short");
}

static bool body_ignored(struct input *in, struct binlog_event *ev)
{
    (void)in;
    ev->body = BINLOG_IGNORED;
    return true;
}

static bool body_rotate(struct input *in, struct binlog_event *ev)
{
    ev->body = BINLOG_ROTATE;
    ev->rotate.position = cursor_u64(&in->c);
    ev->rotate.artificial = ev->head.flags & BINLOG_FLAG_ARTIFICIAL || !ev->head.timestamp;
    ev->rotate.file = cursor_rest(&in->c);
    return checked(in, ev);
}

static bool read_xa(struct input *in, struct binlog_event *ev, unsigned gtrid, unsigned bqual,
                    struct binlog_xa *xa)
{
    if (gtrid > BINLOG_XA_ID_MAX / 2 || bqual > BINLOG_XA_ID_MAX / 2)
        return bad(in->e, ev, "XA name too long");
    xa->gtrid = (uint8_t)gtrid;
    xa->data = cursor_bytes(&in->c, (size_t)gtrid + bqual);
    return checked(in, ev);
}

static bool body_gtid(struct input *in, struct binlog_event *ev)
{
    struct binlog_gtid_event g = {0};
    uint8_t gtrid;
    uint8_t bqual;

    ev->body = BINLOG_GTID;
    g.gtid.server = ev->head.server_id;
    g.gtid.seq = cursor_u64(&in->c);
    g.gtid.domain = cursor_u32(&in->c);
    g.flags = cursor_u8(&in->c);
    if (g.flags & BINLOG_GTID_HAS_COMMIT_ID)
        g.commit_id = cursor_u64(&in->c);
    if (g.flags & (BINLOG_GTID_PREPARED_XA | BINLOG_GTID_COMPLETED_XA)) {
        g.xa.format = cursor_u32(&in->c);
        gtrid = cursor_u8(&in->c);
        bqual = cursor_u8(&in->c);
        if (!read_xa(in, ev, gtrid, bqual, &g.xa))
            return false;
    }
    ev->gtid = g;
    return checked(in, ev);
}

static bool body_gtid_list(struct input *in, struct binlog_event *ev)
{
    ev->body = BINLOG_GTID_LIST;
    ev->gtid_list.count = cursor_u32(&in->c) & GTID_LIST_COUNT;
    ev->gtid_list.entries = cursor_bytes(&in->c, (size_t)ev->gtid_list.count * 16);
    return checked(in, ev);
}

static bool body_xid(struct input *in, struct binlog_event *ev)
{
    ev->body = BINLOG_XID;
    ev->xid = cursor_u64(&in->c);
    return checked(in, ev);
}

static bool body_xa_prepare(struct input *in, struct binlog_event *ev)
{
    uint32_t gtrid;
    uint32_t bqual;

    ev->body = BINLOG_XA_PREPARE;
    ev->xa_prepare.one_phase = cursor_u8(&in->c);
    ev->xa_prepare.xa.format = cursor_u32(&in->c);
    gtrid = cursor_u32(&in->c);
    bqual = cursor_u32(&in->c);
    return read_xa(in, ev, gtrid, bqual, &ev->xa_prepare.xa);
}

/* Inflate what is left of the body; the cursor then reads the inflated bytes. */
static bool inflate_rest(struct input *in, const struct binlog_event *ev)
{
    struct binlog_packed p;
    const char *why = binlog_packed_event(cursor_rest(&in->c), &p);
    uint8_t *room;

    if (why)
        return bad(in->e, ev, why);
    buf_clear(in->inflated);
    room = buf_reserve(in->inflated, p.size);
    if (!room)
        return err_set(in->e, ERR_IO, "compressed binlog event: %zu bytes, the limit is %zu",
                       p.size, in->inflated->max);
    why = binlog_inflate(&p, room);
    if (why)
        return bad(in->e, ev, why);
    in->inflated->len = p.size;
    in->c = cursor_of(room, p.size);
    return true;
}

/* Post-header, status variables, schema, NUL, text. */
static bool body_query(struct input *in, struct binlog_event *ev)
{
    struct binlog_query *q = &ev->query;
    size_t post = in->format->post_header[ev->head.type];
    uint8_t schema_len;
    uint16_t status_len;

    ev->body = BINLOG_QUERY;
    q->thread_id = cursor_u32(&in->c);
    cursor_skip(&in->c, 4);
    schema_len = cursor_u8(&in->c);
    q->error = cursor_u16(&in->c);
    status_len = cursor_u16(&in->c);
    cursor_skip(&in->c, post > QUERY_POST_HEADER ? post - QUERY_POST_HEADER : 0);
    cursor_skip(&in->c, status_len);
    q->schema = cursor_bytes(&in->c, schema_len);
    cursor_skip(&in->c, 1);
    if (!checked(in, ev))
        return false;
    if (ev->head.type == BINLOG_TYPE_QUERY_COMPRESSED && !inflate_rest(in, ev))
        return false;
    q->text = cursor_rest(&in->c);
    return true;
}

static bool body_table_map(struct input *in, struct binlog_event *ev)
{
    ev->body = BINLOG_TABLE_MAP;
    ev->table_map = cursor_rest(&in->c);
    if (in->format->post_header[ev->head.type] != TABLE_POST_HEADER)
        return bad(in->e, ev, "of a server too old");
    return true;
}

static enum binlog_op rows_op(uint8_t type)
{
    switch (type) {
    case BINLOG_TYPE_WRITE_ROWS_V1:
    case BINLOG_TYPE_WRITE_ROWS:
    case BINLOG_TYPE_WRITE_ROWS_COMPRESSED_V1:
    case BINLOG_TYPE_WRITE_ROWS_COMPRESSED:
        return BINLOG_INSERT;
    case BINLOG_TYPE_UPDATE_ROWS_V1:
    case BINLOG_TYPE_UPDATE_ROWS:
    case BINLOG_TYPE_UPDATE_ROWS_COMPRESSED_V1:
    case BINLOG_TYPE_UPDATE_ROWS_COMPRESSED:
        return BINLOG_UPDATE;
    default:
        return BINLOG_DELETE;
    }
}

static bool rows_post_header(struct input *in, struct binlog_event *ev)
{
    size_t post = in->format->post_header[ev->head.type];
    uint16_t extra;

    ev->rows.table_id = cursor_u48(&in->c);
    ev->rows.flags = cursor_u16(&in->c);
    if (post == ROWS_POST_HEADER_V2) {
        extra = cursor_u16(&in->c); /* counts itself */
        if (extra < 2)
            return bad(in->e, ev, "extra data shorter than its length");
        cursor_skip(&in->c, extra - 2u);
    } else if (post != TABLE_POST_HEADER) {
        return bad(in->e, ev, "of a server too old");
    }
    return true;
}

static bool body_rows(struct input *in, struct binlog_event *ev)
{
    struct binlog_rows *r = &ev->rows;
    const uint8_t *bitmap;
    uint64_t width;

    ev->body = BINLOG_ROWS;
    r->op = rows_op(ev->head.type);
    if (!rows_post_header(in, ev))
        return false;
    width = cursor_lenenc(&in->c);
    if (width > BINLOG_COLUMNS_MAX)
        return bad(in->e, ev, "too many columns");
    r->width = (uint32_t)width;
    bitmap = cursor_take(&in->c, (r->width + 7) / 8);
    r->before = r->op == BINLOG_INSERT ? NULL : bitmap;
    r->after = r->op == BINLOG_INSERT ? bitmap : NULL;
    if (r->op == BINLOG_UPDATE)
        r->after = cursor_take(&in->c, (r->width + 7) / 8);
    if (!checked(in, ev))
        return false;
    if (ev->head.type >= BINLOG_TYPE_WRITE_ROWS_COMPRESSED_V1 && !inflate_rest(in, ev))
        return false;
    r->rows = cursor_rest(&in->c);
    return true;
}

static bool body_heartbeat(struct input *in, struct binlog_event *ev)
{
    ev->body = BINLOG_HEARTBEAT;
    ev->heartbeat = cursor_rest(&in->c);
    return true;
}

static bool body_annotate(struct input *in, struct binlog_event *ev)
{
    ev->body = BINLOG_ANNOTATE;
    ev->annotate = cursor_rest(&in->c);
    return true;
}

static bool body_incident(struct input *in, struct binlog_event *ev)
{
    uint8_t n;

    ev->body = BINLOG_INCIDENT;
    ev->incident.number = cursor_u16(&in->c);
    n = cursor_left(&in->c) ? cursor_u8(&in->c) : 0;
    ev->incident.text = cursor_bytes(&in->c, n);
    return checked(in, ev);
}

static const struct {
    const char *name;
    body_decoder decode; /* NULL: no known server sends it to a replica of ours */
} types[256] = {
    [1] = {"START_V3", NULL},
    [BINLOG_TYPE_QUERY] = {"QUERY", body_query},
    [BINLOG_TYPE_STOP] = {"STOP", body_ignored},
    [BINLOG_TYPE_ROTATE] = {"ROTATE", body_rotate},
    [BINLOG_TYPE_INTVAR] = {"INTVAR", body_ignored},
    [6] = {"LOAD", NULL},
    [7] = {"SLAVE", NULL},
    [8] = {"CREATE_FILE", NULL},
    [BINLOG_TYPE_APPEND_BLOCK] = {"APPEND_BLOCK", body_ignored},
    [10] = {"EXEC_LOAD", NULL},
    [BINLOG_TYPE_DELETE_FILE] = {"DELETE_FILE", body_ignored},
    [12] = {"NEW_LOAD", NULL},
    [BINLOG_TYPE_RAND] = {"RAND", body_ignored},
    [BINLOG_TYPE_USER_VAR] = {"USER_VAR", body_ignored},
    [BINLOG_TYPE_FORMAT_DESCRIPTION] = {"FORMAT_DESCRIPTION", NULL},
    [BINLOG_TYPE_XID] = {"XID", body_xid},
    [BINLOG_TYPE_BEGIN_LOAD_QUERY] = {"BEGIN_LOAD_QUERY", body_ignored},
    [BINLOG_TYPE_EXECUTE_LOAD_QUERY] = {"EXECUTE_LOAD_QUERY", body_query},
    [BINLOG_TYPE_TABLE_MAP] = {"TABLE_MAP", body_table_map},
    [20] = {"PRE_GA_WRITE_ROWS", NULL},
    [21] = {"PRE_GA_UPDATE_ROWS", NULL},
    [22] = {"PRE_GA_DELETE_ROWS", NULL},
    [BINLOG_TYPE_WRITE_ROWS_V1] = {"WRITE_ROWS_V1", body_rows},
    [BINLOG_TYPE_UPDATE_ROWS_V1] = {"UPDATE_ROWS_V1", body_rows},
    [BINLOG_TYPE_DELETE_ROWS_V1] = {"DELETE_ROWS_V1", body_rows},
    [BINLOG_TYPE_INCIDENT] = {"INCIDENT", body_incident},
    [BINLOG_TYPE_HEARTBEAT] = {"HEARTBEAT", body_heartbeat},
    [BINLOG_TYPE_IGNORABLE] = {"IGNORABLE", body_ignored},
    [BINLOG_TYPE_ROWS_QUERY] = {"ROWS_QUERY", body_ignored},
    [BINLOG_TYPE_WRITE_ROWS] = {"WRITE_ROWS", body_rows},
    [BINLOG_TYPE_UPDATE_ROWS] = {"UPDATE_ROWS", body_rows},
    [BINLOG_TYPE_DELETE_ROWS] = {"DELETE_ROWS", body_rows},
    [33] = {"MySQL's GTID", NULL},
    [34] = {"MySQL's ANONYMOUS_GTID", NULL},
    [35] = {"MySQL's PREVIOUS_GTIDS", NULL},
    [36] = {"MySQL's TRANSACTION_CONTEXT", NULL},
    [37] = {"MySQL's VIEW_CHANGE", NULL},
    [BINLOG_TYPE_XA_PREPARE] = {"XA_PREPARE", body_xa_prepare},
    [39] = {"MySQL's PARTIAL_UPDATE_ROWS", NULL},
    [40] = {"MySQL's TRANSACTION_PAYLOAD", NULL},
    [BINLOG_TYPE_ANNOTATE_ROWS] = {"ANNOTATE_ROWS", body_annotate},
    [BINLOG_TYPE_CHECKPOINT] = {"BINLOG_CHECKPOINT", body_ignored},
    [BINLOG_TYPE_GTID] = {"GTID", body_gtid},
    [BINLOG_TYPE_GTID_LIST] = {"GTID_LIST", body_gtid_list},
    [BINLOG_TYPE_START_ENCRYPTION] = {"START_ENCRYPTION", body_ignored},
    [BINLOG_TYPE_QUERY_COMPRESSED] = {"QUERY_COMPRESSED", body_query},
    [BINLOG_TYPE_WRITE_ROWS_COMPRESSED_V1] = {"WRITE_ROWS_COMPRESSED_V1", body_rows},
    [BINLOG_TYPE_UPDATE_ROWS_COMPRESSED_V1] = {"UPDATE_ROWS_COMPRESSED_V1", body_rows},
    [BINLOG_TYPE_DELETE_ROWS_COMPRESSED_V1] = {"DELETE_ROWS_COMPRESSED_V1", body_rows},
    [BINLOG_TYPE_WRITE_ROWS_COMPRESSED] = {"WRITE_ROWS_COMPRESSED", body_rows},
    [BINLOG_TYPE_UPDATE_ROWS_COMPRESSED] = {"UPDATE_ROWS_COMPRESSED", body_rows},
    [BINLOG_TYPE_DELETE_ROWS_COMPRESSED] = {"DELETE_ROWS_COMPRESSED", body_rows},
};

const char *binlog_type_name(uint8_t type)
{
    return types[type].name ? types[type].name : "unknown";
}

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Over all but the last four bytes. The server clears "in use" of a file's first event for it. */
static bool crc_matches(struct span raw)
{
    uint8_t head[BINLOG_HEADER];
    uint32_t crc;

    if (raw.n < BINLOG_HEADER + BINLOG_CHECKSUM)
        return false;
    memcpy(head, raw.p, sizeof head);
    if (head[4] == BINLOG_TYPE_FORMAT_DESCRIPTION)
        head[FLAGS_AT] &= (uint8_t)~FLAG_IN_USE;
    crc = (uint32_t)crc32_z(0, head, sizeof head);
    crc = (uint32_t)crc32_z(crc, raw.p + sizeof head, raw.n - sizeof head - BINLOG_CHECKSUM);
    return crc == u32_at(raw.p + raw.n - BINLOG_CHECKSUM);
}

/* The checksum's algorithm and, whatever it is, four bytes stand at the event's end. */
static bool decode_format(struct span raw, struct binlog_event *ev, struct err *e)
{
    struct binlog_format *f = &ev->format;
    const uint8_t *body = raw.p + BINLOG_HEADER;
    size_t n = raw.n - BINLOG_HEADER;
    size_t listed;
    uint8_t method;

    ev->body = BINLOG_FORMAT;
    *f = (struct binlog_format){0};
    if (n < FORMAT_FIXED + 1 + BINLOG_CHECKSUM)
        return bad(e, ev, "cut short");
    f->version = (uint16_t)(body[0] | body[1] << 8);
    if (f->version != 4 || body[FORMAT_FIXED - 1] != BINLOG_HEADER)
        return bad(e, ev, "not binlog version 4");
    listed = n - FORMAT_FIXED - 1 - BINLOG_CHECKSUM;
    if (listed > sizeof f->post_header - 1)
        return bad(e, ev, "too many event types");
    memcpy(f->post_header + 1, body + FORMAT_FIXED, listed);
    method = body[FORMAT_FIXED + listed];
    if (method != CHECKSUM_NONE && method != CHECKSUM_CRC32)
        return bad(e, ev, "unknown checksum algorithm, or a server without binlog checksums");
    f->checksum = method == CHECKSUM_CRC32;
    if (f->checksum && !crc_matches(raw))
        return bad(e, ev, "checksum is wrong");
    return true;
}

bool binlog_header_decode(struct span raw, struct binlog_header *h)
{
    struct cursor c = cursor_span(raw);

    h->timestamp = cursor_u32(&c);
    h->type = cursor_u8(&c);
    h->server_id = cursor_u32(&c);
    h->size = cursor_u32(&c);
    h->end_pos = cursor_u32(&c);
    h->flags = cursor_u16(&c);
    return cursor_ok(&c);
}

/* An artificial ROTATE goes by what the session said, before any format is known, and its body has
 * no length: the checksum is there if it is right. */
static bool strip_checksum(struct span *raw, const struct binlog_format *f,
                           const struct binlog_event *ev, struct err *e)
{
    bool artificial =
        ev->head.type == BINLOG_TYPE_ROTATE && ev->head.flags & BINLOG_FLAG_ARTIFICIAL;

    if (!artificial && !f->checksum)
        return true;
    if (crc_matches(*raw))
        raw->n -= BINLOG_CHECKSUM;
    else if (!artificial)
        return bad(e, ev, "checksum is wrong");
    return true;
}

static bool decode_body(struct span raw, const struct binlog_format *f, struct buf *inflated,
                        struct binlog_event *ev, struct err *e)
{
    struct input in = {cursor_of(raw.p + BINLOG_HEADER, raw.n - BINLOG_HEADER), f, inflated, e};
    body_decoder decode = types[ev->head.type].decode;

    if (!f->version && ev->head.type != BINLOG_TYPE_ROTATE)
        return bad(e, ev, "came before a FORMAT_DESCRIPTION");
    if (decode)
        return decode(&in, ev);
    if (ev->head.flags & BINLOG_FLAG_IGNORABLE)
        return body_ignored(&in, ev);
    return bad(e, ev, "not supported, and not marked as ignorable");
}

bool binlog_event_decode(struct span raw, struct binlog_format *f, struct buf *inflated,
                         struct binlog_event *out, struct err *e)
{
    struct binlog_event *ev = out;

    memset(ev, 0, sizeof *ev);
    if (!binlog_header_decode(raw, &ev->head))
        return err_set(e, ERR_DATA, "binlog event of %zu bytes: shorter than its header", raw.n);
    if (ev->head.size != raw.n)
        return bad(e, ev, "its length is not what its header says");
    if (ev->head.type == BINLOG_TYPE_FORMAT_DESCRIPTION) {
        if (!decode_format(raw, ev, e))
            return false;
        *f = ev->format;
        return true;
    }
    return strip_checksum(&raw, f, ev, e) && decode_body(raw, f, inflated, ev, e);
}

struct gtid binlog_gtid_list_at(const struct binlog_event *ev, uint32_t i)
{
    struct cursor c = cursor_of(ev->gtid_list.entries.p + (size_t)i * 16, 16);
    struct gtid g = {.domain = cursor_u32(&c), .server = 0, .seq = 0};

    g.server = cursor_u32(&c);
    g.seq = cursor_u64(&c);
    return g;
}
