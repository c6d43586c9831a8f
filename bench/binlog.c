/* How fast rows events are decoded: one core, events ready in memory.
 *
 *     bench_binlog [seconds [FILE...]]
 *
 * Prints rows a second of CPU time through the assembler, each value looked at: of a typical row of
 * five columns in INSERT and UPDATE events and in transactions of one row with all their events;
 * and of a server's binlog files. */
#include "base/clock.h"
#include "bench/file.h"
#include "protocol/binlog/binlog_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

enum { ROWS = 200, EVENT_MAX = 1 << 20, MAGIC = 4 };

static const size_t file_max = (size_t)1 << 30;

/* id BIGINT, name VARCHAR(100), price DECIMAL(12,2), at DATETIME(3), quantity INT NULL */
static const uint8_t types[] = {8, 15, 246, 18, 3};
static const uint8_t type_metadata[] = {0x90, 1, 12, 2,
                                        3}; /* 400 bytes, DECIMAL(12,2), 3 decimals */

static void begin_event(struct buf *b, uint8_t type)
{
    buf_clear(b);
    buf_put_u32(b, 1700000000);
    buf_put_u8(b, type);
    buf_put_u32(b, 1);
    buf_put_zeros(b, 10); /* size and end follow, no flags */
}

static void end_event(struct buf *b)
{
    uint32_t size = (uint32_t)b->len + BINLOG_CHECKSUM;

    for (unsigned i = 0; i < 4; i++)
        b->data[9 + i] = b->data[13 + i] = (uint8_t)(size >> (8 * i));
    buf_put_u32(b, (uint32_t)crc32_z(0, b->data, b->len));
}

static void make_format(struct buf *b)
{
    begin_event(b, BINLOG_TYPE_FORMAT_DESCRIPTION);
    buf_put_u16(b, 4);
    buf_put_zeros(b, 54);
    buf_put_u8(b, BINLOG_HEADER);
    for (int type = 1; type <= BINLOG_TYPE_DELETE_ROWS_COMPRESSED; type++) {
        bool v2 = (type >= BINLOG_TYPE_WRITE_ROWS && type <= BINLOG_TYPE_DELETE_ROWS) ||
                  type >= BINLOG_TYPE_WRITE_ROWS_COMPRESSED;

        buf_put_u8(b, type == BINLOG_TYPE_QUERY ? 13 : v2 ? 10 : 8);
    }
    buf_put_u8(b, 1); /* CRC32 */
    end_event(b);
}

static void make_gtid(struct buf *b)
{
    begin_event(b, BINLOG_TYPE_GTID);
    buf_put_u64(b, 1);
    buf_put_u32(b, 0);
    buf_put_u8(b, BINLOG_GTID_TRANSACTIONAL);
    buf_put_zeros(b, 6);
    end_event(b);
}

static void make_xid(struct buf *b)
{
    begin_event(b, BINLOG_TYPE_XID);
    buf_put_u64(b, 42);
    end_event(b);
}

static void make_table(struct buf *b)
{
    static const char *const names[] = {"id", "name", "price", "at", "quantity"};

    begin_event(b, BINLOG_TYPE_TABLE_MAP);
    buf_put_u32(b, 18);
    buf_put_u32(b, 0x10000);
    buf_put_u8(b, 4);
    buf_put_cstr(b, "shop");
    buf_put_u8(b, 9);
    buf_put_cstr(b, "orderline");
    buf_put_lenenc(b, ARRAY_LEN(types));
    buf_put(b, types, sizeof types);
    buf_put_lenenc_bytes(b, (struct span){type_metadata, sizeof type_metadata});
    buf_put_u8(b, 0x10);                       /* quantity may be NULL */
    buf_put(b, "\x01\x01\x00\x02\x01\x2D", 6); /* all signed; utf8mb4 */
    buf_put_u8(b, 4);
    buf_put_u8(b, 3 + 5 + 6 + 3 + 9);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        buf_put_lenenc_bytes(b, span_of(names[i]));
    buf_put(b, "\x08\x01\x00", 3); /* the key is id */
    end_event(b);
}

static void put_row(struct buf *b, unsigned i)
{
    buf_put_u8(b, i % 8 ? 0xE0 : 0xF0);
    buf_put_u64(b, 1000000 + i);
    buf_put_u16(b, 18);
    buf_put(b, "A product's name, ", 18);
    buf_put(b, "\x80\x00\x00\x30\x39\x63", 6); /* 12345.99 */
    buf_put(b, "\x99\xB2\x42\x10\x83\x04\xD2", 7);
    if (i % 8)
        buf_put_u32(b, i);
}

