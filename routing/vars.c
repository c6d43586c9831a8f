#include "routing/vars.h"

#include "routing/vars_rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { VARS_MAX = 256, VARS_BYTES_MAX = 64 * 1024 };

static const char client_charset[] = "character_set_client";
static const char results_charset[] = "character_set_results";
/* No variable: the collation that character_set_results has from SET NAMES x COLLATE y. Nobody can
 * ask for it, but the definitions of columns name it. */
static const char results_collation[] = "collation of results";

/* A variable and its value, shared by the lists that hold it: name, NUL, value, NUL. */
struct var {
    int refs;
    uint32_t name_n;
    uint32_t value_n;
    uint64_t hash;
    char text[];
};

/* A list is shared by its copies and copied when one of them changes. */
struct vars_list {
    int refs;
    uint32_t count;
    uint32_t room;
    size_t bytes;
    uint64_t sum; /* of the hashes: does not depend on the order of the notes */
    struct var *at[];
};

struct vars {
    struct vars_list *list;        /* NULL: empty */
    uint32_t report;               /* 0: none was begun */
    uint32_t collated[VARS_PAIRS]; /* the report that told the pair's collation */
};

static void var_put(struct var *x)
{
    if (--x->refs == 0) {
        free(x);
    }
}

static void list_put(struct vars_list *l)
{
    if (!l || --l->refs > 0) {
        return;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        var_put(l->at[i]);
    }
    free(l);
}

struct vars *vars_new(void)
{
    return calloc(1, sizeof(struct vars));
}

void vars_free(struct vars *v)
{
    if (v) {
        list_put(v->list);
        free(v);
    }
}

void vars_clear(struct vars *v)
{
    list_put(v->list);
    v->list = NULL;
}

void vars_copy(struct vars *to, const struct vars *from)
{
    if (to->list == from->list) {
        return;
    }
    list_put(to->list);
    to->list = from->list;
    if (to->list) {
        to->list->refs++;
    }
}

static uint32_t count_of(const struct vars *v)
{
    return v->list ? v->list->count : 0;
}

static struct span name_of(const struct var *x)
{
    return (struct span){(const uint8_t *)x->text, x->name_n};
}

static struct span value_of(const struct var *x)
{
    return (struct span){(const uint8_t *)x->text + x->name_n + 1, x->value_n};
}

