/* A TABLE_MAP event: which table a rows event is about, and all that is needed to read its rows.
 * The server has binlog_row_metadata=FULL; what is missing without it is said below.
 * https://mariadb.com/kb/en/table_map_event/ */
#ifndef PROTOCOL_BINLOG_TABLE_H
#define PROTOCOL_BINLOG_TABLE_H

#include "base/err.h"
#include "protocol/binlog/binlog_value.h"

enum { BINLOG_COLUMNS_MAX = 4096 };

/* How a value stands in a row. One a storage form, so that a row is read with one switch. */
enum binlog_form {
    BINLOG_FORM_INT, /* width bytes, little-endian */
    BINLOG_FORM_FLOAT,
    BINLOG_FORM_DOUBLE,
    BINLOG_FORM_DECIMAL,    /* width bytes; precision, scale */
    BINLOG_FORM_STRING,     /* `width` bytes of length, then the bytes */
    BINLOG_FORM_COMPRESSED, /* the same, of a COMPRESSED column */
    BINLOG_FORM_ENUM,       /* width bytes */
    BINLOG_FORM_SET,        /* width bytes */
    BINLOG_FORM_BIT,        /* width bytes, big-endian */
    BINLOG_FORM_YEAR,
    BINLOG_FORM_DATE,
    BINLOG_FORM_TIME, /* MySQL 5.6 form; `decimals` */
    BINLOG_FORM_DATETIME,
    BINLOG_FORM_TIMESTAMP,
    BINLOG_FORM_OLD_TIME, /* see old_temporal */
    BINLOG_FORM_OLD_DATETIME,
    BINLOG_FORM_OLD_TIMESTAMP,
};

struct binlog_column {
    struct span name; /* UTF-8; empty without FULL metadata */
    enum binlog_form form;
    enum binlog_kind kind; /* what its values are, when they are not NULL or absent */
    uint8_t type;          /* the server's number, e.g. 252 */
    uint8_t width;         /* bytes; see enum binlog_form */
    uint8_t decimals;      /* fraction digits: DECIMAL's scale, TIME(n) */
    uint8_t precision;     /* DECIMAL: all digits; BIT: bits */
    bool nullable;
    bool is_unsigned;
    bool hidden;         /* only where the server says so (MySQL 8.0.23; not MariaDB 10.11) */
    uint16_t collation;  /* the server's number; 63 is binary; 0 where there is none or unknown */
    uint16_t pad;        /* BINARY(n): its width, to which values are padded; else 0 */
    uint16_t key_part;   /* 1..: place in the primary key; 0: not in it */
    uint32_t key_prefix; /* characters of a prefix key part, else 0 */
    uint32_t members;    /* ENUM, SET: how many values */
    struct span values;  /* ENUM, SET: their names, length-encoded one after the other */
};

struct binlog_table {
    uint64_t id;
    struct span database; /* UTF-8 */
    struct span name;
    uint32_t n_columns;
    uint32_t n_key; /* columns of the primary key; 0: none, or metadata not FULL */
    /* Some TIME, DATETIME or TIMESTAMP was made with mysql56_temporal_format=OFF. The event does
     * not say with how many decimals: those without are read right, others wrongly or not at all.
     * ALTER TABLE … FORCE mends the table. */
    bool old_temporal;
    bool full_metadata;            /* names of columns are there */
    struct binlog_column *columns; /* the caller's memory */
    uint16_t *key;                 /* the caller's memory: the key's columns in order, n_key */
};

/* How many columns the event has: what `columns` and `key` must hold. False where malformed or over
 * BINLOG_COLUMNS_MAX. */
bool binlog_table_peek(struct span table_map, uint64_t *id, uint32_t *n_columns,
                       struct err *e) MUST_CHECK;

/* Fill `t`, whose `columns` and `key` the caller has set to room for `room` columns. Spans point
 * into `table_map`, which must outlive `t`. */
bool binlog_table_decode(struct span table_map, struct binlog_table *t, uint32_t room,
                         struct err *e) MUST_CHECK;

/* The column of that name (exact bytes), or -1. */
int binlog_table_column(const struct binlog_table *t, struct span name);

#endif
