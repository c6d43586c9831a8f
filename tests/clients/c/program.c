/* The scenarios of ../expected.txt through libmariadb. */
#include "program.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIG = 33 << 20, PACKED = 12345, PACKED_BIG = 18 << 20, BATCH = 1000 };

static const char *const words[] = {"one", "two", "three"};
static const struct way usual = {0};

static void login(void)
{
    static const struct {
        const char *name;
        struct way way;
    } ways[] = {
        {"login", {0}},
        {"login by socket", {.socket = true}},
        {"login by TLS", {.user = "safe", .password = "safe", .tls = true}},
        {"login by ed25519", {.user = "ed", .password = "ed"}},
        {"login by caching_sha2", {.user = "fast", .password = "fast"}},
        {"password by caching_sha2", {.user = "rsa", .password = "rsa"}},
        {"password by caching_sha2 and TLS", {.user = "told", .password = "told", .tls = true}},
        {"password by clear and TLS",
         {.user = "clear", .password = "clear", .tls = true, .plugin = "mysql_clear_password"}},
        {"wrong password", {.password = "wrong"}},
        {"no such database", {.database = "nosuch"}},
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        MYSQL *c = try_connect(&ways[i].way);

        if (mysql_errno(c))
            say_failed(ways[i].name, c);
        else
            say(ways[i].name, "%s", value(c, "SELECT CONCAT_WS(' ', CURRENT_USER(), DATABASE())"));
        mysql_close(c);
    }
}

static void print_kinds(const char *name, char *cells[8], const unsigned long lengths[8])
{
    char line[400];
    size_t used = 0;

    for (int i = 0; i < 8; i++) {
        used += (size_t)snprintf(line + used, sizeof line - used, i ? "|" : "");
        if (i == 5)
            for (unsigned long k = 0; k < lengths[i]; k++)
                used += (size_t)snprintf(line + used, sizeof line - used, "%02x",
                                         (unsigned)(unsigned char)cells[i][k]);
        else
            used += (size_t)snprintf(line + used, sizeof line - used, "%s",
                                     cells[i] ? cells[i] : "NULL");
    }
    say(name, "%s", line);
}

static void types_as_text(MYSQL *c)
{
    MYSQL_RES *result;
    MYSQL_ROW row;

    run(c, "SELECT * FROM kinds");
    result = mysql_store_result(c);
    row = mysql_fetch_row(result);
    print_kinds("types as text", row, mysql_fetch_lengths(result));
    mysql_free_result(result);
}

static void types_as_binary(MYSQL *c)
{
    MYSQL_STMT *s = execute(c, "SELECT * FROM kinds", 0, NULL, 0);
    MYSQL_BIND bind[8] = {0};
    char cells[8][CELL_MAX];
    char *row[8];
    unsigned long lengths[8];
    my_bool nulls[8];

    for (int i = 0; i < 8; i++) {
        bind[i] = (MYSQL_BIND){.buffer_type = i == 5 ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING,
                               .buffer = cells[i],
                               .buffer_length = CELL_MAX,
                               .length = &lengths[i],
                               .is_null = &nulls[i]};
    }
    if (mysql_stmt_bind_result(s, bind) || mysql_stmt_fetch(s))
        die(mysql_stmt_error(s));
    for (int i = 0; i < 8; i++)
        row[i] = nulls[i] ? NULL : cells[i];
    print_kinds("types as binary", row, lengths);
    mysql_stmt_close(s);
}

static void prepared(MYSQL *c)
{
    static const char *const texts[] = {"a", NULL, "\xc3\xa9"};

    for (int i = 0; i < 3; i++)
        mysql_stmt_close(execute(c, "INSERT INTO work VALUES (?, ?)", i + 1, texts[i],
                                 texts[i] ? strlen(texts[i]) : 0));
    say("prepared", "%s",
        value(c, "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(id), ', ', SUM(v IS NULL), ' NULL') "
                 "FROM work"));
    run(c, "DELETE FROM work");
}