static int order(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* The first place whose name is not before `name`. */
static uint32_t place_of(const struct vars *v, struct span name)
{
    uint32_t low = 0;
    uint32_t high = count_of(v);

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (order(name_of(v->list->at[mid]), name) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static struct var *find(const struct vars *v, struct span name)
{
    uint32_t i = place_of(v, name);

    if (i < count_of(v) && span_same(name_of(v->list->at[i]), name)) {
        return v->list->at[i];
    }
    return NULL;
}

static struct var *var_new(struct span name, struct span value)
{
    size_t n = name.n + 1 + value.n + 1;
    struct var *x = malloc(sizeof(*x) + n);

    if (!x) {
        return NULL;
    }
    x->refs = 1;
    x->name_n = (uint32_t)name.n;
    x->value_n = (uint32_t)value.n;
    memcpy(x->text, name.p, name.n);
    x->text[name.n] = 0;
    if (value.n) {
        memcpy(x->text + name.n + 1, value.p, value.n);
    }
    x->text[n - 1] = 0;
    x->hash = XXH3_64bits(x->text, n);
    return x;
}

/* A list of its own with room for one more; false where memory refuses. */
static bool own(struct vars *v)
{
    const struct vars_list *old = v->list;
    uint32_t count = count_of(v);
    uint32_t room = count < 8 ? 8 : count * 2;
    struct vars_list *l;

    if (old && old->refs == 1 && old->count < old->room) {
        return true;
    }
    l = calloc(1, sizeof(*l) + room * sizeof(struct var *));
    if (!l) {
        return false;
    }
    l->refs = 1;
    l->room = room;
    l->count = count;
    for (uint32_t i = 0; i < count; i++) {
        l->at[i] = old->at[i];
        l->at[i]->refs++;
    }
    if (old) {
        l->bytes = old->bytes;
        l->sum = old->sum;
    }
    list_put(v->list);
    v->list = l;
    return true;
}

static size_t var_bytes(const struct var *x)
{
    return sizeof(*x) + x->name_n + x->value_n + 2;
}

static void put(struct vars_list *l, uint32_t at, struct var *x)
{
    bool replaces = at < l->count && span_same(name_of(l->at[at]), name_of(x));

    if (replaces) {
        l->bytes -= var_bytes(l->at[at]);
        l->sum -= l->at[at]->hash;
        var_put(l->at[at]);
    } else {
        memmove(&l->at[at + 1], &l->at[at], (l->count - at) * sizeof(struct var *));
        l->count++;
    }
    l->at[at] = x;
    l->bytes += var_bytes(x);
    l->sum += x->hash;
}

static bool fits(const struct vars *v, struct span name, struct span value)
{
    size_t bytes = v->list ? v->list->bytes : 0;

    return count_of(v) < VARS_MAX && name.n <= VARS_BYTES_MAX && value.n <= VARS_BYTES_MAX &&
           bytes + name.n + value.n <= VARS_BYTES_MAX;
}

static bool drop(struct vars *v, struct span name)
{
    uint32_t i = place_of(v, name);
    struct vars_list *l;

    if (!find(v, name))
        return true;
    if (!own(v))
        return false;
    l = v->list;
    l->bytes -= var_bytes(l->at[i]);
    l->sum -= l->at[i]->hash;
    var_put(l->at[i]);
    l->count--;
    memmove(&l->at[i], &l->at[i + 1], (l->count - i) * sizeof(struct var *));
    return true;
}

void vars_report(struct vars *v)
{
    v->report++;
    if (v->report == 0)
        v->report = 1;
}

/* Only what was told last of a pair is kept: it determines both. In one report the order says
 * nothing, and the collation says all. */
static enum vars_set note_pair(struct vars *v, int i, struct span name, bool *known)
{
    const struct vars_pair *pair = &vars_pairs[i];
    bool collation = span_eq(name, pair->collation);

    *known = !collation && v->report && v->collated[i] == v->report;
    if (*known)
        return VARS_CARRIED;
    v->collated[i] = collation ? v->report : 0;
    return drop(v, span_of(collation ? pair->charset : pair->collation)) ? VARS_CARRIED : VARS_FULL;
}

static enum vars_set note(struct vars *v, struct span name, struct span value)
{
    struct var *x;

    x = find(v, name);
    if (x && span_same(value_of(x), value)) {
        return VARS_CARRIED;
    }
    if (!fits(v, name, value)) {
        return VARS_FULL;
    }
    x = var_new(name, value);
    if (!x) {
        return VARS_FULL;
    }
    if (!own(v)) {
        var_put(x);
        return VARS_FULL;
    }
    put(v->list, place_of(v, name), x);
    return VARS_CARRIED;
}

enum vars_set vars_note(struct vars *v, struct span name, struct span value)
{
    enum vars_set rule = vars_rule(name);
    bool known = false;
    int pair;

    if (rule == VARS_PINS_ON)
        rule = span_is_word(value, "off") || span_eq(value, "0") ? VARS_CARRIED : VARS_PINS;
    if (rule != VARS_CARRIED)
        return rule;
    name = vars_canonical(name);
    pair = vars_pair_of(name);
    if (pair >= 0) {
        rule = note_pair(v, pair, name, &known);
        if (rule != VARS_CARRIED || known)
            return rule;
    }
    if (span_eq(name, results_charset) && !drop(v, span_of(results_collation)))
        return VARS_FULL;
    return note(v, name, value);
}

enum vars_set vars_note_names(struct vars *v, struct span collation)
{
    enum vars_set set = vars_note(v, span_of(vars_pairs[VARS_CONNECTION].collation), collation);

    return set == VARS_CARRIED ? note(v, span_of(results_collation), collation) : set;
}

uint64_t vars_fingerprint(const struct vars *v)
{
    if (!count_of(v)) {
        return 0;
    }
    return v->list->sum ? v->list->sum : 1;
}

struct span vars_value(const struct vars *v, const char *name)
{
    const struct var *x = find(v, span_of(name));

    return x ? value_of(x) : (struct span){NULL, 0};
}

void vars_take(struct vars *to, const struct vars *from, const char *name)
{
    struct span value = vars_value(from, name);

    if (value.p)
        (void)note(to, span_of(name), value);
    else
        (void)drop(to, span_of(name));
}

size_t vars_bytes(const struct vars *v)
{
    size_t list = v->list ? sizeof(*v->list) + v->list->room * sizeof(struct var *) : 0;

    return sizeof(*v) + list + (v->list ? v->list->bytes : 0);
}

/* A SET under way. */
struct setting {
    struct buf *out;
    const struct catalog *catalog;
    bool any;
    bool wide; /* see vars_is_wide */
};

/* One assignment; `to` NULL: back to what a new connection has. */
static void put_assignment(struct setting *s, const struct var *named, const struct var *to)
{
    buf_put_str(s->out, s->any ? "," : "SET ");
    s->any = true;
    vars_put_name(s->out, name_of(named));
    buf_put_u8(s->out, '=');
    if (to)
        vars_put_value(s->out, name_of(to), value_of(to), s->catalog, s->wide);
    else
        buf_put_str(s->out, "DEFAULT");
}

static bool differ(const struct var *a, const struct var *b)
{
    return !a || !b || !span_same(value_of(a), value_of(b));
}

static void put_one(struct setting *s, const struct var *a, const struct var *b)
{
    if ((a || b) && differ(a, b))
        put_assignment(s, b ? b : a, b);
}

/* Of a pair at most one is in a list. */
static const struct var *find_pair(const struct vars *v, const struct vars_pair *pair)
{
    const struct var *x = find(v, span_of(pair->collation));

    return x ? x : find(v, span_of(pair->charset));
}

static void put_pair(struct setting *s, const struct var *a, const struct var *b)
{
    if (a && b && !span_same(name_of(a), name_of(b)))
        put_assignment(s, b, b);
    else
        put_one(s, a, b);
}

static struct span sql_mode(void)
{
    return span_of("sql_mode");
}

static bool is_ordered(struct span name)
{
    return span_same(name, sql_mode()) || vars_pair_of(name) >= 0 ||
           span_eq(name, client_charset) || span_eq(name, results_charset) ||
           span_eq(name, results_collation);
}

static void put_name(struct setting *s, const char *before, struct span name)
{
    buf_put_str(s->out, before);
    buf_put_u8(s->out, '\'');
    buf_put_span(s->out, name);
    buf_put_u8(s->out, '\'');
}

/* SET NAMES, and what has been set otherwise since then. */
static void put_names(struct setting *s, const struct var *charset, const struct vars *to,
                      const struct var *collation)
{
    const struct var *client = find(to, span_of(client_charset));
    const struct var *connection = find_pair(to, &vars_pairs[VARS_CONNECTION]);

    put_name(s, s->any ? ",NAMES " : "SET NAMES ", value_of(charset));
    put_name(s, " COLLATE ", value_of(collation));
    s->any = true;
    if (client && differ(client, charset))
        put_assignment(s, client, client);
    if (connection && differ(connection, collation))
        put_assignment(s, connection, connection);
}

/* Of the client, the connection and the results. */
static void put_charsets(struct setting *s, const struct vars *from, const struct vars *to)
{
    const struct var *before = find(from, span_of(results_collation));
    const struct var *collation = find(to, span_of(results_collation));
    const struct var *from_charset = find(from, span_of(results_charset));
    const struct var *charset = find(to, span_of(results_charset));

    if (collation && charset && differ(before, collation)) {
        put_names(s, charset, to, collation);
        return;
    }
    put_pair(s, find_pair(from, &vars_pairs[VARS_CONNECTION]),
             find_pair(to, &vars_pairs[VARS_CONNECTION]));
    put_one(s, find(from, span_of(client_charset)), find(to, span_of(client_charset)));
    if (before && !collation && from_charset)
        put_assignment(s, charset ? charset : from_charset, charset);
    else
        put_one(s, from_charset, charset);
}

static bool is_wide(const struct vars *v)
{
    const struct var *x = find_pair(v, &vars_pairs[VARS_CONNECTION]);

    return x && vars_is_wide(value_of(x));
}

static const struct var *at(const struct vars *v, uint32_t i)
{
    return i < count_of(v) ? v->list->at[i] : NULL;
}

/* Which of two heads comes first; an ended list comes last. */
static int order_of(const struct var *a, const struct var *b)
{
    if (!a || !b)
        return a ? -1 : 1;
    return order(name_of(a), name_of(b));
}

/* The lists are sorted: what stands in one, the other or both. */
static void put_rest(struct setting *s, const struct vars *from, const struct vars *to)
{
    uint32_t i = 0;
    uint32_t j = 0;

    while (i < count_of(from) || j < count_of(to)) {
        int which = order_of(at(from, i), at(to, j));
        const struct var *a = which <= 0 ? at(from, i++) : NULL;
        const struct var *b = which >= 0 ? at(to, j++) : NULL;

        assert(a || b);
        if (!is_ordered(name_of(b ? b : a)))
            put_one(s, a, b);
    }
}

void vars_difference(struct buf *out, const struct vars *from, const struct vars *to,
                     const struct catalog *c)
{
    struct setting s = {.out = out, .catalog = c, .wide = is_wide(from)};

    if (from->list == to->list)
        return;
    put_one(&s, find(from, sql_mode()), find(to, sql_mode()));
    put_charsets(&s, from, to);
    put_pair(&s, find_pair(from, &vars_pairs[VARS_SERVER]),
             find_pair(to, &vars_pairs[VARS_SERVER]));
    put_rest(&s, from, to);
}
