#include "conf/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { V6_BITS = 128, V4_BEFORE = 96, BYTE = 8, TEXT_MAX = 64 };

/* The address as IPv6; *before is the number of bits that IPv4 has in front. */
static bool parse_address(const char *text, uint8_t out[16], unsigned *before)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

    *before = 0;
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    memcpy(out, mapped, sizeof mapped);
    *before = V4_BEFORE;
    return inet_pton(AF_INET, text, out + sizeof mapped) == 1;
}

static bool parse_bits(const char *text, unsigned most, unsigned *out)
{
    char *end;
    unsigned long bits = strtoul(text, &end, 10);

    *out = (unsigned)bits;
    return text[0] >= '0' && text[0] <= '9' && *end == 0 && bits <= most;
}

const char *conf_network_parse(const char *text, struct conf_network *out)
{
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    char address[TEXT_MAX];
    unsigned before;
    unsigned bits;

    *out = (struct conf_network){.local = strcmp(text, "localhost") == 0};
    if (out->local)
        return NULL;
    if (n >= sizeof address)
        return "is no network";
    memcpy(address, text, n);
    address[n] = 0;
    if (!parse_address(address, out->address, &before))
        return "is no network; write 10.0.0.0/8, 2001:db8::/32, one address, or localhost for unix "
               "sockets";
    bits = V6_BITS - before;
    if (slash && !parse_bits(slash + 1, bits, &bits))
        return "has no valid number of bits behind its slash";
    out->bits = (uint8_t)(before + bits);
    return NULL;
}

static bool has(const struct conf_network *n, const uint8_t address[16])
{
    size_t whole = n->bits / BYTE;
    unsigned rest = n->bits % BYTE;

    if (n->local || memcmp(n->address, address, whole) != 0)
        return false;
    return rest == 0 || ((n->address[whole] ^ address[whole]) >> (BYTE - rest)) == 0;
}

bool conf_networks_have(const struct conf_networks *n, const char *address)
{
    bool local = strcmp(address, "localhost") == 0;
    uint8_t bytes[16];
    unsigned before;

    if (!local && !parse_address(address, bytes, &before))
        return false;
    for (size_t i = 0; i < n->count; i++)
        if (local ? n->all[i].local : has(&n->all[i], bytes))
            return true;
    return false;
}
