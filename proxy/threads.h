/* Which server connection serves which session: what the servers' thread ids mean to clients.
 *
 * Shared by all workers, under a lock that is taken when a server connection changes hands and when
 * a statement that names connections is rewritten, never for an ordinary statement. */
#ifndef PROXY_THREADS_H
#define PROXY_THREADS_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

enum { THREAD_HOST_MAX = 80 };

/* Session ids are in a range of their own, far above any server's: so every id tells whose it is.
 */
enum { SESSION_ID_FIRST = 1 << 30, SESSION_ID_LAST = INT32_MAX };

/* Whether the id is one of the proxy's; else it is a server's own. */
static inline bool session_is_id(uint64_t id)
{
    return id >= SESSION_ID_FIRST && id <= SESSION_ID_LAST;
}

struct thread_row;

struct threads {
    pthread_mutex_t lock;
    struct thread_row *rows; /* by server and thread id */
};

bool threads_init(struct threads *t) MUST_CHECK;
void threads_free(struct threads *t);

/* The connection `thread` on `server` serves `session` (0: it is idle in a pool), whose client is
 * at `host`. Without memory it stays unlisted: then the server's own id is what clients see. */
void threads_set(struct threads *t, int server, uint32_t thread, uint32_t session,
                 const char *host);
void threads_remove(struct threads *t, int server, uint32_t thread);
bool threads_has(struct threads *t, int server, uint32_t thread);
/* The thread that serves the session on the server; 0: none. */
uint32_t threads_of(struct threads *t, int server, uint32_t session);
typedef void threads_visit(void *ctx, uint32_t thread, uint32_t session, const char *host);
/* Each row of a server, under the lock, in any order. */
void threads_each(struct threads *t, int server, threads_visit *visit, void *ctx);

#endif
