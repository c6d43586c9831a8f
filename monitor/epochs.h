/* What a server says of epochs: its own row, and whether this Tillway is enrolled there. */
#ifndef MONITOR_EPOCHS_H
#define MONITOR_EPOCHS_H

#include "monitor/facts.h"

struct epochs_terms {
    uint64_t id;                 /* this Tillway's */
    uint64_t (*left)(void *ctx); /* as in enrol.h */
    void *ctx;
};

/* Into row, acks and enrolled. Where the server's row cannot be had for another reason than that
 * there is none yet, nothing is known of this server. */
enum probe_result epochs_ask(struct probe *p, const struct epochs_terms *t, struct facts *f,
                             struct probe_answer *a);

#endif
