/* A column's value out of a row image, typed, and its text as MariaDB prints it.
 *
 * What the binlog does not say: UUID, INET4 and INET6 come as BINARY; JSON as LONGTEXT; ZEROFILL
 * and the decimals of FLOAT(m,d)/DOUBLE(m,d) are not known. Who needs those asks the schema. */
#ifndef PROTOCOL_BINLOG_VALUE_H
#define PROTOCOL_BINLOG_VALUE_H

#include "base/buf.h"

struct binlog_column;

enum binlog_kind {
    BINLOG_ABSENT, /* not in this image (binlog_row_image=MINIMAL or NOBLOB) */
    BINLOG_NULL,
    BINLOG_INT,       /* i: TINYINT … BIGINT, signed */
    BINLOG_UINT,      /* u: the same, unsigned */
    BINLOG_FLOAT,     /* f */
    BINLOG_DOUBLE,    /* d */
    BINLOG_DECIMAL,   /* bytes: MariaDB's packed form; binlog_decimal_text gives the digits */
    BINLOG_TEXT,      /* bytes: CHAR, VARCHAR, TEXT, JSON in the column's character set */
    BINLOG_BYTES,     /* bytes: BINARY (padded to its width), VARBINARY, BLOB, UUID, INET */
    BINLOG_GEOMETRY,  /* bytes: 4 bytes of SRID, then WKB */
    BINLOG_ENUM,      /* u: 1..n; 0 is the empty error value */
    BINLOG_SET,       /* u: a bit for each value, the first the lowest */
    BINLOG_BIT,       /* u */
    BINLOG_YEAR,      /* u: 0 or 1901..2155 */
    BINLOG_DATE,      /* when; zero parts as stored ('0000-00-00', '2024-00-00') */
    BINLOG_DATETIME,  /* when */
    BINLOG_TIME,      /* i: microseconds, signed, to ±838:59:59.999999 */
    BINLOG_TIMESTAMP, /* i: microseconds since 1970 UTC; 0 is '0000-00-00 00:00:00' */
};

struct binlog_when {
    uint16_t year;
    uint8_t month, day, hour, minute, second;
    uint32_t micros;
};

struct binlog_value {
    enum binlog_kind kind;
    union {
        int64_t i;
        uint64_t u;
        float f;
        double d;
        struct span bytes;
        struct binlog_when when;
    };
};

/* Append the value as `SELECT` prints it with utf8mb4 and time_zone '+00:00': text converted to
 * UTF-8, ENUM and SET by name, bytes as they are, BIT as its big-endian bytes. NULL is `NULL`, an
 * absent one nothing. */
void binlog_value_text(const struct binlog_value *v, const struct binlog_column *c,
                       struct buf *out);

enum { BINLOG_DECIMAL_TEXT_MAX = 68 }; /* sign, 65 digits, point, NUL */

/* A packed DECIMAL(precision, scale) as NUL-terminated text, every digit, no leading zeros; false
 * where the bytes are not one. */
bool binlog_decimal_text(struct span packed, unsigned precision, unsigned scale,
                         char out[BINLOG_DECIMAL_TEXT_MAX]) MUST_CHECK;

/* The name behind an ENUM's index, or the i-th (from 0) value of a SET, in the column's character
 * set; an empty span where there is none. */
struct span binlog_column_member(const struct binlog_column *c, uint64_t i);

/* Whether two values of one column are the same, byte for byte. */
bool binlog_value_equal(const struct binlog_value *a, const struct binlog_value *b);

/* The 16 bytes of a UUID column as text. */
void binlog_uuid_text(const uint8_t bytes[16], char out[37]);
/* The 16 bytes of an INET6, or the 4 of an INET4 column; `out` at least 46 bytes. */
bool binlog_inet_text(struct span bytes, char *out, size_t size) MUST_CHECK;

#endif
