/* The command's text where servers must read another than the client wrote.
 *
 * Clients know their session by the proxy's id, servers by a thread id for each connection. Where a
 * statement names connections (sql/spots.h finds the places) the servers' ids are put in its text
 * and taken out of its result: SELECT CONNECTION_ID() asks for the session's id, the process list
 * is joined with the list of threads that this process holds, and connections idle in a pool, which
 * serve nobody, are left out of it. Ids below SESSION_ID_FIRST are the servers' own everywhere. */
#include "proxy/session/session_steps.h"

#include "sql/spots.h"

#include <inttypes.h>
#include <strings.h>

enum { OWN_TEXT_MAX = 4096 };

struct rewriting {
    struct session *s;
    const struct backend *b; /* that will run it */
    struct span text;        /* the whole statement */
    struct sql_spots spots;
    struct buf *out;
};

static void put_row(void *ctx, uint32_t thread, uint32_t session, const char *host)
{
    buf_printf(ctx, ",(%u,%u,_utf8mb3'%s')", thread, session, host);
}

static void put_case(void *ctx, uint32_t thread, uint32_t session, const char *host)
{
    (void)host;
    if (session)
        buf_printf(ctx, " WHEN %u THEN %u", session, thread);
}

static void put_table(struct rewriting *r)
{
    buf_put_str(r->out, " FROM information_schema.PROCESSLIST p LEFT JOIN "
                        "(VALUES (0,1,_utf8mb3'2')");
    threads_each(&r->s->worker->shared->threads, r->b->server, put_row, r->out);
    buf_put_str(r->out, ") m ON m.`0`=p.ID WHERE IFNULL(m.`1`,1)<>0");
}

/* Of the asking session itself the list shows the statement as the client wrote it. */
static void put_info(struct rewriting *r)
{
    struct span charset = session_charset(r->s);
    uint32_t own = r->b->thread_id;

    if (!charset.n || r->spots.several || r->text.n > OWN_TEXT_MAX) {
        buf_put_str(r->out, "p.INFO");
        return;
    }
    buf_printf(r->out, "IF(p.ID=%u,CONVERT(_%.*s x'", own, (int)charset.n, (const char *)charset.p);
    for (size_t i = 0; i < r->text.n; i++)
        buf_printf(r->out, "%02x", r->text.p[i]);
    buf_put_str(r->out, "' USING utf8mb3),p.INFO)");
}

static void put_column(struct rewriting *r, struct span name)
{
    if (span_eq(name, "ID"))
        buf_put_str(r->out, "IFNULL(m.`1`,p.ID)");
    else if (span_eq(name, "HOST"))
        buf_put_str(r->out, "IFNULL(m.`2`,p.HOST)");
    else if (span_eq(name, "INFO"))
        put_info(r);
    else
        buf_printf(r->out, "p.%.*s", (int)name.n, (const char *)name.p);
    buf_printf(r->out, " AS %.*s", (int)name.n, (const char *)name.p);
}

/* The table as a subquery. */
static void put_processlist(struct rewriting *r, const struct sql_spot *spot)
{
    const char *names = r->s->worker->catalog->processlist;
    size_t n;

    buf_put_str(r->out, "(SELECT ");
    for (; *names; names += n + (names[n] == ',')) {
        n = strcspn(names, ",");
        put_column(r, (struct span){(const uint8_t *)names, n});
        if (names[n] == ',')
            buf_put_u8(r->out, ',');
    }
    put_table(r);
    buf_put_str(r->out, spot->bare ? ") PROCESSLIST" : ")");
}

/* SHOW PROCESSLIST as a query of the same columns, types and order. */
static void put_show(struct rewriting *r, bool full)
{
    buf_put_str(r->out, "SELECT IFNULL(m.`1`,p.ID) AS Id,CONCAT(p.USER) AS User,"
                        "IFNULL(m.`2`,p.HOST) AS Host,CONCAT(p.DB) AS db,"
                        "CONCAT(p.COMMAND) AS Command,p.TIME AS Time,LEFT(p.STATE,30) AS State,");
    if (!full)
        buf_put_str(r->out, "LEFT(");
    put_info(r);
    buf_put_str(r->out, full ? "" : ",100)");
    buf_put_str(r->out, " AS Info,CAST(p.PROGRESS AS DOUBLE(7,3)) AS Progress");
    put_table(r);
    buf_put_str(r->out, " ORDER BY p.ID");
}

static void put_heading(struct buf *out, struct span heading)
{
    buf_put_str(out, " AS `");
    for (size_t i = 0; i < heading.n; i++) {
        if (heading.p[i] == '`')
            buf_put_u8(out, '`');
        buf_put_u8(out, heading.p[i]);
    }
    buf_put_u8(out, '`');
}

/* An id that a client wrote, as the server knows it. */
static void put_thread(struct rewriting *r, struct span number)
{
    uint64_t id = 0;
    uint32_t thread = 0;

    for (size_t i = 0; i < number.n && id <= UINT32_MAX; i++)
        id = id * 10 + (number.p[i] - '0');
    if (id >= SESSION_ID_FIRST && id <= SESSION_ID_LAST)
        thread = threads_of(&r->s->worker->shared->threads, r->b->server, (uint32_t)id);
    if (thread)
        buf_printf(r->out, "%u", thread);
    else
        buf_put_span(r->out, number);
}

