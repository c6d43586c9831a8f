/* What the session's home, the connection that has its state, is asked before the next command is
 * routed, because replies so far did not say it:
 *   - after an error inside a transaction, whose packet has no status flags: is there still one?
 *   - after SET CHARACTER SET, SET @@name = …: the values, which MariaDB reports only of variables
 *     set by other words. Each is set to itself, by those words;
 *   - after code that ran unseen (CALL, a stored function, a compound statement) and changed more
 *     than variables: a user variable is harmless to reads elsewhere, a temporary table or a role
 *     is not.
 * And where the session begins anew (COM_CHANGE_USER, COM_RESET_CONNECTION) it lets go of all. */
#include "proxy/session/session_galera.h"
#include "proxy/session/session_ride.h"
#include "proxy/session/session_steps.h"

#include "routing/vars_rules.h"
#include "sql/untracked.h"

#include <strings.h>

enum { RESAY_MAX = 8192 };

/* The server counts these for the session. */
const char session_probe_sql[] =
    "SELECT CONCAT((SELECT SUM(VARIABLE_VALUE) FROM "
    "information_schema.SESSION_STATUS WHERE VARIABLE_NAME IN "
    "('COM_CREATE_TEMPORARY_TABLE','COM_LOCK_TABLES','COM_XA_START')),'"
    "/',IFNULL(CURRENT_ROLE(),''),IF(@@session_track_system_variables='*','','!'))";

void session_home_forget(struct session *s)
{
    s->unsaid.probe = s->unsaid.probing = s->unsaid.status = s->unsaid.unknown = false;
    buf_free(&s->unsaid.variables);
    s->unsaid.variables = buf_with_max(RESAY_MAX);
}

struct naming {
    struct buf *out;
    bool pins;    /* one of them is never carried */
    bool unknown; /* one of them cannot be asked for */
};

/* A transaction's settings that were given for the next one alone would be lost by such a SET. */
static bool may_be_set_again(struct span name)
{
    struct span one = vars_canonical(name);

    return vars_rule(name) == VARS_CARRIED && !span_eq(one, "tx_isolation") &&
           !span_eq(one, "tx_read_only");
}

bool session_home_set_again(struct buf *sql, const char *before, struct span name)
{
    if (!may_be_set_again(name))
        return false;
    buf_printf(sql, "%sSESSION %.*s=@@SESSION.%.*s", before, (int)name.n, (const char *)name.p,
               (int)name.n, (const char *)name.p);
    return true;
}

static void on_name(void *ctx, struct span name)
{
    struct naming *n = ctx;

    if (vars_rule(name) == VARS_PINS)
        n->pins = true;
    else if (!session_home_set_again(n->out, n->out->len ? "," : "SET ", name))
        n->unknown = true;
}

struct finding {
    struct span name;
    bool met;
};

static void on_restored(void *ctx, struct span name)
{
    struct finding *f = ctx;

    f->met = f->met || (name.n == f->name.n &&
                        strncasecmp((const char *)name.p, (const char *)f->name.p, name.n) == 0);
}

bool session_home_restores(struct session *s, const struct backend *b, struct span name)
{
    struct finding f = {.name = name};

    if (!(s->run.statement.effects & SQL_EFFECT_RESTORES) ||
        b->expect[b->expect_head].role != EXPECT_CLIENT)
        return false;
    if (!sql_untracked(session_text(s), s->mode, on_restored, &f)) {
        session_home_unknown(s);
        s->fragile |= FRAGILE_OPAQUE;
    }
    return f.met;
}

void session_home_unknown(struct session *s)
{
    s->pins |= PIN_VARIABLE;
    s->unsaid.unknown = true;
}

bool session_home_knows_variables(const struct session *s)
{
    return !s->unsaid.unknown && !s->unsaid.variables.len && !(s->pins & PIN_TRACKING);
}

