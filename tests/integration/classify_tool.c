/* Prints what the classifier makes of statements: they come NUL-terminated on standard input, and
 * one line goes out for each: kind, reason, effects in hex, statements, writes, function.
 * Options: ansi, nobackslash, gbk, sjis, big5, oracle, utf8 (the lexis), cut. */
#include "sql/classify.h"
#include "tests/unit/sql_same.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reasons[SQL_REASON_COUNT] = {
    [SQL_IS_READ] = "read",
    [SQL_NOT_SELECT] = "not_select",
    [SQL_WRITES] = "writes",
    [SQL_LOCKING] = "locking",
    [SQL_INTO] = "into",
    [SQL_USER_VARIABLE] = "user_variable",
    [SQL_SYSTEM_VARIABLE] = "system_variable",
    [SQL_SESSION_FUNCTION] = "session_function",
    [SQL_SERVER_FUNCTION] = "server_function",
    [SQL_SEQUENCE] = "sequence",
    [SQL_UNKNOWN_FUNCTION] = "unknown_function",
    [SQL_VIEW_ACTS] = "view_acts",
    [SQL_SYSTEM_SCHEMA] = "system_schema",
    [SQL_FOUND_ROWS] = "found_rows",
    [SQL_SEVERAL] = "several",
    [SQL_UNREADABLE] = "unreadable",
    [SQL_TOO_LONG] = "too_long",
    [SQL_HINT_PRIMARY] = "hint_primary",
};

static void print(const struct sql_class *c)
{
    printf("%s %s %x %u %d ", sql_kind_name(c->kind), reasons[c->reason], c->effects, c->statements,
           c->writes);
    for (size_t i = 0; i < c->function.n; i++) {
        uint8_t byte = c->function.p[i];

        (void)putchar(byte > ' ' && byte < 0x7f ? byte : '?');
    }
    (void)putchar('\n');
}

int main(int argc, char **argv)
{
    struct sql_mode mode = {0};
    bool cut = false;
    char *text = NULL;
    size_t room = 0;
    ssize_t n;

    for (int i = 1; i < argc; i++) {
        mode.ansi_quotes |= strcmp(argv[i], "ansi") == 0;
        mode.no_backslash_escapes |= strcmp(argv[i], "nobackslash") == 0;
        if (sql_pairs_of(span_of(argv[i])) != PAIRS_NONE)
            mode.pairs = sql_pairs_of(span_of(argv[i]));
        mode.oracle |= strcmp(argv[i], "oracle") == 0;
        mode.utf8 |= strcmp(argv[i], "utf8") == 0;
        cut |= strcmp(argv[i], "cut") == 0;
    }
    while ((n = getdelim(&text, &room, 0, stdin)) > 0) {
        struct span s = {(const uint8_t *)text, (size_t)n};
        struct sql_class c;

        if (text[n - 1] == 0)
            s.n--;
        check_template(s, mode);
        sql_classify(s, mode, cut, &c);
        print(&c);
    }
    free(text);
    return 0;
}
