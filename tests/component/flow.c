/* Much data: it streams through, and whoever is slow slows the other side down. */
#include "component/rig.h"
#include "protocol/packet.h"

#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MIB = 1 << 20,
    BIG = 20 * MIB,       /* more than one packet holds */
    STALL_MAX = 24 * MIB, /* what kernels take on the way; loopback sockets grow to several MiB */
};

/* NOLINTNEXTLINE(readability-identifier-naming): the sanitizer's own */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t memory_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    return mallinfo2().uordblks;
}

/* A payload as packets, from this sequence number on. */
static void put_packets(struct buf *b, struct span payload, uint8_t seq)
{
    size_t n;

    do {
        uint8_t header[PACKET_HEADER];

        n = payload.n < PACKET_MAX_PAYLOAD ? payload.n : PACKET_MAX_PAYLOAD;
        packet_header_write(header, (uint32_t)n, seq++);
        buf_put(b, header, sizeof header);
        buf_put(b, payload.p, n);
        payload.p += n;
        payload.n -= n;
    } while (n == PACKET_MAX_PAYLOAD);
}

/* A pattern that shows where bytes went missing. */
static void put_pattern(struct buf *b, size_t n)
{
    uint8_t *p = buf_reserve(b, n);
    uint32_t x = 12345;

    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (uint8_t)('a' + (x >> 24) % 26);
    }
    b->len += n;
}

static struct buf big_query(size_t n)
{
    struct buf payload = buf_with_max(64 * MIB);
    struct buf b = buf_with_max(64 * MIB);

    buf_put_u8(&payload, COM_QUERY);
    buf_put_str(&payload, "INSERT INTO t VALUES ('");
    put_pattern(&payload, n);
    buf_put_str(&payload, "')");
    put_packets(&b, buf_span(&payload), 0);
    buf_free(&payload);
    return b;
}

static void a_large_request_streams(size_t size, bool slow)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = big_query(size);

    peer_flow(s.till, buf_span(&b), s.primary, buf_span(&b), slow);
    s.primary->seq = s.till->seq = (uint8_t)((b.len - PACKET_HEADER) / PACKET_MAX_PAYLOAD);
    server_says(s.primary, .affected = 1);
    assert_int_equal(client_hears_ok(s.till).affected_rows, 1);
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_rows(s.primary, "t");
    (void)client_hears_rows(s.till, "t");
    buf_free(&b);
}

static void a_request_of_20_mib_reaches_a_fast_server(void **state)
{
    (void)state;
    a_large_request_streams(BIG, false);
}

static void a_request_of_20_mib_reaches_a_slow_server(void **state)
{
    (void)state;
    a_large_request_streams(BIG, true);
}

static void a_request_of_exactly_a_packet(void **state)
{
    (void)state;
    a_large_request_streams(PACKET_MAX_PAYLOAD - 26, false);
}

static void a_request_larger_than_the_buffer(void **state)
{
    (void)state;
    a_large_request_streams(33000, false);
}

/* The primary dies in the middle: the rest of the command is taken off the client, then it is told.
 */
static void loses_a_large_request(struct rig *r, struct scene *s, const struct buf *b, size_t heard)
{
    peer_flow(s->till, (struct span){b->data, heard}, s->primary, (struct span){b->data, heard},
              false);
    peer_cut(s->primary);
    peer_send(s->till, (struct span){b->data + heard, b->len - heard});
    s->till->seq = 1;
    client_hears_error(s->till, 1158, "08S01", "Lost connection");
    client_asks(s->till, "SHOW TABLES");
    s->primary = server_serves(&r->servers[PRIMARY]);
    server_hears_query(s->primary, "SHOW TABLES");
    server_says_rows(s->primary, "t");
    (void)client_hears_rows(s->till, "t");
}

/* At many places, for what the proxy notices first is a matter of luck: a write that fails, or the
 * end of what it reads. */
static void a_primary_lost_in_a_large_request_is_told(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = big_query(BIG);

    (void)state;
    for (size_t i = 1; i <= 12; i++)
        loses_a_large_request(r, &s, &b, i * MIB + 1001 * i);
    buf_free(&b);
}

static void a_client_that_leaves_a_large_request_costs_the_connection(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = big_query(MIB);

    (void)state;
    peer_flow(s.till, (struct span){b.data, b.len / 2}, s.primary, (struct span){b.data, b.len / 2},
              false);
    peer_cut(s.till);
    peer_hears_end(s.primary);
    rig_counts(r, METRIC_SESSIONS, 0);
    buf_free(&b);
}

