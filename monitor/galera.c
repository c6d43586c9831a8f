#include "monitor/galera.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char galera_kind_sql[] = "SHOW GLOBAL VARIABLES WHERE (Variable_name='wsrep_on' AND "
                               "Value='ON') OR (Variable_name='wsrep_provider' AND Value<>'none')";
const char galera_dirty_sql[] = "SET SESSION wsrep_dirty_reads=ON";
const char galera_status_sql[] =
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready','wsrep_cluster_status',"
    "'wsrep_local_state','wsrep_local_state_comment','wsrep_cluster_state_uuid',"
    "'wsrep_cluster_conf_id')";
const char galera_barrier_sql[] =
    "SET STATEMENT wsrep_dirty_reads=OFF,wsrep_sync_wait=1 FOR SELECT 0";

void galera_take_status(struct galera_state *g, const struct probe_row *row)
{
    const char *name = row->columns == 2 && row->values[0] ? row->values[0] : "";
    const char *value = row->columns == 2 && row->values[1] ? row->values[1] : "";

    if (strcasecmp(name, "wsrep_ready") == 0)
        g->ready = strcasecmp(value, "ON") == 0;
    else if (strcasecmp(name, "wsrep_cluster_status") == 0)
        g->component = strcasecmp(value, "Primary") == 0;
    else if (strcasecmp(name, "wsrep_cluster_conf_id") == 0)
        g->view = strtoull(value, NULL, 10);
    else if (strcasecmp(name, "wsrep_local_state") == 0)
        g->local_state = (int)strtol(value, NULL, 10);
    else if (strcasecmp(name, "wsrep_local_state_comment") == 0)
        (void)snprintf(g->word, sizeof g->word, "%s", value);
    else if (strcasecmp(name, "wsrep_cluster_state_uuid") == 0)
        (void)snprintf(g->cluster, sizeof g->cluster, "%s", value);
}

bool galera_is_well(const struct galera_state *g)
{
    return g->on && g->ready && g->component;
}
