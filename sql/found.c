/* Whether FOUND_ROWS() counts a statement: a SELECT, or what MariaDB makes one of (INSERT … SELECT,
 * an UPDATE of several tables, SHOW TABLES). Where its optimiser decides, the likelier is said.
 * Tried on MariaDB 10.11. */
#include "sql/scan.h"

/* Words behind SHOW that tell nothing yet. */
static const char *const show_more[] = {"all",     "full",    "global", "local",
                                        "session", "storage", NULL};

/* SHOW … that makes its rows without a table. */
static const char *const show_uncounted[] = {
    "authors",  "binary",  "binlog",   "contributors", "create",     "engine",      "errors",
    "explain",  "grants",  "master",   "analyze",      "privileges", "processlist", "profiles",
    "relaylog", "replica", "replicas", "slave",        "slaves",     "warnings",    NULL,
};

static const char *const delete_options[] = {"history", "ignore", "low_priority", "quick", NULL};

static bool explains(enum sql_token first)
{
    return first == W_EXPLAIN || first == W_DESCRIBE || first == W_DESC;
}

void sql_found_start(struct sql_scan *s, enum sql_token t)
{
    if (s->inner && explains(s->first))
        return;
    s->first = t;
    s->found_told = false;
    s->found_looks = t == W_UPDATE || t == W_DELETE || t == W_SHOW || explains(t);
    if (t == W_SELECT || t == W_WITH || t == W_CALL || t == W_EXECUTE)
        s->out->counts = true;
}

/* SELECT, or a FROM behind one, that is run with the statement. */
static void inner_select(struct sql_scan *s, enum sql_token t)
{
    bool outermost = t == W_SELECT && s->depth == 0;
    bool reads_table = t == W_FROM && (s->selects >> s->depth & 1);

    if (s->first == W_CREATE) /* TABLE … SELECT; not what a view or routine is made of */
        s->out->counts |= outermost && s->follow == FOLLOW_NONE && !s->routine;
    else if (s->first != W_ALTER && !explains(s->first))
        s->out->counts |= outermost || reads_table;
}

/* UPDATE a, b SET …; UPDATE a JOIN b … */
static void inside_update(struct sql_scan *s, enum sql_token t)
{
    if (t == W_SET)
        s->found_told = true;
    else if (!s->found_told && (t == TOK_COMMA || t == W_JOIN || t == W_STRAIGHT_JOIN))
        s->out->counts = true;
}

/* DELETE a FROM …; DELETE FROM a USING …; but not DELETE QUICK FROM a */
static void inside_delete(struct sql_scan *s, enum sql_token t)
{
    bool option =
        s->prev == W_DELETE || (s->prev == TOK_NAME && span_is_one_of(s->name, delete_options));

    s->out->counts |= t == W_USING || (t == W_FROM && !s->found_told && !option);
    s->found_told |= t == W_FROM;
}

static void inside_show(struct sql_scan *s)
{
    struct span word = sql_lexer_text(&s->lex);

    if (s->found_told || span_is_one_of(word, show_more))
        return;
    s->found_told = true;
    s->out->counts |= !span_is_one_of(word, show_uncounted);
}

void sql_found_token(struct sql_scan *s, enum sql_token t)
{
    if (t == W_SELECT || t == W_FROM)
        inner_select(s, t);
    else if ((t == W_CALL || t == W_EXECUTE) && s->block)
        s->out->counts = true;
    switch (s->first) {
    case W_UPDATE:
        inside_update(s, t);
        break;
    case W_DELETE:
        inside_delete(s, t);
        break;
    case W_SHOW:
        inside_show(s);
        break;
    case W_EXPLAIN: /* of a table: its columns */
    case W_DESCRIBE:
    case W_DESC:
        s->out->counts |= s->prev == s->first && (t == TOK_NAME || t == TOK_QUOTED);
        break;
    default:
        break;
    }
}
