/* Carries one connection's variables to another and compares the two: vars_tool PORT
 *
 * Standard input, line by line: a statement, run on connection A; "CARRY": bring B to A's state by
 * vars_difference and compare every session variable; "SWAP": A and B change places. Standard
 * output: "set: …" for each SET sent, "pins: name", "untracked", "error: …", "differs: name: a |
 * b", and "carried" where nothing differed. */
#include "routing/vars.h"
#include "sql/classify.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
    MYSQL *mysql;
    struct vars *vars;
};

static struct catalog *catalog;

static void die(const char *what, MYSQL *mysql)
{
    (void)fprintf(stderr, "%s: %s\n", what, mysql ? mysql_error(mysql) : "");
    exit(2); /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* What the server does not report. */
static void note_collation(struct side *s, const char *sql, size_t n)
{
    struct sql_class c;

    sql_classify((struct span){(const uint8_t *)sql, n}, (struct sql_mode){.utf8 = true}, false,
                 &c);
    if (*c.collation)
        (void)vars_note_names(s->vars, span_of(c.collation));
    if (c.effects & (SQL_EFFECT_UNTRACKED | SQL_EFFECT_RESTORES))
        printf("untracked\n");
}

static void note_tracked(struct side *s)
{
    const char *name;
    const char *value;
    size_t name_n;
    size_t value_n;
    int end =
        mysql_session_track_get_first(s->mysql, SESSION_TRACK_SYSTEM_VARIABLES, &name, &name_n);

    vars_report(s->vars);
    while (!end) {
        struct span key = {(const uint8_t *)name, name_n};
        enum vars_set set;

        if (mysql_session_track_get_next(s->mysql, SESSION_TRACK_SYSTEM_VARIABLES, &value,
                                         &value_n))
            die("a name without a value", NULL);
        set = vars_note(s->vars, key, (struct span){(const uint8_t *)value, value_n});
        if (set == VARS_PINS)
            printf("pins: %.*s\n", (int)name_n, name);
        else if (set == VARS_FULL)
            printf("full: %.*s\n", (int)name_n, name);
        end =
            mysql_session_track_get_next(s->mysql, SESSION_TRACK_SYSTEM_VARIABLES, &name, &name_n);
    }
}

static void run(struct side *s, const char *sql, size_t n)
{
    MYSQL_RES *res;

    if (mysql_real_query(s->mysql, sql, (unsigned long)n)) {
        printf("error: %u %s: %.*s\n", mysql_errno(s->mysql), mysql_error(s->mysql), (int)n, sql);
        return;
    }
    res = mysql_store_result(s->mysql);
    if (res)
        mysql_free_result(res); /* this library tells nothing behind a result */
    else
        note_tracked(s);
    note_collation(s, sql, n);
}

static struct side open_side(unsigned port)
{
    static const char track[] = "SET session_track_system_variables='*'";
    struct side s = {mysql_init(NULL), vars_new()};

    if (!s.mysql || !s.vars)
        die("memory", NULL);
    (void)mysql_options(s.mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(s.mysql, "127.0.0.1", "root", "", "test", port, NULL, 0))
        die("connect", s.mysql);
    if (mysql_query(s.mysql, track))
        die(track, s.mysql);
    return s;
}

static MYSQL_RES *ask(MYSQL *mysql, const char *sql)
{
    MYSQL_RES *res;

    if (mysql_query(mysql, sql))
        die(sql, mysql);
    res = mysql_store_result(mysql);
    if (!res)
        die(sql, mysql);
    return res;
}

static void learn_catalog(MYSQL *mysql)
{
    MYSQL_RES *res = ask(mysql, "SELECT LOWER(VARIABLE_NAME), VARIABLE_TYPE FROM "
                                "information_schema.SYSTEM_VARIABLES WHERE VARIABLE_SCOPE LIKE "
                                "'SESSION%'");
    MYSQL_ROW row;

    catalog = calloc(1, sizeof(*catalog));
    if (!catalog)
        die("memory", NULL);
    catalog->variables = calloc(mysql_num_rows(res), sizeof(*catalog->variables));
    if (!catalog->variables)
        die("memory", NULL);
    while ((row = mysql_fetch_row(res))) {
        struct variable *v = &catalog->variables[catalog->variable_count++];
        bool number = strstr(row[1], "INT") || strcmp(row[1], "DOUBLE") == 0;

        v->name = strdup(row[0]);
        v->type = number ? VARIABLE_NUMBER : VARIABLE_TEXT;
    }
    mysql_free_result(res);
    catalog_seal(catalog);
}

/* Those that say of the connection itself, or of the statement. */
static bool compares(const char *name)
{
    static const char *const others[] = {"pseudo_thread_id", "rand_seed1", "rand_seed2",
                                         "timestamp",        "last_gtid",  "warning_count",
                                         "error_count"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(name, others[i]) == 0)
            return false;
    }
    return true;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The collation that the definitions of columns name; no variable shows it. */
static unsigned results_collation(MYSQL *mysql)
{
    MYSQL_RES *res = ask(mysql, "SELECT 'x'");
    unsigned id = mysql_fetch_field(res)->charsetnr;

    mysql_free_result(res);
    return id;
}

static bool compare(const struct side *a, const struct side *b)
{
    static const char all[] = "SELECT LOWER(VARIABLE_NAME), HEX(SESSION_VALUE) FROM "
                              "information_schema.SYSTEM_VARIABLES WHERE VARIABLE_SCOPE LIKE "
                              "'SESSION%' ORDER BY 1";
    MYSQL_RES *x = ask(a->mysql, all);
    MYSQL_RES *y = ask(b->mysql, all);
    MYSQL_ROW p;
    MYSQL_ROW q;
    bool equal = mysql_num_rows(x) == mysql_num_rows(y);

    while (equal && (p = mysql_fetch_row(x)) && (q = mysql_fetch_row(y))) {
        if (!compares(p[0]) || same(p[1], q[1]))
            continue;
        printf("differs: %s: %s | %s\n", p[0], p[1] ? p[1] : "NULL", q[1] ? q[1] : "NULL");
    }
    mysql_free_result(x);
    mysql_free_result(y);
    if (results_collation(a->mysql) != results_collation(b->mysql))
        printf("differs: collation of results: %u | %u\n", results_collation(a->mysql),
               results_collation(b->mysql));
    return equal;
}

static void carry(const struct side *a, struct side *b)
{
    struct buf sql = buf_with_max(1 << 20);

    vars_difference(&sql, b->vars, a->vars, catalog);
    if (!buf_ok(&sql))
        die("buffer", NULL);
    if (sql.len) {
        printf("set: %s\n", buf_text(&sql));
        run(b, (const char *)sql.data, sql.len);
    }
    buf_free(&sql);
    vars_copy(b->vars, a->vars);
    if (compare(a, b))
        printf("carried\n");
}

int main(int argc, char **argv)
{
    struct side sides[2];
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int a = 0;

    if (argc != 2)
        return 2;
    sides[0] = open_side((unsigned)strtoul(argv[1], NULL, 10));
    sides[1] = open_side((unsigned)strtoul(argv[1], NULL, 10));
    learn_catalog(sides[0].mysql);
    while ((n = getline(&line, &room, stdin)) > 0) {
        n -= line[n - 1] == '\n';
        line[n] = 0;
        if (strcmp(line, "CARRY") == 0)
            carry(&sides[a], &sides[!a]);
        else if (strcmp(line, "SWAP") == 0)
            a = !a;
        else if (n)
            run(&sides[a], line, (size_t)n);
        (void)fflush(stdout);
    }
    free(line);
    for (int i = 0; i < 2; i++) {
        mysql_close(sides[i].mysql);
        vars_free(sides[i].vars);
    }
    catalog_unref(catalog);
    return 0;
}
