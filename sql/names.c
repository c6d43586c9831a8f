/* The words of the classification: for logs, metrics and explain. */
#include "sql/classify.h"

#include <assert.h>

static const char *const reason_texts[SQL_REASON_COUNT] = {
    [SQL_IS_READ] = "it is a read",
    [SQL_NOT_SELECT] = "it is another statement than a SELECT",
    [SQL_WRITES] = "it writes",
    [SQL_LOCKING] = "it locks what it reads (FOR UPDATE, LOCK IN SHARE MODE)",
    [SQL_INTO] = "it writes its result elsewhere (INTO)",
    [SQL_USER_VARIABLE] = "it assigns or reads a user variable",
    [SQL_SYSTEM_VARIABLE] = "it reads a system variable, and servers differ",
    [SQL_SESSION_FUNCTION] = "it calls a function that belongs to one connection",
    [SQL_SERVER_FUNCTION] = "it calls a function that answers differently on each server",
    [SQL_SEQUENCE] = "it uses a sequence",
    [SQL_UNKNOWN_FUNCTION] = "it calls a function that may write",
    [SQL_VIEW_ACTS] = "it names a view that is not known to be free of effects",
    [SQL_SYSTEM_SCHEMA] = "it names a system schema",
    [SQL_FOUND_ROWS] = "the next statement may ask for FOUND_ROWS()",
    [SQL_SEVERAL] = "it is more than one statement",
    [SQL_UNREADABLE] = "its text cannot be followed with certainty",
    [SQL_TOO_LONG] = "only the head of its text is known",
    [SQL_HINT_PRIMARY] = "a comment asks for the primary",
};

static const char *const kind_names[SQL_KIND_COUNT] = {
    [SQL_OTHER] = "other",     [SQL_EMPTY] = "empty",   [SQL_SELECT] = "select",
    [SQL_SHOW] = "show",       [SQL_SET] = "set",       [SQL_USE] = "use",
    [SQL_BEGIN] = "begin",     [SQL_COMMIT] = "commit", [SQL_ROLLBACK] = "rollback",
    [SQL_INSERT] = "insert",   [SQL_UPDATE] = "update", [SQL_DELETE] = "delete",
    [SQL_REPLACE] = "replace", [SQL_LOAD] = "load",     [SQL_CALL] = "call",
    [SQL_KILL] = "kill",       [SQL_DDL] = "ddl",
};

const char *sql_reason_text(enum sql_reason r)
{
    assert(r < SQL_REASON_COUNT);
    return reason_texts[r];
}

const char *sql_kind_name(enum sql_kind k)
{
    assert(k < SQL_KIND_COUNT);
    return kind_names[k];
}

enum sql_pairs sql_pairs_of(struct span charset)
{
    if (span_eq(charset, "gbk"))
        return PAIRS_GBK;
    if (span_eq(charset, "sjis") || span_eq(charset, "cp932"))
        return PAIRS_SJIS;
    return span_eq(charset, "big5") ? PAIRS_BIG5 : PAIRS_NONE;
}

bool sql_charset_is_unsafe(struct span name)
{
    static const char *const unsafe[] = {"big5",   "cp932", "gb18030", "gbk",    "sjis",
                                         "gb2312", "euckr", "ujis",    "eucjpms"};

    for (size_t i = 0; i < ARRAY_LEN(unsafe); i++)
        if (span_eq(name, unsafe[i]))
            return true;
    return false;
}
