/* What the scenarios of program.c are made of: one connection of libmariadb, errors end the
 * program. */
#ifndef TESTS_CLIENTS_PROGRAM_H
#define TESTS_CLIENTS_PROGRAM_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

enum { CELL_MAX = 200 };

/* Where and how to log in; NULL: the till's own. */
struct way {
    const char *user;
    const char *password;
    const char *database;
    const char *charset;
    const char *plugin; /* to offer */
    bool socket;
    bool tls;
    bool compressed;
};

void die(const char *what) __attribute__((noreturn));

/* An environment variable that must be there. */
const char *setting(const char *name);

void say(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the cue and waits for "go". */
void cue(const char *name);

/* Prints code, SQLSTATE and message of what has just failed. */
void say_failed(const char *name, MYSQL *c);

/* May have failed: mysql_errno. */
MYSQL *try_connect(const struct way *way);
MYSQL *connect_as(const struct way *way);
void run(MYSQL *c, const char *sql);

/* The first column of the first row, in a buffer of its own of CELL_MAX that the next call
 * overwrites. */
const char *value(MYSQL *c, const char *sql);

/* A statement with an integer and, if not NULL, a text as parameters, executed. The caller closes
 * it. */
MYSQL_STMT *execute(MYSQL *c, const char *sql, int id, const char *text, size_t n);

/* The row's one column in malloc'ed memory, its length in *n. */
char *fetch_one(MYSQL_STMT *s, size_t *n);

#endif
