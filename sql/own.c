#include "sql/own.h"

#include "sql/lexer.h"

static bool is_next(struct sql_lexer *l, const char *word)
{
    return sql_lexer_next(l) != TOK_END && span_is_word(sql_lexer_text(l), word);
}

bool sql_shows_session(struct span text, struct sql_mode mode)
{
    struct sql_lexer l;
    enum sql_token t;

    sql_lexer_init(&l, text, mode);
    if (!is_next(&l, "show") || !is_next(&l, "tillway") || !is_next(&l, "session"))
        return false;
    do
        t = sql_lexer_next(&l);
    while (t == TOK_SEMICOLON);
    return t == TOK_END && !l.doubtful && !l.in_executable;
}
