#include "mirror/mapping/plan_page.h"

#include "unit/mirror_map.h"

#include <stdio.h>

static void check_level(const struct plan *p, int level, const char *head, const char *tail)
{
    assert_string_equal(p->levels[level].head, head);
    assert_string_equal(p->levels[level].tail, tail);
}

static void test_fetch(void **state)
{
    struct map_test t;

    (void)state;
    map_test_begin(&t, map_test_shop);
    check_level(t.plan, 0,
                "SELECT STRAIGHT_JOIN t0.`id`, t0.`id`, CONCAT(t0.`firstName`, ' {x} ', t1.`city`)"
                " FROM `pos`.`Customer` AS t0 LEFT JOIN `pos`.`City` AS t1 ON t1.`zip` = t0.`zip`"
                " WHERE ",
                " ORDER BY t0.`id`");
    check_level(
        t.plan, 1,
        "SELECT STRAIGHT_JOIN t0.`id`, t2.`id`, t2.`id`, (SELECT STRAIGHT_JOIN"
        " COALESCE(SUM(t3.`quantity` * t4.`price`), 0) FROM `pos`.`Line` AS t3 JOIN"
        " `pos`.`Product` AS t4 ON t4.`id` = t3.`product_id` WHERE t3.`order_id` = t2.`id`)"
        " FROM `pos`.`Customer` AS t0 JOIN `pos`.`Order` AS t2 ON t2.`customer_id` = t0.`id`"
        " WHERE ",
        " AND (t2.`placed` IS NOT NULL) ORDER BY t0.`id`, t2.`placed` DESC, t2.`id`");
    check_level(
        t.plan, 2,
        "SELECT STRAIGHT_JOIN t0.`id`, t2.`id`, t3.`product_id`, t4.`name`, t3.`quantity`"
        " FROM `pos`.`Customer` AS t0 JOIN `pos`.`Order` AS t2 ON t2.`customer_id` = t0.`id`"
        " JOIN `pos`.`Line` AS t3 ON t3.`order_id` = t2.`id` JOIN `pos`.`Product` AS t4 ON"
        " t4.`id` = t3.`product_id` WHERE ",
        " AND (t2.`placed` IS NOT NULL) ORDER BY t0.`id`, t2.`placed` DESC, t2.`id`,"
        " t3.`product_id`");
    assert_int_equal(t.plan->levels[2].n_path, 3);
    assert_int_equal(t.plan->levels[2].n_parent_path, 2);
    assert_string_equal(t.plan->keys, "SELECT t0.`id` FROM `pos`.`Customer` AS t0 WHERE ");
    map_test_end(&t);
}

static void check_walk(const struct plan_walk *w, const char *select, const char *from)
{
    char text[256];

    (void)snprintf(text, sizeof text, "SELECT STRAIGHT_JOIN DISTINCT %s FROM ", select);
    assert_string_equal(w->select, text);
    assert_string_equal(w->from, from);
}

static void test_walks(void **state)
{
    struct map_test t;

    (void)state;
    map_test_begin(&t, map_test_shop);
    assert_true(t.plan->walks[0].direct);
    check_walk(&t.plan->walks[1], "t0.`id`", "`pos`.`Customer` AS t0 WHERE ");
    assert_string_equal(t.plan->walks[1].match[0], "t0.`zip`");
    assert_true(t.plan->walks[2].direct); /* Order.customer_id is the root's key */
    check_walk(&t.plan->walks[3], "t2.`customer_id`", "`pos`.`Order` AS t2 WHERE ");
    assert_string_equal(t.plan->walks[3].match[0], "t2.`id`");
    check_walk(&t.plan->walks[4], "t2.`customer_id`",
               "`pos`.`Line` AS t3 JOIN `pos`.`Order` AS t2 ON t3.`order_id` = t2.`id` WHERE ");
    assert_string_equal(t.plan->walks[4].match[0], "t3.`product_id`");
    map_test_end(&t);
}

