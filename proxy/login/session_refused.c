/* What a server's refusal to let a session in comes to: passwords change while sessions live.
 *
 * A log-in is checked by the accounts as the proxy knows them; where the server knows better, they
 * are read anew and the check is made again. Who has been let in stays in, as on a server: he goes
 * on with the secret by which another session of the same user came in since. */
#include "proxy/session/session_steps.h"

#include <string.h>

/* Once; what comes of it then is final. Where only the server could check the password it is, too.
 */
static bool verify_anew(struct session *s)
{
    if (s->auth.refused || s->identity->unchecked)
        return false;
    s->auth.refused = true;
    s->auth.way = 0;
    session_enter(s, SESSION_VERIFY);
    return true;
}

static bool is_same_user(const struct identity *a, const struct identity *b)
{
    return a->user_len == b->user_len && memcmp(a->bytes, b->bytes, a->user_len) == 0 &&
           strcmp(a->address, b->address) == 0;
}

/* The latest that a server let in behind ours; NULL: none. */
static const struct identity *later_proven(const struct session *s)
{
    const struct identity *own = s->identity;
    const struct identity *best = own;

    for (const struct session *o = s->worker->sessions; o; o = o->next) {
        const struct identity *i = o->identity;

        if (i && i->proven_ns > best->proven_ns && is_same_user(i, own) &&
            memcmp(i->secret.stage1, own->secret.stage1, AUTH_HASH) != 0)
            best = i;
    }
    return best == own ? NULL : best;
}

bool session_log_in_otherwise(struct session *s)
{
    const struct identity *proven;
    struct identity *renewed;

    if (s->run.log_in)
        return verify_anew(s);
    proven = later_proven(s);
    renewed = proven ? identity_renew(s->identity, proven) : NULL;
    if (!renewed)
        return false;
    identity_unref(s->identity);
    s->identity = renewed;
    session_enter(s, SESSION_ROUTE);
    return true;
}
