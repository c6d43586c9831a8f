/* This Tillway's row on a server, by which whoever promotes another one knows whom to wait for:
 * that it may send to the primary by this server's word, and the newest epoch for which it has left
 * the ones before. Not replicated. Why that is enough: docs/decisions/0023. */
#ifndef MONITOR_ENROL_H
#define MONITOR_ENROL_H

#include "monitor/probe.h"

struct enrolment {
    uint64_t id;    /* this Tillway's */
    uint64_t epoch; /* that the server has promised: not 0 */
    uint64_t left;  /* nothing is sent to primaries of epochs before this one */
};

/* Whether the row was there (`*there`); where it was not, it is made, and where it lags, written
 * anew. A server that will not have that is asked again the next time. */
enum probe_result enrol_ask(struct probe *p, const struct enrolment *e, bool *there,
                            struct probe_answer *a);
/* Nothing is sent by this server's word any more. */
void enrol_end(struct probe *p, uint64_t id);

#endif
