/* A collection that is made anew beside the one that is read, and takes its place as a whole:
 * readers see the old documents, then the new ones, never a part of them.
 *
 * The new one is called `<collection>.tillway_<the claim's number>`. Who claims later renames or
 * drops it first, so that a mirror which has slept has nothing left to put in place. It has the old
 * one's options and indexes, and so refuses what that one refuses. Of a sink that has claimed. One
 * thread, the sink's. */
#ifndef MIRROR_SINK_STAGE_H
#define MIRROR_SINK_STAGE_H

#include "mirror/sink/sink.h"

/* Begin: from here on the collection's name means the new one to sink_put, sink_find and sink_index
 * of this sink. `from`: the claim's number under which one was begun that is to be gone on with (0:
 * none); `resumed` says whether it is there: else an empty one is made. Flushed before. */
bool sink_stage(struct sink *s, const char *collection, int64_t from, bool *resumed,
                struct err *e) MUST_CHECK;
/* Put it in place. Refused (SINK_ERR_FENCED) where another mirror has claimed. */
bool sink_stage_swap(struct sink *s, struct err *e) MUST_CHECK;
/* Give up: the name means the old one again. The new one is dropped when the next is begun. */
void sink_stage_leave(struct sink *s);

#endif
