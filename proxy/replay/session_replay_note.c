/* Writes the open transaction down, and says whether it could be replayed. */
#include "proxy/replay/session_replay.h"

#include "proxy/session/session_steps.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The modulus of MariaDB's RAND() (mysys/my_rnd.c). */
enum { SEED_MAX = 0x3FFFFFFF };

/* What comes back when the statements that made it are executed again. */
#define REMADE ((uint32_t)(FRAGILE_USER_VARIABLES | FRAGILE_OPAQUE | FRAGILE_UNSEEN))
/* Pins that a transaction brings along, or that are carried. */
#define CARRIED ((uint32_t)(PIN_TRANSACTION | PIN_AUTOCOMMIT_OFF | PIN_SYSTEM_SCHEMA | PIN_OPAQUE))

static struct replay *replay_of(struct session *s)
{
    if (!s->replay && (s->replay = calloc(1, sizeof *s->replay)))
        replay_log_init(&s->replay->log, s->worker->conf->failover.replay_budget);
    return s->replay;
}

void session_replay_free(struct session *s)
{
    if (!s->replay)
        return;
    session_replay_set_due(s, false);
    session_once_free(s);
    replay_log_free(&s->replay->log);
    free(s->replay);
    s->replay = NULL;
}

static bool is_open(const struct session *s)
{
    return (s->status & STATUS_IN_TRANS) != 0;
}

/* Without autocommit the next statement opens one. */
static bool is_inside(const struct session *s)
{
    return is_open(s) || !(s->status & STATUS_AUTOCOMMIT);
}

static bool is_statement(uint8_t byte)
{
    return byte == COM_QUERY || byte == COM_STMT_EXECUTE || byte == COM_STMT_BULK_EXECUTE;
}

void session_replay_end_transaction(struct session *s)
{
    struct replay *r = s->replay;

    r->tell = false;
    session_replay_set_due(s, false);
    replay_log_clear(&r->log);
    r->gained = 0;
    r->remembers = false;
    r->wrote = false;
    r->awaiting = false;
    r->next = 0;
}

void session_replay_forget(struct session *s)
{
    if (!s->replay)
        return;
    session_replay_end_transaction(s);
    s->replay->insert_id = 0;
    s->replay->id_due = false;
}

void session_replay_begin(struct session *s)
{
    bool watching = is_statement(s->run.byte) && (!s->run.read || is_inside(s));
    struct replay *r = s->replay;

    if (!s->worker->conf->failover.enabled || (watching && !(r = replay_of(s))))
        return;
    if (r)
        r->watching = watching;
    if (!watching)
        return;
    reply_digest_begin(&r->digest);
    r->sent_ms = clock_wall_ms();
    r->seeds[0] = r->seeds[1] = 0;
    r->fragile = s->fragile;
    r->pins = s->pins;
}

/* It, or what is stored on the servers, names RAND. */
static bool may_be_random(const struct session *s)
{
    const struct objects *stored = session_objects(s);

    return (stored && stored->random) || span_holds(session_text(s), "rand");
}

/* It is kept, to be repeated. A client that has set the seeds itself has them go on. */
static bool needs_seeds(const struct session *s)
{
    return s->replay->watching && is_inside(s) && !s->replay->log.closed &&
           !(s->pins & PIN_VARIABLE) && !(s->run.statement.effects & SQL_EFFECTS_ASKS) &&
           s->run.statement.kind != SQL_COMMIT && s->run.statement.kind != SQL_ROLLBACK &&
           may_be_random(s);
}

bool session_replay_give_seeds(struct session *s, struct backend *b)
{
    struct replay *r = s->replay;
    uint32_t random[2];
    char sql[80];

    if (!r)
        return true;
    if (!needs_seeds(s) || !session_random((uint8_t *)random, sizeof random))
        return true;
    for (int i = 0; i < 2; i++)
        r->seeds[i] = 1 + random[i] % (SEED_MAX - 1);
    (void)snprintf(sql, sizeof sql, "SET rand_seed1=%" PRIu32 ",rand_seed2=%" PRIu32, r->seeds[0],
                   r->seeds[1]);
    return backend_command(b, COM_QUERY, span_of(sql), EXPECT_DISCARD);
}

void session_replay_note_state(struct session *s, struct span state)
{
    if (state.n != 8)
        return;
    s->run.kept_by_rollback = state.p[3] == 'w';
    if (s->replay)
        s->replay->wrote = state.p[3] == 'w' || state.p[4] == 'W';
}

void session_replay_step(struct session *s, const struct backend *b, const uint8_t *at,
                         const struct reply_out *step)
{
    if (s->replay && s->replay->watching)
        reply_digest_step(&s->replay->digest, &b->reply, at, step);
}

/* ---- the end of a command ---- */

