#include "conf/value.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SOCKET_PATH_MAX = 107, PORT_MAX = 65535 };

struct unit {
    const char *name;
    uint64_t factor;
    bool printed; /* the one of its size that is printed */
};

/* The larger ones last: printing takes the largest that divides. */
static const struct unit durations[] = {
    {"us", 1000, true},
    {"ms", CLOCK_NS_PER_MS, true},
    {"s", CLOCK_NS_PER_S, true},
    {"m", 60 * CLOCK_NS_PER_S, true},
    {"h", 3600 * CLOCK_NS_PER_S, true},
};

static const struct unit sizes[] = {
    {"", 1, true},          {"k", 1 << 10, false}, {"KiB", 1 << 10, true}, {"M", 1 << 20, false},
    {"MiB", 1 << 20, true}, {"G", 1 << 30, false}, {"GiB", 1 << 30, true},
};

/* Digits at *text; false where there are none or too many. */
static bool digits(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t v = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (p == *text)
        return false;
    *text = p;
    *out = v;
    return true;
}

const char *conf_value_number(const char *text, uint64_t *out)
{
    if (!digits(&text, out) || *text)
        return "must be a whole number";
    return NULL;
}

static const char *with_unit(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
    uint64_t v;

    if (!digits(&text, &v))
        return "no number";
    if (v == 0 && *text == 0) {
        *out = 0;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, units[i].name) != 0)
            continue;
        if (v > UINT64_MAX / units[i].factor)
            return "too large";
        *out = v * units[i].factor;
        return NULL;
    }
    return "no unit";
}

const char *conf_value_duration(const char *text, uint64_t *out)
{
    if (with_unit(text, durations, ARRAY_LEN(durations), out))
        return "must be a duration such as 50ms, 2s, 5m or 1h";
    return NULL;
}

const char *conf_value_size(const char *text, uint64_t *out)
{
    if (with_unit(text, sizes, ARRAY_LEN(sizes), out))
        return "must be a size such as 4096, 64KiB or 16MiB";
    return NULL;
}

static const char *copy_host(const char *from, size_t n, char *host)
{
    if (n == 0)
        return "has no host before the port; write host:port";
    if (n >= CONF_HOST_MAX)
        return "has a host name that is too long";
    memcpy(host, from, n);
    host[n] = 0;
    return NULL;
}

static const char *parse_port(const char *text, uint32_t *port)
{
    uint64_t v;

    if (!digits(&text, &v) || *text || v == 0 || v > PORT_MAX)
        return "has no valid port, a number from 1 to 65535";
    *port = (uint32_t)v;
    return NULL;
}

static const char *parse_v6(const char *text, char *host, uint32_t *port)
{
    const char *end = strchr(text, ']');
    struct in6_addr in6;
    const char *why;

    if (!end || end[1] != ':')
        return "must be [address]:port";
    why = copy_host(text + 1, (size_t)(end - text) - 1, host);
    if (why)
        return why;
    if (inet_pton(AF_INET6, host, &in6) != 1)
        return "has no valid IPv6 address in its brackets";
    return parse_port(end + 2, port);
}

static bool host_characters(const char *host)
{
    for (; *host; host++)
        if (!isalnum((unsigned char)*host) && !strchr("._-", *host))
            return false;
    return true;
}

static const char *parse_path(const char *text, char *host, uint32_t *port)
{
    if (strlen(text) > SOCKET_PATH_MAX)
        return "is longer than the 107 bytes that a socket's path may have";
    *port = 0;
    return copy_host(text, strlen(text), host);
}

const char *conf_value_address(const char *text, char *host, uint32_t *port)
{
    const char *colon = strrchr(text, ':');
    const char *why;

    if (text[0] == '/')
        return parse_path(text, host, port);
    if (text[0] == '[')
        return parse_v6(text, host, port);
    if (!colon)
        return "has no port; write host:port, [v6]:port or an absolute path";
    if (strchr(text, ':') != colon)
        return "is IPv6 without brackets; write [address]:port";
    why = copy_host(text, (size_t)(colon - text), host);
    if (why)
        return why;
    if (!host_characters(host))
        return "has characters that no host name has";
    return parse_port(colon + 1, port);
}

bool conf_value_numeric(const char *host)
{
    struct in6_addr any;

    return host[0] == '/' || inet_pton(AF_INET, host, &any) == 1 ||
           inet_pton(AF_INET6, host, &any) == 1;
}

const char *conf_value_name(const char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
            return "may have letters, digits, \"_\", \"-\" and \".\" only";
    return NULL;
}

static void print_unit(uint64_t v, const struct unit *units, size_t n, char *out, size_t size)
{
    const struct unit *best = &units[0];

    for (size_t i = 0; i < n && v; i++)
        if (units[i].printed && v % units[i].factor == 0)
            best = &units[i];
    (void)snprintf(out, size, "%llu%s", (unsigned long long)(v / best->factor),
                   v ? best->name : "");
}

void conf_value_print_duration(uint64_t ns, char *out, size_t size)
{
    print_unit(ns, durations, ARRAY_LEN(durations), out, size);
}

void conf_value_print_size(uint64_t bytes, char *out, size_t size)
{
    print_unit(bytes, sizes, ARRAY_LEN(sizes), out, size);
}
