/* The process list in SQL: the primary's own,
 *   - joined with the list of threads that this process holds (`m`), for the sessions' ids and
 *     clients, without the connections that idle in a pool, which serve nobody;
 *   - joined with what sessions have under way on other servers (`b`, session_busy.h), which stands
 *     in the place of their connection's row, or in a row of its own where they have none. */
#include "proxy/session/session_rewriting.h"

#include "proxy/session/session_steps.h"

#include <string.h>

enum { OWN_TEXT_MAX = 4096 };

struct column {
    const char *name;
    const char *own;  /* of a connection to the primary; NULL: p.NAME */
    const char *busy; /* of what is under way elsewhere */
};

static const struct column columns[] = {
    {"ID", "IFNULL(m.`1`,p.ID)", "b.session"},
    {"USER", NULL, "b.user"},
    {"HOST", "IFNULL(m.`2`,p.HOST)", "b.host"},
    {"DB", NULL, "b.db"},
    {"COMMAND", NULL, "b.command"},
    {"TIME", NULL, "b.time"},
    {"STATE", NULL, "_utf8mb3''"},
    {"INFO", NULL, "b.info"},
    {"TIME_MS", NULL, "b.time_ms"},
    {"QUERY_ID", NULL, "b.query"},
    {"INFO_BINARY", NULL, "CAST(b.info AS BINARY)"},
};

/* What SHOW PROCESSLIST makes of them. */
static const struct {
    const char *column, *before, *after, *heading;
} shown[] = {
    {"ID", "", "", "Id"},
    {"USER", "CONCAT(", ")", "User"},
    {"HOST", "", "", "Host"},
    {"DB", "CONCAT(", ")", "db"},
    {"COMMAND", "CONCAT(", ")", "Command"},
    {"TIME", "", "", "Time"},
    {"STATE", "LEFT(", ",30)", "State"},
    {"INFO", "LEFT(", ",100)", "Info"},
    {"PROGRESS", "CAST(", " AS DOUBLE(7,3))", "Progress"},
};

/* A row's source: a connection to the primary, or a session that has none. */
enum source { LISTED, UNLISTED };

static const struct column *find_column(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        if (span_eq(name, columns[i].name))
            return &columns[i];
    return NULL;
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

static void put_own(struct rewriting *r, const struct column *c, struct span name)
{
    if (span_eq(name, "INFO"))
        put_info(r);
    else if (c && c->own)
        buf_put_str(r->out, c->own);
    else
        buf_printf(r->out, "p.%.*s", (int)name.n, (const char *)name.p);
}

static void put_value(struct rewriting *r, struct span name, enum source source)
{
    const struct column *c = find_column(name);
    const char *busy = c ? c->busy : NULL;

    if (source == UNLISTED) {
        buf_put_str(r->out, busy ? busy : "b.listed"); /* 0, of the narrowest type */
        return;
    }
    if (!busy || !session_busy_any(&r->s->busy)) {
        put_own(r, c, name);
        return;
    }
    buf_put_str(r->out, "IF(b.session IS NULL,");
    put_own(r, c, name);
    buf_printf(r->out, ",%s)", busy);
}

static void put_thread(void *ctx, uint32_t thread, uint32_t session, const char *host)
{
    buf_printf(ctx, ",(%u,%u,_utf8mb3'%s')", thread, session, host);
}

static void put_from(struct rewriting *r, enum source source)
{
    const struct busy *busy = &r->s->busy;

    if (source == UNLISTED) {
        buf_put_str(r->out, " FROM ");
        session_busy_put_table(busy, r->out);
        buf_put_str(r->out, " WHERE b.listed=0");
        return;
    }
    buf_put_str(r->out, " FROM information_schema.PROCESSLIST p LEFT JOIN "
                        "(VALUES (0,1,_utf8mb3'2')");
    threads_each(&r->s->worker->shared->threads, r->b->server, put_thread, r->out);
    buf_put_str(r->out, ") m ON m.`0`=p.ID");
    if (session_busy_any(busy)) {
        buf_put_str(r->out, " LEFT JOIN ");
        session_busy_put_table(busy, r->out);
        buf_put_str(r->out, " ON b.session=m.`1`");
    }
    buf_put_str(r->out, " WHERE IFNULL(m.`1`,1)<>0");
}

static void put_table_columns(struct rewriting *r, enum source source)
{
    const char *names = r->s->worker->catalog->processlist;
    size_t n;

    for (; *names; names += n + (names[n] == ',')) {
        struct span name = {(const uint8_t *)names, n = strcspn(names, ",")};

        put_value(r, name, source);
        buf_printf(r->out, " AS %.*s%s", (int)n, names, names[n] == ',' ? "," : "");
    }
}

void processlist_put_table(struct rewriting *r, bool bare)
{
    buf_put_str(r->out, "(SELECT ");
    put_table_columns(r, LISTED);
    put_from(r, LISTED);
    if (r->s->busy.unlisted) {
        buf_put_str(r->out, " UNION ALL SELECT ");
        put_table_columns(r, UNLISTED);
        put_from(r, UNLISTED);
    }
    buf_put_str(r->out, bare ? ") PROCESSLIST" : ")");
}

static void put_shown_columns(struct rewriting *r, enum source source, bool full)
{
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        struct span name = span_of(shown[i].column);
        bool whole = full && span_eq(name, "INFO");

        buf_printf(r->out, "%s%s", i ? "," : "", whole ? "" : shown[i].before);
        put_value(r, name, source);
        buf_printf(r->out, "%s AS %s", whole ? "" : shown[i].after, shown[i].heading);
    }
}

void processlist_put_show(struct rewriting *r, bool full)
{
    buf_put_str(r->out, "SELECT ");
    put_shown_columns(r, LISTED, full);
    put_from(r, LISTED);
    if (r->s->busy.unlisted) {
        buf_put_str(r->out, " UNION ALL SELECT ");
        put_shown_columns(r, UNLISTED, full);
        put_from(r, UNLISTED);
    }
    buf_put_str(r->out, " ORDER BY Id");
}
