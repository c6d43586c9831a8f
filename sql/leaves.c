/* What stored code may leave on its connection without the server's reporting it: a temporary table
 * (of CREATE … SELECT), a role, an XA transaction. The words for these refuse a text wherever they
 * stand, and so does dynamic SQL, of which nobody knows what it says.
 *
 * Which of the names in a text are routines, tables with triggers or views is not told apart: any
 * that may be one that leaves something counts. */
#include "sql/scan.h"

static bool is_unseen(enum sql_token t)
{
    switch (t) {
    case TOK_BAD:
    case W_BINLOG:
    case W_DEALLOCATE:
    case W_EXECUTE:
    case W_PREPARE:
    case W_ROLE:
    case W_TEMPORARY:
    case W_XA:
        return true;
    default:
        return false;
    }
}

/* By these variables a server reports what changes. */
static bool hides(struct span name)
{
    return span_holds(name, "session_track_");
}

/* `opens` counts the parentheses. */
static bool leaves(struct span text, struct sql_mode mode, const struct sql_names *names,
                   unsigned *opens)
{
    struct sql_lexer l;
    enum sql_token t;

    if (mode.oracle || (mode.unsafe_charset && sql_has_wide_byte(text)))
        return true;
    *opens = 0;
    sql_lexer_init(&l, text, mode);
    while ((t = sql_lexer_next(&l)) != TOK_END) {
        struct span word = sql_lexer_text(&l);

        if (is_unseen(t) || (t == TOK_SYSTEM_VARIABLE && hides(word)))
            return true;
        if (sql_token_is_name(t) && (hides(word) || names->leaves(names->ctx, sql_unquoted(word))))
            return true;
        *opens += t == TOK_OPEN;
    }
    return l.doubtful || l.in_executable;
}

bool sql_body_leaves(struct span body, struct sql_mode mode, const struct sql_names *names)
{
    unsigned opens;

    return leaves(body, mode, names, &opens);
}

/* CALL [schema.]name */
static bool called(struct sql_lexer *l, struct span *schema, struct span *name)
{
    enum sql_token t = sql_lexer_next(l) == W_CALL ? sql_lexer_next(l) : TOK_END;

    *schema = (struct span){NULL, 0};
    if (!sql_token_is_name(t))
        return false;
    *name = sql_unquoted(sql_lexer_text(l));
    t = sql_lexer_next(l);
    if (t == TOK_DOT || t == TOK_DOT_NAME) {
        *schema = *name;
        t = t == TOK_DOT ? sql_lexer_next(l) : t;
        *name = sql_unquoted(sql_lexer_text(l));
        if (!sql_token_is_name(t))
            return false;
        t = sql_lexer_next(l);
    }
    return t == TOK_OPEN || t == TOK_END || t == TOK_SEMICOLON;
}

/* Arguments that call functions are not looked into. */
bool sql_call_reported(struct span text, struct sql_mode mode, const struct sql_names *names)
{
    struct sql_lexer l;
    struct span schema;
    struct span name;
    unsigned opens;

    sql_lexer_init(&l, text, mode);
    return called(&l, &schema, &name) && !leaves(text, mode, names, &opens) && opens <= 1 &&
           names->procedure_reported(names->ctx, schema, name);
}
