#include "sql/tables.h"

#include "sql/lexer.h"

enum { DEPTH_MAX = 63 };

struct finder {
    struct sql_lexer lex;
    enum sql_token first; /* of the statement; TOK_END: none yet */
    enum sql_token prev;
    bool expected;    /* a table's name comes */
    bool index;       /* CREATE INDEX, TRIGGER …: a table comes behind ON */
    unsigned depth;   /* of parentheses */
    uint64_t query;   /* bit d: a query stands at depth d, so that FROM there is its own */
    uint64_t listing; /* bit d: tables stand there, a comma brings the next */
};

static void expect(struct finder *f, bool list)
{
    f->expected = true;
    sql_set_bit(&f->listing, f->depth, list);
}

static void open_paren(struct finder *f)
{
    if (f->depth < DEPTH_MAX)
        f->depth++;
    sql_set_bit(&f->query, f->depth, false);
    sql_set_bit(&f->listing, f->depth, f->expected);
}

static void close_paren(struct finder *f)
{
    if (f->depth > 0)
        f->depth--;
    f->expected = false;
}

static void end_statement(struct finder *f)
{
    f->first = TOK_END;
    f->depth = 0;
    f->query = 1;
    f->listing = 0;
    f->expected = f->index = false;
}

/* Words that may stand between the one that brings a table and its name. */
static bool is_modifier(enum sql_token t, struct span text)
{
    static const char *const words[] = {"ignore",   "low_priority", "delayed", "high_priority",
                                        "quick",    "only",         "online",  "outfile",
                                        "dumpfile", "tables"};

    if (t == W_IF || t == W_NOT || t == W_EXISTS || t == W_OR || t == W_REPLACE)
        return true;
    for (size_t i = 0; t == TOK_NAME && i < ARRAY_LEN(words); i++)
        if (span_is_word(text, words[i]))
            return true;
    return false;
}

/* The first word of a statement that may have a table right behind it. */
static void begin_statement(struct finder *f, enum sql_token t)
{
    f->first = t;
    switch (t) {
    case W_INSERT:
    case W_REPLACE:
    case W_TRUNCATE:
    case W_DESC:
    case W_DESCRIBE:
    case W_EXPLAIN:
    case W_HANDLER:
    case W_LOCK:
        expect(f, t == W_LOCK);
        break;
    default:
        break;
    }
}

/* ON is before a table in definitions and grants alone. */
static bool on_table(const struct finder *f)
{
    return f->index || f->first == W_GRANT || f->first == W_REVOKE;
}

/* Whether the word was one that brings a table, or ends a list of them. */
static bool bring_table(struct finder *f, enum sql_token t)
{
    switch (t) {
    case W_FROM:
        if (f->query >> f->depth & 1)
            expect(f, true);
        return true;
    case W_JOIN:
        f->expected = true;
        return true;
    case W_STRAIGHT_JOIN:
        f->expected = f->prev != W_SELECT;
        return true;
    case W_INTO:
        expect(f, false);
        return true;
    case W_UPDATE:
        if (f->prev != W_FOR && f->prev != W_KEY && f->prev != W_ON)
            expect(f, true);
        return true;
    case W_TABLE:
        expect(f, true);
        return true;
    case W_USING:
        if (f->first == W_DELETE)
            expect(f, true);
        return true;
    case W_TO:
        f->expected = f->first == W_RENAME || f->first == W_ALTER;
        return true;
    case W_ON:
        f->expected = on_table(f);
        return true;
    default:
        return false;
    }
}

static void other_word(struct finder *f, enum sql_token t)
{
    switch (t) {
    case W_SELECT:
        sql_set_bit(&f->query, f->depth, true);
        sql_set_bit(&f->listing, f->depth, false);
        f->expected = false;
        break;
    case W_WHERE:
    case W_GROUP:
    case W_BY:
    case W_HAVING:
    case W_LIMIT:
    case W_SET:
    case W_UNION:
    case W_VALUES:
    case W_VALUE:
        sql_set_bit(&f->listing, f->depth, false);
        f->expected = false;
        break;
    case W_INDEX:
    case W_TRIGGER:
        f->index = f->first == W_CREATE || f->first == W_DROP;
        break;
    default:
        break;
    }
}

/* A name in a table's place, perhaps with its schema in front. */
static bool take_name(struct finder *f, bool (*is)(void *, struct span, struct span), void *ctx)
{
    struct span schema = {NULL, 0};
    struct span name = sql_unquoted(sql_lexer_text(&f->lex));
    struct sql_lexer ahead = f->lex;
    enum sql_token t = sql_lexer_next(&ahead);

    f->expected = false;
    if (t == TOK_DOT)
        t = sql_lexer_next(&ahead) == TOK_END ? TOK_END : TOK_DOT_NAME;
    if (t == TOK_DOT_NAME) {
        schema = name;
        name = sql_unquoted(sql_lexer_text(&ahead));
        f->lex = ahead;
    }
    return is(ctx, schema, name);
}

static bool is_name(enum sql_token t)
{
    return t == TOK_NAME || t == TOK_QUOTED || t > TOK_OPERATOR;
}

static void mark(struct finder *f, enum sql_token t)
{
    switch (t) {
    case TOK_OPEN:
        open_paren(f);
        break;
    case TOK_CLOSE:
        close_paren(f);
        break;
    case TOK_COMMA:
        f->expected = f->listing >> f->depth & 1;
        break;
    case TOK_SEMICOLON:
        end_statement(f);
        break;
    default:
        f->expected = false;
        break;
    }
}

static bool ends_place(enum sql_token t)
{
    return t == W_SELECT || t == W_SET || t == W_VALUES || t == W_WITH || t == W_INDEX ||
           t == W_TRIGGER || t == W_UNION;
}

bool sql_names_table(struct span text, struct sql_mode mode,
                     bool (*is)(void *ctx, struct span schema, struct span name), void *ctx)
{
    struct finder f = {.query = 1};
    enum sql_token t;

    sql_lexer_init(&f.lex, text, mode);
    end_statement(&f);
    while ((t = sql_lexer_next(&f.lex)) != TOK_END) {
        bool begins = f.first == TOK_END && t != TOK_OPEN && t != TOK_SEMICOLON;

        if (begins)
            begin_statement(&f, t);
        if (!is_name(t)) {
            mark(&f, t);
        } else if (bring_table(&f, t)) {
            /* the name comes with one of the next tokens */
        } else if (begins || !f.expected || ends_place(t)) {
            other_word(&f, t);
            if (t == TOK_NAME && span_is_word(sql_lexer_text(&f.lex), "references"))
                f.expected = true;
        } else if (!is_modifier(t, sql_lexer_text(&f.lex)) && take_name(&f, is, ctx)) {
            return true;
        }
        f.prev = t;
    }
    return false;
}
