#include "protocol/handshake.h"

#include <assert.h>

enum { NONCE_HEAD = 8, GREETING_FILLER = 6, LOGIN_FILLER = 19, LOGIN_HEAD = 32 };

/* Bits that fit the 32 the MySQL protocol has; MariaDB's own go where MySQL has filler. */
static uint32_t low_caps(uint64_t caps)
{
    return (uint32_t)caps;
}

static uint32_t extended_caps(uint64_t caps)
{
    return caps & CAP_CLIENT_MYSQL ? 0 : (uint32_t)(caps >> 32);
}

void greeting_encode(struct buf *b, const struct greeting *g)
{
    uint32_t low = low_caps(g->capabilities);

    buf_put_u8(b, PROTOCOL_VERSION);
    buf_put_span(b, g->version);
    buf_put_u8(b, 0);
    buf_put_u32(b, g->connection_id);
    buf_put(b, g->nonce, NONCE_HEAD);
    buf_put_u8(b, 0);
    buf_put_u16(b, (uint16_t)low);
    buf_put_u8(b, g->collation);
    buf_put_u16(b, g->status);
    buf_put_u16(b, (uint16_t)(low >> 16));
    buf_put_u8(b, g->capabilities & CAP_PLUGIN_AUTH ? AUTH_NONCE + 1 : 0);
    buf_put_zeros(b, GREETING_FILLER);
    buf_put_u32(b, extended_caps(g->capabilities));
    buf_put(b, g->nonce + NONCE_HEAD, AUTH_NONCE - NONCE_HEAD);
    buf_put_u8(b, 0);
    if (g->capabilities & CAP_PLUGIN_AUTH) {
        buf_put_span(b, g->plugin);
        buf_put_u8(b, 0);
    }
}

static void take_nonce(struct cursor *c, uint8_t *to, size_t n)
{
    const uint8_t *p = cursor_take(c, n);

    if (p)
        memcpy(to, p, n);
}

/* A text whose closing NUL some peers leave out at the packet's end. */
static struct span last_cstr(struct cursor *c)
{
    if (cursor_left(c) && !memchr(c->p, 0, cursor_left(c)))
        return cursor_rest(c);
    return cursor_left(c) ? cursor_cstr(c) : (struct span){NULL, 0};
}

static void greeting_fields(struct cursor *c, struct greeting *g)
{
    g->version = cursor_cstr(c);
    g->connection_id = cursor_u32(c);
    take_nonce(c, g->nonce, NONCE_HEAD);
    cursor_skip(c, 1);
    g->capabilities = cursor_u16(c);
    g->collation = cursor_u8(c);
    g->status = cursor_u16(c);
    g->capabilities |= (uint64_t)cursor_u16(c) << 16;
    cursor_skip(c, 1 + GREETING_FILLER); /* the nonce's length, which is always 21 with its NUL */
    if (g->capabilities & CAP_CLIENT_MYSQL)
        cursor_skip(c, 4);
    else
        g->capabilities |= (uint64_t)cursor_u32(c) << 32;
    take_nonce(c, g->nonce + NONCE_HEAD, AUTH_NONCE - NONCE_HEAD);
    if (cursor_left(c))
        cursor_skip(c, 1);
    if (g->capabilities & CAP_PLUGIN_AUTH)
        g->plugin = last_cstr(c);
}

bool greeting_decode(struct span payload, struct greeting *g, const char **why)
{
    struct cursor c = cursor_span(payload);
    uint8_t version = cursor_u8(&c);

    *g = (struct greeting){0};
    *why = NULL;
    if (payload.n && version == 0xFF)
        *why = "the server answered with an error instead of a greeting";
    else if (payload.n && version != PROTOCOL_VERSION)
        *why = "the server does not speak protocol version 10";
    if (*why)
        return false;
    greeting_fields(&c, g);
    if (!cursor_ok(&c))
        *why = "the server's greeting is cut short";
    else if (!(g->capabilities & CAP_PROTOCOL_41) || !(g->capabilities & CAP_SECURE_CONNECTION))
        *why = "the server speaks only the protocol before 4.1";
    return !*why;
}

static void login_auth_encode(struct buf *b, const struct login *l)
{
    if (l->capabilities & CAP_PLUGIN_AUTH_LENENC) {
        buf_put_lenenc_bytes(b, l->auth);
    } else {
        assert(l->auth.n <= UINT8_MAX);
        buf_put_u8(b, (uint8_t)l->auth.n);
        buf_put_span(b, l->auth);
    }
}

static void put_text(struct buf *b, struct span text)
{
    buf_put_span(b, text);
    buf_put_u8(b, 0);
}

