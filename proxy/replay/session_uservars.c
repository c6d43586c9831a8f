#include "proxy/replay/session_uservars.h"

#include "proxy/session/session_steps.h"

/* All of them in one cell, as one SET; empty where one cannot be told, or GROUP_CONCAT() has cut
 * them. A DOUBLE's text alone would be a DECIMAL. The list has values in utf8mb3: a question mark
 * may be what another character has become. */
static const char ask_sql[] =
    "SELECT IF(COUNT(*)=COUNT(v) AND LENGTH(GROUP_CONCAT(v))=SUM(LENGTH(v)+1)-1,"
    "GROUP_CONCAT(v),'') FROM (SELECT CASE WHEN w IS NULL THEN CONCAT(n,'NULL') "
    "WHEN t='DOUBLE' THEN CONCAT(n,w,IF(LOCATE('e',w),'','e0')) "
    "WHEN t<>'VARCHAR' THEN CONCAT(n,w) "
    "WHEN LOCATE('?',w)=0 THEN CONCAT(n,'CONVERT(_utf8 X''',HEX(w),''' USING ',c,')',"
    "IF(c=@@character_set_connection,CONCAT(' COLLATE ',@@collation_connection),'')) END v "
    "FROM (SELECT CONCAT('@`',REPLACE(VARIABLE_NAME,'`','``'),'`:=') n,VARIABLE_VALUE w,"
    "VARIABLE_TYPE t,CHARACTER_SET_NAME c FROM information_schema.USER_VARIABLES) a) b";

void session_uservars_forget(struct session *s)
{
    buf_free(&s->uservars.set);
    s->uservars = (struct uservars){.set = buf_with_max(REPLY_CELL)};
}

void session_uservars_changed(struct session *s)
{
    s->uservars.asked = s->uservars.fresh = false;
}

bool session_uservars_must_ask(const struct session *s, const struct backend *b)
{
    return s->worker->conf->failover.enabled && s->run.statement.kind == SQL_BEGIN &&
           s->fragile == FRAGILE_USER_VARIABLES && !s->uservars.asked && !b->warned &&
           !(s->status & STATUS_IN_TRANS);
}

bool session_uservars_ask(struct session *s, struct backend *b)
{
    session_uservars_forget(s);
    s->uservars.asked = true;
    return backend_command(b, COM_QUERY, span_of(ask_sql), EXPECT_USERVARS);
}

/* An answer that fills the cell may have been cut. */
void session_uservars_told(struct session *s, const struct backend *b, bool failed)
{
    const struct reply *r = &b->reply;
    struct uservars *u = &s->uservars;

    u->fresh = !failed && !r->cell_null && r->cell_len > 0 && r->cell_len < REPLY_CELL - 1;
    if (u->fresh)
        buf_put(&u->set, r->cell, r->cell_len);
}

void session_uservars_lost(struct session *s)
{
    s->uservars.due = s->uservars.set.len > 0;
}

bool session_uservars_are_due(const struct session *s, const struct backend *b)
{
    return s->uservars.due && !s->run.read && b->server == s->worker->topology->primary;
}

bool session_uservars_lay_on(struct session *s, struct backend *b)
{
    struct buf sql;
    bool ok;

    if (!session_uservars_are_due(s, b))
        return true;
    sql = buf_with_max(REPLY_CELL + 8);
    buf_put_str(&sql, "SET ");
    buf_put_span(&sql, buf_span(&s->uservars.set));
    ok = buf_ok(&sql) && backend_command(b, COM_QUERY, buf_span(&sql), EXPECT_STATE);
    buf_free(&sql);
    s->uservars.due = false;
    s->fragile |= FRAGILE_USER_VARIABLES;
    return ok;
}
