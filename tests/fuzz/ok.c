/* OK, EOF and ERR packets and session-state changes: under any bytes no read beyond them; what was
 * read and is written again reads the same. The first byte holds the capabilities. */
#include "protocol/ok.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void abort_unless(bool ok)
{
    if (!ok)
        abort();
}

static bool same(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void walk(struct span changes)
{
    struct change_iter it = change_iter_of(changes);
    struct change c;
    size_t seen = 0;

    while (change_next(&it, &c) == 1) {
        abort_unless(c.name.n + c.value.n <= changes.n);
        seen += 1;
    }
    abort_unless(seen <= changes.n);
}

static void again(const struct ok *ok, uint64_t caps)
{
    struct buf b = buf_with_max(1 << 20);
    struct ok second;

    ok_encode(&b, ok, caps);
    abort_unless(ok_decode(buf_span(&b), caps, &second));
    abort_unless(ok->warnings == second.warnings && ok->header == second.header);
    if (caps & CAP_DEPRECATE_EOF || ok->header == 0) {
        abort_unless(ok->affected_rows == second.affected_rows);
        abort_unless(ok->last_insert_id == second.last_insert_id);
        abort_unless(same(ok->info, second.info));
        abort_unless(!(caps & CAP_SESSION_TRACK) || same(ok->changes, second.changes));
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct server_error e;
    struct span in;
    uint64_t caps = 0;
    struct ok ok;

    if (n < 1)
        return 0;
    in = (struct span){data + 1, n - 1};
    caps |= data[0] & 1 ? CAP_SESSION_TRACK : 0;
    caps |= data[0] & 2 ? CAP_DEPRECATE_EOF : 0;
    if (ok_decode(in, caps, &ok)) {
        walk(ok.changes);
        again(&ok, caps);
    }
    if (error_decode(in, &e))
        abort_unless(strlen(e.sqlstate) <= 5 && e.message.n <= in.n);
    walk(in);
    return 0;
}