static void make_rows(struct buf *b, uint8_t type, unsigned rows)
{
    bool update = type == BINLOG_TYPE_UPDATE_ROWS_V1;

    begin_event(b, type);
    buf_put_u32(b, 18);
    buf_put_u32(b, BINLOG_ROWS_STATEMENT_END << 16);
    buf_put_lenenc(b, ARRAY_LEN(types));
    buf_put(b, "\xFF\xFF", update ? 2 : 1);
    for (unsigned i = 0; i < rows; i++) {
        put_row(b, i);
        if (update)
            put_row(b, i + 1);
    }
    end_event(b);
}

struct bench {
    struct binlog_group *group;
    struct binlog_format format;
    struct buf inflated;
    uint64_t rows;
    uint64_t sum;
};

static void look_at(struct bench *t, const struct binlog_value *image, uint32_t n)
{
    for (uint32_t i = 0; image && i < n; i++)
        t->sum += (uint64_t)image[i].kind + (image[i].u & 0xFF);
}

static void feed(struct bench *t, struct span event)
{
    struct binlog_step step;
    struct binlog_change c;
    struct binlog_event ev;
    struct err e;
    int got = 0;

    if (!binlog_event_decode(event, &t->format, &t->inflated, &ev, &e) ||
        !binlog_group_feed(t->group, &ev, &step, &e)) {
        (void)fprintf(stderr, "%s\n", e.text);
        abort();
    }
    while (step.kind == BINLOG_STEP_ROWS && (got = binlog_group_row(t->group, &c, &e)) == 1) {
        look_at(t, c.before, c.table->n_columns);
        look_at(t, c.after, c.table->n_columns);
        t->rows++;
    }
    if (got < 0) {
        (void)fprintf(stderr, "%s\n", e.text);
        abort();
    }
}

/* CPU time, which tells the same on a busy machine. */
static uint64_t cpu_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * CLOCK_NS_PER_S + (uint64_t)t.tv_nsec;
}

static struct bench bench_begin(void)
{
    return (struct bench){.group = binlog_group_new(1 << 20), .inflated = buf_with_max(file_max)};
}

static void bench_end(struct bench *t, const char *name, double bytes, uint64_t taken)
{
    printf("%-28s %10.0f rows/s  %7.1f MB/s  (%llu)\n", name, (double)t->rows * 1e9 / (double)taken,
           bytes * 1e3 / (double)taken, (unsigned long long)(t->sum & 1));
    binlog_group_free(t->group);
    buf_free(&t->inflated);
}

static void measure(const char *name, uint8_t type, unsigned rows, unsigned seconds)
{
    struct bench t = bench_begin();
    struct buf events[5];
    uint64_t began;
    uint64_t taken;

    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        events[i] = buf_with_max(EVENT_MAX);
    make_format(&events[0]);
    make_gtid(&events[1]);
    make_table(&events[2]);
    make_rows(&events[3], type, rows);
    make_xid(&events[4]);
    feed(&t, buf_span(&events[0]));
    began = cpu_ns();
    do {
        for (unsigned round = 0; round < 100; round++) {
            for (size_t i = 1; i < ARRAY_LEN(events); i++)
                feed(&t, buf_span(&events[i]));
        }
        taken = cpu_ns() - began;
    } while (taken < seconds * CLOCK_NS_PER_S);
    bench_end(&t, name, (double)events[3].len * ((double)t.rows / rows), taken);
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        buf_free(&events[i]);
}

static void feed_file(struct bench *t, const struct buf *file)
{
    struct cursor c = cursor_span(buf_span(file));

    cursor_skip(&c, MAGIC);
    while (cursor_left(&c) > BINLOG_HEADER) {
        struct cursor size = c;

        cursor_skip(&size, 9);
        feed(t, cursor_bytes(&c, cursor_u32(&size)));
    }
}

static void measure_file(const char *path, unsigned seconds)
{
    struct bench t = bench_begin();
    struct buf file = buf_with_max(file_max);
    double bytes = 0;
    uint64_t began;
    uint64_t taken;

    if (!file_read(path, &file)) {
        (void)fprintf(stderr, "bench_binlog: can't read %s\n", path);
        exit(2);
    }
    began = cpu_ns();
    do {
        feed_file(&t, &file);
        bytes += (double)file.len;
        taken = cpu_ns() - began;
    } while (taken < seconds * CLOCK_NS_PER_S);
    bench_end(&t, path, bytes, taken);
    buf_free(&file);
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2;

    measure("INSERT, 200 rows an event", BINLOG_TYPE_WRITE_ROWS_V1, ROWS, seconds);
    measure("UPDATE, 200 rows an event", BINLOG_TYPE_UPDATE_ROWS_V1, ROWS, seconds);
    measure("INSERT, transactions of one", BINLOG_TYPE_WRITE_ROWS_V1, 1, seconds);
    for (int i = 2; i < argc; i++)
        measure_file(argv[i], seconds);
    return 0;
}
