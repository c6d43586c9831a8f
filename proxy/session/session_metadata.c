#include "proxy/session/session_metadata.h"

#include "proxy/replay/session_replay.h"
#include "proxy/session/session_steps.h"

/* A reply that may have to come again the same is compared as one with all definitions. */
static bool needs_all(const struct session *s)
{
    return s->replay && s->replay->watching;
}

void session_feed(struct session *s, struct backend *b, uint8_t *at, size_t n,
                  struct metadata_mark *seen, struct reply_out *step)
{
    const struct prepared *p = b->expect[b->expect_head].prepared;
    size_t max_whole = worker_whole_max(s->worker);

    if (p)
        b->reply.has_columns = metadata_is_same(p->metadata.mark, *seen) && !needs_all(s);
    backend_feed(b, at, n, max_whole, step);
    if (p && (step->columns.whole || step->columns.put_in))
        *seen = p->metadata.mark;
}