static const char grouped[] = "- collection: p\n"
                              "  table: d.P\n"
                              "  key: [a, b]\n"
                              "  fields: {A: a}\n"
                              "  arrays:\n"
                              "    Buyers:\n"
                              "      table: d.L\n"
                              "      on: {pb: b, pa: a}\n"
                              "      joins: [{table: d.C, on: {id: c}, required: true}]\n"
                              "      group_by: [C.id]\n"
                              "      fields:\n"
                              "        N: {sum: q, type: int}\n"
                              "        Rows: {count: q}\n";

static void test_grouped_composite(void **state)
{
    struct map_test t;

    (void)state;
    map_test_begin(&t, grouped);
    check_level(
        t.plan, 1,
        "SELECT STRAIGHT_JOIN t0.`a`, t0.`b`, t2.`id`, CAST(COALESCE(SUM(t1.`q`), 0) AS"
        " DECIMAL(65,0)), COUNT(t1.`q`) FROM `d`.`P` AS t0 JOIN `d`.`L` AS t1 ON t1.`pb` = t0.`b`"
        " AND t1.`pa` = t0.`a` JOIN `d`.`C` AS t2 ON t2.`id` = t1.`c` WHERE ",
        " GROUP BY t0.`a`, t0.`b`, t2.`id` ORDER BY t0.`a`, t0.`b`, t2.`id`");
    assert_true(t.plan->walks[1].direct);
    assert_int_equal(t.plan->walks[1].direct_at[0], 1);
    assert_int_equal(t.plan->walks[1].direct_at[1], 0);
    check_walk(&t.plan->walks[2], "t1.`pa`, t1.`pb`", "`d`.`L` AS t1 WHERE ");
    map_test_end(&t);
}

static void check_tail(const struct map_test *t, int level, int by, const char *sql)
{
    struct buf out = buf_with_max(1000);

    assert_int_equal(plan_tail(&out, t->plan, level), by);
    assert_string_equal(buf_text(&out), sql);
    buf_free(&out);
}

/* Rows whose order is that of their numbers are put in order by the reader. */
static void test_tails(void **state)
{
    struct map_test t;

    (void)state;
    map_test_begin(&t, grouped);
    map_test_classes(&t, MAP_CLASS_NUMBER);
    check_tail(&t, 0, 2, "");
    check_tail(&t, 1, 3, " GROUP BY t0.`a`, t0.`b`, t2.`id` ORDER BY NULL");
    map_test_classes(&t, MAP_CLASS_TEXT);
    check_tail(&t, 0, 0, " ORDER BY t0.`a`, t0.`b`");
    map_test_end(&t);
    map_test_begin(&t, map_test_shop);
    map_test_classes(&t, MAP_CLASS_NUMBER);
    check_tail(&t, 0, 1, "");
    check_tail(&t, 1, 0, t.plan->levels[1].tail); /* it has an order of its own … */
    check_tail(&t, 2, 0, t.plan->levels[2].tail); /* … and so has what is inside it */
    map_test_end(&t);
}

/* A product's buyers, up to the tables that are joined. */
#define BUYERS                                              \
    "- collection: p\n"                                     \
    "  table: d.P\n"                                        \
    "  key: [id]\n"                                         \
    "  fields: {A: a}\n"                                    \
    "  arrays:\n"                                           \
    "    Buyers:\n"                                         \
    "      table: d.L\n"                                    \
    "      on: {p: id}\n"                                   \
    "      joins:\n"                                        \
    "        - {table: d.O, on: {id: o}, required: true}\n" \
    "        - {table: d.C, on: {id: O.c}, required: true}\n"

static const char late[] = BUYERS "      group_by: [C.id]\n"
                                  "      where: \"{q} > 0\"\n"
                                  "      fields:\n"
                                  "        Name: {sql: \"CONCAT({C.a}, {C.b})\"}\n"
                                  "        N: {sum: q, type: int}\n";

