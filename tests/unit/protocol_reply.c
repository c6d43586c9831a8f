/* Replies are written as scripts, a word a packet, sequence numbers counting by themselves:
 *   Nk  column count k          D    column definition       R<text> row of one text column   Z
 * NULL Ehh end (OK packet 0xFE) of status hh (hexadecimal)      ehh     EOF packet of status hh Ohh
 * OK of status hh         Thh  OK with session state   thh     end with session state X   ERR G
 * progress report         F       LOCAL INFILE request Hp,c PREPARE head of the server's statement,
 * hp,c the same with the client's statement id S<text> packet of text      ihh  EOF that was put in
 * +    a number used by the other side */
#include "tests/unit/check.h"
#include "tests/unit/reply_run.h"
#include <stdlib.h>

#include <stdio.h>

static const uint64_t server_caps = CAP_SESSION_TRACK | CAP_DEPRECATE_EOF;

enum { OLD = 1, TRACKS = 2, NEW = 3, BOTH = 4, MAX_WHOLE = 4096, FIRST_SEQ = 1 };

static const uint64_t client_caps[] = {
    [OLD] = 0,
    [TRACKS] = CAP_SESSION_TRACK,
    [NEW] = CAP_DEPRECATE_EOF,
    [BOTH] = CAP_SESSION_TRACK | CAP_DEPRECATE_EOF,
};

static void put_u16(struct buf *b, unsigned v)
{
    buf_put_u16(b, (uint16_t)v);
}

static void put_ok(struct buf *b, uint8_t header, unsigned status, bool tracked)
{
    buf_put_u8(b, header);
    buf_put_zeros(b, 2);
    put_u16(b, tracked ? status | STATUS_SESSION_STATE_CHANGED : status);
    put_u16(b, 1);
    if (tracked)
        buf_put_span(b, BYTES("\0\x0a\x01\x05\x04test\x02\x01"
                              "1"));
}

static void put_prepare(struct buf *b, const char *counts, uint32_t id)
{
    char *comma;
    unsigned params = (unsigned)strtoul(counts, &comma, 10);
    unsigned columns = (unsigned)strtoul(comma + 1, NULL, 10);

    buf_put_u8(b, 0);
    buf_put_u32(b, id);
    put_u16(b, columns);
    put_u16(b, params);
    buf_put_u8(b, 0);
    put_u16(b, 1);
}

/* The payload of a packet that has a status. */
static bool put_status_word(struct buf *b, const char *word)
{
    unsigned status = (unsigned)strtoul(word + 1, NULL, 16);

    switch (word[0]) {
    case 'E':
    case 't':
        put_ok(b, 0xFE, status, word[0] == 't');
        return true;
    case 'O':
    case 'T':
        put_ok(b, 0x00, status, word[0] == 'T');
        return true;
    case 'e':
    case 'i': /* the other packets have a warning */
        buf_put_u8(b, 0xFE);
        put_u16(b, word[0] == 'e');
        put_u16(b, status);
        return true;
    default:
        return false;
    }
}

static void put_word(struct buf *b, const char *word)
{
    if (put_status_word(b, word))
        return;
    switch (word[0]) {
    case 'N':
        buf_put_lenenc(b, strtoul(word + 1, NULL, 10));
        break;
    case 'D':
        buf_put_span(b, BYTES("\x03"
                              "def\0\0\0\x01"
                              "1\0\x0c\x3f\0\x01\0\0\0\x03\x81\0\0\0\0"));
        break;
    case 'R':
        buf_put_lenenc_bytes(b, span_of(word + 1));
        break;
    case 'Z':
        buf_put_u8(b, 0xFB);
        break;
    case 'X':
        buf_put_span(b, BYTES("\xff\x28\x04#42000no"));
        break;
    case 'G':
        buf_put_span(b, BYTES("\xff\xff\xff\x01\x01\x02\x10\x27\0\x05stage"));
        break;
    case 'F':
        buf_put_span(b, BYTES("\xfb"
                              "file.csv"));
        break;
    case 'H':
        put_prepare(b, word + 1, 7);
        break;
    case 'h':
        put_prepare(b, word + 1, 0x01020304);
        break;
    case 'S':
        buf_put_str(b, word + 1);
        break;
    default:
        fail_msg("no such word: %s", word);
    }
}

