/* KILL by SQL-level PREPARE and EXECUTE. The primary runs it and does not know a session's id;
 * which session it tells, by its error, but not what is to be done to it: that stands in the text,
 * of an EXECUTE IMMEDIATE in the command's own, else in that of a PREPARE before, which is noted
 * here.
 *
 * What the text does not show (PREPARE … FROM @text) is not noted: there the error stays. */
#include "proxy/session/session_kill.h"
#include "proxy/session/session_steps.h"

#include "sql/prepared.h"

#include <stdlib.h>
#include <string.h>

enum { KILLS_MAX = 8, KILL_NAME_MAX = 64 };

/* The last ones, in a ring. */
struct prepared_kills {
    unsigned next;
    struct {
        char name[KILL_NAME_MAX + 1]; /* "": none */
        struct sql_kill kill;
    } of[KILLS_MAX];
};

/* Only what is to be done: the id comes with the error. */
static bool read_kill(const struct session *s, struct span text, struct sql_kill *kill)
{
    struct sql_class c;

    if (!text.p)
        return false;
    sql_classify(text, s->mode, false, &c);
    *kill = (struct sql_kill){.query = c.kill.query, .soft = c.kill.soft};
    return c.kind == SQL_KILL && c.statements == 1;
}

/* Its place; KILLS_MAX: none. */
static unsigned find(const struct prepared_kills *k, struct span name)
{
    unsigned i = 0;

    while (i < KILLS_MAX && !(k->of[i].name[0] && span_is_word(name, k->of[i].name)))
        i++;
    return i;
}

static void remember(struct session *s, struct span name, const struct sql_kill *kill)
{
    struct prepared_kills *k = s->kills ? s->kills : calloc(1, sizeof *k);
    unsigned i;

    if (!k)
        return;
    s->kills = k;
    i = k->next++ % KILLS_MAX;
    memcpy(k->of[i].name, name.p, name.n);
    k->of[i].name[name.n] = 0;
    k->of[i].kill = *kill;
}

static void prepared(struct session *s, const struct sql_prepared *p)
{
    unsigned known = s->kills ? find(s->kills, p->name) : KILLS_MAX;
    struct sql_kill kill;

    if (known < KILLS_MAX)
        s->kills->of[known].name[0] = 0;
    if (p->name.n > 0 && p->name.n <= KILL_NAME_MAX && read_kill(s, p->text, &kill))
        remember(s, p->name, &kill);
}

void session_kill_note(struct session *s)
{
    struct sql_prepared p;

    if (!s->kills && !(s->run.statement.effects & SQL_EFFECT_PREPARE))
        return;
    p = sql_prepared_read(session_text(s), s->mode);
    if (p.kind == SQL_PREPARES)
        prepared(s, &p);
    else if (p.kind != SQL_EXECUTES && (s->run.statement.effects & SQL_EFFECT_OPAQUE))
        session_kill_forget(s); /* it may have prepared others by these names */
}

bool session_kill_executed(const struct session *s, struct sql_kill *kill)
{
    struct sql_prepared p = sql_prepared_read(session_text(s), s->mode);
    unsigned i;

    if (p.kind != SQL_EXECUTES)
        return false;
    if (p.name.n == 0)
        return read_kill(s, p.text, kill);
    i = s->kills ? find(s->kills, p.name) : KILLS_MAX;
    if (i < KILLS_MAX)
        *kill = s->kills->of[i].kill;
    return i < KILLS_MAX;
}

void session_kill_forget(struct session *s)
{
    free(s->kills);
    s->kills = NULL;
}