static const char late_head[] =
    "SELECT STRAIGHT_JOIN g.c0, t3.`id`, CONCAT(t3.`a`, t3.`b`), g.f1 FROM (SELECT STRAIGHT_JOIN"
    " t0.`id` AS c0, t2.`c` AS c1, CAST(COALESCE(SUM(t1.`q`), 0) AS DECIMAL(65,0)) AS f1 FROM"
    " `d`.`P` AS t0 JOIN `d`.`L` AS t1 ON t1.`p` = t0.`id` JOIN `d`.`O` AS t2 ON t2.`id` = t1.`o`"
    " WHERE ";

/* A joined table whose key makes the groups is joined to them: where all of that is known, and no
 * other column is wanted. */
static void test_late(void **state)
{
    struct map_test t;
    struct aggregate *a;

    (void)state;
    map_test_begin(&t, late);
    a = t.mapping->aggregates[0];
    assert_string_equal(plan_head(t.plan, 1), t.plan->levels[1].head);
    map_test_classes(&t, MAP_CLASS_NUMBER);
    a->levels[1].ops[1].exact = true;
    assert_string_equal(plan_head(t.plan, 1), t.plan->levels[1].head);
    a->tables[3].unique = true;
    assert_string_equal(plan_head(t.plan, 1), late_head);
    check_tail(&t, 1, 2,
               " AND (t1.`q` > 0) GROUP BY t0.`id`, t2.`c` ORDER BY NULL) AS g JOIN `d`.`C` AS t3"
               " ON t3.`id` = g.c1");
    a->tables[2].columns[a->tables[3].on_parent[0]].class = MAP_CLASS_TEXT;
    assert_string_equal(plan_head(t.plan, 1), t.plan->levels[1].head);
    map_test_end(&t);
}

static void test_not_late(void **state)
{
    static const char *const others[][2] = {
        {"{q} > 0", "{C.a} > 0"},         /* a condition on it */
        {"{sum: q, ", "{sum: C.q, "},     /* a sum over it */
        {"{C.a}, {C.b}", "{C.a}, {O.b}"}, /* a value beside it */
        {"required: true}\n      group", "required: false}\n      group"},
        {"group_by: [C.id]", "group_by: [C.no]"},
        {"group_by: [C.id]", "group_by: [C.id]\n      page: 9"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char text[sizeof late + 100];
        const char *at = strstr(late, others[i][0]);
        struct map_test t;

        if (!at) {
            fail_msg("%s", others[i][0]);
            return;
        }
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - late), late, others[i][1],
                       at + strlen(others[i][0]));
        map_test_begin(&t, text);
        assert_null(t.plan->levels[1].late_head);
        map_test_end(&t);
    }
}

static const char paged[] = BUYERS "        - {table: d.Z, on: {zip: C.zip}}\n"
                                   "      group_by: [C.id]\n"
                                   "      page: 100\n"
                                   "      fields: {City: {max: Z.city}}\n";

/* Each row inside leads to roots and elements, by what it says itself or by what it hangs on. */
static void test_pairs(void **state)
{
    static const char show[] = "t1.`p`, t3.`id`";
    const struct plan_walk *w;
    struct map_test t;

    (void)state;
    map_test_begin(&t, paged);
    w = &t.plan->page.pairs[1];
    assert_false(w->direct);
    check_walk(w, show,
               "`d`.`L` AS t1 JOIN `d`.`O` AS t2 ON t2.`id` = t1.`o`"
               " JOIN `d`.`C` AS t3 ON t3.`id` = t2.`c` WHERE ");
    assert_int_equal(w->n_handle, 2);
    assert_string_equal(w->match[0], "t1.`p`");
    assert_string_equal(w->match[1], "t1.`o`");
    w = &t.plan->page.pairs[2]; /* an order that moved to another customer */
    check_walk(w, show,
               "`d`.`O` AS t2 JOIN `d`.`L` AS t1 ON t2.`id` = t1.`o`"
               " JOIN `d`.`C` AS t3 ON t3.`id` = t2.`c` WHERE ");
    assert_int_equal(w->n_handle, 2);
    assert_string_equal(w->match[0], "t2.`id`");
    assert_string_equal(w->match[1], "t2.`c`");
    w = &t.plan->page.pairs[4]; /* a city: by the customers who live there */
    check_walk(w, show,
               "`d`.`C` AS t3 JOIN `d`.`O` AS t2 ON t3.`id` = t2.`c`"
               " JOIN `d`.`L` AS t1 ON t2.`id` = t1.`o` WHERE ");
    assert_string_equal(w->match[0], "t3.`zip`");
    assert_non_null(strstr(t.plan->page.bounds,
                           "WITH elements (k0, n) AS (SELECT t3.`id`, ROW_NUMBER() OVER (ORDER BY "
                           "t3.`id`) FROM "));
    assert_string_equal(t.plan->page.bounds_tail,
                        " GROUP BY t3.`id`) SELECT k0 FROM elements WHERE n > 1 AND 1 = n % ");
    assert_string_equal(t.plan->page.count, "SELECT t1.`p`, COUNT(*) FROM `d`.`L` AS t1 WHERE ");
    map_test_end(&t);
}

