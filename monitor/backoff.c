#include "monitor/backoff.h"

uint64_t backoff_next(struct backoff *b, enum probe_result r, uint64_t interval_ns)
{
    uint64_t cap = r == PROBE_DENIED ? BACKOFF_DENIED_NS : BACKOFF_DOWN_NS;

    if (r == PROBE_OK) {
        b->delay_ns = 0;
        return interval_ns;
    }
    if (cap < interval_ns)
        cap = interval_ns;
    b->delay_ns = b->delay_ns && b->delay_ns <= cap / 2 ? b->delay_ns * 2
                  : b->delay_ns                         ? cap
                                                        : interval_ns;
    return b->delay_ns;
}