/* KILL takes no subquery. A parameter cannot stand in two places: then the id is the server's. */
static void put_expression(struct rewriting *r, struct span expression)
{
    if (memchr(expression.p, '?', expression.n)) {
        buf_put_span(r->out, expression);
        return;
    }
    buf_put_str(r->out, "CASE ");
    buf_put_span(r->out, expression);
    buf_put_str(r->out, " WHEN 0 THEN 0");
    threads_each(&r->s->worker->shared->threads, r->b->server, put_case, r->out);
    buf_put_str(r->out, " ELSE ");
    buf_put_span(r->out, expression);
    buf_put_str(r->out, " END");
}

/* The server's id is asked for once, and told as the session's. JSON_TABLE, for of VALUES the
 * column would be a BIGINT where the server's is an INT. */
static void put_holder(struct rewriting *r)
{
    buf_put_str(r->out, "(SELECT IFNULL(m.session,l.thread) FROM (SELECT ");
}

static void put_pair(void *ctx, uint32_t thread, uint32_t session, const char *host)
{
    (void)host;
    if (session)
        buf_printf(ctx, ",[%u,%u]", thread, session);
}

static void put_holder_end(struct rewriting *r)
{
    buf_put_str(r->out, " AS thread) l LEFT JOIN JSON_TABLE('[[0,0]");
    threads_each(&r->s->worker->shared->threads, r->b->server, put_pair, r->out);
    buf_put_str(r->out, "]','$[*]' COLUMNS(thread INT PATH '$[0]',session INT PATH '$[1]')) m "
                        "ON m.thread=l.thread)");
}

/* What a statement before has left on another connection, of the type of the call. */
static void put_left(struct rewriting *r, const struct sql_spot *spot, bool elsewhere,
                     int64_t value)
{
    if (elsewhere)
        buf_printf(r->out, "IF(0,%.*s,%" PRId64 ")", (int)spot->where.n,
                   (const char *)spot->where.p, value);
    else
        buf_put_span(r->out, spot->where);
}

static bool lists_processes(const struct sql_spot *spot)
{
    return spot->kind == SPOT_PROCESSLIST || spot->kind == SPOT_SHOW_PROCESSLIST ||
           spot->kind == SPOT_SHOW_FULL_PROCESSLIST;
}

static void put_spot(struct rewriting *r, const struct sql_spot *spot)
{
    if (lists_processes(spot) && !r->s->worker->catalog->processlist) {
        buf_put_span(r->out, spot->where); /* its columns are not known */
        return;
    }
    switch (spot->kind) {
    case SPOT_CONNECTION_ID: /* of the same type */
        buf_printf(r->out, "CAST(%u AS UNSIGNED)", r->s->id);
        break;
    case SPOT_HOLDER:
        put_holder(r);
        break;
    case SPOT_HOLDER_END:
        put_holder_end(r);
        break;
    case SPOT_ROW_COUNT:
        put_left(r, spot, session_row_count_elsewhere(r->s, r->b), r->s->left.row_count);
        break;
    case SPOT_FOUND_ROWS:
        put_left(r, spot, session_found_rows_elsewhere(r->s, r->b), (int64_t)r->s->left.found_rows);
        break;
    case SPOT_HEADING:
        put_heading(r->out, spot->text);
        break;
    case SPOT_PROCESSLIST:
        put_processlist(r, spot);
        break;
    case SPOT_SHOW_PROCESSLIST:
    case SPOT_SHOW_FULL_PROCESSLIST:
        put_show(r, spot->kind == SPOT_SHOW_FULL_PROCESSLIST);
        break;
    case SPOT_THREAD:
        put_thread(r, spot->where);
        break;
    case SPOT_KILL:
        put_expression(r, spot->where);
        break;
    }
}

static void put_text(struct rewriting *r)
{
    const uint8_t *at = r->text.p;

    for (int i = 0; i < r->spots.count; i++) {
        const struct sql_spot *spot = &r->spots.spots[i];

        buf_put(r->out, at, (size_t)(spot->where.p - at));
        put_spot(r, spot);
        at = spot->where.p + spot->where.n;
    }
    buf_put(r->out, at, (size_t)(r->text.p + r->text.n - at));
}

static bool in_information_schema(const struct session *s)
{
    return strcasecmp(s->schema, "information_schema") == 0;
}

static bool names_ids(const struct session *s, const struct sql_class *c)
{
    return (c->effects & SQL_EFFECT_NAMES_IDS) != 0 || in_information_schema(s);
}

bool session_text_is_own(const struct session *s, const struct sql_class *c)
{
    return names_ids(s, c) || (c->effects & SQL_EFFECTS_ASKS) != 0;
}

bool session_rewrite(struct session *s, const struct backend *b, uint8_t command, struct span text,
                     struct buf *out)
{
    struct rewriting r = {.s = s, .b = b, .text = text, .out = out};
    size_t at = out->len;

    if ((!names_ids(s, &s->run.statement) && !session_row_count_elsewhere(s, b) &&
         !session_found_rows_elsewhere(s, b)) ||
        !sql_spots_find(text, s->mode, in_information_schema(s), &r.spots))
        return false;
    (void)packet_begin(out);
    buf_put_u8(out, command);
    put_text(&r);
    if (!buf_ok(out) || out->len - at - PACKET_HEADER >= PACKET_MAX_PAYLOAD) {
        buf_clear(out);
        return false;
    }
    packet_end(out, at, 0);
    return true;
}
