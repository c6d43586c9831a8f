#include "mirror/document/table_size.h"

#include "mirror/mapping/plan.h"

#include <stdlib.h>

static uint64_t number(struct span cell)
{
    return cell.p ? strtoull((const char *)cell.p, NULL, 10) : 0;
}

bool table_size(const struct map_table *t, struct source *s, struct table_size *out, struct err *e)
{
    struct buf sql = buf_with_max(PLAN_SQL_MAX);
    struct rows *r;

    *out = (struct table_size){0, 0};
    buf_put_str(&sql, "SELECT table_rows, data_length FROM information_schema.tables"
                      " WHERE table_schema = ");
    plan_literal(&sql, MAP_CLASS_TEXT, span_of(t->database));
    buf_put_str(&sql, " AND table_name = ");
    plan_literal(&sql, MAP_CLASS_TEXT, span_of(t->name));
    r = source_query(s, buf_span(&sql), e);
    buf_free(&sql);
    if (!r)
        return false;
    if (rows_next(r))
        *out = (struct table_size){number(r->cells[0]), number(r->cells[1])};
    rows_free(r);
    return true;
}