static const char *cannot_replay_statement(const struct session *s)
{
    const uint32_t bound = SQL_EFFECT_TEMPORARY | SQL_EFFECT_LOCK | SQL_EFFECT_UNLOCK |
                           SQL_EFFECT_ROLE | SQL_EFFECT_PREPARE | SQL_EFFECT_XA |
                           SQL_EFFECT_UNTRACKED;
    const struct command_run *run = &s->run;

    if (!run->whole || run->statement.kind == SQL_LOAD)
        return "a statement was too long, or loaded a file";
    if (run->fitted)
        return "a statement named connections, or asked for counts that are another connection's";
    if (run->stmt && (run->stmt->long_data || run->stmt->cursor || run->stmt->home_only))
        return "a prepared statement had long data or a cursor";
    if (run->variable_changed)
        return "a variable or the schema was changed in it";
    if (run->statement.effects & bound)
        return "temporary tables, locks or the like were used in it";
    if (run->kept_by_rollback)
        return "it wrote to a table that is not transactional";
    return NULL;
}

/* Nodes of a Galera cluster count in steps of their own: all but the first row would get other ids
 * at another one, and its reply would not show it. */
static bool took_ids_of_a_node(const struct session *s, const struct backend *b)
{
    return s->worker->topology->galera && !s->run.failed && b->reply.ok.last_insert_id &&
           b->reply.ok.affected_rows > 1;
}

/* Of what the session had before the transaction, what can be made again. */
static uint32_t remembered(const struct session *s)
{
    return s->uservars.fresh ? FRAGILE_USER_VARIABLES : 0;
}

static const char *cannot_replay(const struct session *s, const struct backend *b)
{
    const struct replay *r = s->replay;
    const struct command_run *run = &s->run;

    if (run->statement.kind != SQL_BEGIN && (run->gtid_seen || run->statement.kind == SQL_COMMIT ||
                                             run->statement.kind == SQL_ROLLBACK))
        return "a statement in it ended the one before";
    if (r->log.count == 0 && (r->pins & PIN_TX_SETTINGS))
        return "SET TRANSACTION stood before it";
    if (r->log.count == 0 && (r->fragile & ~remembered(s)))
        return "the session had user variables, temporary tables or locks before";
    if (took_ids_of_a_node(s, b))
        return "an INSERT of several rows took ids as only its node gives them";
    if ((s->fragile & ~r->fragile) & ~REMADE)
        return "temporary tables, locks or the like were used in it";
    return cannot_replay_statement(s);
}

/* As servers read it. */
static struct span packet_of(const struct session *s)
{
    return s->run.rewritten ? buf_span(&s->text)
                            : (struct span){stream_data(&s->client), s->run.size};
}

/* An EXECUTE may leave out parameter types that were bound before: they are put in. */
static void add_execute(struct session *s, const struct replay_entry *e)
{
    struct buf packet = buf_with_max(PACKET_MAX_PAYLOAD);

    if (session_stmt_with_types(s, packet_of(s), &packet))
        replay_log_add(&s->replay->log, e, buf_span(&packet));
    else
        replay_log_close(&s->replay->log, "a prepared statement's types are not known");
    buf_free(&packet);
}

static void add(struct session *s, const struct backend *b)
{
    struct replay *r = s->replay;
    const struct replay_entry e = {
        .byte = s->run.byte,
        .stmt = s->run.stmt,
        .digest = reply_digest_value(&r->digest),
        .insert_id = s->run.failed ? 0 : b->reply.ok.last_insert_id,
        .sent_ms = r->sent_ms,
        .seeds = {r->seeds[0], r->seeds[1]},
    };

    if (r->log.count == 0) {
        r->log.insert_id = r->insert_id;
        r->gained = r->fragile & remembered(s);
        r->remembers = r->gained != 0;
    }
    if (s->run.byte == COM_STMT_EXECUTE)
        add_execute(s, &e);
    else
        replay_log_add(&r->log, &e, packet_of(s));
    r->gained |= s->fragile & ~r->fragile;
}

/* InnoDB has rolled the whole transaction back. An ERR packet does not tell the session's status.
 */
static bool ended_by_error(const struct session *s, const struct backend *b)
{
    return s->run.failed && b->reply.error.code == ER_LOCK_DEADLOCK;
}

/* These leave nothing behind but the transaction as it was. */
static bool had_no_effect(const struct session *s, const struct backend *b)
{
    uint16_t code = b->reply.error.code;

    return s->run.failed && (code == ER_LOCK_WAIT_TIMEOUT || code == ER_QUERY_INTERRUPTED ||
                             code == ER_STATEMENT_TIMEOUT);
}

