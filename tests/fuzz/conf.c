/* Any bytes as a configuration: a conf or an error that names the file, never a crash. */
#include "conf/conf.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err e = {ERR_NONE, 0, ""};
    struct conf *c = conf_parse("no/such/folder/fuzz.yaml", data, n, &e);

    if (c) {
        assert(c->workers > 0 && c->server_count > 0 && c->server_count <= CONF_SERVERS_MAX);
        assert(!c->mirror.present || (c->mirror.aggregates && c->mirror.source.user[0]));
    } else {
        assert(e.kind == ERR_USAGE && strncmp(e.text, "no/such/folder/fuzz.yaml", 24) == 0);
    }
    conf_unref(c);
    return 0;
}