static void transactions(MYSQL *c)
{
    mysql_autocommit(c, 0);
    run(c, "INSERT INTO work VALUES (1, 'x')");
    mysql_rollback(c);
    say("rolled back", "%s", value(c, "SELECT COUNT(*) FROM work"));
    run(c, "INSERT INTO work VALUES (1, 'x'), (2, 'y')");
    mysql_commit(c);
    say("committed", "%s", value(c, "SELECT COUNT(*) FROM work"));
    run(c, "DELETE FROM work WHERE id = 1");
    run(c, "SAVEPOINT a");
    run(c, "DELETE FROM work");
    run(c, "ROLLBACK TO SAVEPOINT a");
    mysql_commit(c);
    mysql_autocommit(c, 1);
    say("savepoint", "%s", value(c, "SELECT COUNT(*) FROM work"));
    run(c, "DELETE FROM work");
}

static void own_writes(MYSQL *c)
{
    char sql[80], wanted[20];
    int right = 0;

    for (int i = 0; i < 100; i++) {
        snprintf(wanted, sizeof wanted, "v%d", i);
        snprintf(sql, sizeof sql, "INSERT INTO work VALUES (%d, '%s')", i, wanted);
        run(c, sql);
        snprintf(sql, sizeof sql, "SELECT v FROM work WHERE id = %d", i);
        right += strcmp(value(c, sql), wanted) == 0;
    }
    say("own writes read", "%d", right);
    run(c, "DELETE FROM work");
}

static void say_digest(const char *name, const char *text, size_t n)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    char hex[33];

    if (!EVP_Digest(text, n, md, NULL, EVP_md5(), NULL))
        die("no MD5");
    for (size_t i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)md[i]);
    say(name, "%zu %s", n, hex);
}

/* So much text; the caller frees it. */
static char *make_text(size_t n)
{
    char *text = malloc(n + 1);

    if (!text)
        die("no memory");
    for (size_t i = 0; i < n; i++)
        text[i] = "0123456789abcdef"[i % 16];
    text[n] = 0;
    return text;
}

static void run_around(MYSQL *c, const char *before, const char *text, const char *behind)
{
    size_t n = strlen(before) + strlen(text) + strlen(behind) + 1;
    char *sql = malloc(n);

    if (!sql)
        die("no memory");
    snprintf(sql, n, "%s%s%s", before, text, behind);
    run(c, sql);
    free(sql);
}

/* Of the one row of the one column that the last statement gives. */
static void say_row(MYSQL *c, const char *name)
{
    MYSQL_RES *result = mysql_store_result(c);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;

    if (!row)
        die(mysql_error(c));
    say_digest(name, row[0], mysql_fetch_lengths(result)[0]);
    mysql_free_result(result);
}

static void compressed(void)
{
    static const struct {
        const char *name;
        struct way way;
        size_t size;
    } ways[] = {
        {"compressed", {.user = "packed", .password = "packed", .compressed = true}, PACKED},
        {"compressed and by TLS",
         {.user = "tight", .password = "tight", .compressed = true, .tls = true},
         PACKED},
        {"compressed big row",
         {.user = "packed", .password = "packed", .compressed = true},
         PACKED_BIG},
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        MYSQL *c = connect_as(&ways[i].way);
        char *text = make_text(ways[i].size);

        run_around(c, "SELECT '", text, "'");
        say_row(c, ways[i].name);
        free(text);
        mysql_close(c);
    }
}

static void big_rows(MYSQL *c)
{
    char *big = make_text(BIG), *got;
    MYSQL_STMT *s;
    size_t n;

    run_around(c, "INSERT INTO work VALUES (1, '", big, "')");
    run(c, "SELECT v FROM work WHERE id = 1");
    say_row(c, "big row as text");
    mysql_stmt_close(execute(c, "INSERT INTO work VALUES (?, ?)", 2, big, BIG));
    free(big);
    s = execute(c, "SELECT v FROM work WHERE id = ?", 2, NULL, 0);
    got = fetch_one(s, &n);
    say_digest("big row as binary", got, n);
    free(got);
    mysql_stmt_close(s);
    run(c, "DELETE FROM work");
}

