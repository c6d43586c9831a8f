#include "proxy/session/session_galera.h"

#include "proxy/replay/session_replay.h"

const char session_galera_barrier[] = GALERA_CAUSAL "SELECT 0";

bool session_galera_may_reset(const struct session *s)
{
    return !s->worker->topology->galera;
}

bool session_galera_restores(const struct session *s, struct span name)
{
    const uint32_t sets = SQL_EFFECT_SET | SQL_EFFECT_OPAQUE | SQL_EFFECT_RESTORES;

    return s->worker->topology->galera && !(s->run.statement.effects & sets) &&
           span_eq(name, "wsrep_sync_wait");
}

bool session_galera_unready(const struct session *s, uint16_t code)
{
    return s->worker->topology->galera && code == ER_UNKNOWN_COM_ERROR;
}

bool session_galera_cut_off(const struct session *s, const struct server_error *e)
{
    static const char status[] = "Not connected to Primary Component";

    return s->worker->topology->galera && e->code == ER_ERROR_DURING_COMMIT &&
           memmem(e->message.p, e->message.n, status, sizeof status - 1);
}

static bool is_one_write(const struct sql_class *c)
{
    bool write = c->kind == SQL_INSERT || c->kind == SQL_UPDATE || c->kind == SQL_DELETE ||
                 c->kind == SQL_REPLACE;

    return write && c->statements == 1;
}

bool session_galera_conflict(const struct session *s, uint16_t code)
{
    bool wrapped = s->replay && s->replay->once.phase != ONCE_NONE;
    bool alone = (s->status & STATUS_AUTOCOMMIT) && !(s->status & STATUS_IN_TRANS) && !wrapped;

    return s->worker->topology->galera && code == ER_LOCK_DEADLOCK && alone && s->run.whole &&
           !s->run.answered && s->run.conflicts < GALERA_RETRIES && is_one_write(&s->run.statement);
}
