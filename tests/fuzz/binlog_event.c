/* Any bytes as events one after the other, without checksums: decoded, and put together to groups.
 */
#include "protocol/binlog/binlog_group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* As a FORMAT_DESCRIPTION of MariaDB 10.11 says. */
static struct binlog_format usual_format(void)
{
    struct binlog_format f = {.version = 4};

    memset(f.post_header, 8, sizeof f.post_header);
    f.post_header[BINLOG_TYPE_QUERY] = f.post_header[BINLOG_TYPE_QUERY_COMPRESSED] = 13;
    f.post_header[BINLOG_TYPE_EXECUTE_LOAD_QUERY] = 26;
    for (int type = BINLOG_TYPE_WRITE_ROWS; type <= BINLOG_TYPE_DELETE_ROWS; type++)
        f.post_header[type] = 10;
    for (int type = BINLOG_TYPE_WRITE_ROWS_COMPRESSED; type <= BINLOG_TYPE_DELETE_ROWS_COMPRESSED;
         type++)
        f.post_header[type] = 10;
    return f;
}

/* Its length is the header's, so that most get past that check. A copy: no byte beyond is read. */
static uint8_t *take_event(const uint8_t *data, size_t n, struct span *event)
{
    struct binlog_header h;
    uint8_t *copy;
    size_t size;

    if (!binlog_header_decode((struct span){data, n}, &h))
        return NULL;
    size = h.size < BINLOG_HEADER || h.size > n ? n : h.size;
    copy = malloc(size);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    for (unsigned i = 0; i < 4; i++)
        copy[9 + i] = (uint8_t)(size >> (8 * i));
    *event = (struct span){copy, size};
    return copy;
}

static void follow(struct binlog_group *g, const struct binlog_event *ev)
{
    struct binlog_change change;
    struct binlog_step step;
    struct err e;

    if (!binlog_group_feed(g, ev, &step, &e)) {
        assert(e.kind != ERR_NONE && e.text[0]);
        return;
    }
    assert(step.kind != BINLOG_STEP_ROWS || step.table);
    while (step.kind == BINLOG_STEP_ROWS && binlog_group_row(g, &change, &e) == 1)
        assert(change.before || change.after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct binlog_group *g = binlog_group_new(EVENT_MAX);
    struct binlog_format f = usual_format();
    struct buf inflated = buf_with_max(EVENT_MAX);
    struct binlog_event ev;
    struct span event;
    uint8_t *copy;
    struct err e;

    while ((copy = take_event(data, n, &event))) {
        if (binlog_event_decode(event, &f, &inflated, &ev, &e))
            follow(g, &ev);
        else
            assert((e.kind == ERR_DATA || e.kind == ERR_IO) && e.text[0]);
        f.checksum = false;
        data += event.n;
        n -= event.n;
        free(copy);
    }
    assert(inflated.cap <= EVENT_MAX);
    buf_free(&inflated);
    binlog_group_free(g);
    return 0;
}