static void load(MYSQL *c)
{
    char sql[400];

    snprintf(sql, sizeof sql,
             "LOAD DATA LOCAL INFILE '%s' INTO TABLE loaded FIELDS TERMINATED BY ','",
             setting("DB_CSV"));
    run(c, sql);
    say("load data local", "%s",
        value(c, "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(id)) FROM loaded"));
}

/* The first value of each result, "-" for one without rows; after a call its OUT parameter. */
static void say_results(MYSQL *c, const char *name, const char *sql, bool call)
{
    char line[CELL_MAX] = "";
    int status;

    run(c, sql);
    do {
        MYSQL_RES *result = mysql_store_result(c);

        if (result || !call)
            snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s", line[0] ? "|" : "",
                     result ? mysql_fetch_row(result)[0] : "-");
        mysql_free_result(result);
        status = mysql_next_result(c);
    } while (status == 0);
    if (status > 0)
        die(mysql_error(c));
    if (call)
        snprintf(line + strlen(line), sizeof line - strlen(line), "|%s", value(c, "SELECT @b"));
    say(name, "%s", line);
}

static void charsets(MYSQL *c)
{
    MYSQL *l = connect_as(&(struct way){.charset = "latin1"});
    const char *got;

    say("utf8mb4", "%s",
        value(c, "SELECT CONCAT(HEX('na\xc3\xafve \xe2\x82\xac\xf0\x9f\x98\x80'), ' ', "
                 "'na\xc3\xafve \xe2\x82\xac\xf0\x9f\x98\x80')"));
    got = value(l, "SELECT CONCAT(HEX('na\xefve'), ' na\xefve')");
    if (strcmp(got, "6E61EF7665 na\xefve") != 0)
        die(got);
    say("latin1", "6E61EF7665 na\xc3\xafve");
    mysql_close(l);
}

