/* The reply tracker: under any bytes no read beyond them, and the same output however they are cut.
 * Input: kind, capability bits, chunk, then the server's bytes. */
#include "tests/unit/reply_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { HEAD = 3, MAX_WHOLE = 2048, MAX_IN = 1 << 16, MAX_OUT = 1 << 18 };

static struct reply_run run_with(const uint8_t *head, struct span in, struct reply_cut cut)
{
    uint8_t columns[] = "\x01\0\0\0a\x02\0\0\0bc";
    struct reply_run run = {
        .max_whole = MAX_WHOLE, .out = buf_with_max(MAX_OUT), .told = buf_with_max(MAX_OUT)};
    uint64_t server = CAP_SESSION_TRACK | CAP_DEPRECATE_EOF;
    uint64_t client = 0;

    client |= head[1] & 1 ? CAP_SESSION_TRACK : 0;
    client |= head[1] & 2 ? CAP_DEPRECATE_EOF : 0;
    client |= head[1] & 4 ? CAP_MARIADB_PROGRESS : 0;
    server |= head[1] & 8 ? CAP_MARIADB_PROGRESS : 0;
    server |= head[1] & 16 ? CAP_MARIADB_CACHE_META : 0;
    reply_begin(&run.reply, (enum reply_kind)(REPLY_RESULT + head[0] % REPLY_CURSOR), server,
                client, 2);
    run.reply.tells_columns = true;
    run.reply.has_columns = (head[1] & 32) != 0;
    run.reply.columns = columns;
    run.reply.columns_n = head[1] & 64 ? sizeof columns - 1 : 0;
    reply_run(&run, in, cut);
    return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct reply_run once;
    struct reply_run cut;
    struct span in;

    if (n < HEAD || n > MAX_IN)
        return 0;
    in = (struct span){data + HEAD, n - HEAD};
    once = run_with(data, in, (struct reply_cut){0, 0});
    cut = run_with(data, in, (struct reply_cut){1 + (size_t)data[2] % 50, data[2] / 50});
    reply_run_abort_unless(once.done == cut.done && once.bad == cut.bad && once.used == cut.used);
    reply_run_abort_unless(once.out.len == cut.out.len);
    reply_run_abort_unless(once.out.len == 0 ||
                           memcmp(once.out.data, cut.out.data, once.out.len) == 0);
    reply_run_abort_unless(once.reply.rows == cut.reply.rows &&
                           once.reply.shift == cut.reply.shift);
    reply_run_abort_unless(strcmp(once.reply.cell, cut.reply.cell) == 0);
    reply_run_abort_unless(once.wholes == cut.wholes);
    reply_run_abort_unless(once.told.len == cut.told.len);
    reply_run_abort_unless(once.told.len == 0 ||
                           memcmp(once.told.data, cut.told.data, once.told.len) == 0);
    buf_free(&once.out);
    buf_free(&cut.out);
    buf_free(&once.told);
    buf_free(&cut.told);
    return 0;
}