/* A server that says no before it heard all. */
static void an_early_error_comes_after_the_request(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = big_query(MIB);
    size_t half = b.len / 2;

    (void)state;
    peer_flow(s.till, (struct span){b.data, half}, s.primary, (struct span){b.data, half}, false);
    s.primary->seq = 0;
    server_says_error(s.primary, 1153, "08S01", "Got a packet bigger than 'max_allowed_packet'");
    s.till->seq = 0;
    client_hears_error(s.till, 1153, "08S01", "max_allowed_packet");
    peer_flow(s.till, (struct span){b.data + half, b.len - half}, s.primary,
              (struct span){b.data + half, b.len - half}, false);
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    buf_free(&b);
}

/* What comes until the other side closes, the beginning of `expected` (NULL: whatever it is); how
 * many bytes. */
static size_t hears_rest(struct peer *p, const uint8_t *expected)
{
    uint8_t bytes[65536];
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    size_t total = 0;

    for (;;) {
        ssize_t n;

        if (poll(&fd, 1, PEER_STEP_MS) != 1)
            peer_fail(p, "was not closed");
        n = recv(p->fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            return total;
        if (expected)
            assert_memory_equal(bytes, expected + total, (size_t)n);
        total += (size_t)n;
    }
}

/* A replica that says no while the statement is still on its way to it: the same bytes go to the
 * primary, and the replica gets no more of them. */
static void a_read_given_up_while_it_is_sent(void **state)
{
    enum { LONG = 15 * MIB };
    struct rig *r = rig_start(.buffer_kib = 16384);
    struct scene s = rig_scene(r);
    struct buf sql = buf_with_max(32 * MIB);
    struct buf b = buf_with_max(32 * MIB);
    struct peer *replica;
    struct span heard;

    (void)state;
    buf_put_str(&sql, "\x03SELECT name FROM Product WHERE note='");
    put_pattern(&sql, LONG);
    buf_put_str(&sql, "'");
    put_packets(&b, buf_span(&sql), 0);
    peer_send(s.till, buf_span(&b));
    replica = server_serves(&r->servers[REPLICA]);
    (void)peer_hears_bytes(replica, MIB); /* and no more */
    replica->seq = 0;
    server_says_error(replica, 1153, "08S01", "too long");
    heard = peer_hears_first(s.primary);
    assert_int_equal(heard.n, sql.len);
    assert_memory_equal(heard.p, sql.data, sql.len);
    server_says_rows(s.primary, "tea");
    s.till->seq = 0;
    (void)client_hears_rows(s.till, "tea");
    assert_in_range(hears_rest(replica, NULL), 0, LONG - MIB - 1);
    buf_free(&sql);
    buf_free(&b);
}

/* Rows of this size, from this sequence number on; answers the last one's. */
static uint8_t put_rows(struct buf *b, size_t total, size_t row, uint8_t seq)
{
    struct buf payload = buf_with_max(64 * MIB);

    buf_put_lenenc(&payload, row);
    put_pattern(&payload, row);
    for (size_t done = 0; done < total; done += row) {
        put_packets(b, buf_span(&payload), seq);
        seq = (uint8_t)(seq + 1 + payload.len / PACKET_MAX_PAYLOAD);
    }
    buf_free(&payload);
    return (uint8_t)(seq - 1);
}

static void asks_for_rows(struct scene *s)
{
    client_asks(s->till, "SHOW MUCH");
    server_hears_query(s->primary, "SHOW MUCH");
    server_says_columns(s->primary, 1);
    client_hears_columns(s->till, 1);
}

static void rows_of(size_t size, size_t total, bool slow)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = buf_with_max(128 * MIB);
    uint8_t last = put_rows(&b, total, size, 3);

    asks_for_rows(&s);
    peer_flow(s.primary, buf_span(&b), s.till, buf_span(&b), slow);
    s.primary->seq = s.till->seq = last;
    server_says_end(s.primary, &(struct says){.warnings = 1});
    assert_int_equal(client_hears_end(s.till).warnings, 1);
    buf_free(&b);
}

static void many_small_rows_stream(void **state)
{
    (void)state;
    rows_of(100, 4 * MIB, false);
}

static void many_small_rows_stream_to_a_slow_client(void **state)
{
    (void)state;
    rows_of(100, 8 * MIB, true);
}

static void a_row_of_20_mib_streams(void **state)
{
    (void)state;
    rows_of(BIG, BIG, false);
}

/* It does not read, is killed, and reads then: what had not reached its socket stood in a buffer
 * that the next session reads into. */
