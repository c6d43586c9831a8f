#include "mirror/ddl.h"

#include <ctype.h>
#include <strings.h>

/* Letters of a name; bytes beyond ASCII count, so that no name is cut inside a character. */
static bool word_byte(uint8_t c)
{
    return isalnum(c) || c == '_' || c == '$' || c >= 0x80;
}

/* The next word at or behind *at. Comment marks are skipped, what stands in comments is not:
 * MariaDB executes some of them. */
static struct span next_word(struct span sql, size_t *at)
{
    size_t from;

    while (*at < sql.n && !word_byte(sql.p[*at]))
        (*at)++;
    from = *at;
    while (*at < sql.n && word_byte(sql.p[*at]))
        (*at)++;
    return (struct span){sql.p + from, *at - from};
}

static bool number(struct span word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!isdigit(word.p[i]))
            return false;
    return word.n > 0;
}

enum ddl_scope ddl_scope(struct span sql)
{
    static const char *const harmless[] = {
        "grant",  "revoke",   "analyze",   "optimize", "flush",    "set",    "begin",
        "commit", "rollback", "savepoint", "comment",  "checksum", "repair", NULL};
    static const char *const change[] = {"alter", "create", "drop", "rename", NULL};
    static const char *const modifier[] = {"or",        "replace", "online", "ignore",
                                           "temporary", "offline", NULL};
    static const char *const database[] = {"database", "schema", NULL};
    static const char *const other[] = {"index",   "unique",    "fulltext", "spatial", "view",
                                        "trigger", "procedure", "function", "event",   "user",
                                        "role",    "sequence",  "server",   "package", "aggregate",
                                        "definer", "algorithm", "sql",      NULL};
    size_t at = 0;
    struct span word = next_word(sql, &at);

    while (number(word)) /* of an executable comment: its version */
        word = next_word(sql, &at);
    if (span_is_one_of(word, harmless))
        return DDL_NOTHING;
    if (!span_is_one_of(word, change))
        return DDL_TABLE;
    do
        word = next_word(sql, &at);
    while (span_is_one_of(word, modifier));
    if (span_is_one_of(word, database))
        return DDL_DATABASE;
    return span_is_one_of(word, other) ? DDL_NOTHING : DDL_TABLE;
}

bool ddl_mentions(struct span sql, const char *name)
{
    size_t n = strlen(name);

    /* A quoted name may hold anything, so look at places, not at words. */
    for (size_t i = 0; n <= sql.n && i <= sql.n - n; i++) {
        if (strncasecmp((const char *)sql.p + i, name, n) != 0)
            continue;
        if ((i == 0 || !word_byte(sql.p[i - 1])) && (i + n == sql.n || !word_byte(sql.p[i + n])))
            return true;
    }
    return false;
}
