#include "unit/binlog_data.h"

static bool decode(const struct buf *b, struct binlog_format *f, struct binlog_event *ev,
                   struct err *e)
{
    struct buf inflated = buf_with_max(1000);
    bool ok = binlog_event_decode(buf_span(b), f, &inflated, ev, e);

    buf_free(&inflated);
    return ok;
}

static void test_format(void **state)
{
    struct binlog_format f = {0};
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_format(&b, true);
    assert_true(decode(&b, &f, &ev, &e));
    assert_int_equal(ev.body, BINLOG_FORMAT);
    assert_int_equal(f.version, 4);
    assert_true(f.checksum);
    assert_int_equal(f.post_header[BINLOG_TYPE_QUERY], 13);
    assert_int_equal(f.post_header[BINLOG_TYPE_WRITE_ROWS], 10);
    b.data[17] |= 1; /* "in use" does not count in the checksum */
    assert_true(decode(&b, &f, &ev, &e));
    b.data[BINLOG_HEADER] = 3;
    assert_false(decode(&b, &f, &ev, &e));
    b.data[BINLOG_HEADER] = 4;
    b.data[b.len - 5] = 9;
    assert_false(decode(&b, &f, &ev, &e));
    assert_non_null(strstr(e.text, "checksum algorithm"));
    buf_free(&b);
}

/* Each single byte of a checksummed event changed, and each cut, is noticed. */
static void test_damage(void **state)
{
    struct binlog_format f = {0};
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_format(&b, true);
    assert_true(decode(&b, &f, &ev, &e));
    buf_free(&b);
    data_begin(&b, BINLOG_TYPE_XID);
    buf_put_u64(&b, 99);
    data_end(&b, true);
    assert_true(decode(&b, &f, &ev, &e));
    assert_int_equal(ev.body, BINLOG_XID);
    assert_int_equal(ev.xid, 99);
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 0x10;
        assert_false(decode(&b, &f, &ev, &e));
        assert_int_equal(e.kind, ERR_DATA);
        b.data[i] ^= 0x10;
    }
    for (; b.len > 0; b.len--) {
        if (b.len < BINLOG_HEADER + 8 + BINLOG_CHECKSUM)
            assert_false(decode(&b, &f, &ev, &e));
    }
    buf_free(&b);
}

static void test_before_the_format(void **state)
{
    struct binlog_format none = {0};
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_begin(&b, BINLOG_TYPE_XID);
    buf_put_u64(&b, 1);
    data_end(&b, false);
    assert_false(decode(&b, &none, &ev, &e));
    assert_non_null(strstr(e.text, "XID"));
    assert_non_null(strstr(e.text, "before a FORMAT_DESCRIPTION"));
    buf_free(&b);
}

/* The first event of a connection comes with a checksum if the session asked for it. */
static void test_artificial_rotate(void **state)
{
    struct binlog_format none = {0};
    struct binlog_event ev;
    struct err e;

    (void)state;
    for (int checksum = 0; checksum < 2; checksum++) {
        struct buf b;

        data_begin(&b, BINLOG_TYPE_ROTATE);
        memset(b.data, 0, 4);
        b.data[17] = BINLOG_FLAG_ARTIFICIAL;
        buf_put_u64(&b, 4);
        buf_put_str(&b, "bin.000042");
        data_end(&b, checksum);
        assert_true(decode(&b, &none, &ev, &e));
        assert_int_equal(ev.body, BINLOG_ROTATE);
        assert_true(ev.rotate.artificial);
        assert_int_equal(ev.rotate.position, 4);
        assert_true(span_eq(ev.rotate.file, "bin.000042"));
        buf_free(&b);
    }
}

static void test_real_rotate(void **state)
{
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_begin(&b, BINLOG_TYPE_ROTATE);
    buf_put_u64(&b, 4);
    buf_put_str(&b, "bin.000002");
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_false(ev.rotate.artificial);
    assert_true(span_eq(ev.rotate.file, "bin.000002"));
    buf_free(&b);
}

static void test_gtid(void **state)
{
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_begin(&b, BINLOG_TYPE_GTID);
    buf_put_u64(&b, 1234567890123);
    buf_put_u32(&b, 5);
    buf_put_u8(&b, BINLOG_GTID_HAS_COMMIT_ID | BINLOG_GTID_PREPARED_XA);
    buf_put_u64(&b, 77);
    buf_put_u32(&b, 1);
    buf_put_u8(&b, 2);
    buf_put_u8(&b, 1);
    buf_put_str(&b, "abc");
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_int_equal(ev.gtid.gtid.seq, 1234567890123);
    assert_int_equal(ev.gtid.gtid.domain, 5);
    assert_int_equal(ev.gtid.gtid.server, 7);
    assert_int_equal(ev.gtid.commit_id, 77);
    assert_int_equal(ev.gtid.xa.gtrid, 2);
    assert_true(span_eq(ev.gtid.xa.data, "abc"));
    b.data[b.len - 5] = 65; /* a global id has at most 64 bytes */
    assert_false(decode(&b, &f, &ev, &e));
    b.len -= 1;
    b.data[9]--;
    b.data[b.len - 4] = 2;
    assert_false(decode(&b, &f, &ev, &e));
    buf_free(&b);
}

