#include "protocol/binlog/binlog_query.h"

#include <ctype.h>

enum { LONGEST_WORD = 64 };

static bool at_comment(const struct cursor *c, const char *open)
{
    size_t n = strlen(open);

    return cursor_left(c) >= n && memcmp(c->p, open, n) == 0;
}

static void skip_past(struct cursor *c, const char *close)
{
    size_t n = strlen(close);

    while (cursor_left(c) && !at_comment(c, close))
        c->p++;
    cursor_skip(c, cursor_left(c) < n ? cursor_left(c) : n);
}

/* Comments that the server runs begin with an exclamation mark and maybe a version's number. */
static void open_executable(struct cursor *c)
{
    cursor_skip(c, at_comment(c, "/*M!") ? 4 : 3);
    while (cursor_left(c) && isdigit(*c->p))
        c->p++;
}

static void skip_blanks(struct cursor *c)
{
    while (cursor_left(c)) {
        if (isspace(*c->p) || *c->p == ';' || *c->p == '(')
            c->p++;
        else if (at_comment(c, "/*!") || at_comment(c, "/*M!"))
            open_executable(c);
        else if (at_comment(c, "*/"))
            cursor_skip(c, 2);
        else if (at_comment(c, "/*"))
            skip_past(c, "*/");
        else if (*c->p == '#' || at_comment(c, "-- "))
            skip_past(c, "\n");
        else
            return;
    }
}

/* To behind the closing quote, or to the end. A backslash escapes, but not in names. */
static void skip_quoted(struct cursor *c)
{
    uint8_t quote = cursor_u8(c);

    while (cursor_left(c)) {
        uint8_t byte = cursor_u8(c);

        if (byte == '\\' && quote != '`')
            cursor_skip(c, cursor_left(c) ? 1 : 0);
        else if (byte == quote && !(cursor_left(c) && *c->p == quote))
            return;
        else if (byte == quote)
            cursor_skip(c, 1);
    }
}

static bool in_word(uint8_t byte)
{
    return isalnum(byte) || byte == '_' || byte == '$' || byte >= 0x80;
}

/* The next word, quoted name, or single character; empty at the end. */
static struct span next_token(struct cursor *c)
{
    const uint8_t *start;

    skip_blanks(c);
    start = c->p;
    if (!cursor_left(c))
        return (struct span){NULL, 0};
    if (*c->p == '`' || *c->p == '\'' || *c->p == '"') {
        skip_quoted(c);
    } else if (in_word(*c->p)) {
        while (cursor_left(c) && in_word(*c->p))
            c->p++;
    } else {
        c->p++;
    }
    return (struct span){start, (size_t)(c->p - start)};
}

static bool next_is(struct cursor *c, const char *word)
{
    return span_is_word(next_token(c), word);
}

static bool is_ddl(struct span word)
{
    static const char *const words[] = {"ALTER",    "ANALYZE", "CHANGE", "CHECK",    "CREATE",
                                        "DROP",     "FLUSH",   "GRANT",  "INSTALL",  "KILL",
                                        "OPTIMIZE", "PURGE",   "RENAME", "REPAIR",   "RESET",
                                        "REVOKE",   "START",   "STOP",   "UNINSTALL"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_is_word(word, words[i]))
            return true;
    }
    return false;
}

static enum binlog_query_kind xa_kind(struct cursor *c)
{
    struct span verb = next_token(c);

    if (span_is_word(verb, "COMMIT"))
        return BINLOG_QUERY_XA_COMMIT;
    return span_is_word(verb, "ROLLBACK") ? BINLOG_QUERY_XA_ROLLBACK : BINLOG_QUERY_XA;
}

/* ROLLBACK [WORK] TO [SAVEPOINT] name, or ROLLBACK. */
static enum binlog_query_kind rollback_kind(struct cursor *c)
{
    struct span word = next_token(c);

    if (span_is_word(word, "WORK"))
        word = next_token(c);
    return span_is_word(word, "TO") ? BINLOG_QUERY_ROLLBACK_TO : BINLOG_QUERY_ROLLBACK;
}

/* Move behind "STATEMENT variable=value, … FOR"; false for another SET. */
static bool skip_set_statement(struct cursor *c)
{
    struct span token = next_token(c);

    if (!span_is_word(token, "STATEMENT"))
        return false;
    while (token.n && !span_is_word(token, "FOR"))
        token = next_token(c);
    return token.n;
}

enum binlog_query_kind binlog_query_kind(struct span text)
{
    struct cursor c = cursor_span(text);
    struct span word = next_token(&c);

    while (span_is_word(word, "SET")) {
        if (!skip_set_statement(&c))
            return BINLOG_QUERY_DDL; /* SET PASSWORD, SET DEFAULT ROLE: no other is logged */
        word = next_token(&c);
    }
    if (span_is_word(word, "BEGIN"))
        return next_token(&c).n ? BINLOG_QUERY_STATEMENT : BINLOG_QUERY_BEGIN;
    if (span_is_word(word, "COMMIT"))
        return BINLOG_QUERY_COMMIT;
    if (span_is_word(word, "ROLLBACK"))
        return rollback_kind(&c);
    if (span_is_word(word, "SAVEPOINT"))
        return BINLOG_QUERY_SAVEPOINT;
    if (span_is_word(word, "RELEASE"))
        return BINLOG_QUERY_RELEASE;
    if (span_is_word(word, "XA"))
        return xa_kind(&c);
    if (span_is_word(word, "TRUNCATE"))
        return BINLOG_QUERY_TRUNCATE;
    return is_ddl(word) ? BINLOG_QUERY_DDL : BINLOG_QUERY_STATEMENT;
}

struct span binlog_query_savepoint(struct span text)
{
    struct cursor c = cursor_span(text);
    struct span token = next_token(&c);

    while (span_is_word(token, "ROLLBACK") || span_is_word(token, "WORK") ||
           span_is_word(token, "TO") || span_is_word(token, "RELEASE") ||
           span_is_word(token, "SAVEPOINT"))
        token = next_token(&c);
    return token;
}

static struct span unquoted(struct span token)
{
    if (token.n >= 2 && (*token.p == '`' || *token.p == '"'))
        return (struct span){token.p + 1, token.n - 2};
    return token;
}

bool binlog_query_truncated(struct span text, struct binlog_query_table *t)
{
    struct cursor c = cursor_span(text);
    struct cursor after;
    struct span token;

    *t = (struct binlog_query_table){{NULL, 0}, {NULL, 0}};
    token = next_token(&c);
    while (span_is_word(token, "SET") && skip_set_statement(&c))
        token = next_token(&c);
    if (!span_is_word(token, "TRUNCATE"))
        return false;
    token = next_token(&c);
    if (span_is_word(token, "TABLE"))
        token = next_token(&c);
    t->name = unquoted(token);
    after = c;
    if (next_is(&after, ".")) {
        t->schema = t->name;
        t->name = unquoted(next_token(&after));
    }
    return t->name.n != 0;
}
