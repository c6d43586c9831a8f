/* Runs the reply tracker as a proxy does, over bytes cut into reads of a chosen size, and keeps
 * what a client would get. Each read is handed over in memory of its exact size, so that a
 * sanitizer sees a look beyond it. */
#ifndef TESTS_UNIT_REPLY_RUN_H
#define TESTS_UNIT_REPLY_RUN_H

#include "protocol/reply.h"

#include <stdlib.h>

struct reply_cut {
    size_t chunk;  /* bytes a read; 0: all at once */
    unsigned seed; /* not 0: reads of 1 to `chunk` bytes, at random */
};

struct reply_run {
    struct reply reply; /* after reply_begin */
    size_t max_whole;
    struct buf out;
    struct buf told; /* column definitions, where it has room for them */
    unsigned wholes; /* how often they were complete */
    size_t used;     /* bytes of the input that were passed or dropped */
    unsigned oks;
    unsigned infiles;
    bool done;
    bool bad;
    bool at_infile; /* the last event was REPLY_INFILE and nothing came since */
};

static inline void reply_run_abort_unless(bool ok)
{
    if (!ok)
        abort();
}

static inline void reply_run_note(struct reply_run *run, const struct reply_out *out)
{
    run->oks += out->event == REPLY_OK;
    run->infiles += out->event == REPLY_INFILE;
    run->wholes += out->columns.whole;
    run->bad = out->event == REPLY_BAD;
    run->done = out->done;
    if (out->event != REPLY_MORE || out->pass)
        run->at_infile = out->event == REPLY_INFILE;
}

/* The bytes held that are left. */
static inline size_t reply_run_feed(struct reply_run *run, uint8_t *held, size_t n)
{
    struct reply_out out;

    do {
        uint8_t *exact = malloc(n ? n : 1);
        size_t gone;

        reply_run_abort_unless(exact != NULL);
        memcpy(exact, held, n);
        reply_feed(&run->reply, exact, n, run->max_whole, &out);
        gone = out.pass + out.drop;
        reply_run_abort_unless(out.pass <= n && out.drop <= n - out.pass);
        buf_put(&run->out, exact, out.pass);
        reply_run_abort_unless(out.columns.n <= n && out.columns.at <= n - out.columns.n);
        if (run->told.max)
            buf_put(&run->told, exact + out.columns.at, out.columns.n);
        buf_put_span(&run->out, out.insert);
        memmove(held, exact + gone, n - gone);
        free(exact);
        n -= gone;
        run->used += gone;
        reply_run_note(run, &out);
    } while (out.event != REPLY_MORE && !run->done && !run->bad);
    return n;
}

/* Stops at the end of the reply, at bytes that are none, or at the end of the input. */
static inline void reply_run(struct reply_run *run, struct span in, struct reply_cut cut)
{
    uint8_t *held = malloc(in.n + 1);
    size_t held_n = 0;
    size_t at = 0;

    reply_run_abort_unless(held != NULL);
    while (at < in.n && !run->done && !run->bad) {
        size_t n = cut.chunk ? cut.chunk : in.n;

        if (cut.seed)
            n = 1 + (size_t)rand_r(&cut.seed) % n;
        if (n > in.n - at)
            n = in.n - at;
        memcpy(held + held_n, in.p + at, n);
        at += n;
        held_n = reply_run_feed(run, held, held_n + n);
    }
    free(held);
    reply_run_abort_unless(buf_ok(&run->out));
}

#endif
