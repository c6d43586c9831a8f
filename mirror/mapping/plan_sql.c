#include "mirror/mapping/plan_page.h"

#include "mirror/mapping/plan_part.h"

#include <assert.h>
#include <ctype.h>

enum { LINKS_OF_NUMBERS = 5000, LINKS_OF_OTHERS = 400 }; /* in one statement */

static void put_hex(struct buf *out, struct span text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < text.n; i++) {
        buf_put_u8(out, (uint8_t)digits[text.p[i] >> 4]);
        buf_put_u8(out, (uint8_t)digits[text.p[i] & 15]);
    }
}

/* Numbers and times come from a server's own printing; whatever else is no number. */
static bool plain(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!isdigit(text.p[i]) && (text.p[i] == 0 || !strchr("+-.: ", text.p[i])))
            return false;
    return text.n > 0;
}

void plan_literal(struct buf *out, enum map_class class, struct span text)
{
    bool numeric = class == MAP_CLASS_NUMBER && plain(text);
    bool time = class == MAP_CLASS_TIME && plain(text);

    if (numeric || time) {
        buf_put_str(out, time ? "'" : "");
        buf_put_span(out, text);
        buf_put_str(out, time ? "'" : "");
        return;
    }
    /* Hexadecimal: no quoting rules, whatever sql_mode says. */
    buf_put_str(out, class == MAP_CLASS_BYTES ? "x'" : "_utf8mb4 x'");
    put_hex(out, text);
    buf_put_str(out, "'");
}

/* Whether a tuple differs from the one before in its last column only. */
static bool goes_on(const struct plan_in *in, const struct span *tuple)
{
    for (int i = 0; i < in->n_names - 1; i++)
        if (!span_same(in->last[i], tuple[i]))
            return false;
    return in->n > 0;
}

/* "(a = 1 AND b = 2 AND c IN (" */
static void begin_list(struct plan_in *in, const struct span *tuple)
{
    int last = in->n_names - 1;

    buf_put_str(in->out, in->n ? ")) OR (" : last ? "((" : "");
    for (int i = 0; i < last; i++) {
        buf_printf(in->out, "%s = ", in->names[i]);
        plan_literal(in->out, in->classes[i], tuple[i]);
        buf_put_str(in->out, " AND ");
        in->last[i] = tuple[i];
    }
    buf_printf(in->out, "%s IN (", in->names[last]);
}

void plan_in_add(struct plan_in *in, const struct span *tuple)
{
    if (goes_on(in, tuple))
        buf_put_str(in->out, ",");
    else
        begin_list(in, tuple);
    plan_literal(in->out, in->classes[in->n_names - 1], tuple[in->n_names - 1]);
    in->n++;
}

void plan_in_end(struct plan_in *in)
{
    buf_put_str(in->out, in->n == 0 ? "FALSE" : in->n_names > 1 ? ")))" : ")");
}

void plan_rows_add(struct buf *out, const char *name, const struct span *row, int n, bool first)
{
    if (first)
        buf_printf(out, "WITH %s (", name);
    for (int i = 0; first && i < n; i++)
        buf_printf(out, "%sk%d", i ? ", " : "", i);
    buf_put_str(out, first ? ") AS (VALUES (" : ",(");
    for (int i = 0; i < n; i++) {
        buf_put_str(out, i ? "," : "");
        plan_literal(out, MAP_CLASS_NUMBER, row[i]);
    }
    buf_put_str(out, ")");
}

void plan_rows_end(struct buf *out)
{
    buf_put_str(out, ") ");
}

/* A table of the handles that the statement begins with. MariaDB plans conditions on two columns of
 * a row each by the statistics it has, and may read all of the table for some hundreds of them. */
static void put_links(struct buf *out, const struct plan_walk *w, const struct keyset *links,
                      size_t from, size_t to)
{
    struct span tuple[MAP_KEY_MAX];

    for (size_t i = from; i < to; i++) {
        keyset_get(links, i, tuple);
        plan_rows_add(out, "links", tuple, w->n_handle, i == from);
    }
    plan_rows_end(out);
    buf_printf(out, "%slinks, %s", w->select, w->from);
    for (int k = 0; k < w->n_handle; k++)
        buf_printf(out, "%s%s = links.k%d", k ? " AND " : "", w->match[k], k);
}