static void test_gtid_list(void **state)
{
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct gtid g;
    struct err e;
    struct buf b;

    (void)state;
    data_begin(&b, BINLOG_TYPE_GTID_LIST);
    buf_put_u32(&b, 2 | 1u << 28);
    for (uint32_t i = 1; i <= 2; i++) {
        buf_put_u32(&b, i);
        buf_put_u32(&b, 10 * i);
        buf_put_u64(&b, 100ULL * i);
    }
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_int_equal(ev.gtid_list.count, 2);
    g = binlog_gtid_list_at(&ev, 1);
    assert_int_equal(g.domain, 2);
    assert_int_equal(g.server, 20);
    assert_int_equal(g.seq, 200);
    b.data[BINLOG_HEADER] = 3;
    assert_false(decode(&b, &f, &ev, &e));
    buf_free(&b);
}

static void put_query(struct buf *b, uint8_t type, struct span text)
{
    data_begin(b, type);
    buf_put_u32(b, 11);
    buf_put_u32(b, 0);
    buf_put_u8(b, 4);
    buf_put_u16(b, 0);
    buf_put_u16(b, 3);
    if (type == BINLOG_TYPE_EXECUTE_LOAD_QUERY)
        buf_put_zeros(b, 13);
    buf_put_str(b, "sssshop");
    buf_put_u8(b, 0);
    buf_put_span(b, text);
    data_end(b, false);
}

static void test_query(void **state)
{
    static const uint8_t types[] = {BINLOG_TYPE_QUERY, BINLOG_TYPE_EXECUTE_LOAD_QUERY};
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct buf b;

        put_query(&b, types[i], span_of("DELETE FROM t"));
        assert_true(decode(&b, &f, &ev, &e));
        assert_int_equal(ev.body, BINLOG_QUERY);
        assert_true(span_eq(ev.query.schema, "shop"));
        assert_true(span_eq(ev.query.text, "DELETE FROM t"));
        buf_free(&b);
    }
}

/* 0x80 and the bytes of the size, the size, a zlib stream. */
static void put_packed(struct buf *b, uint32_t size, const void *text, size_t n)
{
    uLongf room = compressBound(n);
    uint8_t *to;

    buf_put_u8(b, 0x82);
    buf_put_u8(b, (uint8_t)(size >> 8));
    buf_put_u8(b, (uint8_t)size);
    to = buf_reserve(b, room);
    assert_non_null(to);
    assert_int_equal(compress(to, &room, text, n), Z_OK);
    b->len += room;
}

static void test_compressed_query(void **state)
{
    struct binlog_format f = data_plain_format();
    struct buf inflated = buf_with_max(600);
    struct buf packed = buf_with_max(DATA_MAX);
    struct binlog_event ev;
    struct buf b;
    struct err e;
    char text[601];

    (void)state;
    memset(text, 'x', sizeof text);
    put_packed(&packed, 600, text, 600);
    put_query(&b, BINLOG_TYPE_QUERY_COMPRESSED, buf_span(&packed));
    assert_true(binlog_event_decode(buf_span(&b), &f, &inflated, &ev, &e));
    assert_int_equal(ev.query.text.n, 600);
    assert_memory_equal(ev.query.text.p, text, 600);
    assert_true(span_eq(ev.query.schema, "shop"));
    buf_free(&b);
    for (uint32_t size = 599; size <= 601; size += 2) { /* its size is a lie */
        buf_clear(&packed);
        put_packed(&packed, size, text, 600);
        put_query(&b, BINLOG_TYPE_QUERY_COMPRESSED, buf_span(&packed));
        assert_false(binlog_event_decode(buf_span(&b), &f, &inflated, &ev, &e));
        buf_free(&b);
    }
    buf_clear(&packed);
    put_packed(&packed, 601, text, 601); /* over the cap */
    put_query(&b, BINLOG_TYPE_QUERY_COMPRESSED, buf_span(&packed));
    assert_false(binlog_event_decode(buf_span(&b), &f, &inflated, &ev, &e));
    assert_int_equal(e.kind, ERR_IO);
    assert_non_null(strstr(e.text, "the limit is 600"));
    assert_true(inflated.cap <= 600);
    buf_free(&b);
    buf_free(&packed);
    buf_free(&inflated);
}