static void test_range(void **state)
{
    const struct span from = span_of("-7");
    const struct span to = span_of("12");
    struct buf out = buf_with_max(10000);
    struct map_test t;

    (void)state;
    map_test_begin(&t, paged);
    plan_range(&out, t.plan, &from, &to);
    assert_string_equal(buf_text(&out),
                        " AND ((t3.`id` > -7) OR (t3.`id` = -7)) AND ((t3.`id` < 12))");
    buf_clear(&out);
    plan_range(&out, t.plan, NULL, NULL);
    assert_int_equal(out.len, 0);
    buf_free(&out);
    map_test_end(&t);
}

static void check_page_head(const char *yaml, const char *wanted)
{
    struct buf out = buf_with_max(10000);
    struct map_test t;

    map_test_begin(&t, yaml);
    plan_page_head(&out, t.plan, t.plan->a->paged);
    assert_memory_equal(out.data, wanted, strlen(wanted));
    buf_clear(&out);
    plan_page_head(&out, t.plan, 0); /* the root's own row */
    assert_string_equal(buf_text(&out), plan_head(t.plan, 0));
    buf_free(&out);
    map_test_end(&t);
}

static const char direct[] = "- collection: c\n"
                             "  table: d.C\n"
                             "  key: [id]\n"
                             "  arrays:\n"
                             "    Orders:\n"
                             "      table: d.O\n"
                             "      on: {c: id}\n"
                             "      key: [id]\n"
                             "      page: 10\n"
                             "      fields: {Order: id}\n";

/* The order of a page's tables is ours where the array's rows name their element themselves. */
static void test_page_head(void **state)
{
    (void)state;
    check_page_head(paged, "SELECT t0.");
    check_page_head(direct, "SELECT STRAIGHT_JOIN t0.`id`, t1.`id`, t1.`id` FROM");
}

static void check_changed(const struct plan *p)
{
    const struct span pairs[][2] = {{BYTES("1"), BYTES("5")}, {BYTES("-2"), BYTES("6")}};
    struct buf out = buf_with_max(10000);

    plan_rows_add(&out, "changed", pairs[0], 2, true);
    plan_rows_add(&out, "changed", pairs[1], 2, false);
    plan_rows_end(&out);
    plan_changed_head(&out, p, p->a->paged);
    assert_string_equal(buf_text(&out),
                        "WITH changed (k0, k1) AS (VALUES (1,5),(-2,6)) SELECT STRAIGHT_JOIN"
                        " t0.`id`, t1.`id`, t1.`id` FROM changed, `d`.`C` AS t0 JOIN `d`.`O` AS t1"
                        " ON t1.`c` = t0.`id` WHERE t0.`id` = changed.k0 AND t1.`id` = changed.k1");
    buf_free(&out);
}