/* Texts have collations that such a table would have to meet. */
static void put_in(struct buf *out, const struct plan_walk *w, const enum map_class *classes,
                   const struct keyset *links, size_t from, size_t to)
{
    struct plan_in in = plan_in_begin(out, w->match, classes, w->n_handle);
    struct span tuple[MAP_KEY_MAX];

    buf_put_str(out, w->select);
    buf_put_str(out, w->from);
    for (size_t i = from; i < to; i++) {
        keyset_get(links, i, tuple);
        plan_in_add(&in, tuple);
    }
    plan_in_end(&in);
}

size_t plan_walk_put(struct buf *out, const struct plan_walk *w, const enum map_class *classes,
                     const struct keyset *links, size_t from)
{
    bool numbers = true;
    size_t most;
    size_t to;

    for (int i = 0; i < w->n_handle; i++)
        numbers = numbers && classes[i] == MAP_CLASS_NUMBER;
    most = numbers ? LINKS_OF_NUMBERS : LINKS_OF_OTHERS;
    to = links->n - from < most ? links->n : from + most;
    if (numbers)
        put_links(out, w, links, from, to);
    else
        put_in(out, w, classes, links, from, to);
    return to;
}

/* (a > x) OR (a = x AND b > y) OR …: the form that is read as ranges of an index. */
void plan_after(struct buf *out, const struct plan *p, const enum map_class *classes,
                const struct span *tuple)
{
    for (int i = 0; i < p->n_key; i++) {
        buf_put_str(out, i ? " OR (" : "((");
        for (int k = 0; k <= i; k++) {
            buf_printf(out, "%s%s %s ", k ? " AND " : "", p->key_names[k], k < i ? "=" : ">");
            plan_literal(out, classes[k], tuple[k]);
        }
        buf_put_str(out, ")");
    }
    buf_put_str(out, ")");
}

/* (a > x) OR (a = x AND b > y) …, and with `equal` at last (a = x AND b = y). */
static void put_beyond(struct buf *out, const struct plan *p, const char *sign, bool equal,
                       const struct span *tuple)
{
    int n = p->page.n_element;

    for (int i = 0; i < n + equal; i++) {
        buf_put_str(out, i ? " OR (" : "((");
        for (int k = 0; k <= i && k < n; k++) {
            buf_printf(out, "%s%s %s ", k ? " AND " : "", p->page.element_names[k],
                       k < i ? "=" : sign);
            plan_literal(out, MAP_CLASS_NUMBER, tuple[k]);
        }
        buf_put_str(out, ")");
    }
    buf_put_str(out, ")");
}

void plan_range(struct buf *out, const struct plan *p, const struct span *from,
                const struct span *to)
{
    if (from) {
        buf_put_str(out, " AND ");
        put_beyond(out, p, ">", true, from);
    }
    if (to) {
        buf_put_str(out, " AND ");
        put_beyond(out, p, "<", false, to);
    }
}

void plan_key_order(struct buf *out, const struct plan *p, unsigned limit)
{
    for (int i = 0; i < p->n_key; i++)
        buf_printf(out, "%s%s", i ? ", " : " ORDER BY ", p->key_names[i]);
    buf_printf(out, " LIMIT %u", limit);
}

static void put_columns(struct buf *out, const struct map_table *t, int index)
{
    buf_put_str(out, "(SELECT ");
    for (int i = 0; i < t->n_columns; i++)
        buf_printf(out, "%s`%s`", i ? ", " : "", t->columns[i].name);
    buf_printf(out, " FROM `%s`.`%s`) AS t%d", t->database, t->name, index);
}

void plan_probe(const struct aggregate *a, const struct map_expr *x, struct buf *out)
{
    buf_put_str(out, "SELECT ");
    for (int i = 0; i < x->n; i++) {
        struct map_ref r = x->pieces[i].ref;

        buf_put_str(out, x->pieces[i].text);
        if (r.table >= 0)
            plan_put_ref(out, a, r);
    }
    for (int i = 0; i < x->n; i++) {
        if (x->pieces[i].ref.table < 0)
            continue;
        buf_put_str(out, ", ");
        plan_put_ref(out, a, x->pieces[i].ref);
    }
    for (int i = 0; i < a->n_tables; i++) {
        buf_put_str(out, i ? ", " : " FROM ");
        put_columns(out, &a->tables[i], i);
    }
    buf_put_str(out, " LIMIT 0");
}
