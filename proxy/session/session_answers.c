/* Warnings and errors of statements before: SHOW WARNINGS, GET DIAGNOSTICS.
 *
 * On the primary alone one connection has the list. Here a session's statements are spread, and a
 * list lasts until a statement opens tables or has warnings itself, on whichever server that is. So
 * the session remembers which connection has it. A question that can be asked anywhere goes there;
 * one that is bound to the primary (it sets a user variable, say) has the primary know it first:
 * the read that raised the warnings on a replica is run once more there, its rows thrown away, or,
 * where it raised none, another that raises none. (ROW_COUNT() and FOUND_ROWS(): session_hold.c.)
 */
#include "proxy/session/session_steps.h"

enum { KEPT_MAX = 16 * 1024 };

/* The buffer stays. */
static void drop_read(struct answers *a)
{
    buf_clear(&a->read);
    if (a->stmt)
        stmt_unref(a->stmt);
    a->stmt = NULL;
}

void session_answers_forget(struct session *s)
{
    session_answers_free(s);
    s->answers = (struct answers){.last = -1, .read = buf_with_max(KEPT_MAX)};
}

void session_answers_free(struct session *s)
{
    drop_read(&s->answers);
    buf_free(&s->answers.read);
}

static bool executes(const struct command_run *run)
{
    return run->byte == COM_QUERY || run->byte == COM_STMT_EXECUTE ||
           run->byte == COM_STMT_BULK_EXECUTE;
}

/* To prepare a statement opens its tables, too. */
static bool reads_text(const struct command_run *run)
{
    return executes(run) || run->byte == COM_STMT_PREPARE;
}

static bool may_open_tables(const struct command_run *run)
{
    return reads_text(run) && run->statement.tables == SQL_TABLES_UNKNOWN;
}

/* The warnings of a read, or its error, are to be had again by running it again; only those that
 * have some are kept. */
static void keep_read(struct session *s, const struct backend *b)
{
    const struct command_run *run = &s->run;

    drop_read(&s->answers);
    if (!(run->warned || run->failed) || !run->read || !run->whole || run->rewritten ||
        run->fitted || run->byte == COM_STMT_PREPARE || run->size > KEPT_MAX ||
        (b->server == s->worker->topology->primary && !s->line))
        return;
    buf_put(&s->answers.read, stream_data(&s->client), run->size);
    if (run->byte == COM_STMT_EXECUTE) {
        s->answers.stmt = run->stmt;
        stmt_ref(run->stmt);
    }
}

static bool begins_list(const struct session *s)
{
    const struct command_run *run = &s->run;

    return run->failed || run->warned ||
           (reads_text(run) && run->statement.tables == SQL_TABLES_SOME);
}

/* The one that had it need not wait for this session any more. */
static void has_list(struct session *s, const struct backend *b)
{
    struct answers *a = &s->answers;
    struct backend *before = a->serial ? s->recent[a->server] : NULL;

    if (before && before != b)
        before->diagnostics = false;
    a->serial = b->serial;
    a->server = b->server;
}

void session_answers_note(struct session *s, struct backend *b)
{
    struct answers *a = &s->answers;

    a->last = b->server;
    if (s->run.byte == COM_STMT_PREPARE && b->reply.stmt_warnings > 0)
        s->run.warned = true;
    if (begins_list(s)) {
        has_list(s, b);
        a->some = b->warned = s->run.failed || s->run.warned;
        b->foreign_warnings = false;
        keep_read(s, b);
    } else if (may_open_tables(&s->run)) {
        has_list(s, b);
    }
}

void session_answers_hide(struct session *s, struct backend *b)
{
    b->foreign_warnings = true;
    s->answers.some = b->diagnostics = false;
}

int session_who_answers(const struct session *s)
{
    /* a replica's packets would say that there is no transaction */
    const uint32_t bound = PIN_TRANSACTION | PIN_AUTOCOMMIT_OFF | PIN_LOCKS | PIN_XA;
    const struct sql_class *c = &s->run.statement;
    const struct backend *b = s->answers.serial ? s->recent[s->answers.server] : NULL;
    bool asks = c->only_asks && (c->effects & SQL_EFFECT_ASKS_WARNINGS);

    return asks && !(s->pins & bound) && b && b->serial == s->answers.serial ? b->server : -1;
}

/* Whether the two lists of warnings may differ and that of `b` may be looked at. */
static bool lacks_warnings(const struct session *s, const struct backend *b)
{
    const struct answers *a = &s->answers;
    bool asks = executes(&s->run) && (s->run.statement.effects & SQL_EFFECT_ASKS_WARNINGS);

    return !s->run.log_in && !s->run.read && (asks || may_open_tables(&s->run)) && a->serial &&
           a->serial != b->serial && (a->some || b->warned);
}

void session_answers_arrange(struct session *s, const struct backend *b)
{
    if (lacks_warnings(s, b)) /* the read that is run again counts as a statement */
        s->left_at.row_count = s->left_at.found_rows = 0;
}

/* Empty: none; or it would begin a transaction, or take up what SET TRANSACTION has said of it. */
static struct span kept_read(const struct session *s)
{
    static const struct span none;
    bool begins = (s->pins & PIN_AUTOCOMMIT_OFF) && !(s->pins & PIN_TRANSACTION);

    return begins || (s->pins & PIN_TX_SETTINGS) ? none : buf_span(&s->answers.read);
}

static bool run_again(struct session *s, struct backend *b)
{
    struct span read = kept_read(s);

    if (read.n && s->answers.stmt)
        return session_stmt_run_again(s, b, s->answers.stmt, &s->answers.read);
    if (read.n)
        return backend_command(b, COM_QUERY, packet_argument(read), EXPECT_DISCARD);
    return backend_command(b, COM_QUERY, span_of(session_clear_sql), EXPECT_DISCARD);
}

bool session_answers_lay_on(struct session *s, struct backend *b)
{
    if (!lacks_warnings(s, b))
        return true;
    has_list(s, b);
    b->warned = s->answers.some && kept_read(s).n;
    b->foreign_warnings = false;
    return run_again(s, b);
}
