/* The connection phase: under any bytes no read beyond them; what was read and is written again
 * reads the same. The first byte chooses the decoder, the next eight are capabilities. */
#include "protocol/handshake.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void abort_unless(bool ok)
{
    if (!ok)
        abort();
}

static bool same(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void check_greeting(struct span in)
{
    struct buf b = buf_with_max(1 << 20);
    struct greeting first;
    struct greeting second;
    const char *why;

    if (!greeting_decode(in, &first, &why)) {
        abort_unless(why != NULL);
        return;
    }
    greeting_encode(&b, &first);
    abort_unless(greeting_decode(buf_span(&b), &second, &why));
    abort_unless(same(first.version, second.version) && same(first.plugin, second.plugin));
    abort_unless(memcmp(first.nonce, second.nonce, AUTH_NONCE) == 0);
    abort_unless(first.capabilities == second.capabilities && first.status == second.status);
    buf_free(&b);
}

static void check_login(struct span in, uint64_t offered)
{
    struct buf b = buf_with_max(1 << 20);
    struct login first;
    struct login second;
    const char *why;

    if (!login_decode(in, offered, &first, &why)) {
        abort_unless(why != NULL);
        return;
    }
    if (!(first.capabilities & (CAP_SECURE_CONNECTION | CAP_PLUGIN_AUTH_LENENC)))
        return; /* read, but never written */
    login_encode(&b, &first);
    abort_unless(login_decode(buf_span(&b), offered, &second, &why));
    abort_unless(first.ssl_request == second.ssl_request &&
                 first.capabilities == second.capabilities);
    abort_unless(same(first.user, second.user) && same(first.auth, second.auth));
    abort_unless(same(first.database, second.database) && same(first.plugin, second.plugin));
    abort_unless(same(first.attributes, second.attributes));
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cursor c = cursor_of(data, n);
    uint8_t which = cursor_u8(&c);
    uint64_t caps = cursor_u64(&c);
    struct span in = cursor_rest(&c);
    struct change_user user;
    struct span plugin;
    struct span rest;
    const char *why;

    if (!cursor_ok(&c))
        return 0;
    if (which % 4 == 0)
        check_greeting(in);
    else if (which % 4 == 1)
        check_login(in, caps | CAP_PROTOCOL_41); /* nobody offers less */
    else if (which % 4 == 2)
        abort_unless(change_user_decode(in, caps, &user, &why) == !why);
    else
        abort_unless(!auth_switch_decode(in, &plugin, &rest) || plugin.n + rest.n < in.n);
    return 0;
}
