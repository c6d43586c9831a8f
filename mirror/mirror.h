/* The mirror: MongoDB documents kept equal to the rows of MariaDB, by a mapping in the
 * configuration. What it promises: each document is exactly what the mapping's SQL says at the GTID
 * the document carries, and the checkpoint's GTID holds for all of them.
 *
 * It works on threads of its own; every call here is for the control thread. */
#ifndef MIRROR_MIRROR_H
#define MIRROR_MIRROR_H

#include "base/compiler.h"
#include "base/err.h"
#include "conf/conf.h"

#include <stdbool.h>

struct mirror;

/* First thing in main, whatever the process is to do. libmongoc keeps counters in shared memory
 * named by the process id, made before main: killed, a process would leave it behind, and the next
 * one of that id would find the name taken and complain on stderr. Without the name it goes with
 * the process. */
void mirror_unname_counters(void);

/* Whether the mapping (`mirror.aggregates`) makes sense; without asking any server. ERR_USAGE
 * "FILE:LINE:COLUMN: KEY: what; hint" in `e` where not. True where the file has no mirror section.
 */
bool mirror_check(const struct conf *c, struct err *e) MUST_CHECK;

/* Start mirroring; takes its own reference of `c`, whose section must be present. NULL with `e`
 * where the mapping or the URI is off or a thread can't be had. Servers that can't be reached are
 * no error: it tries again and says so in the log and in `tillway mirror status`. */
struct mirror *mirror_start(struct conf *c, struct err *e) MUST_CHECK;

/* Stop between two writes, wait for the threads, free. Takes about two seconds at most, but up to
 * five where MongoDB does not answer. NULL is fine. */
void mirror_stop(struct mirror *m);

/* `tillway mirror status|verify|rebuild [option...]`: argv[0] is the first of these words. Prints
 * to standard output and error and returns the exit code: 0 fine, 1 not (differences, a stopped
 * mirror, a server that does not answer), 2 wrong usage. */
int mirror_main(struct conf *c, int argc, char **argv);

#endif