static void put_script(struct buf *b, const char *script, unsigned seq)
{
    char *copy = strdup(script);
    char *rest = copy;

    assert_non_null(copy);
    for (char *word; (word = strtok_r(rest, " ", &rest)); seq++) {
        size_t at = packet_begin(b);

        if (word[0] == '+') {
            b->len = at;
            continue;
        }
        put_word(b, word);
        packet_end(b, at, (uint8_t)seq);
    }
    free(copy);
}

static const struct reply_cut cuts[] = {{0, 0}, {1, 0},  {2, 0},  {3, 0},  {4, 0},   {5, 0},
                                        {7, 0}, {64, 0}, {9, 11}, {9, 12}, {40, 13}, {500, 14}};

static struct reply_run run_with(enum reply_kind kind, int client, struct span in,
                                 struct reply_cut cut)
{
    struct reply_run run = {.max_whole = MAX_WHOLE, .out = buf_with_max(64 << 20)};

    reply_begin(&run.reply, kind, server_caps, client_caps[client], 0x02);
    run.reply.client_stmt_id = 0x01020304;
    reply_run(&run, in, cut);
    return run;
}

struct row {
    const char *name;
    enum reply_kind kind;
    int client;
    const char *server;
    const char *expected;
    unsigned oks;
};

static const struct row rows[] = {
    {"an OK", REPLY_RESULT, OLD, "O2", "O2", 1},
    {"an OK that tracks, for each client", REPLY_RESULT, OLD, "T2", "O2", 1},
    {"", REPLY_RESULT, TRACKS, "T2", "T2", 1},
    {"", REPLY_RESULT, NEW, "T2", "O2", 1},
    {"", REPLY_RESULT, BOTH, "T2", "T2", 1},
    {"an error", REPLY_RESULT, OLD, "X", "X", 0},
    {"a result set", REPLY_RESULT, OLD, "N1 D Ra Rb E22", "N1 D i22 Ra Rb e22", 1},
    {"", REPLY_RESULT, TRACKS, "N1 D Ra Rb t22", "N1 D i22 Ra Rb e22", 1},
    {"", REPLY_RESULT, NEW, "N1 D Ra Rb t22", "N1 D Ra Rb E22", 1},
    {"", REPLY_RESULT, BOTH, "N1 D Ra Rb t22", "N1 D Ra Rb t22", 1},
    {"a result set without rows", REPLY_RESULT, OLD, "N2 D D E2", "N2 D D e2 e2", 1},
    {"NULL in front is no LOCAL INFILE", REPLY_RESULT, OLD, "N1 D Z Z E2", "N1 D i2 Z Z e2", 1},
    {"the slow flag comes only at the end", REPLY_RESULT, OLD, "N1 D Ra E822", "N1 D i22 Ra e822",
     1},
    {"an error behind the definitions", REPLY_RESULT, OLD, "N1 D X", "N1 D i2 X", 0},
    {"", REPLY_RESULT, NEW, "N1 D X", "N1 D X", 0},
    {"an error amid definitions", REPLY_RESULT, OLD, "N2 D X", "N2 D X", 0},
    {"an error amid rows", REPLY_RESULT, OLD, "N1 D Ra X", "N1 D i2 Ra X", 0},
    {"several results", REPLY_RESULT, OLD, "N1 D Ra Ea N1 D Rb Ea O2",
     "N1 D ia Ra ea N1 D ia Rb ea O2", 3},
    {"several results, more by OK", REPLY_RESULT, OLD, "Ta T9 N1 D Rb E2", "Oa O9 N1 D i2 Rb e2",
     3},
    {"", REPLY_RESULT, BOTH, "Ta Ta N1 D Rb E2", "Ta Ta N1 D Rb E2", 3},
    {"an error in the second result", REPLY_RESULT, OLD, "N1 D Ra Ea X", "N1 D ia Ra ea X", 1},
    {"out parameters", REPLY_RESULT, OLD, "N1 D Ra E100a O2", "N1 D i100a Ra e100a O2", 2},
    {"a cursor", REPLY_RESULT, OLD, "N1 D E42", "N1 D e42", 1},
    {"", REPLY_RESULT, NEW, "N1 D t42", "N1 D E42", 1},
    {"no rows beside a procedure's cursor", REPLY_RESULT, OLD, "N1 D E4a O2", "N1 D e4a e4a O2", 2},
    {"LOCAL INFILE", REPLY_RESULT, OLD, "F + + O2", "F + + O2", 1},
    {"LOCAL INFILE behind a result set", REPLY_RESULT, OLD, "N1 D Ra Ea F + + + Oa N1 D Rb E2",
     "N1 D ia Ra ea F + + + Oa N1 D i2 Rb e2", 3},
    {"a cursor", REPLY_CURSOR, OLD, "N1 D E42", "N1 D e42", 1},
    {"a cursor that cannot be filled", REPLY_CURSOR, OLD, "N1 D X", "N1 D X", 0},
    {"rows instead of a cursor", REPLY_CURSOR, OLD, "N1 D Ra X", "N1 D i2 Ra X", 0},
    {"an EOF alone", REPLY_RESULT, NEW, "E2", "E2", 1},
    {"fetched rows", REPLY_ROWS, OLD, "Ra Rb E42", "Ra Rb e42", 1},
    {"", REPLY_ROWS, OLD, "tc2", "ec2", 1},
    {"", REPLY_ROWS, NEW, "Ra tc2", "Ra Ec2", 1},
    {"", REPLY_ROWS, OLD, "Ra X", "Ra X", 0},
    {"a binlog's EOF stays one", REPLY_ROWS, NEW, "Ra e2", "Ra e2", 1},
    {"fields", REPLY_FIELDS, OLD, "D D D E2", "D D D e2", 1},
    {"", REPLY_FIELDS, NEW, "D D D t2", "D D D E2", 1},
    {"", REPLY_FIELDS, OLD, "X", "X", 0},
    {"PREPARE, both groups", REPLY_PREPARE, OLD, "H2,1 D D D", "h2,1 D D e2 D e2", 0},
    {"PREPARE, parameters only", REPLY_PREPARE, OLD, "H2,0 D D", "h2,0 D D e2", 0},
    {"PREPARE, columns only", REPLY_PREPARE, OLD, "H0,2 D D", "h0,2 D D e2", 0},
    {"PREPARE, nothing", REPLY_PREPARE, OLD, "H0,0", "h0,0", 0},
    {"PREPARE, new client", REPLY_PREPARE, NEW, "H2,1 D D D", "h2,1 D D D", 0},
    {"PREPARE, an error", REPLY_PREPARE, OLD, "X", "X", 0},
    {"single", REPLY_SINGLE, OLD, "T2", "O2", 1},
    {"", REPLY_SINGLE, OLD, "E2", "e2", 1},
    {"", REPLY_SINGLE, NEW, "E2", "E2", 1},
    {"", REPLY_SINGLE, NEW, "X", "X", 0},
    {"text", REPLY_TEXT, OLD, "SUptime:17", "SUptime:17", 0},
    {"", REPLY_TEXT, NEW, "X", "X", 0},
};

