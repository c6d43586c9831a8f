/* Scalars of the configuration as text to values: pure. Each returns NULL where it is fine, else
 * what is wrong, in words that end the sentence "KEY: ...". */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/compiler.h"
#include "conf/conf.h"

#include <stdint.h>

/* Decimal digits only. */
const char *conf_value_number(const char *text, uint64_t *out) MUST_CHECK;
/* 50us, 50ms, 2s, 5m, 1h to nanoseconds; 0 needs no unit. */
const char *conf_value_duration(const char *text, uint64_t *out) MUST_CHECK;
/* 512, 64k, 64KiB, 16M, 16MiB, 1G, 1GiB to bytes. */
const char *conf_value_size(const char *text, uint64_t *out) MUST_CHECK;
/* host:port, [v6]:port or /path/of/socket. `host` is at least CONF_HOST_MAX bytes. */
enum { CONF_HOST_MAX = 256 };
const char *conf_value_address(const char *text, char *host, uint32_t *port) MUST_CHECK;
/* Whether a host is a numeric address or a path: what can be listened on. */
bool conf_value_numeric(const char *host);
/* Letters, digits, "_", "-" and ".". */
const char *conf_value_name(const char *text) MUST_CHECK;

/* As a person writes it: 50ms, 2s, 5m; 64KiB, 16MiB. `out` at least 32 bytes. */
void conf_value_print_duration(uint64_t ns, char *out, size_t size);
void conf_value_print_size(uint64_t bytes, char *out, size_t size);

#endif
