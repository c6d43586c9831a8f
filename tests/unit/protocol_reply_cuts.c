/* Properties of the reply tracker over generated replies: what an old client gets is what a simple
 * model of the server says, and however the bytes are cut the same comes out. And rows of 16 MiB.
 */
#include "tests/unit/check.h"
#include "tests/unit/reply_run.h"

static const uint64_t server_caps = CAP_SESSION_TRACK | CAP_DEPRECATE_EOF;

enum { MAX_WHOLE = 65536, ROUNDS = 200, BIG = 80 << 20 };

struct model {
    unsigned seed;
    struct buf server;
    struct buf client; /* that speaks neither DEPRECATE_EOF nor SESSION_TRACK */
    uint8_t server_seq;
    uint8_t client_seq;
};

static unsigned pick(struct model *m, unsigned n)
{
    return (unsigned)rand_r(&m->seed) % n;
}

static void put_packet(struct buf *b, uint8_t *seq, struct span payload)
{
    size_t at = packet_begin(b);

    buf_put_span(b, payload);
    packet_end(b, at, (*seq)++);
}

static void put_both(struct model *m, struct span payload)
{
    put_packet(&m->server, &m->server_seq, payload);
    put_packet(&m->client, &m->client_seq, payload);
}

static void put_eof(struct buf *b, uint8_t *seq, uint16_t warnings, uint16_t status)
{
    const uint8_t payload[] = {0xFE, (uint8_t)warnings, (uint8_t)(warnings >> 8), (uint8_t)status,
                               (uint8_t)(status >> 8)};

    put_packet(b, seq, (struct span){payload, sizeof payload});
}

static struct ok random_ok(struct model *m, uint8_t header, bool more)
{
    static const struct span changes = ROW_BYTES("\0\x11\tlast_gtid\x06"
                                                 "0-1-10\x02\x01"
                                                 "1");
    struct ok ok = {.header = header,
                    .status = (uint16_t)(STATUS_AUTOCOMMIT | (more ? STATUS_MORE_RESULTS : 0) |
                                         (pick(m, 2) ? STATUS_NO_INDEX_USED : 0)),
                    .warnings = (uint16_t)pick(m, 70000)};

    if (header == 0) {
        ok.affected_rows = pick(m, 2) ? pick(m, 100) : pick(m, 1u << 30);
        ok.last_insert_id = pick(m, 2) ? 0 : (uint64_t)pick(m, 1u << 30) << 20;
    }
    if (pick(m, 2))
        ok.info = span_of("Rows matched: 1  Changed: 1  Warnings: 0");
    if (pick(m, 2))
        ok.changes = changes;
    return ok;
}

static void put_ok(struct model *m, const struct ok *ok)
{
    struct buf payload = buf_with_max(1000);

    ok_encode(&payload, ok, server_caps);
    put_packet(&m->server, &m->server_seq, buf_span(&payload));
    buf_clear(&payload);
    ok_encode(&payload, ok, 0);
    put_packet(&m->client, &m->client_seq, buf_span(&payload));
    buf_free(&payload);
}

static void put_rows(struct model *m, unsigned rows, unsigned longest)
{
    uint8_t row[3000];

    for (unsigned i = 0; i < rows; i++) {
        size_t n = 1 + pick(m, longest);

        memset(row, (int)pick(m, 256), n);
        row[0] = (uint8_t)pick(m, 0xFC); /* what a row may start with */
        put_both(m, (struct span){row, n});
    }
}

