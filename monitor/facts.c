#include "monitor/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char facts_position_sql[] = "SELECT @@global.read_only, @@global.server_id, "
                                  "@@global.gtid_binlog_pos, @@global.gtid_slave_pos";
const char facts_channels_sql[] = "SHOW ALL SLAVES STATUS";

const char facts_full_disk_sql[] =
    "SELECT 1 FROM information_schema.processlist WHERE STATE='Waiting for someone to free space' "
    "AND COALESCE(INFO,'') NOT LIKE 'SELECT%' LIMIT 1";

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

static bool parse_position(const struct probe_row *row, unsigned i, struct gtid_set *out)
{
    struct span text = {(const uint8_t *)row->values[i], row->lengths[i]};

    return row->values[i] && gtid_set_parse(text, out);
}

bool facts_take_position(struct facts *f, const struct probe_row *row, const char **why)
{
    struct facts got = *f;

    *why = "its answer is not MariaDB's";
    if (row->columns != 4 || !row->values[0] || !row->values[1])
        return false;
    *why = "its GTID position cannot be read (more than 16 domains?)";
    if (!parse_position(row, 2, &got.binlog_pos) || !parse_position(row, 3, &got.slave_pos))
        return false;
    got.read_only = strcmp(row->values[0], "0") != 0 && strcmp(row->values[0], "OFF") != 0;
    got.server_id = number(row->values[1]);
    *f = got;
    *why = NULL;
    return true;
}

static enum channel_io io_state(const char *text)
{
    if (strcmp(text, "Yes") == 0)
        return CHANNEL_RUNNING;
    return strcmp(text, "No") == 0 ? CHANNEL_STOPPED : CHANNEL_CONNECTING;
}

void facts_take_channel(struct facts *f, const struct probe_row *row)
{
    struct channel *c;

    if (f->channel_count == CHANNELS_MAX)
        return;
    c = &f->channels[f->channel_count++];
    memset(c, 0, sizeof *c);
    (void)snprintf(c->name, sizeof c->name, "%s", probe_value(row, "Connection_name"));
    (void)snprintf(c->host, sizeof c->host, "%s", probe_value(row, "Master_Host"));
    c->port = number(probe_value(row, "Master_Port"));
    c->master_id = number(probe_value(row, "Master_Server_Id"));
    c->io = io_state(probe_value(row, "Slave_IO_Running"));
    c->sql_running = strcmp(probe_value(row, "Slave_SQL_Running"), "Yes") == 0;
    c->io_errno = number(probe_value(row, "Last_IO_Errno"));
    c->sql_errno = number(probe_value(row, "Last_SQL_Errno"));
    (void)snprintf(c->io_error, sizeof c->io_error, "%s", probe_value(row, "Last_IO_Error"));
    (void)snprintf(c->sql_error, sizeof c->sql_error, "%s", probe_value(row, "Last_SQL_Error"));
}

static const struct channel *same_channel(const struct facts *f, const char *name)
{
    for (int i = 0; i < f->channel_count; i++)
        if (strcmp(f->channels[i].name, name) == 0)
            return &f->channels[i];
    return NULL;
}

void facts_note_connecting(struct facts *f, const struct facts *before, uint64_t now_ns)
{
    for (int i = 0; i < f->channel_count; i++) {
        struct channel *c = &f->channels[i];
        const struct channel *old = same_channel(before, c->name);

        if (c->io != CHANNEL_CONNECTING)
            c->connecting_ns = 0;
        else
            c->connecting_ns = old && old->connecting_ns ? old->connecting_ns : now_ns;
    }
}
