/* A mapping out of a text, for tests. */
#ifndef TESTS_UNIT_MIRROR_MAP_H
#define TESTS_UNIT_MIRROR_MAP_H

#include "unit/check.h"

#include "mirror/mapping/mapping.h"
#include "mirror/mapping/plan.h"

#include <stdio.h>

struct map_test {
    struct conf_doc *doc;
    struct mapping *mapping;
    struct plan *plan; /* of the first aggregate */
    struct err e;
};

/* `text` is a list of aggregates; on an error only `e` is filled. */
static inline bool map_test_try(struct map_test *t, const char *text)
{
    *t = (struct map_test){.e = {.kind = ERR_NONE}};
    t->doc = conf_doc_parse("m.yaml", text, strlen(text), &t->e);
    if (t->doc)
        t->mapping = mapping_new(conf_doc_root(t->doc), &t->e);
    if (t->mapping)
        t->plan = plan_new(t->mapping->aggregates[0]);
    return t->mapping != NULL;
}

static inline void map_test_end(struct map_test *t)
{
    plan_free(t->plan);
    mapping_free(t->mapping);
    conf_doc_free(t->doc);
}

static inline void map_test_begin(struct map_test *t, const char *text)
{
    if (!map_test_try(t, text))
        fail_msg("%s", t->e.text);
    assert_non_null(t->plan);
}

/* Every column's class, as if the schema had said so. */
static inline void map_test_classes(struct map_test *t, enum map_class class)
{
    struct aggregate *a = t->mapping->aggregates[0];

    for (int i = 0; i < a->n_tables; i++)
        for (int k = 0; k < a->tables[i].n_columns; k++)
            a->tables[i].columns[k].class = class;
}

/* Whether all values, and so all sums, are exact. */
static inline void map_test_exact(struct map_test *t, bool is)
{
    struct aggregate *a = t->mapping->aggregates[0];

    for (int i = 0; i < a->n_levels; i++)
        for (int k = 0; k < a->levels[i].n_ops; k++)
            a->levels[i].ops[k].exact = is;
}

/* A column of one of the first aggregate's table uses. */
static inline struct map_column *map_test_column(struct map_test *t, int table, const char *name)
{
    struct map_table *u = &t->mapping->aggregates[0]->tables[table];

    for (int i = 0; i < u->n_columns; i++)
        if (strcmp(u->columns[i].name, name) == 0)
            return &u->columns[i];
    fail_msg("no column %s", name);
    return NULL;
}

/* customers with orders with items, and a sum over the items. */
static const char map_test_shop[] =
    "- collection: customers\n"
    "  table: pos.Customer\n"
    "  key: [id]\n"
    "  joins: [{table: pos.City, on: {zip: zip}}]\n"
    "  fields:\n"
    "    ID: id\n"
    "    Name: {sql: \"CONCAT({firstName}, ' {x} ', {City.city})\"}\n"
    "  arrays:\n"
    "    Orders:\n"
    "      table: pos.Order\n"
    "      on: {customer_id: id}\n"
    "      key: [id]\n"
    "      order_by: [placed desc]\n"
    "      where: \"{placed} IS NOT NULL\"\n"
    "      fields:\n"
    "        Order: id\n"
    "        Total: {sum: \"{quantity} * {Product.price}\", of: Items}\n"
    "      arrays:\n"
    "        Items:\n"
    "          table: pos.Line\n"
    "          on: {order_id: id}\n"
    "          key: [product_id]\n"
    "          joins: [{table: pos.Product, on: {id: product_id}, required: true}]\n"
    "          fields:\n"
    "            Product: Product.name\n"
    "            Count: {column: quantity, type: decimal}\n";

#endif