static void a_killed_reader_hears_nobody_else_s_bytes(void **state)
{
    struct rig *r = rig_start(.workers = 1, .holding = true);
    struct scene victim = rig_scene(r);
    struct scene killer = rig_scene(r);
    struct buf b = buf_with_max(64 * MIB);
    static char other[60000];
    char sql[64];
    size_t sent;

    (void)state;
    memset(other, 'X', sizeof other - 1);
    other[sizeof other - 1] = 0;
    (void)put_rows(&b, 16 * MIB, 100, 3);
    asks_for_rows(&victim);
    sent = peer_pour(victim.primary, buf_span(&b));
    assert_in_range(sent, 1, b.len - 1);
    (void)snprintf(sql, sizeof sql, "KILL %u", victim.till->thread_id);
    client_asks(killer.till, sql);
    (void)client_hears_ok(killer.till);
    for (int i = 0; i < 8; i++) {
        client_asks(killer.till, "SHOW TABLES");
        server_hears_query(killer.primary, "SHOW TABLES");
        server_says_rows(killer.primary, other);
        (void)client_hears_rows(killer.till, other);
    }
    assert_in_range(hears_rest(victim.till, b.data), 1, sent);
    buf_free(&b);
}

/* An old client gets the rows with other sequence numbers: patched in place. */
static void rows_are_renumbered_for_an_old_client(void **state)
{
    struct rig *r = rig_start(.buffer_kib = 8);
    struct scene s = rig_old_scene(r);
    struct buf sent = buf_with_max(16 * MIB);
    struct buf seen = buf_with_max(16 * MIB);

    (void)state;
    (void)put_rows(&sent, 2 * MIB, 5000, 3);
    (void)put_rows(&seen, 2 * MIB, 5000, 4);
    client_asks(s.till, "SHOW MUCH");
    server_hears_query(s.primary, "SHOW MUCH");
    server_says_columns(s.primary, 1);
    peer_send(s.primary, (struct span){sent.data, 10000});
    client_hears_columns(s.till, 1);
    peer_flow(s.primary, (struct span){sent.data + 10000, sent.len - 10000}, s.till,
              buf_span(&seen), false);
    buf_free(&sent);
    buf_free(&seen);
}

/* The client reads nothing: the server cannot send on, and the proxy keeps no more than before. */
static void a_stalled_client_stops_the_server(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = buf_with_max(128 * MIB);
    size_t before;
    size_t sent;

    (void)state;
    asks_for_rows(&s);
    (void)put_rows(&b, 64 * MIB, 1000, 3);
    before = memory_in_use();
    sent = peer_pour(s.primary, buf_span(&b));
    assert_in_range(sent, 1, STALL_MAX);
    assert_in_range(memory_in_use(), 0, before + MIB);
    peer_flow(s.primary, (struct span){b.data + sent, 32 * MIB - sent}, s.till,
              (struct span){b.data, 32 * MIB}, false);
    buf_free(&b);
}

static void a_stalled_server_stops_the_client(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct buf b = big_query(40 * MIB);
    size_t before = memory_in_use();
    size_t sent;

    (void)state;
    sent = peer_pour(s.till, buf_span(&b));
    assert_in_range(sent, 1, STALL_MAX);
    assert_in_range(memory_in_use(), 0, before + MIB);
    peer_flow(s.till, (struct span){b.data + sent, b.len - sent}, s.primary, buf_span(&b), false);
    buf_free(&b);
}

/* While one till stalls, the others of the same worker go on. */
static void a_stalled_client_does_not_stop_others(void **state)
{
    struct rig *r = rig_start(.holding = true, .workers = 1);
    struct scene stalled = rig_scene(r);
    struct scene s = rig_scene(r);
    struct buf b = buf_with_max(64 * MIB);

    (void)state;
    asks_for_rows(&stalled);
    (void)put_rows(&b, 32 * MIB, 1000, 3);
    (void)peer_pour(stalled.primary, buf_span(&b));
    client_asks(s.till, "SHOW TABLES");
    server_hears_query(s.primary, "SHOW TABLES");
    server_says_rows(s.primary, "t");
    (void)client_hears_rows(s.till, "t");
    peer_cut(stalled.till);
    peer_hears_end(stalled.primary);
    buf_free(&b);
}

static void asks_for_a_file(struct scene *s, uint64_t without)
{
    struct rig *r = rig_start(.workers = 1);
    struct span request;

    s->till = client_connects(r, 0);
    client_hears_greeting(s->till);
    client_logs_in(s->till, .without = without);
    s->primary = server_serves(&r->servers[PRIMARY]);
    (void)client_hears_ok(s->till);
    client_asks(s->till, "LOAD DATA LOCAL INFILE 'x.csv' INTO TABLE t");
    server_hears_query(s->primary, "LOAD DATA LOCAL INFILE 'x.csv' INTO TABLE t");
    peer_send_packet(s->primary, BYTES("\xFBx.csv"));
    request = peer_hears_packet(s->till);
    assert_true(span_eq(request, "\xFBx.csv"));
}