void session_home_untracked(struct session *s)
{
    struct unsaid *u = &s->unsaid;
    struct naming naming = {.out = &u->variables};
    struct span text = session_text(s);

    if (!u->variables.len) {
        u->pins = ~s->pins & PIN_VARIABLE;
        u->fragile = ~s->fragile & FRAGILE_OPAQUE;
    }
    s->pins |= PIN_VARIABLE;
    s->fragile |= FRAGILE_OPAQUE;
    if (!text.n || !sql_untracked(text, s->mode, on_name, &naming) || naming.unknown ||
        !buf_ok(&u->variables)) {
        session_home_unknown(s);
        session_home_forget_variables(s);
    }
    if (naming.pins)
        u->pins = u->fragile = 0;
}

/* Nobody will ask for them: they stay pins. */
void session_home_forget_variables(struct session *s)
{
    buf_free(&s->unsaid.variables);
    s->unsaid.variables = buf_with_max(RESAY_MAX);
}

/* What is asked would not be reported: the next statement has the connection tell all. */
static bool tells_client(const struct session *s)
{
    const struct backend *b = s->home >= 0 ? s->held[s->home] : NULL;

    return b && b->tells_client;
}

/* There is another primary by now, or none: the command goes to the home only for what is there. */
static bool is_past(const struct session *s)
{
    const struct worker *w = s->worker;

    return w->conf->failover.enabled && s->home >= 0 && s->home != w->topology->primary;
}

/* The probe costs the server as much as several short reads do. */
static bool comes_before_probe(const struct session *s)
{
    return !s->run.wish.only && s->unsaid.reads < HOME_READS_FIRST && !is_past(s) &&
           session_ride_is_short(s);
}

/* The probe takes the place of warnings and row count: so does a statement on tables, and a read
 * where there are no warnings; and a home that is none any more is left with all of that. */
static bool may_probe(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;
    const struct backend *b = s->home >= 0 ? s->held[s->home] : NULL;
    bool warned = b && b->warned;
    bool replaces = c->tables == SQL_TABLES_SOME || (sql_is_read(c) && !warned) || is_past(s);

    return s->unsaid.probe && replaces && !tells_client(s) && !(c->effects & SQL_EFFECTS_ASKS) &&
           s->run.byte != COM_STMT_PREPARE && !comes_before_probe(s);
}

static bool may_ask_variables(const struct session *s)
{
    return s->unsaid.variables.len > 0 && !tells_client(s);
}

static struct backend *idle_home(const struct session *s)
{
    struct backend *b = s->home >= 0 ? s->held[s->home] : NULL;
    bool idle =
        b && backend_is_ready(b) && b->expect_count == 0 && !b->stream.writing && !b->stream.eof;

    return idle ? b : NULL;
}

/* A home that is none any more, and is being asked already whether anything is there. */
static struct backend *probed_home(const struct session *s)
{
    struct backend *b = s->home >= 0 ? s->held[s->home] : NULL;

    return b && s->unsaid.probing && is_past(s) && backend_is_ready(b) ? b : NULL;
}

static bool ask_probe(struct session *s, struct backend *b)
{
    s->unsaid.probe = false;
    s->unsaid.probing = true;
    return backend_command(b, COM_QUERY, span_of(session_probe_sql), EXPECT_PROBE);
}

static bool write_questions(struct session *s, struct backend *b)
{
    bool ok = session_take_over(b);
    bool uservars = session_uservars_must_ask(s, b);

    if (ok && (may_probe(s) || uservars)) /* the read may fail and leave FOUND_ROWS() as it was */
        ok = session_left_save(s, b);
    session_left_disturbed(s, b, false);
    if (ok && s->unsaid.status)
        ok = backend_command(b, COM_PING, (struct span){NULL, 0}, EXPECT_STATUS);
    if (ok && may_ask_variables(s))
        ok = backend_command(b, COM_QUERY, buf_span(&s->unsaid.variables), EXPECT_VARIABLES);
    if (ok && may_probe(s))
        ok = ask_probe(s, b);
    if (ok && uservars)
        ok = session_uservars_ask(s, b);
    return ok;
}