void login_encode(struct buf *b, const struct login *l)
{
    buf_put_u32(b, low_caps(l->capabilities));
    buf_put_u32(b, l->max_packet);
    buf_put_u8(b, l->collation);
    buf_put_zeros(b, LOGIN_FILLER);
    buf_put_u32(b, extended_caps(l->capabilities));
    if (l->ssl_request)
        return;
    put_text(b, l->user);
    login_auth_encode(b, l);
    if (l->capabilities & CAP_CONNECT_WITH_DB)
        put_text(b, l->database);
    if (l->capabilities & CAP_PLUGIN_AUTH)
        put_text(b, l->plugin);
    if (l->capabilities & CAP_CONNECT_ATTRS)
        buf_put_lenenc_bytes(b, l->attributes);
    if (l->capabilities & CAP_ZSTD)
        buf_put_u8(b, l->zstd_level);
}

static struct span auth_decode(struct cursor *c, uint64_t caps)
{
    if (caps & CAP_PLUGIN_AUTH_LENENC)
        return cursor_lenenc_bytes(c);
    if (caps & CAP_SECURE_CONNECTION)
        return cursor_bytes(c, cursor_u8(c));
    return cursor_cstr(c);
}

static struct span attributes_decode(struct cursor *c, uint64_t caps)
{
    if (!(caps & CAP_CONNECT_ATTRS) || !cursor_left(c))
        return (struct span){NULL, 0};
    return cursor_lenenc_bytes(c);
}

static void login_head(struct cursor *c, struct login *l)
{
    uint64_t extended;

    l->capabilities = cursor_u32(c);
    l->max_packet = cursor_u32(c);
    l->collation = cursor_u8(c);
    cursor_skip(c, LOGIN_FILLER);
    extended = (uint64_t)cursor_u32(c) << 32;
    if (!(l->capabilities & CAP_CLIENT_MYSQL))
        l->capabilities |= extended;
}

bool login_decode(struct span payload, uint64_t offered, struct login *l, const char **why)
{
    struct cursor c = cursor_span(payload);

    *l = (struct login){0};
    *why = NULL;
    login_head(&c, l);
    if (!cursor_ok(&c))
        *why = "the login packet is cut short";
    else if (!(l->capabilities & CAP_PROTOCOL_41))
        *why = "the client speaks only the protocol before 4.1";
    if (*why)
        return false;
    l->capabilities &= offered;
    if (payload.n == LOGIN_HEAD) {
        l->ssl_request = l->capabilities & CAP_SSL;
        *why = l->ssl_request ? NULL : "the login packet ends before the user's name";
        return l->ssl_request;
    }
    l->user = cursor_cstr(&c);
    l->auth = auth_decode(&c, l->capabilities);
    if (l->capabilities & CAP_CONNECT_WITH_DB)
        l->database = last_cstr(&c);
    if (l->capabilities & CAP_PLUGIN_AUTH)
        l->plugin = last_cstr(&c);
    l->attributes = attributes_decode(&c, l->capabilities);
    if ((l->capabilities & CAP_ZSTD) && cursor_left(&c))
        l->zstd_level = cursor_u8(&c);
    if (!cursor_ok(&c))
        *why = "the login packet is malformed";
    return !*why;
}

bool change_user_decode(struct span payload, uint64_t caps, struct change_user *u, const char **why)
{
    struct cursor c = cursor_span(payload);

    *u = (struct change_user){0};
    *why = NULL;
    cursor_skip(&c, 1);
    u->user = cursor_cstr(&c);
    /* Unlike the login, never a length-encoded one. */
    u->auth = auth_decode(&c, caps & ~CAP_PLUGIN_AUTH_LENENC);
    u->database = last_cstr(&c);
    if (cursor_left(&c))
        u->collation = cursor_u16(&c);
    if (caps & CAP_PLUGIN_AUTH)
        u->plugin = last_cstr(&c);
    u->attributes = attributes_decode(&c, caps);
    if (!cursor_ok(&c))
        *why = "the change-user packet is malformed";
    return !*why;
}

void auth_switch_encode(struct buf *b, const char *plugin, struct span data, bool nul)
{
    buf_put_u8(b, 0xFE);
    buf_put_cstr(b, plugin);
    buf_put_span(b, data);
    if (nul)
        buf_put_u8(b, 0);
}

bool auth_switch_decode(struct span payload, struct span *plugin, struct span *data)
{
    struct cursor c = cursor_span(payload);

    *plugin = (struct span){NULL, 0};
    *data = (struct span){NULL, 0};
    if (cursor_u8(&c) != 0xFE)
        return false;
    if (!cursor_left(&c))
        return true;
    *plugin = cursor_cstr(&c);
    *data = cursor_rest(&c);
    if (data->n == AUTH_NONCE + 1 && data->p[AUTH_NONCE] == 0)
        data->n = AUTH_NONCE;
    return cursor_ok(&c);
}