static void check_row(const struct row *row, struct span in, struct span expected,
                      struct reply_cut cut)
{
    struct reply_run run = run_with(row->kind, row->client, in, cut);

    if (run.out.len != expected.n || memcmp(run.out.data, expected.p, expected.n) != 0)
        print_error("%s: %s, cut by %zu\n", row->name, row->server, cut.chunk);
    check_bytes(buf_span(&run.out), expected);
    assert_true(run.done);
    assert_false(run.bad);
    assert_int_equal(run.used, in.n);
    assert_int_equal(run.oks, row->oks);
    buf_free(&run.out);
}

static void scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        /* From 1 as servers count, and so that the numbers wrap amid the reply. */
        static const unsigned seqs[] = {FIRST_SEQ, 253, 254, 255};

        for (size_t s = 0; s < ARRAY_LEN(seqs); s++) {
            struct buf in = buf_with_max(4096);
            struct buf expected = buf_with_max(4096);

            put_script(&in, rows[i].server, seqs[s]);
            put_script(&expected, rows[i].expected, seqs[s]);
            for (size_t c = 0; c < ARRAY_LEN(cuts); c++)
                check_row(&rows[i], buf_span(&in), buf_span(&expected), cuts[c]);
            buf_free(&in);
            buf_free(&expected);
        }
    }
}

