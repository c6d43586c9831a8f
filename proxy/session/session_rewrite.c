/* The command's text where servers must read another than the client wrote.
 *
 * Clients know their session by the proxy's id, servers by a thread id for each connection. Where a
 * statement names connections (sql/spots.h finds the places) the servers' ids are put in its text
 * and taken out of its result: SELECT CONNECTION_ID() asks for the session's id, the process list
 * is session_processlist.c's. Ids below SESSION_ID_FIRST are the servers' own everywhere. */
#include "proxy/session/session_kill.h"
#include "proxy/session/session_rewriting.h"
#include "proxy/session/session_steps.h"

#include <inttypes.h>
#include <strings.h>

static void put_thread_case(void *ctx, uint32_t thread, uint32_t session, const char *host)
{
    (void)host;
    if (session)
        buf_printf(ctx, " WHEN %u THEN %u", session, thread);
}

static void put_session_case(void *ctx, uint32_t thread, uint32_t session, const char *host)
{
    (void)host;
    if (session)
        buf_printf(ctx, " WHEN %u THEN %u", thread, session);
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
    uint64_t id = session_id_told(number);
    uint32_t thread = 0;

    if (session_is_id(id))
        thread = threads_of(&r->s->worker->shared->threads, r->b->server, (uint32_t)id);
    if (thread)
        buf_printf(r->out, "%u", thread);
    else
        buf_put_span(r->out, number);
}

/* KILL … of one statement alone is sent as it is: the server evaluates the expression and does not
 * know the id of a session, which says so (session_kill.c). Of several the rest would not run. */
static void put_kill(struct rewriting *r)
{
    if (r->spots.several)
        buf_put_str(r->out, "CASE ");
}

static void put_cases(struct rewriting *r, threads_visit *put, struct span otherwise)
{
    buf_put_str(r->out, " WHEN 0 THEN 0");
    threads_each(&r->s->worker->shared->threads, r->b->server, put, r->out);
    buf_put_str(r->out, " ELSE ");
    buf_put_span(r->out, otherwise);
    buf_put_str(r->out, " END");
}

static void put_kill_end(struct rewriting *r, struct span expression)
{
    if (r->spots.several)
        put_cases(r, put_thread_case, expression);
}

/* KILL takes no subquery. A parameter cannot stand in two places: then the id is the server's. */
static void put_kill_holder(struct rewriting *r, struct span call)
{
    if (memchr(call.p, '?', call.n)) {
        buf_put_span(r->out, call);
        return;
    }
    buf_put_str(r->out, "CASE ");
    buf_put_span(r->out, call);
    put_cases(r, put_session_case, call);
}

/* The server's id is asked for once, and told as the session's: as the SRID of a point, for of all
 * functions that answer any number this one alone is an INT of ten digits, as IS_USED_LOCK() is. */
static void put_holder(struct rewriting *r)
{
    buf_put_str(r->out, "(SELECT SRID(ST_GeomFromText(IF(thread,'POINT(0 0)',NULL),CASE thread");
    put_cases(r, put_session_case, span_of("thread"));
    buf_put_str(r->out, ")) FROM (SELECT ");
}

static void put_holder_end(struct rewriting *r)
{
    buf_put_str(r->out, " AS thread) l)");
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

static void put_spot(struct rewriting *r, const struct sql_spot *spot)
{
    if (sql_spot_lists_processes(spot) && !r->s->worker->catalog->processlist) {
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
        processlist_put_table(r, spot->bare);
        break;
    case SPOT_SHOW_PROCESSLIST:
    case SPOT_SHOW_FULL_PROCESSLIST:
        processlist_put_show(r, spot->kind == SPOT_SHOW_FULL_PROCESSLIST);
        break;
    case SPOT_THREAD:
        put_thread(r, spot->where);
        break;
    case SPOT_KILL:
        put_kill(r);
        break;
    case SPOT_KILL_END:
        put_kill_end(r, spot->text);
        break;
    case SPOT_KILL_HOLDER:
        put_kill_holder(r, spot->where);
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

bool session_in_information_schema(const struct session *s)
{
    return strcasecmp(s->schema, "information_schema") == 0;
}

bool session_names_ids(const struct session *s, const struct sql_class *c)
{
    return (c->effects & SQL_EFFECT_NAMES_IDS) != 0 || session_in_information_schema(s);
}

bool session_text_is_own(const struct session *s, const struct sql_class *c)
{
    return session_names_ids(s, c) || (c->effects & SQL_EFFECTS_ASKS) != 0;
}

bool session_rewrite(struct session *s, const struct backend *b, uint8_t command, struct span text,
                     struct buf *out)
{
    struct rewriting r = {.s = s, .b = b, .text = text, .out = out};
    size_t at = out->len;

    if ((!session_names_ids(s, &s->run.statement) && !session_row_count_elsewhere(s, b) &&
         !session_found_rows_elsewhere(s, b)) ||
        !sql_spots_find(text, s->mode, session_in_information_schema(s), &r.spots))
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
