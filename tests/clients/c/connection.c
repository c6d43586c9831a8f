#include "program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

const char *setting(const char *name)
{
    const char *text = getenv(name);

    if (!text)
        die(name);
    return text;
}

void say(const char *name, const char *format, ...)
{
    va_list args;

    printf("%s: ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    puts("");
    fflush(stdout);
}

void cue(const char *name)
{
    char line[16];

    printf("@%s\n", name);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin) || strcmp(line, "go\n") != 0)
        die("no go");
}

void say_failed(const char *name, MYSQL *c)
{
    say(name, "%u %s %s", mysql_errno(c), mysql_sqlstate(c), mysql_error(c));
}

static void secure(MYSQL *c)
{
    my_bool yes = 1;

    mysql_optionsv(c, MYSQL_OPT_SSL_CA, setting("DB_CA"));
    mysql_optionsv(c, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_optionsv(c, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
}

MYSQL *try_connect(const struct way *way)
{
    MYSQL *c = mysql_init(NULL);
    unsigned yes = 1;
    unsigned long packet = 1ul << 27;

    mysql_optionsv(c, MYSQL_OPT_LOCAL_INFILE, &yes);
    mysql_optionsv(c, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_optionsv(c, MYSQL_SET_CHARSET_NAME, way->charset ? way->charset : "utf8mb4");
    if (way->tls)
        secure(c);
    if (way->compressed)
        mysql_optionsv(c, MYSQL_OPT_COMPRESS, NULL);
    if (way->plugin)
        mysql_optionsv(c, MYSQL_DEFAULT_AUTH, way->plugin);
    mysql_real_connect(c, way->socket ? NULL : setting("DB_HOST"), way->user ? way->user : "till",
                       way->password ? way->password : "till",
                       way->database ? way->database : "shop",
                       (unsigned)strtoul(setting("DB_PORT"), NULL, 10),
                       way->socket ? setting("DB_SOCKET") : NULL, CLIENT_MULTI_STATEMENTS);
    return c;
}

MYSQL *connect_as(const struct way *way)
{
    MYSQL *c = try_connect(way);

    if (mysql_errno(c))
        die(mysql_error(c));
    return c;
}

void run(MYSQL *c, const char *sql)
{
    if (mysql_real_query(c, sql, strlen(sql)))
        die(mysql_error(c));
}

const char *value(MYSQL *c, const char *sql)
{
    static char cell[CELL_MAX];
    MYSQL_RES *result;
    MYSQL_ROW row;

    run(c, sql);
    result = mysql_store_result(c);
    row = result ? mysql_fetch_row(result) : NULL;
    if (!row)
        die(sql);
    snprintf(cell, sizeof cell, "%s", row[0] ? row[0] : "NULL");
    mysql_free_result(result);
    return cell;
}

MYSQL_STMT *execute(MYSQL *c, const char *sql, int id, const char *text, size_t n)
{
    MYSQL_STMT *s = mysql_stmt_init(c);
    MYSQL_BIND bind[2] = {
        {.buffer_type = MYSQL_TYPE_LONG, .buffer = &id},
        {.buffer_type = text ? MYSQL_TYPE_STRING : MYSQL_TYPE_NULL, .buffer_length = n},
    };
    union {
        const char *in;
        char *bound; /* libmariadb only reads it */
    } data = {text};

    bind[1].buffer = data.bound;
    bind[1].length = &bind[1].buffer_length;
    if (mysql_stmt_prepare(s, sql, strlen(sql)) ||
        (mysql_stmt_param_count(s) && mysql_stmt_bind_param(s, bind)) || mysql_stmt_execute(s))
        die(mysql_stmt_error(s));
    return s;
}

char *fetch_one(MYSQL_STMT *s, size_t *n)
{
    unsigned long length = 0;
    MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING, .length = &length};
    char *text;

    if (mysql_stmt_bind_result(s, &bind) || mysql_stmt_fetch(s) == 1)
        die(mysql_stmt_error(s));
    text = malloc(length + 1);
    bind.buffer = text;
    bind.buffer_length = length;
    if (!text || mysql_stmt_fetch_column(s, &bind, 0, 0))
        die("no column");
    text[length] = 0;
    *n = length;
    return text;
}