static void bytes_of_the_next_reply_stay(void **state)
{
    static const char *const replies[] = {"O2", "X", "N1 D Ra E2"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct buf in = buf_with_max(1000);
        struct reply_run run;
        size_t first;

        put_script(&in, replies[i], 1);
        first = in.len;
        put_script(&in, "O2", 1);
        run = run_with(REPLY_RESULT, OLD, buf_span(&in), cuts[0]);
        assert_true(run.done);
        assert_int_equal(run.used, first);
        buf_free(&in);
        buf_free(&run.out);
    }
}

static void what_is_learnt(void **state)
{
    struct buf in = buf_with_max(1000);
    struct reply_run run;

    (void)state;
    put_script(&in, "H2,1 D D D", 1);
    run = run_with(REPLY_PREPARE, OLD, buf_span(&in), cuts[1]);
    assert_int_equal(run.reply.stmt_id, 7);
    assert_int_equal(run.reply.stmt_params, 2);
    assert_int_equal(run.reply.stmt_columns, 1);
    assert_true(run.reply.started);
    buf_free(&run.out);
    buf_clear(&in);
    put_script(&in, "N1 D Ra Rb Rc E2", 1);
    run = run_with(REPLY_RESULT, OLD, buf_span(&in), cuts[1]);
    assert_int_equal(run.reply.rows, 3);
    assert_int_equal(run.reply.shift, 1);
    buf_free(&run.out);
    buf_clear(&in);
    put_script(&in, "X", 1);
    run = run_with(REPLY_RESULT, OLD, buf_span(&in), cuts[1]);
    assert_int_equal(run.reply.error.code, 1064);
    assert_string_equal(run.reply.error.sqlstate, "42000");
    buf_free(&run.out);
    buf_free(&in);
}

static void the_changes_are_seen_though_the_client_does_not_get_them(void **state)
{
    struct buf in = buf_with_max(1000);
    struct reply r;
    struct reply_out out;
    struct change_iter it;
    struct change c;

    (void)state;
    put_script(&in, "N1 D Ra t2", 1);
    reply_begin(&r, REPLY_ROWS, server_caps, 0, 2);
    reply_feed(&r, in.data, in.len, MAX_WHOLE, &out);
    assert_int_equal(out.event, REPLY_OK);
    assert_true(out.done);
    assert_int_equal(r.ok.status, 0x4002);
    it = change_iter_of(r.ok.changes);
    assert_int_equal(change_next(&it, &c), 1);
    check_span(c.value, "test");
    buf_free(&in);
}

