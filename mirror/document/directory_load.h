/* The directory of pages, from the pages that MongoDB has. */
#ifndef MIRROR_DIRECTORY_LOAD_H
#define MIRROR_DIRECTORY_LOAD_H

#include "mirror/document/directory.h"
#include "mirror/mapping/plan.h"
#include "mirror/sink/sink.h"

/* Before the first load of an aggregate with a paged array: the index that finds pages. */
bool directory_index(const struct plan *plan, struct sink *s, struct err *e) MUST_CHECK;
/* What was known is forgotten. Empty for an aggregate without a paged array. */
bool directory_load(struct directory *d, const struct plan *plan, struct sink *s,
                    struct err *e) MUST_CHECK;

#endif
