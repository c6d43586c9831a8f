#include "component/plugins.h"

void is_in(struct rig *r, struct peer *till, const char *user, const char *password)
{
    (void)server_lets_in(&r->servers[PRIMARY], user, password);
    (void)client_hears_ok(till);
}

void replies_ed25519(struct peer *till, const char *password, unsigned twist)
{
    struct span nonce = client_hears_switch(till, AUTH_ED25519);
    uint8_t reply[AUTH_ED25519_REPLY];

    assert_int_equal(nonce.n, AUTH_ED25519_NONCE);
    auth_ed25519_reply(nonce.p, span_of(password), reply);
    reply[0] ^= (uint8_t)twist;
    peer_send_packet(till, (struct span){reply, sizeof reply});
}

struct span sha2_reply(const struct peer *till, const char *password)
{
    static uint8_t reply[AUTH_SHA2_HASH];

    auth_sha2_reply(till->nonce, span_of(password), reply);
    return (struct span){reply, sizeof reply};
}

void hears_more(struct peer *till, uint8_t what)
{
    struct span packet = peer_hears_packet(till);

    if (packet.n != 2 || packet.p[0] != AUTH_SHA2_MORE || packet.p[1] != what)
        peer_fail(till, "no 01 %02x", what);
}

void says_password_by_rsa(struct peer *till, const char *password, const uint8_t *nonce)
{
    struct buf sealed = buf_with_max(4096);
    struct span packet;

    hears_more(till, AUTH_SHA2_FULL);
    peer_send_packet(till, BYTES("\x02"));
    packet = peer_hears_packet(till);
    assert_int_equal(packet.p[0], AUTH_SHA2_MORE);
    assert_true(auth_rsa_encrypt((struct span){packet.p + 1, packet.n - 1}, nonce,
                                 span_of(password), &sealed));
    peer_send_packet(till, buf_span(&sealed));
    buf_free(&sealed);
}
