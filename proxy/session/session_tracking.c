/* The client's own session_track_… variables.
 *
 * The servers report all changes to the proxy, whatever the client wants to be told, so its
 * variables live in session->telling; what it is told is filtered by them. A statement that may
 * show or set them runs under the client's values instead, laid on in front of it. If it was more
 * than a question, then, in front of the session's next statement, which therefore comes to the
 * same connection (PIN_TRACKING), the client's values are asked for, the proxy's are laid on again,
 * and what other variables the statement had set is set once more, for their values to be reported.
 *
 *   client   SET session_track_schema=0, sql_mode='ANSI'
 *   server   SET session_track_system_variables=<the client's>, …
 *            SET session_track_schema=0, sql_mode='ANSI'      its OK goes to the client as it is
 *   client   its next statement
 *   server   SELECT @@session_track_transaction_info, …       the client's, from now on
 *            SET session_track_system_variables='*', …, SESSION sql_mode=@@SESSION.sql_mode
 *            the statement */
#include "proxy/session/session_tracking.h"
#include "proxy/session/session_steps.h"

#include "routing/vars_rules.h"
#include "sql/assigned.h"

enum { SQL_MAX = 16384 };

/* Binary, so that no character set of the session's changes it. */
#define VALUES(scope)                                                          \
    "SELECT CAST(CONCAT_WS('/'," scope "session_track_transaction_info," scope \
    "session_track_schema," scope "session_track_state_change,IFNULL(" scope   \
    "session_track_system_variables,'')) AS BINARY)"

static const char own_sql[] = VALUES("@@session.");
static const char default_sql[] = VALUES("@@global.");

/* Those of the proxy: as backend_setup_sql. */
static const struct tracking everything = {.known = true,
                                           .schema = true,
                                           .state = true,
                                           .transaction = TRACKING_CHARACTERISTICS,
                                           .names = "*"};

static void put_value(struct buf *sql, const char *name, const char *value, bool wide)
{
    buf_put_str(sql, name);
    buf_put_u8(sql, '=');
    vars_put_value(sql, span_of(name), span_of(value), NULL, wide);
}

static void put_set(const struct session *s, struct buf *sql, const struct tracking *t)
{
    bool wide = vars_is_wide(vars_value(s->vars, "character_set_connection"));

    if (!t->known) {
        buf_put_str(sql, "SET session_track_system_variables=DEFAULT,session_track_schema=DEFAULT,"
                         "session_track_state_change=DEFAULT,"
                         "session_track_transaction_info=DEFAULT");
        return;
    }
    buf_put_str(sql, "SET ");
    put_value(sql, "session_track_system_variables", t->names, wide);
    put_value(sql, ",session_track_schema", t->schema ? "1" : "0", wide);
    put_value(sql, ",session_track_state_change", t->state ? "1" : "0", wide);
    put_value(sql, ",session_track_transaction_info", tracking_transaction_name(t), wide);
}

static bool lay_on(const struct session *s, struct backend *b, const struct tracking *t,
                   struct span more, enum expect_role role)
{
    struct buf sql = buf_with_max(SQL_MAX);
    bool ok;

    put_set(s, &sql, t);
    buf_put_span(&sql, more);
    ok = buf_ok(&sql) && backend_command(b, COM_QUERY, buf_span(&sql), role);
    buf_free(&sql);
    b->tells_client = t != &everything;
    return ok;
}

/* Not where it may write: the proxy must learn of its GTID. */
static bool wants_own(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;

    return !s->run.log_in && (c->effects & SQL_EFFECT_TRACKING) && !c->writes;
}

static bool is_asked_for(const struct session *s)
{
    return (s->pins & PIN_TRACKING) != 0;
}

/* What was told over a connection that is no older: as the session finds other variables as they
 * were when the connection was opened, so it does these. */
static bool take_known_defaults(struct session *s, const struct backend *b)
{
    const struct tracking_defaults *d = &s->worker->tracking;

    if (!d->values.known || d->server != b->server || d->global_sets != s->global_sets ||
        d->since_ns < b->since_ns)
        return false;
    s->telling.wanted = d->values;
    return true;
}

bool session_tracking_lay_on(struct session *s, struct backend *b)
{
    const struct span nothing = {NULL, 0};

    if (wants_own(s))
        return (is_asked_for(s) && b->tells_client) ||
               lay_on(s, b, &s->telling.wanted, nothing, EXPECT_STATE);
    if (is_asked_for(s) && b->server == s->home)
        return backend_command(b, COM_QUERY, span_of(own_sql), EXPECT_TRACKING) &&
               lay_on(s, b, &everything, buf_span(&s->telling.assigned), EXPECT_REPORT);
    if (b->tells_client && !lay_on(s, b, &everything, nothing, EXPECT_STATE))
        return false;
    if (!(s->caps & CAP_SESSION_TRACK) || s->telling.wanted.known || is_asked_for(s))
        return true;
    return take_known_defaults(s, b) ||
           backend_command(b, COM_QUERY, span_of(default_sql), EXPECT_TRACKING);
}