static void note(struct session *s, const struct backend *b)
{
    struct replay *r = s->replay;
    const char *why;

    if (ended_by_error(s, b))
        s->status &= (uint16_t) ~(unsigned)STATUS_IN_TRANS;
    if (!is_open(s)) {
        session_replay_end_transaction(s);
        return;
    }
    if (s->run.statement.kind == SQL_BEGIN)
        session_replay_end_transaction(s);
    if (had_no_effect(s, b) || s->run.statement.only_asks)
        return;
    why = cannot_replay(s, b);
    if (why)
        replay_log_close(&r->log, why);
    else
        add(s, b);
}

void session_replay_end(struct session *s, const struct backend *b)
{
    struct replay *r = s->replay;

    if (r && r->watching)
        note(s, b);
    else if (r && is_open(s) && s->run.variable_changed) /* COM_INIT_DB */
        replay_log_close(&r->log, "a variable or the schema was changed in it");
    if (!r)
        return;
    if (r->watching && !s->run.failed && b->reply.ok.last_insert_id)
        s->left.insert_id = r->insert_id = b->reply.ok.last_insert_id;
    r->watching = false;
}

/* ---- the loss ---- */

/* SET of the session's own variables to what can be said again. */
static bool is_plain_set(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;
    struct span text = session_text(s);

    return text.n > 0 && c->kind == SQL_SET && !c->writes && !(c->effects & SQL_EFFECT_OPAQUE) &&
           !span_holds(text, "commit") && !span_holds(text, "global") &&
           !span_holds(text, "password");
}

/* Whether the command, sent inside of a transaction, may have ended it with its effects kept.
 * Stored functions and triggers cannot commit, procedures can. */
static bool may_have_committed(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;

    if (!is_statement(s->run.byte))
        return s->run.byte != COM_INIT_DB && s->run.byte != COM_STMT_PREPARE &&
               s->run.byte != COM_STMT_RESET && s->run.byte != COM_STMT_SEND_LONG_DATA;
    if (c->statements != 1)
        return true;
    switch (c->kind) {
    case SQL_SELECT:
    case SQL_SHOW:
    case SQL_INSERT:
    case SQL_UPDATE:
    case SQL_DELETE:
    case SQL_REPLACE:
    case SQL_ROLLBACK:
        return false;
    case SQL_COMMIT:
        return s->replay->wrote;
    case SQL_SET:
        return !is_plain_set(s);
    default:
        return !span_begins_with(session_text(s), "SAVEPOINT ") &&
               !span_begins_with(session_text(s), "RELEASE ") &&
               !span_begins_with(session_text(s), "ROLLBACK TO ");
    }
}

bool session_replay_is_harmless(const struct session *s)
{
    const struct sql_class *c = &s->run.statement;

    if (!s->worker->conf->failover.enabled || is_inside(s) || !s->run.whole)
        return false;
    if (!is_statement(s->run.byte))
        return s->run.byte == COM_INIT_DB || s->run.byte == COM_STMT_PREPARE ||
               s->run.byte == COM_SET_OPTION;
    if (c->statements != 1)
        return false;
    switch (c->kind) {
    case SQL_BEGIN: /* and outside of a transaction there is nothing to be ended */
    case SQL_COMMIT:
    case SQL_ROLLBACK:
    case SQL_SHOW:
        return true;
    case SQL_SELECT:
        return !c->writes && (c->reason == SQL_LOCKING || c->reason == SQL_SYSTEM_VARIABLE ||
                              c->reason == SQL_SYSTEM_SCHEMA || c->reason == SQL_IS_READ);
    default:
        return is_plain_set(s);
    }
}

/* Whether all that the connection held comes back with the transaction. */
static bool is_complete(const struct session *s)
{
    const struct replay *r = s->replay;

    return !((s->pins & ~CARRIED) || (s->fragile & ~r->gained)) && !r->log.closed &&
           (r->log.count > 0 || !is_open(s));
}

enum replay_verdict session_replay_judge(const struct session *s, bool idle)
{
    const struct command_run *run = &s->run;

    if (!s->worker->conf->failover.enabled || !s->replay)
        return REPLAY_NOT_ASKED;
    if (!idle && session_once_is_undone(s))
        return REPLAY_UNDONE;
    if (!idle && session_once_will_tell(s) && !(s->fragile & ~s->replay->gained))
        return REPLAY_IN_DOUBT;
    if (!is_inside(s) || session_once_is(s, ONCE_COMMITTING))
        return REPLAY_NOT_ASKED;
    if (!idle &&
        (run->log_in || run->answered || !run->whole || (run->sent && may_have_committed(s))))
        return REPLAY_NOT_ASKED;
    if (is_complete(s))
        return REPLAY_POSSIBLE;
    return s->fragile & ~s->replay->gained ? REPLAY_NOT_ASKED : REPLAY_ROLLED_BACK;
}

const char *session_replay_why_not(const struct session *s)
{
    const struct replay *r = s->replay;

    return r && r->log.closed ? r->log.closed : "more than the transaction was bound to its server";
}
