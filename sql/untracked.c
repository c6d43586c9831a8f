#include "sql/untracked.h"

#include "sql/scan.h"

/* Where in a SET the next token stands. */
enum place { AT_STATEMENT, AT_ITEM, AT_CHARACTER, AT_NAMES, AT_VALUE, AT_REST };

struct untracked {
    struct sql_lexer lex;
    sql_untracked_fn *tell;
    void *ctx;
    enum place place;
    bool set_statement; /* SET STATEMENT … FOR: the items in front of FOR */
    unsigned depth;
    bool known; /* all could be named so far */
};

bool sql_scope_is_unsaid(struct span variable)
{
    static const char *const scopes[] = {"@@session", "@@local", "@@global"};

    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        size_t n = strlen(scopes[i]);

        if (span_begins_with(variable, scopes[i]) && (variable.n == n || variable.p[n] == '.'))
            return false;
    }
    return true;
}

/* The collation of the connection is told last: it determines its character set. */
static void tell_charset(struct untracked *u)
{
    u->tell(u->ctx, span_of("character_set_client"));
    u->tell(u->ctx, span_of("character_set_results"));
    u->tell(u->ctx, span_of("collation_connection"));
}

static void tell_name(struct untracked *u, struct span name)
{
    if (sql_is_plain_name(name))
        u->tell(u->ctx, name);
    else
        u->known = false;
}

static enum place variable(struct untracked *u)
{
    struct span text = sql_lexer_text(&u->lex);

    if (sql_scope_is_unsaid(text))
        tell_name(u, (struct span){text.p + 2, text.n - 2});
    return AT_VALUE;
}

static enum place item(struct untracked *u, enum sql_token t)
{
    switch (t) {
    case W_STATEMENT:
        u->set_statement = true;
        return AT_ITEM;
    case W_CHARACTER:
        return AT_CHARACTER;
    case W_CHARSET:
        tell_charset(u);
        return AT_VALUE;
    case W_NAMES:
        return AT_NAMES;
    case TOK_SYSTEM_VARIABLE:
        return variable(u);
    default:
        if (u->set_statement)
            tell_name(u, sql_lexer_text(&u->lex));
        return AT_VALUE;
    }
}

static enum place value(struct untracked *u, enum sql_token t)
{
    u->depth += t == TOK_OPEN;
    u->depth -= t == TOK_CLOSE && u->depth > 0;
    if (u->set_statement && t == W_FOR && u->depth == 0)
        return AT_REST;
    return t == TOK_COMMA && u->depth == 0 ? AT_ITEM : AT_VALUE;
}

static enum place next_place(struct untracked *u, enum sql_token t)
{
    switch (u->place) {
    case AT_STATEMENT:
        return t == W_SET ? AT_ITEM : AT_REST;
    case AT_ITEM:
        return item(u, t);
    case AT_CHARACTER: /* SET */
        tell_charset(u);
        return AT_VALUE;
    case AT_NAMES:
        if (t == W_DEFAULT)
            tell_charset(u);
        return AT_VALUE;
    case AT_VALUE:
        return value(u, t);
    case AT_REST:
        break;
    }
    return AT_REST;
}

/* Of SET NAMES x COLLATE y the classification has the collation, or it could not be read. */
static bool has_collate(struct span text, struct sql_mode mode)
{
    struct sql_lexer l;
    enum sql_token t;

    sql_lexer_init(&l, text, mode);
    while ((t = sql_lexer_next(&l)) != TOK_END)
        if (t == W_COLLATE)
            return true;
    return false;
}

bool sql_untracked(struct span text, struct sql_mode mode, sql_untracked_fn *tell, void *ctx)
{
    struct untracked u = {.tell = tell, .ctx = ctx, .known = true};
    enum sql_token t;

    /* the variables by which the server reports changes may stand anywhere: then it may be silent
     */
    if (span_holds(text, "session_track") || has_collate(text, mode))
        return false;
    sql_lexer_init(&u.lex, text, mode);
    while ((t = sql_lexer_next(&u.lex)) != TOK_END && u.known) {
        if (t == TOK_SEMICOLON || t == TOK_BAD)
            return false;
        u.place = next_place(&u, t);
    }
    return u.known && !u.lex.doubtful;
}
