/* The reply tracker as a filter for reply_translate.py: reads requests on stdin (a server's bytes
 * and how to cut them), writes what a client would get. Integers are in the machine's order. */
#include "tests/unit/reply_run.h"

#include <stdio.h>

struct request {
    uint32_t kind;
    uint32_t stmt_id;
    uint64_t server_caps;
    uint64_t client_caps;
    uint32_t status;
    uint32_t chunk; /* bytes a read; 0: all at once; with the top bit: a seed for odd cuts */
    uint64_t n;
};

enum { STATE_MORE, STATE_DONE, STATE_INFILE, STATE_BAD };

struct answer {
    uint32_t state;
    uint32_t shift;
    uint64_t rows;
    uint64_t used; /* bytes of the request that belong to the reply */
    uint64_t n;
};

enum { MAX_WHOLE = 1 << 20, ODD_MAX = 40 };

static const uint32_t odd = 1u << 31;

static void *must(void *p)
{
    if (!p)
        exit(4);
    return p;
}

static uint32_t state_of(const struct reply_run *run)
{
    if (run->bad)
        return STATE_BAD;
    if (run->done)
        return STATE_DONE;
    return run->at_infile ? STATE_INFILE : STATE_MORE;
}

static void run_request(const struct request *q, const uint8_t *bytes)
{
    struct reply_run run = {.max_whole = MAX_WHOLE, .out = buf_with_max((size_t)q->n * 2 + 4096)};
    struct reply_cut cut = {q->chunk, 0};
    struct answer a;

    if (q->chunk & odd)
        cut = (struct reply_cut){ODD_MAX, q->chunk};
    reply_begin(&run.reply, (enum reply_kind)q->kind, q->server_caps, q->client_caps,
                (uint16_t)q->status);
    run.reply.client_stmt_id = q->stmt_id;
    reply_run(&run, (struct span){bytes, (size_t)q->n}, cut);
    if (run.bad)
        (void)fprintf(stderr, "bad: %s\n", run.reply.why);
    a = (struct answer){state_of(&run), run.reply.shift, run.reply.rows, run.used, run.out.len};
    (void)fwrite(&a, sizeof a, 1, stdout);
    (void)fwrite(run.out.data, 1, run.out.len, stdout);
    (void)fflush(stdout);
    buf_free(&run.out);
}

int main(void)
{
    struct request q;

    while (fread(&q, sizeof q, 1, stdin) == 1) {
        uint8_t *bytes = must(malloc((size_t)q.n + 1));

        if (q.n && fread(bytes, (size_t)q.n, 1, stdin) != 1)
            return 3;
        run_request(&q, bytes);
        free(bytes);
    }
    return 0;
}
