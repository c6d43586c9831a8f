/* Session state as the servers report it (session tracking), and what a statement leaves behind
 * that they do not report. */
#include "proxy/replay/session_replay.h"
#include "proxy/session/session_galera.h"
#include "proxy/session/session_kill.h"
#include "proxy/session/session_steps.h"
#include "proxy/session/session_tracking.h"

#include "base/log.h"

static bool contains(struct span text, const char *word)
{
    return text.p && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

struct span session_charset(const struct session *s)
{
    struct span set = vars_value(s->vars, "character_set_client");
    const struct catalog *c = s->worker->catalog;
    const struct collation *standard = c ? catalog_collation(c, c->default_collation) : NULL;

    if (set.p || !standard)
        return set;
    return span_of(standard->charset);
}

static void update_mode(struct session *s)
{
    struct span charset = session_charset(s);

    s->mode.ansi_quotes = (s->status & STATUS_ANSI_QUOTES) != 0 ||
                          contains(vars_value(s->vars, "sql_mode"), "ANSI_QUOTES");
    s->mode.no_backslash_escapes = (s->status & STATUS_NO_BACKSLASH_ESCAPES) != 0;
    s->mode.oracle = contains(vars_value(s->vars, "sql_mode"), "ORACLE");
    s->mode.pairs = sql_pairs_of(charset);
    s->mode.utf8 = charset.n >= 4 && memcmp(charset.p, "utf8", 4) == 0;
}

static void set_pin(struct session *s, uint32_t pin, bool on)
{
    s->pins = on ? s->pins | pin : s->pins & ~pin;
}

static void on_gtid(struct session *s, struct span value)
{
    struct gtid g;

    if (!gtid_parse(value, &g))
        return;
    causal_wrote(&s->causal, &g);
    s->run.gtid_seen = true;
}

static void on_variable(struct session *s, struct backend *b, const struct change *c)
{
    enum vars_set set;

    if (span_eq(c->name, "last_gtid")) {
        on_gtid(s, c->value);
        return;
    }
    if (session_galera_restores(s, c->name)) {
        s->run.barrier_told = true;
        return;
    }
    if (session_home_restores(s, b, c->name))
        return;
    (void)vars_note(b->vars, c->name, c->value);
    set = vars_note(s->vars, c->name, c->value);
    if (set == VARS_FULL)
        session_home_unknown(s);
    if (set == VARS_PINS)
        s->pins |= PIN_VARIABLE;
    s->run.variable_changed = true;
}

static void on_schema(struct session *s, struct backend *b, struct span name)
{
    if (name.n >= sizeof s->schema) {
        s->pins |= PIN_OPAQUE;
        return;
    }
    if (name.n)
        memcpy(s->schema, name.p, name.n);
    s->schema[name.n] = 0;
    memcpy(b->schema, s->schema, sizeof b->schema);
    s->run.variable_changed = true;
}

static void on_change(struct session *s, struct backend *b, const struct change *c)
{
    switch (c->kind) {
    case CHANGE_VARIABLE:
        on_variable(s, b, c);
        break;
    case CHANGE_SCHEMA:
        on_schema(s, b, c->value);
        break;
    case CHANGE_STATE:
        s->run.state_changed = s->run.state_changed || !s->run.barrier_told;
        break;
    case CHANGE_TX_CHARACTERISTICS:
        set_pin(s, PIN_TX_SETTINGS, c->value.n > 0 && !(s->status & STATUS_IN_TRANS));
        break;
    case CHANGE_TX_STATE:
        s->tables_locked = c->value.n == 8 && c->value.p[7] == 'L';
        session_replay_note_state(s, c->value);
        break;
    default:
        break;
    }
}

static void pin_by_status(struct session *s)
{
    set_pin(s, PIN_TRANSACTION, (s->status & STATUS_IN_TRANS) != 0);
    set_pin(s, PIN_AUTOCOMMIT_OFF, (s->status & STATUS_AUTOCOMMIT) == 0);
}

/* The status flags without what is of the moment: behind SET STATEMENT sql_mode=… FOR the server
 * has the session's own mode again. */
static uint16_t lasting_status(const struct session *s, const struct backend *b, uint16_t status)
{
    const unsigned of_mode = STATUS_ANSI_QUOTES | STATUS_NO_BACKSLASH_ESCAPES;
    unsigned now = status & ~(unsigned)STATUS_SESSION_STATE_CHANGED;

    if ((s->run.statement.effects & SQL_EFFECT_RESTORES) && s->run.statement.statements == 1 &&
        b->expect[b->expect_head].role == EXPECT_CLIENT)
        now = (now & ~of_mode) | (s->status & of_mode);
    return (uint16_t)now;
}

void session_track(struct session *s, struct backend *b, const struct ok *ok)
{
    struct change_iter it = change_iter_of(ok->changes);
    uint16_t before = s->status;
    struct change c;

    s->status = lasting_status(s, b, ok->status);
    pin_by_status(s);
    if (ok->changes.n == 0 && s->status == before)
        return;
    vars_report(b->vars);
    vars_report(s->vars);
    while (change_next(&it, &c) == 1)
        on_change(s, b, &c);
    set_pin(s, PIN_LOCKS, s->tables_locked);
    set_pin(s, PIN_SYSTEM_SCHEMA, sql_is_system_schema(span_of(s->schema)));
    update_mode(s);
}

/* What the text says it leaves on its connection: pins the reads, or is only lost with the
 * connection. */
static const struct {
    uint32_t effect;
    uint32_t pin;
    uint32_t fragile;
} effects[] = {
    {SQL_EFFECT_USER_VARIABLE, 0, FRAGILE_USER_VARIABLES},
    {SQL_EFFECT_TEMPORARY, PIN_TEMPORARY, FRAGILE_TEMPORARY},
    {SQL_EFFECT_LOCK, 0, FRAGILE_LOCKS},
    {SQL_EFFECT_ROLE, PIN_ROLE, 0},
    {SQL_EFFECT_PREPARE, 0, FRAGILE_PREPARED},
    {SQL_EFFECT_XA, PIN_XA, FRAGILE_XA},
    {SQL_EFFECT_STATUS, PIN_STATUS, 0},
};

static bool ran_unseen(const struct session *s)
{
    return (s->run.statement.effects & SQL_EFFECT_OPAQUE) && s->run.byte != COM_STMT_PREPARE;
}

/* Code that the text does not show may have taken locks. And what it, or the first of several
 * statements, changed before it failed is not told with the error. */
static void note_unseen(struct session *s, const struct backend *b)
{
    const struct sql_class *c = &s->run.statement;
    bool parsed = !s->run.failed || b->reply.error.code != ER_PARSE_ERROR;
    bool unseen = ran_unseen(s) && parsed;

    /* what LASTVAL() tells is the connection's, too */
    s->may_hold_locks = s->may_hold_locks || unseen || c->reason == SQL_SEQUENCE;
    if (s->run.failed && (unseen || c->statements > 1))
        s->fragile |= FRAGILE_OPAQUE;
}

/* Whether variables may be others than the server reports. */
static bool leaves_unsaid(const struct sql_class *c)
{
    const uint32_t silent = SQL_EFFECT_RESTORES | SQL_EFFECT_TRACKING;

    return (c->effects & SQL_EFFECT_UNTRACKED) || (c->effects & silent) == silent;
}

/* Stored code that leaves nothing unreported. What it is must be known of the time when it ran:
 * nobody has defined anything since what it was judged by was read. */
static bool is_reported(const struct session *s)
{
    return (s->run.statement.effects & SQL_EFFECT_REPORTED) &&
           s->run.objects_number >= atomic_load(&s->worker->shared->objects_asked);
}

static void note_effects(struct session *s, const struct backend *b)
{
    const struct sql_class *c = &s->run.statement;
    const uint32_t shown = SQL_EFFECT_USER_VARIABLE | SQL_EFFECT_TEMPORARY | SQL_EFFECT_ROLE |
                           SQL_EFFECT_PREPARE | SQL_EFFECT_SET;
    bool explained = (c->effects & shown) != 0 || s->run.variable_changed;
    bool unseen = ran_unseen(s);
    bool reported = unseen && is_reported(s);

    for (size_t i = 0; i < ARRAY_LEN(effects); i++)
        if (c->effects & effects[i].effect) {
            s->pins |= effects[i].pin;
            s->fragile |= effects[i].fragile;
        }
    if (c->effects & (SQL_EFFECT_USER_VARIABLE | SQL_EFFECT_OPAQUE))
        session_uservars_changed(s);
    if (c->effects & (SQL_EFFECT_PREPARE | SQL_EFFECT_OPAQUE))
        session_kill_note(s);
    note_unseen(s, b);
    if (leaves_unsaid(c) && (!s->run.failed || c->statements > 1))
        session_home_untracked(s);
    /* CREATE TEMPORARY TABLE … SELECT is not reported: code that was not seen may hold one */
    if ((reported || !unseen) && (!s->run.state_changed || explained))
        return;
    s->fragile |= s->run.state_changed ? FRAGILE_OPAQUE : FRAGILE_UNSEEN;
    if (reported) /* it set user variables */
        return;
    s->pins |= PIN_OPAQUE;
    s->unsaid.probe = true;
    s->unsaid.reads = 0;
}

/* A question about statements before sees no data, and its server need not be a fresh one. */
static void note_causality(struct session *s, const struct backend *b)
{
    if (s->run.statement.only_asks)
        return;
    if (!s->run.gtid_seen || s->run.failed || (s->status & STATUS_IN_TRANS) ||
        s->worker->topology->galera)
        causal_saw(&s->causal, b->server, worker_now_ns());
}

/* SET NAMES x COLLATE y: the servers report x alone. */
static void note_collation(struct session *s, struct backend *b)
{
    const char *name = s->run.statement.collation;

    if (!*name || s->run.failed)
        return;
    (void)vars_note_names(b->vars, span_of(name));
    (void)vars_note_names(s->vars, span_of(name));
}

static void ask_objects(struct shared *shared)
{
    uint64_t number = shared->refresh_objects(shared->monitor);
    uint64_t before = atomic_load(&shared->objects_asked);

    while (before < number &&
           !atomic_compare_exchange_weak(&shared->objects_asked, &before, number))
        ;
}

/* A routine, a trigger, a view or an account may be another now. */
static void note_definition(const struct session *s)
{
    struct shared *shared = s->worker->shared;
    const struct sql_class *c = &s->run.statement;
    bool defines = c->kind == SQL_DDL && !(c->effects & SQL_EFFECT_TEMPORARY);
    bool sets_password = c->kind == SQL_SET && c->writes;

    if ((defines || sets_password) && !s->run.failed)
        ask_objects(shared);
}

/* Sessions that begin from now on find other values on their connections. */
static void note_global(const struct session *s)
{
    if (s->run.statement.kind == SQL_SET && !s->run.failed && span_holds(session_text(s), "global"))
        atomic_fetch_add(&s->worker->shared->global_sets, 1);
}

/* An error may have ended the transaction; of several statements nobody knows whose sql_mode the
 * flags are of. */
static bool leaves_status_unsaid(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;
    bool begins = (s->status & STATUS_AUTOCOMMIT) == 0; /* one that fails, too */

    return (s->run.failed && (begins || (s->status & STATUS_IN_TRANS))) ||
           ((c->effects & SQL_EFFECT_RESTORES) && c->statements > 1);
}

void session_track_end(struct session *s, struct backend *b)
{
    note_causality(s, b);
    s->unsaid.status = s->unsaid.status || leaves_status_unsaid(s);
    s->unsaid.reads += s->run.read;
    if (s->run.read || s->run.statement.only_asks)
        return;
    note_definition(s);
    note_global(s);
    note_effects(s, b);
    session_tracking_end(s, b);
    note_collation(s, b);
    if (s->run.byte == COM_REGISTER_SLAVE && !s->run.failed) /* it is listed as a replica by now */
        s->fragile |= FRAGILE_OPAQUE;
    s->home = b->server;
    if (s->run.byte == COM_SET_OPTION && !s->run.failed)
        s->multi_statements = b->multi_statements = s->option == 0;
}

void session_set_charset(struct session *s, uint16_t collation)
{
    const struct catalog *c = s->worker->catalog;
    const struct collation *found = catalog_collation(c, collation);
    static const char *const names[] = {"character_set_client", "character_set_results",
                                        "character_set_connection"};

    bool standard = !found || collation == c->default_collation;

    for (size_t i = 0; i < ARRAY_LEN(names) && !standard; i++)
        (void)vars_note(s->vars, span_of(names[i]), span_of(found->charset));
    if (!standard)
        (void)vars_note_names(s->vars, span_of(found->name));
    update_mode(s);
}

void session_forget_state(struct session *s)
{
    vars_clear(s->vars);
    s->global_sets = atomic_load(&s->worker->shared->global_sets);
    session_replay_forget(s);
    stmts_clear(&s->stmts);
    s->run.stmt = NULL;
    s->pins = s->fragile = 0;
    s->tables_locked = s->lost = s->may_hold_locks = false;
    session_home_forget(s);
    session_uservars_forget(s);
    session_kill_forget(s);
    session_tracking_forget(s);
    s->status = s->worker->default_status ? s->worker->default_status : STATUS_AUTOCOMMIT;
    set_pin(s, PIN_SYSTEM_SCHEMA, sql_is_system_schema(span_of(s->schema)));
    update_mode(s);
}
