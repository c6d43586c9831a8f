/* Whether a mapping fits the live schema. Tables must exist and be InnoDB, columns exist under
 * exactly these names, keys and links be of types that compare as text, and expressions use only
 * what they name; what rows are looked up by must be indexed. */
#ifndef MIRROR_SCHEMA_H
#define MIRROR_SCHEMA_H

#include "mirror/mapping/mapping.h"
#include "mirror/source/source.h"

/* Also fills in every column's class. ERR_USAGE with the place in the configuration where the
 * mapping is off; other kinds where the server does not answer. */
bool schema_check(struct mapping *m, struct source *s, struct err *e) MUST_CHECK;

/* The class of an information_schema data_type; NONE for what is no key (floats, BIT, geometry). */
enum map_class schema_class(struct span data_type);

#endif
