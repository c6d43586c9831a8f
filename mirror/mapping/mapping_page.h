/* Questions about the paged array of an aggregate, and where levels stand. */
#ifndef MIRROR_MAPPING_PAGE_H
#define MIRROR_MAPPING_PAGE_H

#include "mirror/mapping/mapping.h"

/* Whether a level is `of` or stands somewhere inside its elements. */
static inline bool aggregate_within(const struct aggregate *a, int level, int of)
{
    while (level > of)
        level = a->levels[level].parent;
    return level == of;
}

/* Whether a table use shows in the elements of the paged array. */
static inline bool aggregate_paged_use(const struct aggregate *a, int table)
{
    return a->paged && aggregate_within(a, a->tables[table].level, a->paged);
}

/* The table uses, a bit each, whose rows decide which element of the paged array a row belongs to:
 * its driving one, and those between it and its key. */
uint32_t aggregate_element_tables(const struct aggregate *a);
static inline bool aggregate_element_use(const struct aggregate *a, int table)
{
    return aggregate_element_tables(a) & 1u << table;
}

/* The columns of such a use that say so, into `out`; how many (over MAP_KEY_MAX: too many). */
int aggregate_element_columns(const struct aggregate *a, int table, int16_t out[MAP_KEY_MAX]);

#endif
