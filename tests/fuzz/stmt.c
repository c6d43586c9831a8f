/* COM_STMT_EXECUTE: under any bytes no read beyond them, and more bytes never undo an answer. The
 * first two bytes are the number of parameters. */
#include "protocol/stmt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void abort_unless(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cursor c = cursor_of(data, n);
    uint16_t params = cursor_u16(&c);
    struct span in = cursor_rest(&c);
    struct stmt_execute whole;
    struct stmt_execute part;
    int last = 0;
    uint32_t id;

    if (!cursor_ok(&c))
        return 0;
    for (size_t i = 0; i < in.n && last == 0; i++)
        last = stmt_execute_decode((struct span){in.p, i}, params, &part);
    if (stmt_execute_decode(in, params, &whole) == 1) {
        abort_unless(whole.types.n == (whole.has_types ? 2 * (size_t)params : 0));
        abort_unless(whole.bound_at < in.n);
        abort_unless(last != -1);
        abort_unless(last == 0 || part.types.n == whole.types.n);
        abort_unless(stmt_id_of(in, &id) && id == whole.stmt_id);
    } else {
        abort_unless(last != 1);
    }
    return 0;
}
