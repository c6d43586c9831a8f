/* Follows foreign keys that act to the rows they changed, and touches these. */
#ifndef MIRROR_FOLLOW_H
#define MIRROR_FOLLOW_H

#include "mirror/mapping/cascade.h"
#include "mirror/mapping/touch.h"

/* `before`: inside the snapshot where the last batch ended; NULL where there is none: then all that
 * cascades may reach is touched as a whole. `now`: inside the new one. Where something has acted,
 * the old snapshot is ended: held while the new one is read, it could be in an ALTER's way, and
 * that in the new one's.
 */
bool follow_cascades(struct cascade *c, struct source *before, struct source *now, struct touch *t,
                     struct err *e) MUST_CHECK;

#endif
