/* GTID positions: under any text no read beyond it, and what was read and is written again reads
 * the same. */
#include "protocol/gtid.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void abort_unless(bool ok)
{
    if (!ok)
        abort();
}

static void check_set(const struct gtid_set *s)
{
    char text[GTID_SET_TEXT_MAX];
    struct gtid_set again;
    struct gtid_set merged = {0};

    gtid_set_format(s, text, sizeof text);
    abort_unless(gtid_set_parse(span_of(text), &again) && gtid_set_equal(s, &again));
    abort_unless(gtid_set_covers(s, &again) && gtid_set_merge(&merged, s));
    abort_unless(gtid_set_equal(&merged, s) && gtid_set_merge(&merged, s));
    for (uint32_t i = 0; i < s->count; i++) {
        struct gtid next = s->at[i];

        abort_unless(i == 0 || s->at[i - 1].domain < next.domain);
        if (next.seq == UINT64_MAX)
            continue;
        next.seq++;
        abort_unless(gtid_set_advance(&merged, &next));
        abort_unless(gtid_set_covers(&merged, s) && !gtid_set_covers(s, &merged));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span text = {data, n};
    struct gtid_set set;
    struct gtid one;

    if (gtid_set_parse(text, &set))
        check_set(&set);
    if (gtid_parse(text, &one))
        abort_unless(gtid_set_parse(text, &set) && set.count == 1 && set.at[0].seq == one.seq);
    return 0;
}