void session_tracking_arrange(struct session *s, const struct backend *b)
{
    if (b->tells_client)
        session_left_disturbed(s, b, is_asked_for(s));
}

void session_tracking_told(struct session *s, const struct backend *b, const struct reply *r)
{
    if (r->cell_null ||
        !tracking_parse(&s->telling.wanted, (struct span){(const uint8_t *)r->cell, r->cell_len}))
        s->pins |= PIN_VARIABLE; /* names without end */
    else if (!is_asked_for(s))
        s->worker->tracking = (struct tracking_defaults){.values = s->telling.wanted,
                                                         .server = b->server,
                                                         .global_sets = s->global_sets,
                                                         .since_ns = b->since_ns};
}

void session_tracking_restored(struct session *s)
{
    s->pins &= ~(uint32_t)PIN_TRACKING;
    buf_clear(&s->telling.assigned);
}

void session_tracking_forget(struct session *s)
{
    tracking_init(&s->telling.wanted);
    session_tracking_restored(s);
    buf_clear(&s->telling.untold);
}

/* Whether it only looked. */
static bool only_shows(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;

    return s->run.byte == COM_STMT_PREPARE ||
           ((c->kind == SQL_SELECT || c->kind == SQL_SHOW) && c->statements == 1 &&
            !(c->effects & SQL_EFFECT_OPAQUE));
}

static void note_assigned(void *ctx, struct span name)
{
    struct session *s = ctx;

    if (vars_rule(name) == VARS_PINS)
        s->pins |= PIN_VARIABLE;
    else if (vars_rule(name) != VARS_IGNORED &&
             !session_home_set_again(&s->telling.assigned, ",", name))
        session_home_unknown(s);
}

/* Which variables it set, to have their values reported; false: nobody knows. */
static bool collect_assigned(struct session *s)
{
    const struct command_run *run = &s->run;

    if (run->failed || run->statement.kind != SQL_SET)
        return run->failed;
    if (run->byte != COM_QUERY || !run->whole)
        return false;
    return sql_assigned(session_text(s), s->mode, note_assigned, s) && buf_ok(&s->telling.assigned);
}

/* Under the proxy's values, of which nobody knows now which are left. */
static bool set_unseen(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;

    return (c->effects & SQL_EFFECT_TRACKING) && c->writes &&
           (c->kind == SQL_SET || c->statements > 1 || (c->effects & SQL_EFFECT_OPAQUE));
}

void session_tracking_end(struct session *s, struct backend *b)
{
    bool unseen = !b->tells_client && set_unseen(s);

    b->tells_client |= unseen;
    if (!b->tells_client || only_shows(s))
        return;
    if (unseen || !collect_assigned(s))
        session_home_unknown(s);
    s->pins |= PIN_TRACKING;
}

void session_tracking_log_in(const struct session *s, struct buf *to)
{
    size_t n = strlen(s->schema);

    if (s->credentials.schema_len == 0 || !s->telling.wanted.schema || n == 0)
        return;
    buf_put_u8(to, CHANGE_SCHEMA);
    buf_put_u8(to, (uint8_t)(n + 1)); /* SCHEMA_MAX bytes at most: lengths of one byte */
    buf_put_lenenc_bytes(to, span_of(s->schema));
}

void session_tracking_reply(const struct session *s, struct backend *b)
{
    b->reply.retells = (s->caps & CAP_SESSION_TRACK) && !b->tells_client;
    b->reply.retells_all = b->reply.retells && s->telling.untold.len > 0;
}

void session_tell(struct session *s, struct ok ok, uint8_t packet)
{
    bool is_eof = ok.header == 0xFE && !(s->caps & CAP_DEPRECATE_EOF);
    size_t at = packet_begin(&s->out);

    if (!tracking_filter(&s->telling.wanted, ok.changes, &s->telling.untold))
        ok.status &= (uint16_t) ~(unsigned)STATUS_SESSION_STATE_CHANGED;
    ok.changes = buf_span(&s->telling.untold);
    ok_encode(&s->out, &ok, s->caps);
    packet_end(&s->out, at, packet);
    if (!is_eof || !(s->caps & CAP_SESSION_TRACK))
        buf_clear(&s->telling.untold);
}

void session_retell(struct session *s, struct backend *b)
{
    session_tell(s, b->reply.ok, b->reply.seq);
    b->reply.retells_all = false;
}

/* MariaDB, too, tells them in the next OK packet. */
void session_keep_untold(struct session *s, struct backend *b)
{
    if (!b->reply.retells || b->reply.ok.changes.n == 0)
        return;
    (void)tracking_filter(&s->telling.wanted, b->reply.ok.changes, &s->telling.untold);
    b->reply.retells_all = s->telling.untold.len > 0;
}