/* The definitions, what comes between, and the rows. */
static void put_result_set(struct model *m, bool more)
{
    unsigned columns = 1 + pick(m, 5);
    const uint8_t count = (uint8_t)columns;
    struct ok end = random_ok(m, 0xFE, more);
    struct model rows = {.seed = m->seed, .server = buf_with_max(BIG), .client = buf_with_max(BIG)};
    uint16_t told;

    end.info = (struct span){NULL, 0};
    put_both(m, (struct span){&count, 1});
    for (unsigned i = 0; i < columns; i++)
        put_both(m, span_of("\x03"
                            "def with a name"));
    put_rows(&rows, pick(m, 40), pick(m, 2) ? 20 : 300);
    told = rows.server.len + PACKET_HEADER < REPLY_PEEK ? end.status : STATUS_AUTOCOMMIT;
    put_eof(&m->client, &m->client_seq, rows.server.len ? 0 : end.warnings, told);
    for (size_t at = 0; at < rows.server.len;) {
        struct packet_header h = packet_header_at(rows.server.data + at);

        put_both(m, (struct span){rows.server.data + at + PACKET_HEADER, h.length});
        at += PACKET_HEADER + h.length;
    }
    m->seed = rows.seed;
    put_ok(m, &end);
    buf_free(&rows.server);
    buf_free(&rows.client);
}

static struct model generate(unsigned seed)
{
    struct model m = {.seed = seed,
                      .server = buf_with_max(BIG),
                      .client = buf_with_max(BIG),
                      .server_seq = 1,
                      .client_seq = 1};
    unsigned results = 1 + pick(&m, 4);

    for (unsigned i = 0; i < results; i++) {
        bool more = i + 1 < results;

        if (pick(&m, 3)) {
            put_result_set(&m, more);
        } else if (!more && pick(&m, 4) == 0) {
            put_both(&m, BYTES("\xff\x28\x04#42000You have an error"));
        } else {
            struct ok ok = random_ok(&m, 0, more);

            put_ok(&m, &ok);
        }
    }
    return m;
}

static struct reply_run run_with(uint64_t client, struct span in, struct reply_cut cut)
{
    struct reply_run run = {.max_whole = MAX_WHOLE, .out = buf_with_max(BIG)};

    reply_begin(&run.reply, REPLY_RESULT, server_caps, client,
                STATUS_AUTOCOMMIT | STATUS_NO_INDEX_USED);
    reply_run(&run, in, cut);
    return run;
}

static void check(uint64_t client, struct span in, struct span expected, struct reply_cut cut)
{
    struct reply_run run = run_with(client, in, cut);

    assert_true(run.done);
    assert_int_equal(run.used, in.n);
    check_bytes(buf_span(&run.out), expected);
    buf_free(&run.out);
}

static void generated_replies(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= ROUNDS; seed++) {
        const struct reply_cut cuts[] = {{0, 0}, {1, 0}, {30, seed}, {3000, seed}};
        struct model m = generate(seed);

        for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
            check(0, buf_span(&m.server), buf_span(&m.client), cuts[c]);
            check(server_caps, buf_span(&m.server), buf_span(&m.server), cuts[c]);
        }
        buf_free(&m.server);
        buf_free(&m.client);
    }
}

/* However far the bytes go, an old client never gets fewer than it got of fewer, nor others. */
static void beginnings_give_beginnings(void **state)
{
    struct model m = generate(7);

    (void)state;
    for (size_t n = 0; n <= m.server.len; n += 1 + n / 64) {
        struct reply_run once =
            run_with(0, (struct span){m.server.data, n}, (struct reply_cut){0, 0});
        struct reply_run bytes =
            run_with(0, (struct span){m.server.data, n}, (struct reply_cut){1, 0});

        assert_int_equal(once.done, n == m.server.len);
        check_bytes(buf_span(&bytes.out), buf_span(&once.out));
        assert_true(once.out.len <= m.client.len);
        assert_memory_equal(once.out.data, m.client.data, once.out.len);
        buf_free(&once.out);
        buf_free(&bytes.out);
    }
    buf_free(&m.server);
    buf_free(&m.client);
}

