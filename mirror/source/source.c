#include "mirror/source/source.h"

#include "base/clock.h"
#include "conf/mysql_tls.h"
#include "mirror/source/source_order.h"

#include <mysql.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BINARY_CHARSET = 63 };

struct source {
    MYSQL mysql;
    int fd;
    unsigned alone; /* source_alone */
};

/* Of a result, or another reader of one. */
struct source_rows {
    struct rows base;
    MYSQL_RES *result;
    bool again; /* the result is another one's */
    MYSQL_ROW_OFFSET at;
    enum value_kind *kinds;
    struct value_shape *shapes;
    struct span *cells;
};

bool source_library_init(void)
{
    return mysql_library_init(0, NULL, NULL) == 0;
}

static bool failed(struct source *s, struct err *e, const char *what)
{
    unsigned code = mysql_errno(&s->mysql);
    bool client = code >= 2000 && code < 3000;

    (void)err_set(e, client ? ERR_IO : ERR_SERVER, "%s: %s (%u)", what, mysql_error(&s->mysql),
                  code);
    e->code = (int)code;
    return false;
}

static void set_options(struct source *s, const struct source_address *a)
{
    unsigned connect = (a->connect_ms + 999) / 1000;
    unsigned query = (a->query_ms + 999) / 1000;
    my_bool off = 0;

    conf_mysql_tls(&s->mysql, a->tls);
    (void)mysql_options(&s->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    (void)mysql_options(&s->mysql, MYSQL_OPT_READ_TIMEOUT, &query);
    (void)mysql_options(&s->mysql, MYSQL_OPT_WRITE_TIMEOUT, &query);
    (void)mysql_options(&s->mysql, MYSQL_OPT_RECONNECT, &off);
    (void)mysql_options(&s->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options4(&s->mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "tillway mirror");
}

/* What expressions mean must not hang on the server's defaults; and IN lists of over a thousand
 * keys are to stay ranges of an index. */
static const char session[] =
    "SET SESSION time_zone = '+00:00', SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION',"
    " SESSION tx_isolation = 'REPEATABLE-READ', SESSION in_predicate_conversion_threshold = 0,"
    " SESSION group_concat_max_len = 16777216, SESSION autocommit = 1,"
    " SESSION div_precision_increment = 4, SESSION lc_time_names = 'en_US',"
    " SESSION sql_quote_show_create = 1, NAMES utf8mb4";

struct source *source_open(const struct source_address *a, struct err *e)
{
    struct source *s = calloc(1, sizeof *s);

    if (!s || !mysql_init(&s->mysql)) {
        free(s);
        (void)err_set(e, ERR_IO, "out of memory");
        return NULL;
    }
    set_options(s, a);
    if (!mysql_real_connect(&s->mysql, a->socket ? "localhost" : a->host, a->user, a->password,
                            NULL, a->port, a->socket, 0)) {
        (void)failed(s, e, "connect");
    } else {
        s->fd = (int)mysql_get_socket(&s->mysql);
        if (source_exec(s, session, e))
            return s;
    }
    source_close(s);
    return NULL;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    mysql_close(&s->mysql);
    free(s);
}

unsigned *source_alone(struct source *s)
{
    return &s->alone;
}

void source_interrupt(struct source *s)
{
    (void)shutdown(s->fd, SHUT_RDWR);
}

bool source_exec(struct source *s, const char *sql, struct err *e)
{
    if (mysql_real_query(&s->mysql, sql, strlen(sql)) == 0)
        return true;
    return failed(s, e, "query");
}

bool source_send(struct source *s, const char *sql, struct err *e)
{
    return mysql_send_query(&s->mysql, sql, strlen(sql)) == 0 || failed(s, e, "query");
}

bool source_done(struct source *s, struct err *e)
{
    return !mysql_read_query_result(&s->mysql) || failed(s, e, "query");
}

static enum value_kind kind_of(const MYSQL_FIELD *f)
{
    switch (f->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
        return VALUE_INT;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        return VALUE_DECIMAL;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        return VALUE_DOUBLE;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return VALUE_DATE;
    case MYSQL_TYPE_BIT:
    case MYSQL_TYPE_GEOMETRY:
        return VALUE_BINARY;
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_NULL:
        return VALUE_TEXT;
    default:
        return f->charsetnr == BINARY_CHARSET ? VALUE_BINARY : VALUE_TEXT;
    }
}

static struct value_shape shape_of(const MYSQL_FIELD *f)
{
    unsigned long signs = (f->decimals > 0 ? 1U : 0U) + (f->flags & UNSIGNED_FLAG ? 0U : 1U);

    return (struct value_shape){(unsigned)(f->length > signs ? f->length - signs : 0), f->decimals};
}

static bool next_row(struct rows *base)
{
    struct source_rows *r = (struct source_rows *)base;
    const unsigned long *lengths;
    MYSQL_ROW row;

    (void)mysql_row_seek(r->result, r->at);
    row = mysql_fetch_row(r->result);
    r->at = mysql_row_tell(r->result);
    if (!row)
        return false;
    lengths = mysql_fetch_lengths(r->result);
    for (int i = 0; i < base->n_columns; i++) {
        r->cells[i] = (struct span){(const uint8_t *)row[i], row[i] ? lengths[i] : 0};
        base->bytes += lengths[i];
    }
    return true;
}

static void free_rows(struct rows *base)
{
    struct source_rows *r = (struct source_rows *)base;

    if (!r->again)
        mysql_free_result(r->result);
    free(r->kinds);
    free(r->shapes);
    free(r->cells);
    free(r);
}

static struct rows *again(struct rows *base);

/* From the first row on. NULL: no memory. */
static struct source_rows *reader_of(MYSQL_RES *result)
{
    struct source_rows *r = calloc(1, sizeof *r);
    unsigned n = mysql_num_fields(result);

    if (!r)
        return NULL;
    r->result = result;
    r->at = result->data ? result->data->data : NULL;
    r->kinds = calloc(n, sizeof *r->kinds);
    r->shapes = calloc(n, sizeof *r->shapes);
    r->cells = calloc(n, sizeof *r->cells);
    r->base = (struct rows){.n_columns = (int)n,
                            .kinds = r->kinds,
                            .shapes = r->shapes,
                            .cells = r->cells,
                            .n_rows = mysql_num_rows(result),
                            .next = next_row,
                            .again = again,
                            .free = free_rows};
    for (unsigned i = 0; r->kinds && r->shapes && i < n; i++) {
        const MYSQL_FIELD *f = mysql_fetch_field_direct(result, i);

        r->kinds[i] = kind_of(f);
        r->shapes[i] = shape_of(f);
    }
    return r;
}

static bool whole(const struct source_rows *r)
{
    return r && r->kinds && r->shapes && r->cells;
}

static struct rows *again(struct rows *base)
{
    struct source_rows *r = reader_of(((struct source_rows *)base)->result);

    if (r)
        r->again = true;
    if (whole(r))
        return &r->base;
    rows_free(r ? &r->base : NULL);
    return NULL;
}

/* Takes the result over. */
static struct rows *rows_of(MYSQL_RES *result)
{
    struct source_rows *r = reader_of(result);

    if (whole(r))
        return &r->base;
    if (r)
        free_rows(&r->base);
    else
        mysql_free_result(result);
    return NULL;
}

/* The whole result, in the order of its first n columns. */
static struct rows *store(struct source *s, int n, struct err *e)
{
    MYSQL_RES *result = mysql_store_result(&s->mysql);
    struct rows *rows;
    bool ordered;

    if (!result) {
        (void)failed(s, e, "result");
        return NULL;
    }
    ordered = n == 0 || source_order(result, n);
    rows = rows_of(result);
    if (rows && ordered)
        return rows;
    rows_free(rows);
    (void)err_set(e, ERR_IO, "out of memory");
    return NULL;
}

struct rows *source_query_by(struct source *s, struct span sql, int n, struct err *e)
{
    if (mysql_real_query(&s->mysql, (const char *)sql.p, sql.n) == 0)
        return store(s, n, e);
    (void)failed(s, e, "query");
    return NULL;
}

struct rows *source_query(struct source *s, struct span sql, struct err *e)
{
    return source_query_by(s, sql, 0, e);
}

bool source_value(struct source *s, const char *sql, struct buf *out, struct err *e)
{
    struct rows *r = source_query(s, span_of(sql), e);

    if (!r)
        return false;
    if (rows_next(r) && r->n_columns > 0 && r->cells[0].p)
        buf_put_span(out, r->cells[0]);
    rows_free(r);
    return buf_ok(out) || err_set(e, ERR_IO, "out of memory");
}
