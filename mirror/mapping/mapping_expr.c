#include "mirror/mapping/mapping_parse.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

int map_column_add(struct map_parser *p, int table, const char *name, const struct conf_node *at)
{
    struct map_table *t = &p->a->tables[table];

    for (int i = 0; i < t->n_columns; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return i;
    if (t->n_columns == MAP_COLUMNS_MAX) {
        (void)conf_node_err(at, p->e, "more than %d columns of one table; map fewer",
                            MAP_COLUMNS_MAX);
        return -1;
    }
    t->columns[t->n_columns] = (struct map_column){.name = name, .at = at};
    return t->n_columns++;
}

/* The table use that an alias names, seen from a level; -1: none. */
static int find_alias(const struct aggregate *a, int level, const char *alias, size_t n)
{
    for (; level >= 0; level = a->levels[level].parent) {
        for (int i = 0; i < a->n_tables; i++) {
            const struct map_table *t = &a->tables[i];

            if (t->level == level && strlen(t->alias) == n && memcmp(t->alias, alias, n) == 0)
                return i;
        }
    }
    return -1;
}

static bool no_alias(struct map_parser *p, const struct conf_node *at, const char *text, size_t n)
{
    return conf_node_err(at, p->e,
                         "no table `%.*s` here; join it (joins: [{table: …, on: {…}}]), or name it"
                         " with `as`",
                         (int)n, text);
}

bool map_ref_parse(struct map_parser *p, int level, const struct conf_node *at, const char *text,
                   struct map_ref *out)
{
    const char *dot = strchr(text, '.');
    int table = p->a->levels[level].table;
    const char *name = text;
    int column;

    if (dot) {
        table = find_alias(p->a, level, text, (size_t)(dot - text));
        if (table < 0)
            return no_alias(p, at, text, (size_t)(dot - text));
        name = dot + 1;
    }
    if (!*name || strchr(name, '.') || strchr(name, '`'))
        return conf_node_err(at, p->e, "`%s` is no column; write column or Alias.column", text);
    column = map_column_add(p, table, name, at);
    *out = (struct map_ref){(int16_t)table, (int16_t)column};
    return column >= 0;
}

bool map_ref_node(struct map_parser *p, int level, const struct conf_node *n, struct map_ref *out)
{
    const char *text;

    return conf_node_text(n, &text, p->e) && map_ref_parse(p, level, n, text, out);
}

void map_expr_column(struct map_parser *p, const struct conf_node *at, struct map_ref ref,
                     struct map_expr *out)
{
    out->at = at;
    out->n = 1;
    out->pieces = map_alloc(p->m, sizeof *out->pieces);
    out->pieces[0] = (struct map_piece){"", ref};
}

/* Words that make an expression depend on more than the columns it names. */
static const char *const unfit[] = {
    "select", "now",      "curdate",   "curtime",        "sysdate",      "current_timestamp",
    "rand",   "uuid",     "utc_date",  "unix_timestamp", "current_date", "current_user",
    "user",   "database", "localtime", "connection_id",  "utc_time",     "utc_timestamp",
};

static bool unfit_word(const char *word, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(unfit); i++)
        if (strlen(unfit[i]) == n && strncasecmp(unfit[i], word, n) == 0)
            return true;
    return false;
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The end of a quoted string that begins at s; NULL where it does not end. */
static const char *skip_quoted(const char *s)
{
    char quote = *s++;

    for (; *s; s++) {
        if ((*s == '\\' && quote != '`' && s[1]) || (*s == quote && s[1] == quote))
            s++;
        else if (*s == quote)
            return s + 1;
    }
    return NULL;
}

/* Words outside of quotes and references; statements end at a semicolon, so none may stand there.
 */
static bool check_words(struct map_parser *p, const struct conf_node *n, const char *sql)
{
    const char *s = sql;

    while (*s) {
        const char *from = s;

        if (*s == '\'' || *s == '"' || *s == '`') {
            s = skip_quoted(s);
            if (!s)
                return conf_node_err(n, p->e, "a quote is not closed");
        } else if (*s == '{') {
            s += strcspn(s, "}");
        } else if (word_char(*s)) {
            while (word_char(*s))
                s++;
            if (unfit_word(from, (size_t)(s - from)))
                return conf_node_err(n, p->e,
                                     "`%.*s`: an expression may only use the columns it names in"
                                     " {braces}, or a change would go unseen",
                                     (int)(s - from), from);
        } else if (*s == ';' || *s == '#' || strncmp(s, "--", 2) == 0 || strncmp(s, "/*", 2) == 0) {
            return conf_node_err(n, p->e, "`%c` and comments don't belong into an expression", *s);
        } else {
            s++;
        }
    }
    return true;
}

static bool add_piece(struct map_parser *p, struct map_expr *out, const char *text, size_t n)
{
    if (out->n == MAP_PIECES_MAX)
        return conf_node_err(out->at, p->e, "more than %d references in one expression",
                             MAP_PIECES_MAX);
    out->pieces[out->n++] = (struct map_piece){map_text(p->m, text, n), {-1, -1}};
    return true;
}

/* s stands on a `{`; afterwards behind the `}`. */
static bool add_reference(struct map_parser *p, int level, struct map_expr *out, const char **s)
{
    size_t n = strcspn(*s + 1, "}");
    const char *name = map_text(p->m, *s + 1, n);

    if ((*s)[1 + n] != '}')
        return conf_node_err(out->at, p->e, "a `{` without a `}`; references are {column}");
    *s += n + 2;
    return map_ref_parse(p, level, out->at, name, &out->pieces[out->n - 1].ref);
}

/* The next `{` that is not inside quotes. */
static const char *next_brace(const char *s)
{
    while (*s && *s != '{') {
        const char *after = *s == '\'' || *s == '"' || *s == '`' ? skip_quoted(s) : s + 1;

        s = after ? after : s + strlen(s);
    }
    return s;
}

bool map_expr_parse(struct map_parser *p, int level, const struct conf_node *n,
                    struct map_expr *out)
{
    const char *s;

    if (!conf_node_text(n, &s, p->e))
        return false;
    if (!*s)
        return conf_node_err(n, p->e, "an empty expression");
    if (!check_words(p, n, s))
        return false;
    *out = (struct map_expr){n, 0, map_alloc(p->m, MAP_PIECES_MAX * sizeof *out->pieces)};
    while (*s) {
        const char *brace = next_brace(s);

        if (!add_piece(p, out, s, (size_t)(brace - s)))
            return false;
        s = brace;
        if (*s && !add_reference(p, level, out, &s))
            return false;
    }
    return true;
}