/* One row of one column whose payload has `payload` bytes, split as the protocol says. */
static void put_big_row(struct buf *b, uint8_t *seq, size_t payload, uint8_t first)
{
    uint8_t fill = first;

    for (;;) {
        size_t n = payload < PACKET_MAX_PAYLOAD ? payload : PACKET_MAX_PAYLOAD;
        uint8_t *at = buf_reserve(b, PACKET_HEADER + n);

        assert_non_null(at);
        packet_header_write(at, (uint32_t)n, (*seq)++);
        memset(at + PACKET_HEADER, fill, n);
        b->len += PACKET_HEADER + n;
        if (n < PACKET_MAX_PAYLOAD)
            return;
        payload -= n;
        fill = 0xFF; /* continuations may look like anything: here like errors */
    }
}

static void rows_of_16_mib(void **state)
{
    static const struct {
        size_t payload;
        uint8_t first;
    } rows[] = {
        {PACKET_MAX_PAYLOAD - 1, 0xFD}, {PACKET_MAX_PAYLOAD, 0xFD},
        {PACKET_MAX_PAYLOAD, 0xFE},     {PACKET_MAX_PAYLOAD + 1, 0xFE},
        {PACKET_MAX_PAYLOAD + 5, 0x00}, {2 * (size_t)PACKET_MAX_PAYLOAD, 0xFE},
    };
    static const struct reply_cut cuts[] = {{0, 0}, {8 << 20, 0}, {6000000, 5}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf in = buf_with_max(BIG);
        struct buf expected = buf_with_max(BIG);
        uint8_t seq = 1;
        uint8_t seq_of_client = 1;

        put_packet(&in, &seq, BYTES("\x01"));
        put_packet(&in, &seq,
                   BYTES("\x03"
                         "def"));
        put_packet(&expected, &seq_of_client, BYTES("\x01"));
        put_packet(&expected, &seq_of_client,
                   BYTES("\x03"
                         "def"));
        put_eof(&expected, &seq_of_client, 0, STATUS_AUTOCOMMIT);
        put_big_row(&in, &seq, rows[i].payload, rows[i].first);
        put_big_row(&expected, &seq_of_client, rows[i].payload, rows[i].first);
        put_packet(&in, &seq,
                   BYTES("\x01"
                         "a"));
        put_packet(&expected, &seq_of_client,
                   BYTES("\x01"
                         "a"));
        put_packet(&in, &seq, BYTES("\xfe\0\0\x02\0\0\0"));
        put_eof(&expected, &seq_of_client, 0, STATUS_AUTOCOMMIT);
        for (size_t c = 0; c < ARRAY_LEN(cuts); c++)
            check(0, buf_span(&in), buf_span(&expected), cuts[c]);
        check(server_caps, buf_span(&in), buf_span(&in), cuts[1]);
        buf_free(&in);
        buf_free(&expected);
    }
}

/* The flags of the EOF behind the definitions come from the end up to REPLY_PEEK, then not. */
static void the_end_near_and_far(void **state)
{
    static const struct {
        size_t row; /* payload */
        bool near;
    } cases[] = {
        {1, true},
        {REPLY_PEEK - 2 * PACKET_HEADER - 1, true},
        {REPLY_PEEK - 2 * PACKET_HEADER, false},
        {REPLY_PEEK, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf in = buf_with_max(BIG);
        struct reply_run run;
        uint8_t seq = 1;

        put_packet(&in, &seq, BYTES("\x01"));
        put_packet(&in, &seq,
                   BYTES("\x03"
                         "def"));
        put_big_row(&in, &seq, cases[i].row, 0x01);
        put_packet(&in, &seq, BYTES("\xfe\0\0\x22\0\0\0"));
        run = run_with(0, buf_span(&in), (struct reply_cut){1, 0});
        assert_true(run.done);
        assert_int_equal(run.out.data[20], cases[i].near ? 0x22 : 0x02);
        buf_free(&in);
        buf_free(&run.out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_replies),
        cmocka_unit_test(beginnings_give_beginnings),
        cmocka_unit_test(rows_of_16_mib),
        cmocka_unit_test(the_end_near_and_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
