/* The body of a stored function, judged token by token: where its statements begin and end is not
 * followed, for a word that only a statement with an effect has refuses it wherever it stands.
 *
 * MariaDB itself keeps dynamic SQL, transactions and result sets out of functions; what is left is
 * DML, CALL, SET, HANDLER and temporary tables. */
#include "sql/scan.h"

/* SET item = value {, item = value}: in a routine an item is a local variable unless it is a system
 * variable's name. */
enum set_part { SET_NONE, SET_ITEM, SET_EQUALS, SET_VALUE };

static bool has_effect(const struct sql_scan *s, enum sql_token t)
{
    switch (t) {
    case W_ANALYZE:
    case W_BACKUP:
    case W_BINLOG:
    case W_CACHE:
    case W_CHANGE:
    case W_CHECK:
    case W_CHECKSUM:
    case W_COMMIT:
    case W_DEALLOCATE:
    case W_EXECUTE:
    case W_FLUSH:
    case W_GET:
    case W_HELP:
    case W_INSTALL:
    case W_KILL:
    case W_OPTIMIZE:
    case W_PREPARE:
    case W_PURGE:
    case W_RELEASE:
    case W_REPAIR:
    case W_RESET:
    case W_ROLLBACK:
    case W_SAVEPOINT:
    case W_SHOW:
    case W_SHUTDOWN:
    case W_START:
    case W_STOP:
    case W_UNINSTALL:
    case W_UNLOCK:
    case W_USE:
    case W_XA:
        return true;
    case W_HANDLER: /* DECLARE CONTINUE HANDLER is none */
        return s->prev != TOK_NAME;
    case TOK_OPEN:
        return s->prev == W_HANDLER || s->prev == W_SET;
    default:
        return s->prev == W_TRUNCATE; /* TRUNCATE() is a function */
    }
}

/* Words of the compound statements that a '(' may follow without being a call. */
static bool takes_expression(const struct sql_scan *s)
{
    return s->prev == W_WHILE || s->prev == W_DO ||
           (s->prev == TOK_NAME && !s->qualified &&
            (span_is_word(s->name, "RETURN") || span_is_word(s->name, "ELSEIF") ||
             span_is_word(s->name, "UNTIL")));
}

static bool is_local(const struct sql_scan *s, enum sql_token t)
{
    return (t == TOK_NAME || t == TOK_QUOTED) && s->names && s->names->is_variable &&
           !s->names->is_variable(s->names->ctx, sql_unquoted(sql_lexer_text(&s->lex)));
}

static bool is_equals(const struct sql_scan *s, enum sql_token t)
{
    return t == TOK_ASSIGN || (t == TOK_OPERATOR && *s->lex.start == '=');
}

static enum set_part follow_set(struct sql_scan *s, enum sql_token t, enum set_part part)
{
    switch (part) {
    case SET_ITEM:
        if (!is_local(s, t))
            sql_refuse(s, SQL_WRITES);
        return SET_EQUALS;
    case SET_EQUALS:
        if (!is_equals(s, t))
            sql_refuse(s, SQL_WRITES);
        return SET_VALUE;
    case SET_VALUE:
        if (t == TOK_COMMA && s->depth == 0)
            return SET_ITEM;
        return t == TOK_SEMICOLON ? SET_NONE : SET_VALUE;
    case SET_NONE:
        break;
    }
    return t == W_SET && s->prev != W_CHARACTER ? SET_ITEM : SET_NONE;
}

static void step(struct sql_scan *s, enum sql_token t)
{
    if (has_effect(s, t))
        sql_refuse(s, SQL_WRITES);
    if (t == TOK_OPEN && takes_expression(s))
        s->prev = TOK_OPERATOR;
    if (t == TOK_SEMICOLON)
        s->depth = 0;
    sql_token_inside(s, t);
    sql_token_passed(s, t);
}

bool sql_routine_reads(struct span body, struct sql_mode mode, const struct sql_names *names)
{
    struct sql_class verdict = {0};
    struct sql_scan s = {
        .text = body, .out = &verdict, .names = names, .query = true, .body = true};
    enum set_part part = SET_NONE;
    enum sql_token t;

    /* In ORACLE mode a bare name calls a procedure. */
    if (mode.oracle || (mode.unsafe_charset && sql_has_wide_byte(body)))
        return false;
    sql_lexer_init(&s.lex, body, mode);
    while ((t = sql_lexer_next(&s.lex)) != TOK_END) {
        part = follow_set(&s, t, part);
        step(&s, t);
    }
    if (verdict.reason != SQL_IS_READ || s.lex.doubtful || s.lex.in_executable)
        return false;
    return !names || !names->view_acts || !sql_names_acting_view(body, mode, names);
}
