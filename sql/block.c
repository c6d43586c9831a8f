/* Compound statements: only where they end is of interest. BEGIN, CASE, IF, LOOP, WHILE, REPEAT and
 * FOR each need an END; IF, REPEAT and FOR only where a statement begins, for they are a function,
 * a function and part of other clauses elsewhere. */
#include "sql/scan.h"

void sql_block_open(struct sql_scan *s)
{
    s->block = true;
    s->nest++;
}

static bool statement_begins(enum sql_token prev)
{
    switch (prev) {
    case TOK_SEMICOLON:
    case TOK_CLOSE:
    case TOK_OPERATOR: /* a label's colon */
    case W_BEGIN:
    case W_ATOMIC:
    case W_THEN:
    case W_ELSE:
    case W_DO:
    case W_LOOP:
    case W_REPEAT:
    case W_ROW:
        return true;
    default:
        return false;
    }
}

static bool opens(enum sql_token t, enum sql_token prev)
{
    switch (t) {
    case W_BEGIN:
    case W_CASE:
    case W_LOOP:
    case W_WHILE:
        return prev != W_END;
    case W_IF:
    case W_REPEAT:
    case W_FOR:
        return statement_begins(prev);
    default:
        return false;
    }
}

void sql_block_token(struct sql_scan *s, enum sql_token t)
{
    if (opens(t, s->prev)) {
        sql_block_open(s);
    } else if (t == W_END && s->nest > 0) {
        s->nest--;
        s->block = s->nest > 0;
    }
}
