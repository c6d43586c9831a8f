/* The PROXY header: no read beyond the bytes; what is told of is written and read again the same.
 */
#include "protocol/proxy_header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span in = {data, n};
    struct proxy_header h;
    struct proxy_header again;
    struct buf b = buf_with_max(1024);
    enum proxy_found found = proxy_header_decode(in, &h);

    if ((found == PROXY_CLIENT || found == PROXY_LOCAL) && (h.used == 0 || h.used > n))
        abort();
    if ((found == PROXY_INVALID) != (h.why[0] != 0) ||
        (found == PROXY_CLIENT) != (h.address[0] != 0))
        abort();
    if (found == PROXY_CLIENT) {
        proxy_header_encode(&b, h.address);
        if (proxy_header_decode(buf_span(&b), &again) != PROXY_CLIENT ||
            strcmp(again.address, h.address) != 0)
            abort();
    }
    buf_free(&b);
    return 0;
}
