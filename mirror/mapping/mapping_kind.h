/* What the mapping says of columns and values. */
#ifndef MIRROR_MAPPING_KIND_H
#define MIRROR_MAPPING_KIND_H

/* How values of a column are written into SQL and compared as keys. */
enum map_class {
    MAP_CLASS_NONE,   /* not asked of the schema yet, or unfit for keys (floats) */
    MAP_CLASS_NUMBER, /* integers, DECIMAL, YEAR, BIT */
    MAP_CLASS_TEXT,   /* character columns, ENUM, SET, UUID, INET */
    MAP_CLASS_BYTES,
    MAP_CLASS_TIME, /* dates and times */
};

/* Over a child array's rows, or a group's. */
enum map_fold {
    MAP_FOLD_NONE = 0,
    MAP_FOLD_SUM,
    MAP_FOLD_COUNT,
    MAP_FOLD_MIN,
    MAP_FOLD_MAX,
    MAP_FOLD_AVG
};

/* What the value becomes in BSON; AUTO goes by the SQL type (see value.h). */
enum map_type {
    MAP_TYPE_AUTO,
    MAP_TYPE_INT,
    MAP_TYPE_DOUBLE,
    MAP_TYPE_DECIMAL,
    MAP_TYPE_TEXT,
    MAP_TYPE_DATE,
    MAP_TYPE_BOOL,
};

#endif
