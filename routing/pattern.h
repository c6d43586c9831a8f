/* Regular expressions of the configuration's rules: PCRE2, compiled once (with its JIT where the
 * machine has one), matched byte by byte whatever the character set, capitals as small letters.
 *
 * A pattern is immutable: any thread may use it, each with a room of its own. The work of one match
 * is bounded (PATTERN_STEPS); one that is given up counts as no match. */
#ifndef ROUTING_PATTERN_H
#define ROUTING_PATTERN_H

#include "base/buf.h"
#include "base/err.h"

enum { PATTERN_STEPS = 100000 };

struct pattern;
struct pattern_room; /* what a match needs; one thread's */

/* NULL with the reason in `why`: "missing closing parenthesis at character 5". */
struct pattern *pattern_new(const char *text, char *why, size_t size) MUST_CHECK;
void pattern_free(struct pattern *p); /* NULL is fine */
/* NULL where memory refuses. */
struct pattern_room *pattern_room_new(void);
void pattern_room_free(struct pattern_room *r);

/* Whether it fits somewhere in the text; *gave_up: nobody knows. */
bool pattern_matches(const struct pattern *p, struct pattern_room *r, struct span text,
                     bool *gave_up);

enum pattern_replaced {
    PATTERN_NONE,     /* it fits nowhere: nothing was appended */
    PATTERN_REPLACED, /* the whole new text was appended to `out` */
    PATTERN_FAILED,   /* given up, or no room in `out`: nothing was appended */
};

/* Put `with` in every place that fits. */
enum pattern_replaced pattern_replace(const struct pattern *p, struct pattern_room *r,
                                      struct span text, const char *with, struct buf *out);
/* Whether every $ of a replacement names a group of the pattern; NULL, or what is wrong. */
const char *pattern_check_replacement(const struct pattern *p, const char *with);

#endif