static void infile_events(void **state)
{
    struct buf in = buf_with_max(1000);
    struct reply_run run;

    (void)state;
    put_script(&in, "N1 D Ra Ea F", 1);
    run = run_with(REPLY_RESULT, OLD, buf_span(&in), cuts[1]);
    assert_int_equal(run.infiles, 1);
    assert_true(run.at_infile);
    assert_false(run.done);
    assert_int_equal(run.used, in.len);
    assert_int_equal(run.reply.shift, 1);
    buf_free(&run.out);
    buf_free(&in);
}

static void progress_reports(void **state)
{
    static const struct {
        uint64_t caps;
        const char *expected;
    } clients[] = {{CAP_MARIADB_PROGRESS | CAP_DEPRECATE_EOF, "G G N1 D Ra G E2"},
                   {CAP_DEPRECATE_EOF, "N1 D Ra E2"}};
    struct buf in = buf_with_max(1000);

    (void)state;
    put_script(&in, "G G N1 D Ra G E2", 1);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
            struct reply_run run = {.max_whole = MAX_WHOLE, .out = buf_with_max(1000)};
            struct buf expected = buf_with_max(1000);

            put_script(&expected, clients[i].expected, 1);
            reply_begin(&run.reply, REPLY_RESULT, server_caps | CAP_MARIADB_PROGRESS,
                        clients[i].caps, 2);
            reply_run(&run, buf_span(&in), cuts[c]);
            assert_true(run.done);
            check_bytes(buf_span(&run.out), buf_span(&expected));
            buf_free(&run.out);
            buf_free(&expected);
        }
    }
    buf_free(&in);
}

static void cached_metadata(void **state)
{
    static const struct {
        struct span in;
        bool bad;
    } replies[] = {
        {ROW_BYTES("\x02\0\0\x01\x01\0"
                   "\x02\0\0\x02\x01"
                   "a"
                   "\x07\0\0\x03\xfe\0\0\x02\0\0\0"),
         false},
        {ROW_BYTES("\x01\0\0\x01\x01"), true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct reply_run run = {.max_whole = MAX_WHOLE, .out = buf_with_max(1000)};

        reply_begin(&run.reply, REPLY_RESULT, server_caps | CAP_MARIADB_CACHE_META,
                    server_caps | CAP_MARIADB_CACHE_META, 2);
        run.reply.has_columns = true;
        reply_run(&run, replies[i].in, cuts[1]);
        assert_int_equal(run.bad, replies[i].bad);
        assert_int_equal(run.done, !replies[i].bad);
        if (run.done)
            check_bytes(buf_span(&run.out), replies[i].in);
        buf_free(&run.out);
    }
}

static void cells(void **state)
{
    char longest[REPLY_CELL];
    static char text[4 * REPLY_CELL];
    static const struct {
        const char *server;
        const char *cell;
        bool null;
    } replies[] = {
        {"N1 D R0 E2", "0", false},
        {"N1 D R-1 Rx E2", "-1", false},
        {"N1 D Z E2", "", true},
        {"N1 D R E2", "", false},
        {"N1 D E2", "", false},
        {"N1 D Ra Ea N1 D Rb E2", "b", false},
        {"N1 D Ra Ea N1 D E2", "", false},
        {"N1 D Z Ea N1 D E2", "", false},
        {"N1 D Z Ea N1 D Rz E2", "z", false},
        {text, NULL, false},
    };

    (void)state;
    memset(longest, 'y', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    (void)snprintf(text, sizeof text, "N1 D R%s%s%s E2", longest, longest, longest);
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
            struct buf in = buf_with_max(8192);
            struct reply_run run;

            put_script(&in, replies[i].server, 1);
            run = run_with(REPLY_RESULT, (int)(1 + c % 4), buf_span(&in), cuts[c]);
            assert_string_equal(run.reply.cell, replies[i].cell ? replies[i].cell : longest);
            assert_int_equal(run.reply.cell_len, strlen(run.reply.cell));
            assert_int_equal(run.reply.cell_null, replies[i].null);
            buf_free(&in);
            buf_free(&run.out);
        }
    }
}