/* Elements are read by their keys where their own rows name them and these are integers. */
static void test_changed(void **state)
{
    struct map_test t;

    (void)state;
    map_test_begin(&t, paged);
    map_test_classes(&t, MAP_CLASS_NUMBER);
    assert_false(plan_by_element(t.plan));
    map_test_end(&t);
    map_test_begin(&t, direct);
    map_test_classes(&t, MAP_CLASS_NUMBER);
    assert_false(plan_by_element(t.plan));
    map_test_column(&t, 0, "id")->integer = true;
    assert_false(plan_by_element(t.plan));
    map_test_column(&t, 1, "id")->integer = true;
    assert_true(plan_by_element(t.plan));
    check_changed(t.plan);
    map_test_end(&t);
}

/* Several documents' rows come out of one statement where the reader can put them in order, and
 * where MariaDB prints them in a UNION as it does without. */
static void test_united(void **state)
{
    struct map_test t;
    struct map_level *l;

    (void)state;
    map_test_begin(&t, paged); /* {max: …}: of BIT it would be another */
    map_test_classes(&t, MAP_CLASS_NUMBER);
    assert_false(plan_united(t.plan));
    l = &t.mapping->aggregates[0]->levels[1];
    l->ops[0].fold = MAP_FOLD_SUM;
    assert_true(plan_united(t.plan));
    map_test_column(&t, l->key[0].table, "id")->class = MAP_CLASS_TEXT;
    assert_false(plan_united(t.plan));
    map_test_end(&t);
}

static void test_conditions(void **state)
{
    static const enum map_class classes[] = {MAP_CLASS_NUMBER, MAP_CLASS_TEXT};
    struct span tuples[][2] = {
        {BYTES("1"), BYTES("a'")}, {BYTES("1"), BYTES("")}, {BYTES("-2"), BYTES("")}};
    struct buf out = buf_with_max(10000);
    struct map_test t;
    struct plan_in in;

    (void)state;
    map_test_begin(&t, grouped);
    in = plan_in_begin(&out, t.plan->key_names, classes, 2);
    plan_in_add(&in, tuples[0]);
    plan_in_add(&in, tuples[1]);
    plan_in_add(&in, tuples[2]);
    plan_in_end(&in);
    assert_string_equal(buf_text(&out),
                        "((t0.`a` = 1 AND t0.`b` IN (_utf8mb4 x'6127',_utf8mb4 x'')) OR"
                        " (t0.`a` = -2 AND t0.`b` IN (_utf8mb4 x'')))");
    buf_clear(&out);
    plan_after(&out, t.plan, classes, tuples[0]);
    plan_key_order(&out, t.plan, 10);
    assert_string_equal(buf_text(&out),
                        "((t0.`a` > 1) OR (t0.`a` = 1 AND t0.`b` > _utf8mb4 x'6127'))"
                        " ORDER BY t0.`a`, t0.`b` LIMIT 10");
    buf_clear(&out);
    in = plan_in_begin(&out, t.plan->key_names, classes, 1);
    plan_in_add(&in, tuples[0]);
    plan_in_add(&in, tuples[2]);
    plan_in_end(&in);
    assert_string_equal(buf_text(&out), "t0.`a` IN (1,-2)");
    buf_clear(&out);
    in.n = 0;
    plan_in_end(&in);
    assert_string_equal(buf_text(&out), "FALSE");
    buf_free(&out);
    map_test_end(&t);
}