static void errors(MYSQL *c)
{
    static const char *const ways[][2] = {
        {"duplicate key", "INSERT INTO t VALUES (1, 'x')"},
        {"no such table", "SELECT * FROM nosuch"},
        {"own words", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'till is closed'"},
    };

    for (size_t i = 0; i < 3; i++) {
        if (!mysql_real_query(c, ways[i][1], strlen(ways[i][1])))
            die("no error");
        say_failed(ways[i][0], c);
    }
    if (mysql_reset_connection(c) || mysql_change_user(c, "till", "till", "shop") || mysql_ping(c))
        die(mysql_error(c));
    say("after errors", "%s", value(c, "SELECT 1"));
}

/* MariaDB's bulk execution. */
static void batch(MYSQL *c)
{
    static const char sql[] = "INSERT INTO work VALUES (?, ?)";
    static int ids[BATCH];
    static char cells[BATCH][8];
    static char *texts[BATCH];
    static unsigned long lengths[BATCH];
    MYSQL_BIND bind[2] = {
        {.buffer_type = MYSQL_TYPE_LONG, .buffer = ids},
        {.buffer_type = MYSQL_TYPE_STRING, .buffer = texts, .length = lengths},
    };
    MYSQL_STMT *s = mysql_stmt_init(c);
    unsigned rows = BATCH;

    for (int i = 0; i < BATCH; i++) {
        ids[i] = i + 1;
        texts[i] = cells[i];
        lengths[i] = (unsigned long)snprintf(cells[i], sizeof cells[i], "v%d", i + 1);
    }
    if (mysql_stmt_prepare(s, sql, strlen(sql)) ||
        mysql_stmt_attr_set(s, STMT_ATTR_ARRAY_SIZE, &rows) || mysql_stmt_bind_param(s, bind) ||
        mysql_stmt_execute(s))
        say("batch", "%s", mysql_stmt_error(s));
    else
        say("batch", "%s", value(c, "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(id)) FROM work"));
    mysql_stmt_close(s);
    run(c, "DELETE FROM work");
}

static void stream(void)
{
    MYSQL *c = connect_as(&usual);
    MYSQL_RES *result;
    MYSQL_ROW row;
    long rows = 0, sum = 0;

    run(c, "SELECT seq FROM seq_1_to_100000");
    for (result = mysql_use_result(c); (row = mysql_fetch_row(result)); rows++)
        sum += strtol(row[0], NULL, 10);
    mysql_free_result(result);
    say("stream", "%ld rows, sum %ld", rows, sum);
    run(c, "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000");
    result = mysql_use_result(c);
    mysql_fetch_row(result);
    mysql_close(c); /* hangs up: most of the rows were never read */
    mysql_free_result(result);
    c = connect_as(&usual);
    say("abandoned stream", "%s", value(c, "SELECT 7"));
    mysql_close(c);
}

/* Another connection ends this one, which then comes back by itself. */
static void killed(void)
{
    MYSQL *c = connect_as(&usual), *other = connect_as(&usual);
    const char *lost;
    char sql[40];
    my_bool yes = 1;

    snprintf(sql, sizeof sql, "KILL %lu", mysql_thread_id(c));
    run(other, sql);
    lost = mysql_real_query(c, "SELECT 1", 8) ? "lost" : "not lost";
    mysql_optionsv(c, MYSQL_OPT_RECONNECT, &yes);
    if (mysql_ping(c))
        die(mysql_error(c));
    say("killed", "%s, then %s", lost, value(c, "SELECT COUNT(*) FROM t"));
    mysql_close(c);
    mysql_close(other);
}

static bool read_right(MYSQL *c, int i)
{
    MYSQL_STMT *s;
    char sql[60], *got;
    size_t n;
    bool right;

    snprintf(sql, sizeof sql, "SELECT v FROM t WHERE id = %d", 1 + i % 3);
    if (i % 8 >= 4)
        return strcmp(value(c, sql), words[i % 3]) == 0;
    s = execute(c, "SELECT v FROM t WHERE id = ?", 1 + i % 3, NULL, 0);
    got = fetch_one(s, &n);
    right = strcmp(got, words[i % 3]) == 0;
    free(got);
    mysql_stmt_close(s);
    return right;
}

/* So many reads, the connections in turn, half of them prepared; how many were right. */
static void read_round(const char *name, MYSQL *connections[4], int rounds)
{
    int right = 0;

    for (int i = 0; i < rounds; i++)
        right += read_right(connections[i % 4], i);
    say(name, "%d", right);
}

static void reads(void)
{
    MYSQL *connections[4];

    cue("balance");
    for (int i = 0; i < 4; i++)
        connections[i] = connect_as(&usual);
    read_round("reads", connections, 200);
    cue("balanced");
    cue("lose_replica");
    read_round("reads while a replica dies", connections, 400);
    cue("replica_back");
    for (int i = 0; i < 4; i++)
        mysql_close(connections[i]);
}

static void restart(MYSQL *c)
{
    const char *lost;
    MYSQL *again;

    cue("restart");
    lost = mysql_real_query(c, "SELECT 1", 8) ? "lost" : "not lost";
    again = connect_as(&usual);
    say("restarted", "%s, then %s", lost, value(again, "SELECT COUNT(*) FROM t"));
    mysql_close(again);
}

int main(void)
{
    MYSQL *c;

    login();
    c = connect_as(&usual);
    types_as_text(c);
    types_as_binary(c);
    prepared(c);
    transactions(c);
    own_writes(c);
    big_rows(c);
    compressed();
    load(c);
    say_results(c, "several statements", "SELECT 1; SELECT 2; DO 3; SELECT 4", false);
    say_results(c, "call", "CALL thrice(5, @b)", true);
    charsets(c);
    errors(c);
    batch(c);
    stream();
    killed();
    reads();
    restart(c);
    mysql_close(c);
    mysql_library_end();
    return 0;
}
