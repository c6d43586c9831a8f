/* How the proxy proves to a server who it is: the plugins, with what the client's log-in has shown.
 */
#include "protocol/auth/auth_ed25519.h"
#include "protocol/auth/auth_rsa.h"
#include "protocol/auth/auth_sha2.h"
#include "proxy/backend/backend_login.h"

static bool reply_native(struct backend *b, struct span nonce, struct buf *reply)
{
    const struct secret *secret = &b->identity->secret;
    uint8_t hash[AUTH_HASH];

    if (nonce.n < AUTH_NONCE)
        return false;
    if (secret->kind != SECRET_NONE) {
        auth_native_reply(nonce.p, secret->stage1, hash);
        buf_put(reply, hash, sizeof hash);
    }
    return true;
}

/* The password itself, or nothing where it is not known: the server then tries the account's next
 * way, or refuses. */
static struct span password_for(struct backend *b, const char *plugin)
{
    const struct secret *secret = &b->identity->secret;

    if (secret->kind == SECRET_PASSWORD)
        return secret->password;
    b->lacking = plugin;
    return (struct span){NULL, 0};
}

static bool reply_ed25519(struct backend *b, struct span nonce, struct buf *reply)
{
    struct span password = password_for(b, "ed25519");
    uint8_t signature[AUTH_ED25519_REPLY];

    if (nonce.n != AUTH_ED25519_NONCE)
        return false;
    if (password.n) {
        auth_ed25519_reply(nonce.p, password, signature);
        buf_put(reply, signature, sizeof signature);
    }
    return true;
}

static bool reply_sha2(struct backend *b, struct span nonce, struct buf *reply)
{
    struct span password = password_for(b, AUTH_SHA2);
    uint8_t hash[AUTH_SHA2_HASH];

    if (nonce.n < AUTH_NONCE)
        return false;
    memcpy(b->nonce, nonce.p, AUTH_NONCE);
    if (password.n) {
        auth_sha2_reply(nonce.p, password, hash);
        buf_put(reply, hash, sizeof hash);
    }
    return true;
}

bool backend_auth_reply(struct backend *b, struct span plugin, struct span nonce, struct buf *reply)
{
    b->lacking = NULL;
    if (span_eq(plugin, AUTH_NATIVE))
        return reply_native(b, nonce, reply);
    if (span_eq(plugin, AUTH_ED25519))
        return reply_ed25519(b, nonce, reply);
    return span_eq(plugin, AUTH_SHA2) && reply_sha2(b, nonce, reply);
}

/* Nobody listens between the server and us. */
static bool is_private(const struct backend *b)
{
    return b->stream.uv.handle.type == UV_NAMED_PIPE || stream_is_tls(&b->stream);
}

/* The server does not have the hash at hand. */
static bool reply_full(struct backend *b, struct buf *reply)
{
    struct span password = password_for(b, AUTH_SHA2);

    if (!is_private(b)) {
        buf_put_u8(reply, AUTH_SHA2_ASK_KEY);
        return true;
    }
    buf_put_span(reply, password);
    buf_put_u8(reply, 0);
    return true;
}

bool backend_auth_more(struct backend *b, struct span data, struct buf *reply)
{
    struct span password = password_for(b, AUTH_SHA2);

    if (data.n == 1 && data.p[0] == AUTH_SHA2_FAST_OK)
        return true;
    if (data.n == 1 && data.p[0] == AUTH_SHA2_FULL)
        return reply_full(b, reply);
    return auth_rsa_encrypt(data, b->nonce, password, reply);
}
