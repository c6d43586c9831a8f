/* `tillway mirror plan`: what the mapping means on the live schema. */
#ifndef MIRROR_EXPLAIN_H
#define MIRROR_EXPLAIN_H

#include "mirror/engine.h"

#include <stdio.h>

/* Check the mapping on a server, then print for each collection which change of which table touches
 * which documents, and the largest of its first documents. Reads only; blocks. */
bool explain_run(struct engine *w, FILE *out, struct err *e) MUST_CHECK;

#endif