static void put_file(struct buf *b, size_t n, size_t piece)
{
    struct buf data = buf_with_max(64 * MIB);
    uint8_t seq = 2;

    put_pattern(&data, n);
    for (size_t at = 0; at < n; at += piece)
        put_packets(b, (struct span){data.data + at, piece}, seq++);
    put_packets(b, (struct span){data.data, 0}, seq);
    buf_free(&data);
}

static void loads_a_file(size_t size, size_t piece, bool slow)
{
    struct scene s;
    struct buf b = buf_with_max(64 * MIB);

    asks_for_a_file(&s, 0);
    put_file(&b, size, piece);
    peer_flow(s.till, buf_span(&b), s.primary, buf_span(&b), slow);
    s.primary->seq = s.till->seq = b.data[b.len - 1];
    server_says(s.primary, .affected = 1000);
    assert_int_equal(client_hears_ok(s.till).affected_rows, 1000);
    buf_free(&b);
}

static void a_local_file_streams(void **state)
{
    (void)state;
    loads_a_file(8 * MIB, 16384, false);
}

static void a_local_file_streams_to_a_slow_server(void **state)
{
    (void)state;
    loads_a_file(8 * MIB, 65536, true);
}

static void an_empty_local_file_is_one_packet(void **state)
{
    (void)state;
    loads_a_file(0, 1, false);
}

static void a_server_may_fail_behind_a_local_file(void **state)
{
    struct scene s;
    struct buf b = buf_with_max(64 * MIB);

    (void)state;
    asks_for_a_file(&s, 0);
    put_file(&b, MIB, 16384);
    peer_flow(s.till, buf_span(&b), s.primary, buf_span(&b), false);
    s.primary->seq = s.till->seq = b.data[b.len - 1];
    server_says_error(s.primary, 1062, "23000", "Duplicate entry");
    client_hears_error(s.till, 1062, "23000", "Duplicate entry");
    client_sends(s.till, COM_PING, BYTES(""));
    (void)client_hears_ok(s.till);
    buf_free(&b);
}

static void a_server_lost_in_a_local_file_ends_the_client(void **state)
{
    struct scene s;
    struct buf b = buf_with_max(64 * MIB);
    struct span half;

    (void)state;
    asks_for_a_file(&s, 0);
    put_file(&b, MIB, 16384);
    half = (struct span){b.data, 32 * (PACKET_HEADER + 16384)};
    peer_flow(s.till, half, s.primary, half, false);
    peer_cut(s.primary);
    peer_hears_end(s.till);
    buf_free(&b);
}

static void a_client_lost_in_a_local_file_ends_the_server(void **state)
{
    struct scene s;

    (void)state;
    asks_for_a_file(&s, 0);
    peer_send(s.till, BYTES("\x00\x10\x00\x02"
                            "only the beginning"));
    peer_cut(s.till);
    (void)peer_hears_bytes(s.primary, 22);
    peer_hears_end(s.primary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_request_of_20_mib_reaches_a_fast_server),
        RIG_TEST(a_request_of_20_mib_reaches_a_slow_server),
        RIG_TEST(a_request_of_exactly_a_packet),
        RIG_TEST(a_request_larger_than_the_buffer),
        RIG_TEST(a_primary_lost_in_a_large_request_is_told),
        RIG_TEST(a_client_that_leaves_a_large_request_costs_the_connection),
        RIG_TEST(an_early_error_comes_after_the_request),
        RIG_TEST(a_read_given_up_while_it_is_sent),
        RIG_TEST(many_small_rows_stream),
        RIG_TEST(many_small_rows_stream_to_a_slow_client),
        RIG_TEST(a_killed_reader_hears_nobody_else_s_bytes),
        RIG_TEST(a_row_of_20_mib_streams),
        RIG_TEST(rows_are_renumbered_for_an_old_client),
        RIG_TEST(a_stalled_client_stops_the_server),
        RIG_TEST(a_stalled_server_stops_the_client),
        RIG_TEST(a_stalled_client_does_not_stop_others),
        RIG_TEST(a_local_file_streams),
        RIG_TEST(a_local_file_streams_to_a_slow_server),
        RIG_TEST(an_empty_local_file_is_one_packet),
        RIG_TEST(a_server_may_fail_behind_a_local_file),
        RIG_TEST(a_server_lost_in_a_local_file_ends_the_client),
        RIG_TEST(a_client_lost_in_a_local_file_ends_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