static void test_rows(void **state)
{
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_begin(&b, BINLOG_TYPE_UPDATE_ROWS); /* version 2, with extra data */
    buf_put_u32(&b, 0x01020304);
    buf_put_u16(&b, 0x0506);
    buf_put_u16(&b, BINLOG_ROWS_STATEMENT_END);
    buf_put_u16(&b, 5);
    buf_put_str(&b, "xyz");
    buf_put_u8(&b, 9);
    buf_put(&b, "\xFF\x01\x01\x00rows", 8);
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_int_equal(ev.body, BINLOG_ROWS);
    assert_int_equal(ev.rows.table_id, 0x050601020304);
    assert_int_equal(ev.rows.op, BINLOG_UPDATE);
    assert_int_equal(ev.rows.width, 9);
    assert_int_equal(ev.rows.before[1], 1);
    assert_int_equal(ev.rows.after[0], 1);
    assert_true(span_eq(ev.rows.rows, "rows"));
    b.data[BINLOG_HEADER + 8] = 1; /* extra data shorter than its own length */
    assert_false(decode(&b, &f, &ev, &e));
    b.data[BINLOG_HEADER + 8] = 5;
    f.post_header[BINLOG_TYPE_UPDATE_ROWS] = 6;
    assert_false(decode(&b, &f, &ev, &e));
    buf_free(&b);
}

static void test_too_many_columns(void **state)
{
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_begin(&b, BINLOG_TYPE_WRITE_ROWS_V1);
    buf_put_zeros(&b, 8);
    buf_put_lenenc(&b, 4097);
    buf_put_zeros(&b, 600);
    data_end(&b, false);
    assert_false(decode(&b, &f, &ev, &e));
    assert_non_null(strstr(e.text, "too many columns"));
    buf_free(&b);
}

static void test_unknown_types(void **state)
{
    static const struct {
        uint8_t type;
        const char *name;
    } refused[] = {
        {33, "MySQL's GTID"}, {40, "TRANSACTION_PAYLOAD"}, {99, "unknown"}, {255, "255"}};
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct buf b;

        data_begin(&b, refused[i].type);
        buf_put_zeros(&b, 20);
        data_end(&b, false);
        assert_false(decode(&b, &f, &ev, &e));
        assert_non_null(strstr(e.text, refused[i].name));
        b.data[17] = BINLOG_FLAG_IGNORABLE;
        assert_true(decode(&b, &f, &ev, &e));
        assert_int_equal(ev.body, BINLOG_IGNORED);
        buf_free(&b);
    }
}

static void test_small_ones(void **state)
{
    struct binlog_format f = data_plain_format();
    struct binlog_event ev;
    struct err e;
    struct buf b;

    (void)state;
    data_begin(&b, BINLOG_TYPE_HEARTBEAT);
    buf_put_str(&b, "bin.000001");
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_true(span_eq(ev.heartbeat, "bin.000001"));
    buf_free(&b);
    data_begin(&b, BINLOG_TYPE_ANNOTATE_ROWS);
    buf_put_str(&b, "INSERT");
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_true(span_eq(ev.annotate, "INSERT"));
    buf_free(&b);
    data_begin(&b, BINLOG_TYPE_INCIDENT);
    buf_put_u16(&b, 1);
    buf_put_u8(&b, 4);
    buf_put_str(&b, "lost");
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_int_equal(ev.incident.number, 1);
    assert_true(span_eq(ev.incident.text, "lost"));
    buf_free(&b);
    data_begin(&b, BINLOG_TYPE_XA_PREPARE);
    buf_put_u8(&b, 1);
    buf_put_u32(&b, 1);
    buf_put_u32(&b, 2);
    buf_put_u32(&b, 0);
    buf_put_str(&b, "xa");
    data_end(&b, false);
    assert_true(decode(&b, &f, &ev, &e));
    assert_true(ev.xa_prepare.one_phase);
    assert_true(span_eq(ev.xa_prepare.xa.data, "xa"));
    buf_free(&b);
}

/* Every event of the recorded files decodes, and every cut of each is refused or harmless. */
static void test_recorded(void **state)
{
    static const char *const names[] = {"binlog_types.bin", "binlog_groups.bin"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct span file = data_load(names[i]);
        struct buf inflated = buf_with_max(1 << 16);
        struct binlog_format f = {0};
        struct span event;
        size_t at = 0;
        int n = 0;

        while (data_next(file, &at, &event)) {
            struct binlog_event ev;
            struct err e = {0};

            if (!binlog_event_decode(event, &f, &inflated, &ev, &e))
                fail_msg("%s", e.text);
            assert_true(f.checksum);
            for (size_t cut = 0; cut < event.n; cut += 7)
                assert_false(
                    binlog_event_decode((struct span){event.p, cut}, &f, &inflated, &ev, &e));
            data_free(event);
            n++;
        }
        assert_true(n > 20);
        buf_free(&inflated);
        data_free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_before_the_format),
        cmocka_unit_test(test_artificial_rotate),
        cmocka_unit_test(test_real_rotate),
        cmocka_unit_test(test_gtid),
        cmocka_unit_test(test_gtid_list),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_compressed_query),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_too_many_columns),
        cmocka_unit_test(test_unknown_types),
        cmocka_unit_test(test_small_ones),
        cmocka_unit_test(test_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