static void bytes_no_server_sends(void **state)
{
    static const struct {
        enum reply_kind kind;
        struct span in;
    } replies[] = {
        {REPLY_RESULT, ROW_BYTES("\0\0\0\x01")},               /* empty packet */
        {REPLY_RESULT, ROW_BYTES("\x02\0\0\x01\x01\x01")},     /* more than a count */
        {REPLY_RESULT, ROW_BYTES("\x02\0\0\x01\xfc\0")},       /* a count cut short */
        {REPLY_RESULT, ROW_BYTES("\x04\0\0\x01\xfd\0\0\x01")}, /* 65,536 columns */
        {REPLY_RESULT, ROW_BYTES("\x03\0\0\x01\0\0\0")},       /* OK cut short */
        {REPLY_RESULT, ROW_BYTES("\x02\0\0\x01\xff\x01")},     /* ERR cut short */
        {REPLY_RESULT, ROW_BYTES("\xff\xff\xff\x01\0")},       /* OK of 16 MiB */
        {REPLY_RESULT, ROW_BYTES("\x01\x10\0\x01\0")},         /* longer than max_whole */
        {REPLY_RESULT, ROW_BYTES("\x01\x10\0\x01\xff")},       /* the same, ERR */
        {REPLY_RESULT, ROW_BYTES("\x01\x10\0\x01\xfb")},       /* the same, LOCAL INFILE */
        {REPLY_RESULT,
         ROW_BYTES("\x01\0\0\x01\x01\x07\0\0\x02\xfe\0\0\x02\0\0\0")}, /* end, no def */
        {REPLY_RESULT, ROW_BYTES("\x01\0\0\x01\x01\0\0\0\x02")},       /* empty definition */
        {REPLY_RESULT, ROW_BYTES("\x01\0\0\x01\x01\x01\0\0\x02\x03\0\0\0\x03")}, /* empty row */
        {REPLY_ROWS, ROW_BYTES("\x01\0\0\x01\x01\0\0\0\x02\x01")},  /* the same, second */
        {REPLY_ROWS, ROW_BYTES("\x02\0\0\x01\xfe\0")},              /* end cut short */
        {REPLY_PREPARE, ROW_BYTES("\x07\0\0\x01\0\0\0\x02\0\0\0")}, /* OK instead of a head */
        {REPLY_PREPARE, ROW_BYTES("\x0c\0\0\x01\x01\0\0\0\0\0\0\0\0\0\0\0")},
        {REPLY_SINGLE, ROW_BYTES("\x01\0\0\x01\x01")},
        {REPLY_TEXT, ROW_BYTES("\0\0\0\x01")},
        /* out of sequence: a definition, a row, the end */
        {REPLY_RESULT, ROW_BYTES("\x01\0\0\x01\x01\x01\0\0\x03\x03")},
        {REPLY_ROWS, ROW_BYTES("\x01\0\0\x01\x01\x01\0\0\x01\x01")},
        {REPLY_ROWS, ROW_BYTES("\x01\0\0\x01\x01\x07\0\0\x04\xfe\0\0\x02\0\0\0")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        for (int client = OLD; client <= BOTH; client++) {
            for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
                struct reply_run run = run_with(replies[i].kind, client, replies[i].in, cuts[c]);

                if (!run.bad)
                    print_error("row %zu, client %d\n", i, client);
                assert_true(run.bad);
                assert_false(run.done);
                assert_non_null(run.reply.why);
                buf_free(&run.out);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts),
        cmocka_unit_test(bytes_of_the_next_reply_stay),
        cmocka_unit_test(what_is_learnt),
        cmocka_unit_test(the_changes_are_seen_though_the_client_does_not_get_them),
        cmocka_unit_test(infile_events),
        cmocka_unit_test(progress_reports),
        cmocka_unit_test(cached_metadata),
        cmocka_unit_test(cells),
        cmocka_unit_test(bytes_no_server_sends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
