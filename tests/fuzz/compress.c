/* Compressed frames in pieces and rooms that the first two bytes choose (the highest bit of the
 * second: by zstd): never more than the room, nothing made of nothing. */
#include "protocol/compress.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t out[256];
    struct compress c;
    size_t total = 0;

    if (n < 2)
        return 0;
    compress_init(&c, data[1] & 0x80 ? COMPRESS_ZSTD : COMPRESS_ZLIB, 3);
    for (size_t at = 2, end; at < n; at = end) {
        struct span in;
        size_t made = 1;

        end = n - at > data[0] ? at + data[0] + 1 : n;
        in = (struct span){data + at, end - at};
        while (made > 0 && total < 1 << 20) {
            if (!compress_read(&c, &in, out, (size_t)data[1] + 1, &made)) {
                compress_free(&c);
                return 0;
            }
            if (made > (size_t)data[1] + 1)
                abort();
            total += made;
            if (compress_is_ahead(&c))
                compress_next(&c);
        }
        if (in.n == end - at)
            break; /* less than a header at hand: a caller keeps it and comes with more */
        end -= in.n;
    }
    compress_free(&c);
    return 0;
}