enum asked session_home_ask(struct session *s)
{
    struct backend *probed = probed_home(s);
    struct backend *b = probed ? probed : idle_home(s);

    if (!b || s->run.log_in ||
        !(probed || s->unsaid.status || may_ask_variables(s) || may_probe(s) ||
          session_uservars_must_ask(s, b)))
        return ASKED_NOTHING;
    if (!probed && !write_questions(s, b))
        return ASKED_IN_VAIN;
    s->unsaid.status = s->unsaid.status && probed;
    s->target = b;
    return ASKED;
}

/* The probe would take the place of warnings; found rows are saved first. */
static bool may_probe_early(const struct session *s, const struct backend *b)
{
    return !b->warned && s->unsaid.probe && s->worker->conf->failover.enabled && !tells_client(s) &&
           !s->left_at.rescue && idle_home(s) == b;
}

bool session_home_ask_early(struct session *s, struct backend *b)
{
    if (!may_probe_early(s, b))
        return true;
    return session_left_save(s, b) && ask_probe(s, b) && backend_write(b, NULL, 0) != STREAM_FAILED;
}

bool session_sheds(struct session *s)
{
    struct backend *b = s->home >= 0 ? s->held[s->home] : NULL;

    if (!b || !backend_is_ready(b) || b->stream.writing || b->stream.eof ||
        !(session_has_state(s) || s->may_hold_locks) || !session_galera_may_reset(s) ||
        !backend_reset(b))
        return false;
    session_forget_state(s);
    s->target = b;
    session_enter(s, SESSION_SHED);
    return true;
}

/* A server that does not answer, or says that there still is something, is left: what it held goes
 * with the connection. */
enum step session_shed(struct session *s)
{
    struct backend *b = s->target;
    enum swallow swallowed = SWALLOW_LOST;

    if (b && b->stream.writing)
        return STEP_WAIT;
    if (b && (!b->out.len || backend_write(b, NULL, 0) != STREAM_FAILED))
        swallowed = session_swallow(s, b);
    if (swallowed == SWALLOW_WAIT)
        return STEP_WAIT;
    if (b && (swallowed != SWALLOW_DONE || session_has_state(s) || s->may_hold_locks))
        session_release(s, b->server, false);
    s->target = NULL;
    return session_command_again(s);
}

bool session_home_may_probe_behind(const struct session *s)
{
    return (s->run.statement.effects & SQL_EFFECT_OPAQUE) && !s->run.warned && !tells_client(s) &&
           !s->left_at.rescue;
}

bool session_home_is_clean(const struct reply *r)
{
    return !r->cell_null && strcmp(r->cell, "0/") == 0;
}

void session_home_note_clean(struct session *s)
{
    s->unsaid.probe = false;
    s->pins &= ~(uint32_t)PIN_OPAQUE;
    s->fragile &= ~(uint32_t)FRAGILE_UNSEEN;
}

static void on_variables(struct session *s, bool failed)
{
    if (!failed) {
        s->pins &= ~s->unsaid.pins;
        s->fragile &= ~s->unsaid.fragile;
    } else {
        session_home_unknown(s);
    }
    session_home_forget_variables(s);
}

bool session_home_answer(struct session *s, struct backend *b, enum expect_role role, bool failed)
{
    switch (role) {
    case EXPECT_STATUS:
        if (!failed)
            session_track(s, b, &b->reply.ok);
        return true;
    case EXPECT_VARIABLES:
        on_variables(s, failed);
        return true;
    case EXPECT_USERVARS:
        session_uservars_told(s, b, failed);
        return true;
    case EXPECT_PROBE:
        s->unsaid.probing = false;
        if (!failed && session_home_is_clean(&b->reply))
            session_home_note_clean(s);
        return true;
    default:
        return false;
    }
}
