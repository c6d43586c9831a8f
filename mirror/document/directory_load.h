/* The directory of pages, from the pages that MongoDB has. */
#ifndef MIRROR_DIRECTORY_LOAD_H
#define MIRROR_DIRECTORY_LOAD_H

#include "mirror/document/directory.h"
#include "mirror/mapping/plan.h"
#include "mirror/sink/sink.h"

/* After index_own. */
bool directory_load(struct directory *d, const struct plan *plan, struct sink *s,
                    struct err *e) MUST_CHECK;

#endif