/* Numbers are a table that the statement begins with, so many at once; texts are compared. */
static void test_links(void **state)
{
    enum map_class classes[] = {MAP_CLASS_NUMBER, MAP_CLASS_NUMBER};
    struct span tuples[][2] = {{BYTES("1"), BYTES("5")}, {BYTES("-2"), BYTES("6")}};
    struct buf out = buf_with_max(10000);
    const struct plan_walk *w;
    struct keyset links;
    struct map_test t;

    (void)state;
    map_test_begin(&t, paged);
    w = &t.plan->page.pairs[2];
    keyset_init(&links, 2, 1 << 20);
    assert_true(keyset_add(&links, tuples[0]) && keyset_add(&links, tuples[1]));
    assert_int_equal(plan_walk_put(&out, w, classes, &links, 0), 2);
    assert_string_equal(
        buf_text(&out),
        "WITH links (k0, k1) AS (VALUES (1,5),(-2,6)) SELECT STRAIGHT_JOIN DISTINCT t1.`p`, t3.`id`"
        " FROM links, `d`.`O` AS t2 JOIN `d`.`L` AS t1 ON t2.`id` = t1.`o`"
        " JOIN `d`.`C` AS t3 ON t3.`id` = t2.`c` WHERE t2.`id` = links.k0 AND t2.`c` = links.k1");
    classes[1] = MAP_CLASS_TEXT;
    buf_clear(&out);
    assert_int_equal(plan_walk_put(&out, w, classes, &links, 1), 2);
    assert_string_equal(
        buf_text(&out),
        "SELECT STRAIGHT_JOIN DISTINCT t1.`p`, t3.`id` FROM `d`.`O` AS t2 JOIN `d`.`L` AS t1"
        " ON t2.`id` = t1.`o` JOIN `d`.`C` AS t3 ON t3.`id` = t2.`c`"
        " WHERE ((t2.`id` = -2 AND t2.`c` IN (_utf8mb4 x'36')))");
    keyset_free(&links);
    buf_free(&out);
    map_test_end(&t);
}

/* Nothing that isn't a number or a time stands bare in a statement. */
static void test_literals(void **state)
{
    static const struct {
        enum map_class class;
        const char *text, *sql;
    } cases[] = {
        {MAP_CLASS_NUMBER, "12.50", "12.50"},
        {MAP_CLASS_NUMBER, "1) OR (1=1", "_utf8mb4 x'3129204f522028313d31'"},
        {MAP_CLASS_NUMBER, "", "_utf8mb4 x''"},
        {MAP_CLASS_TIME, "2024-01-02 03:04:05.6", "'2024-01-02 03:04:05.6'"},
        {MAP_CLASS_TIME, "x'", "_utf8mb4 x'7827'"},
        {MAP_CLASS_TEXT, "it's", "_utf8mb4 x'69742773'"},
        {MAP_CLASS_BYTES, "\x01\xff", "x'01ff'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = buf_with_max(1000);

        plan_literal(&out, cases[i].class, span_of(cases[i].text));
        assert_string_equal(buf_text(&out), cases[i].sql);
        buf_free(&out);
    }
}

static uint64_t fingerprint(const char *text)
{
    struct map_test t;
    uint64_t digest;

    map_test_begin(&t, text);
    digest = plan_fingerprint(&t.plan, 1);
    map_test_end(&t);
    return digest;
}

static void test_fingerprint(void **state)
{
    char other[sizeof map_test_shop];

    (void)state;
    assert_int_equal(fingerprint(map_test_shop), fingerprint(map_test_shop));
    memcpy(other, map_test_shop, sizeof other);
    *strstr(other, "Total") = 'S';
    assert_int_not_equal(fingerprint(map_test_shop), fingerprint(other));
    memcpy(other, map_test_shop, sizeof other);
    *strstr(other, "quantity") = 'x';
    assert_int_not_equal(fingerprint(map_test_shop), fingerprint(other));
}

static void test_probe(void **state)
{
    struct buf out = buf_with_max(10000);
    struct map_test t;

    (void)state;
    map_test_begin(&t, grouped);
    plan_probe(t.mapping->aggregates[0], &t.mapping->aggregates[0]->levels[1].ops[0].expr, &out);
    assert_string_equal(
        buf_text(&out),
        "SELECT t1.`q`, t1.`q` FROM (SELECT `a`, `b` FROM `d`.`P`) AS t0, (SELECT `pb`, `pa`,"
        " `c`, `q` FROM `d`.`L`) AS t1, (SELECT `id` FROM `d`.`C`) AS t2 LIMIT 0");
    buf_free(&out);
    map_test_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_grouped_composite),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_not_late),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_page_head),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_united),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
