/* Who the client says it is, where somebody between may speak for it (PROXY protocol). */
#include "proxy/session/session_steps.h"

#include "base/log.h"
#include "protocol/proxy_header.h"

#include <stdio.h>

static bool refuse(struct session *s, const char *why)
{
    s->seq++; /* the client behind the header has sent its log-in, or will */
    session_fault(s, ER_HANDSHAKE_ERROR, "08S01", why);
    return false;
}

static bool is_trusted(const struct session *s)
{
    return conf_networks_have(&s->worker->conf->listeners[s->listener].proxy_protocol, s->address);
}

static void take(struct session *s, const struct proxy_header *h, enum proxy_found found)
{
    if (found == PROXY_CLIENT) {
        log_event(LOG_DEBUG, "session.proxied", LOG_NUM("id", s->id), LOG_STR("by", s->address),
                  LOG_STR("address", h->address));
        (void)snprintf(s->address, sizeof s->address, "%s", h->address);
        s->port = 0; /* the header's is not kept */
    }
    stream_consume(&s->client, h->used);
    s->introduced = true;
}

/* Whether a header may come: then it is not known yet whose session this is. */
bool session_may_be_introduced(const struct session *s)
{
    return !s->introduced && is_trusted(s);
}

/* It is known for whom the session is. */
static bool admit(struct session *s)
{
    s->seq++; /* as above */
    if (!session_count_address(s))
        return false;
    s->seq--;
    return true;
}

/* A login packet never begins as a header does: it would be of 800 KB or more. */
bool session_introduced(struct session *s)
{
    struct span in = {stream_data(&s->client), stream_left(&s->client)};
    struct proxy_header h;
    enum proxy_found found;
    char why[128];

    if (s->introduced || in.n == 0)
        return true; /* nothing yet: the log-in's step waits */
    found = proxy_header_decode(in, &h);
    s->introduced = found == PROXY_ABSENT;
    if (found == PROXY_ABSENT)
        return admit(s);
    if (found == PROXY_MORE && !s->client.eof)
        return false;
    if (found == PROXY_MORE) {
        session_fault(s, 0, NULL, "client left in the middle of its log-in");
        return false;
    }
    if (!is_trusted(s)) {
        (void)snprintf(why, sizeof why, "Proxy header is not accepted from %s", s->address);
        return refuse(s, why);
    }
    if (found == PROXY_INVALID)
        return refuse(s, h.why);
    take(s, &h, found);
    return admit(s);
}
