/* The indexes of a collection: those that the mapping asks for, and the one that finds its pages.
 */
#ifndef MIRROR_INDEX_H
#define MIRROR_INDEX_H

#include "mirror/mapping/plan.h"
#include "mirror/sink/sink.h"

/* What the mirror itself looks for; before anything is written. */
bool index_own(const struct plan *plan, struct sink *s, struct err *e) MUST_CHECK;
/* The mapping's, under MongoDB's own names for such: after a collection was filled, and where it
 * has them already nothing happens. */
bool index_mapped(const struct plan *plan, struct sink *s, struct err *e) MUST_CHECK;

#endif
